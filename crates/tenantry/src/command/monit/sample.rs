//! Processes for tests.

use std::collections::BTreeMap;

use supervisor::wire::{
    Desired, KillSignal, ListRow, Phase, ProcessView, RestartPolicy, SpecSummary,
};

/// A process that has been online since 1000.
pub fn row(id: u32, name: &str) -> ListRow {
    ListRow {
        id,
        name: name.to_owned(),
        instance: 0,
        namespace: "default".to_owned(),
        state: Phase::Online,
        pid: Some(4000 + id),
        started_at: Some(1000),
        restarts: 0,
        cpu_percent: 0.0,
        memory_bytes: 0,
        uid: None,
        watching: false,
        version: String::new(),
    }
}

/// The same as an event tells it.
pub fn view(id: u32, name: &str) -> ProcessView {
    ProcessView {
        name: name.to_owned(),
        instance: 0,
        namespace: "default".to_owned(),
        id,
        state: Phase::Online,
        desired: Desired::Running,
        pid: Some(4000 + id),
        restarts: 0,
        unstable: 0,
        started_at: Some(1000),
        uptime_ms: None,
        next_start_at: None,
        exit: None,
        reason: None,
        cpu_percent: 0.0,
        memory_bytes: 0,
        incarnation: 1,
        adopted: false,
        out_file: "/logs/out.log".into(),
        error_file: None,
        created_at: 1000,
        log_bytes_lost: 0,
        log_trouble: None,
        labels: BTreeMap::new(),
        uid: None,
        watching: false,
        status: None,
        spec: SpecSummary {
            command: vec!["node".to_owned(), "bot.js".to_owned()],
            cwd: "/srv".into(),
            env_names: Vec::new(),
            env: None,
            kill_signal: KillSignal::Term,
            kill_timeout_ms: 1600,
            log_max_bytes: 0,
            log_keep: 0,
            restart: RestartPolicy::default(),
        },
    }
}
