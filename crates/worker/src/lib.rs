//! One tenant's worker: one WhatsApp session, the body of `tenantry worker run`.
//!
//! - [`contract`]: what the environment says;
//! - [`session_dir`]: the session's directory, held by one worker at a time;
//! - [`safekeeping`]: its databases, sealed, checked and copied;
//! - [`session`]: what the session is doing, published as snapshots;
//! - [`connection`]: the one loop that connects to WhatsApp, paced by [`backoff`], with [`pairing`]
//!   when there is no login, and watched by [`liveness`];
//! - [`vitals`]: what is measured for the heartbeat;
//! - [`inbound`] → [`store`] → [`answers`]: the way of a message, crash-proof at every step, decided
//!   by the rules in [`settings`], paced by [`pacing`]; [`receipts`] tell how far it came;
//! - [`webhook`]: asks the tenant's own program, through [`outside`];
//! - [`link`]: heartbeats and events to the control plane, commands from it.
//!
//! A crash anywhere resumes from the rows of [`store`]: nothing is lost, nothing answered twice.

mod answers;
mod backoff;
mod connection;
mod contract;
mod error;
mod inbound;
mod link;
mod liveness;
mod outside;
mod pacing;
mod pairing;
mod receipts;
mod run;
mod safekeeping;
mod sends;
mod session;
mod session_dir;
mod settings;
mod store;
mod undecryptable;
mod vitals;
mod webhook;

pub use backoff::Policy;
pub use contract::{Contract, Link, Mistake, Mistakes, Version, WHATSAPP_URL, WhatsApp};
pub use error::{Ended, WorkerError};
pub use liveness::Policy as LivenessPolicy;
pub use run::run;
pub use safekeeping::SafekeepingError;
pub use session_dir::SessionDirError;
pub use store::StoreError;
