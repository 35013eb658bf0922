//! Stories of a supervisor in its own process, told through its client.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod crash;
mod guards;
mod lifecycle;
mod limits;
mod logs;
mod poll;
mod restart;
mod stopping;
mod support;
mod tree;
