//! PM2's formats: application declarations, process lists, dumps. They are data here; nothing speaks to a supervisor.
//!
//! - [`App`] is one declaration; [`file::read`] reads those of a file, [`App::specs`] turns one into what the
//!   supervisor runs.
//! - [`jlist`] shows processes as PM2's `jlist` and `prettylist` do; [`dump`] reads and writes `dump.pm2`.
//! - [`schema`] gives the JSON Schema and the reference of the fields.

mod app;
pub mod dump;
mod field;
pub mod file;
pub mod jlist;
pub mod schema;
mod specs;
pub mod value;

pub use app::{App, FIELDS, Mistake, MistakeKind};
pub use field::Field;
pub use specs::{AppError, Context, Homes, Specs, caller_env, label, updated};
