//! How a process shows that it is ready, and that it still lives.

use serde::{Deserialize, Serialize};

/// When a process counts as online.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Readiness {
    /// As soon as its program is executed.
    #[default]
    Spawned,
    /// When it sends `READY=1` to `NOTIFY_SOCKET` (systemd's protocol).
    Notify,
    /// When this probe succeeds.
    Probe(Probe),
}

/// A question to a process from outside. Both go to this machine's loopback address alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Probe {
    /// Something accepts TCP connections at this port of 127.0.0.1.
    Port(u16),
    /// `GET http://127.0.0.1:<port><path>` answers with a status from 200 to 399.
    Http {
        /// The port.
        port: u16,
        /// The path, with its leading slash.
        path: String,
    },
}

/// Restarts a process that does not answer any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Liveness {
    /// What is asked. `None`: it must send `WATCHDOG=1` to `NOTIFY_SOCKET` at least every `interval_ms`
    /// (`WATCHDOG_USEC` in its environment says so).
    #[serde(default)]
    pub probe: Option<Probe>,
    /// Time between two questions.
    #[serde(default = "defaults::interval_ms")]
    pub interval_ms: u64,
    /// How long an answer may take.
    #[serde(default = "defaults::timeout_ms")]
    pub timeout_ms: u64,
    /// So many failures in a row lead to a restart.
    #[serde(default = "defaults::failures")]
    pub failures: u32,
}

mod defaults {
    pub(super) fn interval_ms() -> u64 {
        10_000
    }
    pub(super) fn timeout_ms() -> u64 {
        2000
    }
    pub(super) fn failures() -> u32 {
        3
    }
}
