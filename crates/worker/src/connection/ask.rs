//! What is asked of WhatsApp on a connection: whether it is alive, and pairing codes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use api::Phone;
use api::link::PairingCode;
use chrono::Utc;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;
use whatsapp_rust::Client;
use whatsapp_rust::pair_code::{PairCodeError, PairCodeOptions, PairCodeRejection, PairError};
use whatsapp_rust::request::IqError;
use whatsapp_rust::wacore::iq::keepalive::KeepaliveSpec;
use whatsapp_rust::wacore::pair_code::PairCodeUtils;

use crate::pairing::Input;

/// Pings WhatsApp: how long it took to answer, if it did within `patience`.
pub(super) fn ping(
    client: &Arc<Client>,
    patience: Duration,
) -> AbortOnDropHandle<Option<Duration>> {
    let client = Arc::clone(client);
    AbortOnDropHandle::new(tokio::spawn(async move {
        let sent = Instant::now();
        let answer = client.execute(KeepaliveSpec::with_timeout(patience));
        match timeout(patience, answer).await {
            // A refusal is an answer too.
            Ok(Ok(()) | Err(IqError::ServerError { .. })) => Some(sent.elapsed()),
            Ok(Err(_)) | Err(_) => None,
        }
    }))
}

/// Asks for a pairing code in place of any other; `None`: the request came to nothing, which says
/// nothing of the code.
pub(super) fn code(client: &Arc<Client>, phone: Phone) -> AbortOnDropHandle<Option<Input>> {
    let client = Arc::clone(client);
    AbortOnDropHandle::new(tokio::spawn(async move {
        client.cancel_pair_code().await;
        let asked = Instant::now();
        let phone_number = phone.digits().to_owned();
        let options = PairCodeOptions { phone_number, ..PairCodeOptions::default() };
        match client.pair_with_code(options).await {
            Ok(code) => {
                let lives = PairCodeUtils::code_validity().saturating_sub(asked.elapsed());
                let expires_at = Utc::now() + chrono::Duration::from_std(lives).unwrap_or_default();
                Some(Input::Code(PairingCode { code, phone, expires_at }, lives))
            }
            Err(error) => refusal(&error).map(Input::Refused),
        }
    }))
}

/// Why there is no code, and what to do; `None` when the connection ended or another request took
/// this one's place.
fn refusal(error: &PairError) -> Option<String> {
    match error {
        PairError::PairCode(
            PairCodeError::Cancelled | PairCodeError::CodeAlreadyOutstanding { .. },
        )
        | PairError::RequestFailed(
            IqError::NotConnected | IqError::Disconnected(_) | IqError::InternalChannelClosed,
        ) => return None,
        _ => {}
    }
    Some(match error.rejection() {
        Some(PairCodeRejection::BadRequest) => "it refuses the request (400): the number is not one of WhatsApp's, or too many codes were asked for; wait some minutes, or scan a QR code".to_owned(),
        Some(PairCodeRejection::RateOverlimit) => "too many codes were asked for (429); wait an hour, or scan a QR code".to_owned(),
        Some(PairCodeRejection::Forbidden) => "it is not allowed for this number (403); scan a QR code".to_owned(),
        Some(PairCodeRejection::FeatureNotAvailable) => "linking by code is not available for this number (452); scan a QR code".to_owned(),
        Some(PairCodeRejection::InternalServerError) => "WhatsApp has trouble of its own (500); ask again in a minute".to_owned(),
        Some(PairCodeRejection::Unknown(code)) => format!("it refuses the request ({code}); scan a QR code"),
        None => format!("{error}; ask again, or scan a QR code"),
    })
}
