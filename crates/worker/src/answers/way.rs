//! One message's way out: typed, or fetched and uploaded; sent; acknowledged.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedRwLockReadGuard, watch};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use whatsapp_rust::wacore_binary::JidExt as _;
use whatsapp_rust::waproto::whatsapp::Message;
use whatsapp_rust::{Client, Jid, SendOptions};

use super::ack::{Ack, AckDesk};
use super::content;
use super::files::FileError;
use crate::outside::Outside;
use crate::session::Snapshot;
use crate::store::Outgoing;

/// How long WhatsApp may take to acknowledge a message before it is sent again.
const ACKNOWLEDGED: Duration = Duration::from_secs(10);

/// How long building and writing a message may take; it may have to ask for the recipient's keys.
const WRITTEN: Duration = Duration::from_secs(15);

/// The refusals that say: too much. 429: too fast; 463: too many who never wrote.
const TOO_MUCH: [&str; 2] = ["429", "463"];

/// How a try to send came out.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// WhatsApp has the message.
    Taken,
    /// WhatsApp refuses it for good.
    Refused(String),
    /// WhatsApp refuses it because there are too many, with this code.
    TooMuch(String),
    /// It failed on a working connection.
    Failed(String),
    /// The connection was lost: this was no try.
    Interrupted,
    /// The worker is ending: nothing was sent.
    Withheld,
}

impl From<FileError> for Sent {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Impossible(why) => Self::Refused(why),
            FileError::Failed(why) => Self::Failed(why),
            FileError::Interrupted => Self::Interrupted,
        }
    }
}

/// What came of a message; the guard is held until that is stored.
pub(super) struct Arrived {
    pub(super) outgoing: Outgoing,
    pub(super) sent: Sent,
    pub(super) guard: Option<OwnedRwLockReadGuard<()>>,
}

/// What a message needs on its way.
pub(super) struct Way {
    pub(super) client: Arc<Client>,
    pub(super) acks: Arc<AckDesk>,
    pub(super) session: watch::Receiver<Snapshot>,
    pub(super) outside: Arc<Outside>,
    pub(super) media_dir: PathBuf,
    pub(super) stop: CancellationToken,
    /// How long the bot seems to type.
    pub(super) typing: Duration,
}

impl Way {
    /// Brings a message out, and says what came of it.
    pub(super) async fn go(mut self, outgoing: Outgoing) -> Arrived {
        let Ok(chat) = outgoing.address.parse::<Jid>() else {
            let sent = Sent::Refused("the chat's address cannot be read".to_owned());
            return Arrived { outgoing, sent, guard: None };
        };
        let message = match self.message(&chat, &outgoing).await {
            Ok(message) => message,
            Err(sent) => return Arrived { outgoing, sent, guard: None },
        };
        let guard = self.acks.begin().await;
        if self.stop.is_cancelled() {
            return Arrived { outgoing, sent: Sent::Withheld, guard: None };
        }
        let mut sent = self.send(chat.clone(), &outgoing.message_id, message).await;
        if sent == Sent::Taken && !self.is_addressed(&chat).await {
            let why = "WhatsApp took it, but not for the recipient, none of whose keys is valid";
            sent = Sent::Failed(why.to_owned());
        }
        Arrived { outgoing, sent, guard: Some(guard) }
    }

    /// What is sent. With each try of a file it is fetched and uploaded anew; the recipient's WhatsApp
    /// shows the message once, by its id.
    async fn message(&mut self, chat: &Jid, outgoing: &Outgoing) -> Result<Message, Sent> {
        let Some(media) = &outgoing.media else {
            self.type_to(chat).await?;
            return Ok(outgoing.shape.text(&outgoing.address, &outgoing.text));
        };
        let work = content::prepared(
            Arc::clone(&self.client),
            media.clone(),
            outgoing.text.clone(),
            Arc::clone(&self.outside),
            self.media_dir.clone(),
        );
        work.await.map(|message| outgoing.shape.file(message)).map_err(Sent::from)
    }

    async fn type_to(&mut self, chat: &Jid) -> Result<(), Sent> {
        if self.typing.is_zero() {
            return Ok(());
        }
        if let Err(error) = self.client.chatstate().send_composing(chat).await {
            tracing::debug!(%error, "cannot show that the bot types");
        }
        let typing = self.typing;
        tokio::select! {
            () = sleep(typing) => Ok(()),
            () = self.stop.cancelled() => Err(Sent::Withheld),
            _ = self.session.wait_for(|now| !now.is_connected()) => Err(Sent::Interrupted),
        }
    }

    /// Whether a message that WhatsApp took was for the chat's contact too: the library leaves out whose
    /// keys are false, and WhatsApp acknowledges what is left, the copy for the own phone.
    async fn is_addressed(&self, chat: &Jid) -> bool {
        chat.is_group() || !matches!(self.client.signal().validate_session(chat).await, Ok(false))
    }

    async fn send(&mut self, chat: Jid, message_id: &str, message: Message) -> Sent {
        let acknowledged = self.acks.expect(message_id);
        let options = SendOptions::default().with_message_id(message_id.to_owned());
        let client = &self.client;
        let work = async {
            // A nacked message is written like any other; its code comes with the acknowledgement.
            let writing = client.send_message_with_options(chat, message, options);
            match timeout(WRITTEN, writing).await {
                Err(_) => return Sent::Failed("sending took too long".to_owned()),
                Ok(Err(error)) => return Sent::Failed(error.to_string()),
                Ok(Ok(_)) => {}
            }
            match timeout(ACKNOWLEDGED, acknowledged).await {
                Ok(Ok(Ack::Taken)) => Sent::Taken,
                Ok(Ok(Ack::Refused(code))) if TOO_MUCH.contains(&code.as_str()) => {
                    Sent::TooMuch(code)
                }
                Ok(Ok(Ack::Refused(code))) => Sent::Refused(format!("WhatsApp answers {code}")),
                Ok(Err(_)) | Err(_) => Sent::Failed("WhatsApp did not acknowledge it".to_owned()),
            }
        };
        let session = &mut self.session;
        let sent = tokio::select! {
            biased;
            sent = work => sent,
            // An error means that the worker is ending.
            _ = session.wait_for(|now| !now.is_connected()) => Sent::Interrupted,
        };
        match sent {
            Sent::Failed(_) if !client.is_connected() => Sent::Interrupted,
            sent => sent,
        }
    }
}
