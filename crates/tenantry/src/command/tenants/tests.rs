use api::TenantId;
use api::session::{SessionState, SessionView};
use api::tenant::{TenantConfig, TenantStatus, TenantView};
use api::worker::{DesiredState, HeartbeatMode, WorkerStatus, WorkerView};
use chrono::{TimeDelta, Utc};

use super::{COLUMNS, uptime};

fn tenant() -> TenantView {
    let now = Utc::now();
    TenantView {
        id: TenantId::generate(),
        name: "Acme".to_owned(),
        slug: "acme".to_owned(),
        phone: None,
        status: TenantStatus::QrPending,
        config: TenantConfig {
            greeting: String::new(),
            rate_limit_max_per_minute: 10,
            command: None,
            cwd: None,
            env: std::collections::BTreeMap::new(),
            heartbeat: HeartbeatMode::Link,
        },
        worker: WorkerView {
            name: "worker-acme-1".to_owned(),
            desired: DesiredState::Running,
            status: WorkerStatus::Running,
            runtime: api::worker::RuntimeKind::Local,
            generation: 1,
            pid: Some(42),
            started_at: Some(now - TimeDelta::seconds(3_700)),
            restarts: 2,
            cpu_percent: Some(1.25),
            memory_bytes: Some(7_759_462),
            last_seen_at: Some(now - TimeDelta::seconds(12)),
            last_error: None,
            health: None,
        },
        session: SessionView { state: SessionState::QrReady, ..SessionView::default() },
        created_at: now,
        updated_at: now,
    }
}

#[test]
fn a_row_tells_everything_and_a_short_one_the_most_important() {
    let tenant = tenant();
    let now = tenant.created_at;
    let cells = |short: bool| -> Vec<String> {
        let columns = COLUMNS.iter().filter(|column| !short || column.short);
        columns.map(|column| (column.cell)(&tenant, now).0).collect()
    };
    assert_eq!(
        cells(false),
        [
            "acme",
            "QR_PENDING",
            "RUNNING",
            "QR_READY",
            "42",
            "1h 1m",
            "2",
            "1.2%",
            "7.4 MiB",
            "12s ago"
        ]
    );
    assert_eq!(cells(true), ["acme", "RUNNING", "QR_READY", "1h 1m", "12s ago"]);
}

#[test]
fn what_is_not_known_is_a_dash() {
    let mut tenant = tenant();
    tenant.worker.pid = None;
    tenant.worker.cpu_percent = None;
    tenant.worker.last_seen_at = None;
    assert_eq!(uptime(&tenant, Utc::now()), "-");
    let row: Vec<String> =
        COLUMNS.iter().map(|column| (column.cell)(&tenant, Utc::now()).0).collect();
    assert_eq!(row.iter().filter(|cell| *cell == "-").count(), 4, "{row:?}");
}
