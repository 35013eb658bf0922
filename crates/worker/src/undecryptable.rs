//! Messages that could not be decrypted. The library asks the sender's phone for each again, five
//! times at most, as WhatsApp's own clients do; one that arrives then is a message like any other.
//! Operators hear of the first, and then how many there were, for a contact whose phone lost its keys
//! sends many.

use std::time::{Duration, Instant};

/// The name of the event.
pub(crate) const EVENT: &str = "message.undecryptable";

/// It is told once in so long.
const SPAN: Duration = Duration::from_mins(10);

/// What was told, and what was not.
#[derive(Debug, Default)]
pub(crate) struct Undecryptable {
    told: Option<Instant>,
    untold: u32,
}

impl Undecryptable {
    /// What to tell of a message that could not be decrypted, if anything.
    pub(crate) fn tell(&mut self, chat: &str, id: &str, now: Instant) -> Option<String> {
        if self.told.is_some_and(|told| now.duration_since(told) < SPAN) {
            self.untold = self.untold.saturating_add(1);
            return None;
        }
        self.told = Some(now);
        let others = match std::mem::take(&mut self.untold) {
            0 => String::new(),
            untold => format!("; since this was told last, {untold} others could not be either"),
        };
        Some(format!(
            "the message {id} of {chat} could not be decrypted; its sender's phone is asked for it again, up to 5 times{others}"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_told_and_then_how_many_there_were() {
        let (mut sampler, start) = (Undecryptable::default(), Instant::now());
        assert!(sampler.tell("a", "1", start).unwrap().contains("message 1 of a"));
        for second in 1..=7 {
            assert_eq!(sampler.tell("a", "2", start + Duration::from_secs(second)), None);
        }
        let later = start + SPAN;
        assert!(sampler.tell("b", "9", later).unwrap().ends_with("7 others could not be either"));
        assert!(!sampler.tell("b", "9", later + SPAN).unwrap().contains("others"));
    }
}
