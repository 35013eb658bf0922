//! What every runtime promises, proven on each of them, and what one alone does.
//!
//! `cases` holds the contract: functions that are given a [`place::Place`] and know no runtime. `local` and `pm2`
//! run them, each on its own kind of place.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cases;
mod local;
mod place;
mod pm2;
mod poll;
