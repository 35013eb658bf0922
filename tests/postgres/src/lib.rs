//! Temporary PostgreSQL servers for tests, from the programs of the distribution's package.
//!
//! `cargo xtask test` starts one for the whole run and names it in [`VARIABLE`]; a test program that is run
//! without it starts one of its own. Each test has a [`Database`] to itself. A server ends with the process that
//! started it, however that ends.

#![allow(clippy::expect_used, clippy::panic, reason = "a test may fail")]

mod cluster;
mod database;
mod poll;
mod programs;

pub use cluster::Cluster;
pub use database::Database;
pub use programs::{PACKAGE, is_installed};

/// The variable with the address of the server that the tests of a run share.
pub const VARIABLE: &str = "TENANTRY_TEST_POSTGRES";

/// The user of every temporary server, which may do everything there.
pub const USER: &str = "tenantry";

/// Its password.
pub const PASSWORD: &str = "for-tests-alone";
