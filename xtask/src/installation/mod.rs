//! An installation of its own for a task: a home, the programs that run in it, and their end.
//!
//! Whatever a task starts lives in that home and ends with the task, however that ends.

pub mod home;
pub mod http;
pub mod leftovers;
pub mod program;
pub mod server;
pub mod simulator;
pub mod wait;
