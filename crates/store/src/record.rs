//! What the store keeps, in the words of the rest of the program.

use std::fmt;
use std::sync::Arc;

use api::events::EventView;
use api::link::OutsideMessage;
use api::messages::SentMessage;
use api::pacing::Pacing;
use api::phone::Phone;
use api::records::Direction;
use api::rules::WebhookSecret;
use api::session::SessionState;
use api::tenant::{TenantConfig, TenantId, TenantStatus};
use api::worker::{DesiredState, RuntimeKind, WorkerStatus};
use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

/// A tenant with its settings, worker and session.
#[derive(Clone, PartialEq)]
pub struct TenantRecord {
    /// The id.
    pub id: TenantId,
    /// The display name.
    pub name: String,
    /// The short form of the name; unique.
    pub slug: String,
    /// The number; unique where there is one.
    pub phone: Option<Phone>,
    /// Where the tenant stands, as last observed.
    pub status: TenantStatus,
    /// The settings of the bot.
    pub config: TenantConfig,
    /// Grows with every change of the settings, the rules and the name.
    pub config_version: u64,
    /// The reply rules; they were checked before they were stored.
    pub rules: Option<Arc<Value>>,
    /// What requests to the webhook are signed with.
    pub webhook_secret: Option<WebhookSecret>,
    /// How the bot paces itself.
    pub pacing: Pacing,
    /// The worker.
    pub worker: WorkerRecord,
    /// The session.
    pub session: SessionRecord,
    /// Re-pair links of another epoch are not good; it grows each time they are taken back.
    pub pair_epoch: u64,
    /// When the tenant was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed by a person.
    pub updated_at: DateTime<Utc>,
}

/// Without the settings: the environment in them holds secrets.
impl fmt::Debug for TenantRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantRecord")
            .field("id", &self.id)
            .field("slug", &self.slug)
            .field("status", &self.status)
            .field("config_version", &self.config_version)
            .field("worker", &self.worker)
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}

/// A worker: what is wanted, and what was last observed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerRecord {
    /// The process name.
    pub name: String,
    /// Where it runs, or would.
    pub runtime: RuntimeKind,
    /// What is wanted.
    pub desired: DesiredState,
    /// Grows at each start; 0: never started.
    pub generation: u64,
    /// The generation that could not be started; `last_error` says why.
    pub failed_generation: Option<u64>,
    /// The status, as last written.
    pub status: WorkerStatus,
    /// The process id, as last written.
    pub pid: Option<u32>,
    /// When the process was started, as last written.
    pub started_at: Option<DateTime<Utc>>,
    /// How often it was started again after it died, as last written.
    pub restarts: u64,
    /// The last sign of life.
    pub last_seen_at: Option<DateTime<Utc>>,
    /// What went wrong last.
    pub last_error: Option<String>,
}

/// A session as last observed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionRecord {
    /// The state.
    pub state: SessionState,
    /// Whether a login is stored.
    pub paired: bool,
    /// The WhatsApp address of the login.
    pub jid: Option<String>,
    /// When the session last became connected.
    pub connected_at: Option<DateTime<Utc>>,
}

/// A tenant to be made.
#[derive(Clone)]
pub struct NewTenant {
    /// The id.
    pub id: TenantId,
    /// The display name.
    pub name: String,
    /// The wanted slug; where it is taken, `-2`, `-3`, … is put behind it.
    pub slug_base: String,
    /// The number.
    pub phone: Option<Phone>,
    /// The process name of the worker.
    pub worker_name: String,
    /// Where the worker will run.
    pub runtime: RuntimeKind,
    /// The settings of the bot.
    pub config: TenantConfig,
}

/// Without the settings, as in [`TenantRecord`].
impl fmt::Debug for NewTenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewTenant")
            .field("id", &self.id)
            .field("slug_base", &self.slug_base)
            .field("worker_name", &self.worker_name)
            .finish_non_exhaustive()
    }
}

/// A change of a tenant; what is `None` stays.
#[derive(Clone, Default)]
pub struct TenantChange {
    /// The display name.
    pub name: Option<String>,
    /// The number; `Some(None)` takes it away.
    pub phone: Option<Option<Phone>>,
    /// The settings, all of them.
    pub config: Option<TenantConfig>,
}

/// Without the settings, as in [`TenantRecord`].
impl fmt::Debug for TenantChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantChange")
            .field("name", &self.name)
            .field("phone", &self.phone)
            .field("config", &self.config.is_some())
            .finish()
    }
}

/// A deletion of a tenant that was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// The tenant.
    pub tenant: TenantId,
    /// The process name of its worker.
    pub worker_name: String,
    /// Where its worker ran.
    pub runtime: RuntimeKind,
}

/// How the operator appears to tenants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrandRecord {
    /// The name.
    pub name: String,
    /// The colour, as `#rrggbb`.
    pub colour: Option<String>,
    /// The logo.
    pub logo: Option<Logo>,
}

/// A logo.
#[derive(Clone, PartialEq, Eq)]
pub struct Logo {
    /// Its media type.
    pub kind: String,
    /// The picture.
    pub bytes: Vec<u8>,
}

/// Without the picture.
impl fmt::Debug for Logo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logo").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// What was observed of a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    /// The tenant.
    pub tenant: TenantId,
    /// The worker's status.
    pub status: WorkerStatus,
    /// The process id.
    pub pid: Option<u32>,
    /// When the process was started.
    pub started_at: Option<DateTime<Utc>>,
    /// How often it was started again after it died.
    pub restarts: u64,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// The last sign of life; `None` leaves what is stored.
    pub last_seen_at: Option<DateTime<Utc>>,
}

/// What of a worker's events was taken in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TakenIn {
    /// The number up to which everything is stored.
    pub through: u64,
    /// Whether a message from outside has come further.
    pub progress: bool,
    /// What of it came into the event log.
    pub events: Vec<EventView>,
}

/// An entry for the audit log.
#[derive(Clone, Debug)]
pub struct NewAudit {
    /// Who.
    pub actor: String,
    /// What.
    pub action: String,
    /// To which tenant.
    pub tenant: Option<TenantId>,
    /// `ok`, or the code of the problem.
    pub result: String,
    /// In words.
    pub detail: String,
}

/// A message from outside that is to be accepted.
#[derive(Clone, Debug)]
pub struct NewOutgoing {
    /// The tenant whose number sends it.
    pub tenant: TenantId,
    /// The caller's name of the request.
    pub key: String,
    /// What the request said, as a hash.
    pub request_hash: String,
    /// The message.
    pub message: OutsideMessage,
    /// The upload that goes with it.
    pub upload: Option<Uuid>,
}

/// What became of a request to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Enqueued {
    /// It is accepted.
    New(SentMessage),
    /// It was accepted before, and this is the same request.
    Same(SentMessage),
    /// Its key was used for another request, which made this message.
    KeyTaken(SentMessage),
    /// Too many of the tenant's messages wait.
    Full,
    /// There is no such upload that no other message has.
    NoUpload,
}

/// A file that was uploaded.
#[derive(Clone, Debug)]
pub struct NewUpload {
    /// Its id.
    pub id: Uuid,
    /// Whose it is.
    pub tenant: TenantId,
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: String,
    /// Its length in bytes.
    pub size: u64,
    /// When it came.
    pub at: DateTime<Utc>,
}

/// What the message log says of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedMessage {
    /// Which way it went.
    pub direction: Direction,
    /// Its text.
    pub text: String,
}
