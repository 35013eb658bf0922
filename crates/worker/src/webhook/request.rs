//! A question as it is sent: JSON, signed with the tenant's secret.

use api::TenantId;
use api::rules::WebhookSecret;
use chrono::SecondsFormat;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use sha2::Sha256;

use crate::store::Question;

/// What the request holds.
pub(super) struct Request {
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
}

impl Request {
    /// The same for each try: nothing in it depends on when it is made.
    pub(super) fn new(
        tenant: TenantId,
        question: &Question,
        secret: Option<&WebhookSecret>,
    ) -> Self {
        let message = &question.message;
        let body = json!({
            "tenant": tenant,
            "chat": message.chat,
            "message_id": message.message_id,
            "kind": message.media.as_str(),
            "text": message.text,
            "name": message.name,
            "number": message.number,
            "at": message.at.to_rfc3339_opts(SecondsFormat::Secs, true),
            "rule": question.rule,
        })
        .to_string();
        let mut headers = vec![("x-tenantry-message", message.message_id.clone())];
        if let Some(secret) = secret {
            headers.push(("x-tenantry-signature", signature(&secret.0, &body)));
        }
        Self { headers, body }
    }
}

/// `sha256=` and the HMAC-SHA256 of the body under the secret, in hexadecimal digits.
fn signature(secret: &str, body: &str) -> String {
    // A key of any length is taken.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    mac.update(body.as_bytes());
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::signature;

    #[test]
    fn the_signature_is_what_others_compute() {
        // Of RFC 4231, test case 2.
        let expected = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(signature("Jefe", "what do ya want for nothing?"), expected);
    }
}
