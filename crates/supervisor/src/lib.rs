//! Runs processes for anyone: starts, watches, restarts and stops them, and keeps what they write.
//!
//! One daemon ([`daemon::run`]) per run directory speaks HTTP on a Unix socket there; [`client::Client`] talks
//! to it in the types of [`wire`]. It may be killed at any instant: no process dies of that, no line
//! of their output is lost, and the next daemon takes them over. How:
//!
//! - what is meant to run is in a journal ([`wire::Desired`], group commit), who runs in a record per
//!   process, and every process carries a mark in its environment;
//! - a process is (pid, start time, boot id), held by a pidfd;
//! - output goes through named FIFOs that outlive us, into files by `splice(2)`.
//!
//! It needs Linux 5.4 or later. The state machine and the rules for requests are in [`process`], the restart
//! policy is in [`policy`].

mod budget;
mod cgroup;
mod child;
pub mod client;
mod cron;
pub mod daemon;
pub mod enforcement;
mod engine;
mod exit_status;
pub mod handover;
pub mod holder;
mod http;
mod identity;
mod input;
mod journal;
pub mod launcher;
mod liveness;
mod logs;
pub mod memory;
mod memory_watch;
mod notify_socket;
mod orphans;
mod outlet;
pub mod policy;
#[cfg(test)]
#[path = "../tests/daemon/poll.rs"]
mod poll;
mod probe;
pub mod process;
mod process_table;
mod pulse;
mod readiness;
mod record;
mod run_dir;
mod settle;
mod spawn;
pub mod spec;
mod stats;
mod systemd;
mod tail;
mod tree;
mod watch;
pub mod wire;
