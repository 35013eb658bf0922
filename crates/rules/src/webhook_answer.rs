//! What a tenant's webhook may answer.

use serde_json::Value;

use crate::limits;

/// What the webhook wants done with the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebhookAnswer {
    /// Send this text.
    Reply(String),
    /// Do nothing.
    Ignore,
    /// Be silent in this chat for so many minutes.
    HandOver(u32),
}

impl WebhookAnswer {
    /// Reads a body.
    ///
    /// # Errors
    /// In words, what is wrong with it and what would be right.
    pub fn read(body: &[u8]) -> Result<Self, String> {
        const RIGHT: &str =
            "answer {\"reply\": \"…\"}, {\"ignore\": true} or {\"handover_minutes\": N}";
        let value: Value = serde_json::from_slice(body)
            .map_err(|error| format!("it is no JSON ({error}); {RIGHT}"))?;
        let fields = value.as_object().filter(|fields| fields.len() == 1);
        let Some((name, value)) = fields.and_then(|fields| fields.iter().next()) else {
            return Err(format!("it is no object with one field; {RIGHT}"));
        };
        match (name.as_str(), value) {
            ("reply", Value::String(text)) if text.trim().is_empty() => {
                Err("its reply is empty; answer {\"ignore\": true} to say nothing".to_owned())
            }
            ("reply", Value::String(text)) if text.chars().count() > limits::REPLY => {
                Err(format!("its reply is longer than {} characters", limits::REPLY))
            }
            ("reply", Value::String(text)) => Ok(Self::Reply(text.clone())),
            ("ignore", Value::Bool(true)) => Ok(Self::Ignore),
            ("handover_minutes", Value::Number(minutes)) => minutes
                .as_u64()
                .and_then(|minutes| u32::try_from(minutes).ok())
                .filter(|minutes| (1..=limits::HANDOVER_MINUTES).contains(minutes))
                .map(Self::HandOver)
                .ok_or_else(|| {
                    format!("its handover_minutes is not from 1 to {}", limits::HANDOVER_MINUTES)
                }),
            _ => Err(format!("its field {name:?} is not one that is understood; {RIGHT}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::WebhookAnswer;

    #[test]
    fn three_answers_are_understood() {
        let read = |text: &str| WebhookAnswer::read(text.as_bytes()).unwrap();
        assert_eq!(read(r#"{"reply": "hi"}"#), WebhookAnswer::Reply("hi".to_owned()));
        assert_eq!(read(r#"{"ignore": true}"#), WebhookAnswer::Ignore);
        assert_eq!(read(r#"{"handover_minutes": 30}"#), WebhookAnswer::HandOver(30));
    }

    #[test]
    fn anything_else_is_told() {
        for (text, part) in [
            ("", "no JSON"),
            ("<html>", "no JSON"),
            ("[]", "one field"),
            ("{}", "one field"),
            (r#"{"reply": "a", "ignore": true}"#, "one field"),
            (r#"{"reply": " "}"#, "empty"),
            (r#"{"reply": 5}"#, "not one that is understood"),
            (r#"{"ignore": false}"#, "not one that is understood"),
            (r#"{"handover_minutes": 0}"#, "from 1 to"),
            (r#"{"handover_minutes": -1}"#, "from 1 to"),
            (r#"{"handover_minutes": 1e9}"#, "from 1 to"),
        ] {
            let told = WebhookAnswer::read(text.as_bytes()).unwrap_err();
            assert!(told.contains(part), "{text}: {told}");
        }
        let long = format!(r#"{{"reply": "{}"}}"#, "x".repeat(5000));
        assert!(WebhookAnswer::read(long.as_bytes()).unwrap_err().contains("longer"));
    }

    proptest! {
        #[test]
        fn no_body_is_too_odd(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = WebhookAnswer::read(&body);
        }
    }
}
