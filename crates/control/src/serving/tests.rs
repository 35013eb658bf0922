#![allow(clippy::unwrap_used, reason = "a test may fail")]

//! The listener as a client meets it, with times that a test can wait for.

mod ending;
mod limits;
mod slow;
mod stage;
mod tls;
