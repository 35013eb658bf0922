//! The database as such, for the commands of its operator.

pub use store::{Copied, DatabaseStatus, Schema, Step, Store, copy};
