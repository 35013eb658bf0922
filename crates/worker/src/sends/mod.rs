//! Messages from outside, between the control plane's command and the outbox.
//!
//! ```text
//! command ─► row (accepted) ─► opted out? on WhatsApp? its file? ─► outbox row ─► as any answer
//!                                       └─► refused, with the reason
//! ```
//!
//! Only a few at a time are taken as far as the outbox: asking WhatsApp about numbers much faster than
//! writing to them is what gets a number banned, and replies shall not queue behind a campaign.

mod files;
mod shape;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use api::client::LinkClient;
use api::link::{OutsideContent, OutsideSource};
use chrono::{DateTime, Utc};
use rules::{MediaKind, MediaReply, MediaSource};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use whatsapp_rust::wacore::request::RequestUtils;
use whatsapp_rust::wacore_binary::JidExt as _;
use whatsapp_rust::{Client, Jid};

use crate::session::Snapshot;
use crate::store::{BotStore, NewSend, StoreError, Waiting, is_group};
use files::FileError;
use shape::ReactionTo;
pub use shape::{Quote, Shape};

/// Messages from outside that may be in the outbox at a time, to who is known and to strangers each.
const AHEAD: i64 = 8;

/// How long WhatsApp may take to say whether a number is there.
const LOOK_UP: Duration = Duration::from_secs(20);

/// How often a number is looked up on a working connection before the message is given up.
const TRIES: u32 = 5;

/// The wait after the first failed try; it doubles with each.
const FIRST_RETRY: chrono::Duration = chrono::Duration::seconds(2);

/// The wait after a file could not be fetched; it goes on until the message's deadline.
const FETCH_AGAIN: chrono::Duration = chrono::Duration::seconds(10);

/// The wait before the next number is asked about, after one that has no WhatsApp: as slow as messages would
/// be. After a failure it doubles, [`MOST_PAUSES`] times at most.
const PAUSE: Duration = Duration::from_secs(6);
const MOST_PAUSES: u32 = 4;

/// The longest time without a look at what is due.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// The wait after the worker's database failed.
const AFTER_STORE_FAILURE: Duration = Duration::from_secs(5);

/// The id that a message from outside is sent under.
pub(crate) fn new_message_id() -> String {
    RequestUtils::message_id_at(None, Utc::now().timestamp().unsigned_abs())
}

/// What the task works with.
pub struct Sends {
    /// The worker's database.
    pub store: Arc<BotStore>,
    /// The session.
    pub session: watch::Receiver<Snapshot>,
    /// The client to ask with.
    pub client: watch::Receiver<Option<Arc<Client>>>,
    /// Where files of messages are fetched from; without it there are no messages from outside.
    pub link: Option<LinkClient>,
    /// Where files lie until they are sent.
    pub folder: PathBuf,
    /// No number is looked up before.
    pub next_look_up: Option<Instant>,
    /// How many look-ups failed in a row.
    pub failures: u32,
}

/// What is found out about a message's recipient and file.
enum Finding {
    /// It may go.
    Fit,
    /// It may not: a stable word, `: `, and more in words.
    Unfit(String),
    /// That cannot be said now.
    Unknown(String),
    /// The control plane is away. It has accepted the message and will be back: this is no try.
    Later(String),
}

/// What to do next.
enum Step {
    /// Something was done; look again.
    Done,
    /// Nothing to do for so long, unless something happens.
    Wait(Duration),
}

impl Sends {
    /// Takes messages as far as the outbox, without end.
    pub async fn run(mut self) {
        loop {
            let wait = match self.step().await {
                Ok(Step::Done) => continue,
                Ok(Step::Wait(wait)) => wait,
                Err(error) => {
                    tracing::error!(%error, "cannot work on messages from outside");
                    sleep(AFTER_STORE_FAILURE).await;
                    continue;
                }
            };
            let store = Arc::clone(&self.store);
            tokio::select! {
                () = sleep(wait) => {}
                () = store.sends_changed() => {}
                // An error means that the worker is ending, and this task with it.
                changed = self.session.changed() => if changed.is_err() { return },
            }
        }
    }

    async fn step(&mut self) -> Result<Step, StoreError> {
        let now = Utc::now();
        let expired = self.store.expire_sends(now)?;
        if expired > 0 {
            tracing::warn!(expired, "messages from outside were not sent before their deadline");
            return Ok(Step::Done);
        }
        files::remove_settled(&self.folder, &self.store);
        let until_deadline = until(self.store.next_deadline()?, now);
        let connected = self.session.borrow_and_update().is_connected();
        let client = self.client.borrow().clone().filter(|_| connected);
        let Some(client) = client else { return Ok(Step::Wait(until_deadline)) };
        let room = self.store.room(AHEAD)?;
        let Some(waiting) = self.store.next_waiting(room, now)? else {
            let until_due = until(self.store.next_send_due(room)?, now);
            return Ok(Step::Wait(until_due.min(until_deadline)));
        };
        self.decide(&client, &waiting).await?;
        Ok(Step::Done)
    }

    async fn decide(&mut self, client: &Arc<Client>, waiting: &Waiting) -> Result<(), StoreError> {
        let finding = self.find_out(client, waiting).await?;
        let (now, id) = (Utc::now(), waiting.message.send_id);
        match finding {
            Finding::Fit => {
                tracing::info!(%id, message_id = waiting.message_id, "a message from outside is to be sent");
                let outgoing = self.outgoing(client, waiting)?;
                self.store.admit(waiting, &outgoing, now)
            }
            Finding::Unfit(reason) => {
                tracing::warn!(%id, reason, "a message from outside is not sent");
                self.store.refuse(waiting, &reason, now)
            }
            // The connection was lost: this was no try.
            Finding::Unknown(_) if !client.is_connected() => {
                self.store.look_up_later(waiting, false, now + chrono::Duration::seconds(1))
            }
            Finding::Later(why) => {
                tracing::warn!(%id, why, "a message from outside waits for its file");
                self.store.look_up_later(waiting, false, now + FETCH_AGAIN)
            }
            Finding::Unknown(why) if waiting.tries + 1 < TRIES => {
                tracing::warn!(%id, why, "a message from outside waits");
                let due = now + FIRST_RETRY * (1 << waiting.tries.min(8));
                self.store.look_up_later(waiting, true, due)
            }
            Finding::Unknown(why) => {
                tracing::error!(%id, why, "a message from outside is given up");
                self.store.refuse(waiting, &format!("not_sent: {why}"), now)
            }
        }
    }

    async fn find_out(
        &mut self,
        client: &Client,
        waiting: &Waiting,
    ) -> Result<Finding, StoreError> {
        let message = &waiting.message;
        let Ok(to) = message.to.parse::<Jid>() else {
            return Ok(Finding::Unfit(format!("bad_recipient: {:?} is no address", message.to)));
        };
        // Before the recipient, so that nobody is asked about again and again.
        match self.fetch(waiting).await {
            Ok(()) => {}
            Err(FileError::Gone(why)) => return Ok(Finding::Unfit(format!("no_file: {why}"))),
            Err(FileError::Failed(why)) => return Ok(Finding::Later(why)),
        }
        if !to.is_group()
            && let Some(finding) = self.recipient(client, &waiting.chat, &to).await?
        {
            return Ok(finding);
        }
        if let OutsideContent::Reaction(reaction) = &message.content
            && to.is_group()
            && self.store.author(&waiting.chat, &reaction.message_id)?.is_none()
        {
            let why = "unknown_message: the bot has not seen the message in the group";
            return Ok(Finding::Unfit(format!("{why}: {}", reaction.message_id)));
        }
        Ok(Finding::Fit)
    }

    /// What speaks against the recipient. Whether it has WhatsApp is not asked of whoever is known.
    async fn recipient(
        &mut self,
        client: &Client,
        chat: &str,
        to: &Jid,
    ) -> Result<Option<Finding>, StoreError> {
        if self.store.has_opted_out(chat)? {
            return Ok(Some(opted_out(chat)));
        }
        if self.store.is_acquainted(chat)? {
            return Ok(None);
        }
        if let Some(pause) = self.next_look_up {
            sleep_until(pause).await;
        }
        let asked = [to.clone()];
        let answer = match timeout(LOOK_UP, client.contacts().is_on_whatsapp(&asked)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => {
                self.pause(true);
                let why = format!("cannot look up the number: {error}");
                return Ok(Some(Finding::Unknown(why)));
            }
            Err(_) => {
                self.pause(true);
                let why = "looking up the number took too long".to_owned();
                return Ok(Some(Finding::Unknown(why)));
            }
        };
        let Some(found) = answer.iter().find(|found| found.is_registered) else {
            self.pause(false);
            let why = format!("not_on_whatsapp: {} has no WhatsApp; nothing was sent", to.user);
            return Ok(Some(Finding::Unfit(why)));
        };
        let other = if to.is_lid() { &found.pn_jid } else { &found.lid };
        let Some(other) = other.as_ref().map(Jid::to_non_ad_string) else { return Ok(None) };
        // Who opted out may have been known by the other address alone.
        let chat = self.store.same_contact(&to.to_string(), &other)?;
        Ok(self.store.has_opted_out(&chat)?.then(|| opted_out(&chat)))
    }

    /// Puts the next look-up off.
    fn pause(&mut self, failed: bool) {
        self.failures = if failed { (self.failures + 1).min(MOST_PAUSES) } else { 0 };
        self.next_look_up = Some(Instant::now() + PAUSE * (1 << self.failures));
    }

    /// The message as the outbox takes it.
    fn outgoing(&self, client: &Client, waiting: &Waiting) -> Result<NewSend, StoreError> {
        let message = &waiting.message;
        let is_group = is_group(&message.to);
        let author = |id: &str| self.store.author(&waiting.chat, id);
        let mut shape = Shape::default();
        if let Some(quoted) = &message.reply_to {
            let known = author(&quoted.message_id)?;
            let ours = known.clone().map_or(quoted.from_me == Some(true), |known| known.is_none());
            let contact = || known.flatten().unwrap_or_else(|| message.to.clone());
            let own = || client.pn().map(|own| own.to_non_ad_string()).unwrap_or_default();
            shape.quote = Some(Quote {
                message_id: quoted.message_id.clone(),
                author: if ours { own() } else { contact() },
                text: quoted.text.clone(),
            });
        }
        let (text, media) = match &message.content {
            OutsideContent::Text(text) => (text.clone(), None),
            OutsideContent::Reaction(reaction) => {
                let known = author(&reaction.message_id)?;
                shape.reaction = Some(ReactionTo {
                    message_id: reaction.message_id.clone(),
                    from_me: known == Some(None),
                    participant: known.flatten().filter(|_| is_group),
                    emoji: reaction.emoji.clone(),
                });
                (format!("[reaction] {}", reaction.emoji), None)
            }
            OutsideContent::Media(media) => {
                shape.file_name = media.file_name.clone();
                let source = match &media.source {
                    OutsideSource::Url(url) => MediaSource::Url(url.clone()),
                    OutsideSource::Upload(_) => {
                        let path = files::path(&self.folder, message).unwrap_or_default();
                        MediaSource::File(path.to_string_lossy().into_owned())
                    }
                };
                let reply = MediaReply { source, kind: kind(media.kind) };
                (media.caption.clone().unwrap_or_default(), Some(reply))
            }
        };
        Ok(NewSend { text, media, shape })
    }

    /// Brings an uploaded file here, so that from now on nobody else is needed to send it.
    async fn fetch(&self, waiting: &Waiting) -> Result<(), FileError> {
        let OutsideContent::Media(media) = &waiting.message.content else { return Ok(()) };
        let OutsideSource::Upload(id) = media.source else { return Ok(()) };
        let Some(link) = &self.link else {
            return Err(FileError::Gone("there is no control plane to fetch it from".to_owned()));
        };
        files::fetch(link, id, &self.folder, &waiting.message).await
    }
}

/// The time until something is to be done.
fn until(at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Duration {
    at.map_or(LONGEST_WAIT, |at| {
        (at - now).to_std().unwrap_or_default().clamp(Duration::from_millis(1), LONGEST_WAIT)
    })
}

const fn kind(kind: api::messages::MediaKind) -> MediaKind {
    match kind {
        api::messages::MediaKind::Image => MediaKind::Image,
        api::messages::MediaKind::Video => MediaKind::Video,
        api::messages::MediaKind::Audio => MediaKind::Audio,
        api::messages::MediaKind::Document => MediaKind::Document,
    }
}

fn opted_out(to: &str) -> Finding {
    Finding::Unfit(format!("opted_out: {to} has opted out of messages; nothing was sent"))
}
