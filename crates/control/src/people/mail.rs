//! Letters: invitations and new passwords by e-mail, where a mail server is configured.

use std::time::Duration;

use lettre::message::Mailbox;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};

use crate::config::Settings;
use crate::problem::{ApiError, Kind};
use crate::startup::StartError;

/// A mail server that takes longer is away.
const PATIENCE: Duration = Duration::from_secs(15);

/// Where letters go out.
pub struct Mail {
    server: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// What a letter is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Letter {
    /// Somebody is invited.
    Invitation,
    /// Somebody gets another password.
    Reset,
}

impl Mail {
    /// What the settings say of it; `None`: nothing.
    ///
    /// # Errors
    /// [`StartError::Mail`].
    pub fn new(settings: &Settings) -> Result<Option<Self>, StartError> {
        let Some(url) = &settings.smtp_url else { return Ok(None) };
        let bad = |error: &dyn std::fmt::Display| StartError::Mail(error.to_string());
        let server = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.expose());
        let server = server.map_err(|error| bad(&error))?.timeout(Some(PATIENCE)).build();
        let from = settings.mail_from.as_deref().unwrap_or("Tenantry <tenantry@localhost>");
        let from = from.parse().map_err(|error: lettre::address::AddressError| bad(&error))?;
        Ok(Some(Self { server, from }))
    }

    /// Sends a link to somebody.
    ///
    /// # Errors
    /// [`Kind::MailFailed`].
    pub async fn send(&self, to: &str, letter: Letter, url: &str) -> Result<(), ApiError> {
        let failed = |error: String| {
            tracing::error!(to, error, "a letter could not be sent");
            let detail = format!("the mail server did not take the letter: {error}; see SMTP_URL");
            ApiError::new(Kind::MailFailed, detail)
        };
        let (subject, text) = written(letter, url);
        let to =
            to.parse().map_err(|error: lettre::address::AddressError| failed(error.to_string()))?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(subject)
            .body(text)
            .map_err(|error| failed(error.to_string()))?;
        self.server.send(message).await.map_err(|error| failed(error.to_string()))?;
        Ok(())
    }
}

fn written(letter: Letter, url: &str) -> (&'static str, String) {
    match letter {
        Letter::Invitation => (
            "You are invited to Tenantry",
            format!(
                "Hello,\n\nan account was made for you. Open this link to choose a password; it is good \
                 once, for seven days:\n\n{url}\n\nIf you do not expect this, ignore it.\n"
            ),
        ),
        Letter::Reset => (
            "A new password for Tenantry",
            format!(
                "Hello,\n\nsomebody asked for a new password for your account. Open this link to choose \
                 one; it is good once, for an hour:\n\n{url}\n\nIf it was not you, ignore it: your \
                 password stays.\n"
            ),
        ),
    }
}
