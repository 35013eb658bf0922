//! Stories of a supervisor in its own process, told through its client.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod batches;
mod crash;
mod guards;
mod handing_over;
mod last_words;
mod lifecycle;
mod limits;
mod logs;
mod poll;
mod restart;
mod stopping;
mod support;
mod tree;
