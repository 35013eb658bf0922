//! When a process that ended by itself is started again: the settings. The rule is in [`crate::policy`].

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// When a process that ended by itself is started again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RestartPolicy {
    /// Whether it is started again at all.
    pub autorestart: bool,
    /// So many unstable exits within `restart_window_ms` make it `errored`. More than 1000 means never.
    pub max_restarts: u32,
    /// An exit sooner than this after the start is unstable.
    pub min_uptime_ms: u64,
    /// The time within which unstable exits are counted together. The default backoff needs about
    /// a minute and a half for sixteen of them.
    pub restart_window_ms: u64,
    /// So many failures (a signal, or an exit code other than 0) within `crash_window_ms`, each before `healthy_uptime_ms`,
    /// make it `errored` too: a slow crash loop. 0, or more than 1000, turns
    /// this off.
    pub max_crashes: u32,
    /// The time within which such failures are counted together.
    pub crash_window_ms: u64,
    /// Least delay before every restart.
    pub restart_delay_ms: u64,
    /// Delay before the first restart in a row; 0 turns the growing delays off.
    pub backoff_initial_ms: u64,
    /// Longest delay. Each delay is one and a half of the one before, as PM2 has it.
    pub backoff_cap_ms: u64,
    /// So many percent of a growing delay are taken off at most, by chance.
    pub backoff_jitter_percent: u8,
    /// After an uptime of this much the delays begin afresh.
    pub healthy_uptime_ms: u64,
    /// Exit codes after which it is not started again.
    pub stop_exit_codes: BTreeSet<i32>,
}

impl Default for RestartPolicy {
    fn default() -> Self {
        Self {
            autorestart: true,
            max_restarts: 16,
            min_uptime_ms: 1000,
            restart_window_ms: 300_000,
            max_crashes: 100,
            crash_window_ms: 3_600_000,
            restart_delay_ms: 0,
            backoff_initial_ms: 100,
            backoff_cap_ms: 15_000,
            backoff_jitter_percent: 20,
            healthy_uptime_ms: 30_000,
            stop_exit_codes: BTreeSet::new(),
        }
    }
}
