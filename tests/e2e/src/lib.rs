//! The stage for the system tests: an installation of the real program in a temporary home, beside a
//! simulated WhatsApp network. The stories in `tests/` read like an operator's day.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test may fail")]

mod installation;
mod pm2;
mod poll;
mod proc;
pub mod program;
mod workshop;

pub use installation::{Installation, Setup};
pub use pm2::Pm2;
pub use poll::{eventually, eventually_within};
pub use proc::{alive, cont, kill, stop};
pub use program::{Run, tenantry};
pub use workshop::Workshop;
