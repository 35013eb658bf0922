//! Reply rules: what a tenant's bot does with a message. Pure: the caller brings the message, what is
//! known of the chat, and the time.
//!
//! ```text
//! JSON or TOML ──[read]──► RuleSet ──[compile]──► Rules ──[decide] message, context──► Decision
//! ```
//!
//! - [`set`]: the document that a tenant writes; [`read`] tells every mistake in its form;
//! - [`compile`]: checks what the form does not show (expressions, variables, time zones), and makes
//!   the set ready to decide; [`limits`] bounds everything;
//! - [`decide`]: the decision, with its reasons;
//! - [`fold`], [`words`], [`language`], [`hours`], [`template`], [`opt_out`]: the parts of it;
//! - [`webhook_answer`]: what a tenant's webhook may say;
//! - [`ready`]: ready-made sets.

pub mod compile;
pub mod decide;
pub mod fold;
pub mod hours;
pub mod language;
pub mod limits;
pub mod mistake;
pub mod opt_out;
pub mod read;
pub mod ready;
pub mod set;
pub mod template;
pub mod webhook_answer;
pub mod words;

pub use compile::{MediaSource, Rules};
pub use decide::{Context, Decision, Incoming, MediaReply, Outcome, Silence};
pub use mistake::Mistake;
pub use read::{from_json, from_toml};
pub use set::{Groups, Media, MediaKind, RuleSet};
pub use webhook_answer::WebhookAnswer;
