//! `tenantry tenants`: all tenants at a glance.

use api::session::SessionState;
use api::tenant::TenantView;
use api::worker::WorkerStatus;
use chrono::{DateTime, Utc};

use crate::cli::ReadArgs;
use crate::connection::Environment;
use crate::reactor;
use crate::screen::{Screen, Tone};
use crate::text::{NONE, bytes, since, span, word};

/// The narrowest terminal, in columns, that all columns of the table fit into.
const WIDE: u16 = 110;

/// Prints the table.
///
/// # Errors
/// Whatever the server or the connection says.
pub fn run(args: &ReadArgs, environment: &Environment, screen: &mut Screen) -> anyhow::Result<()> {
    let client = args.reach.client(environment)?;
    let tenants = reactor::block_on(async { Ok(client.tenants().await?) })?;
    if args.json {
        return screen.json(&tenants);
    }
    if tenants.is_empty() {
        return Ok(screen.line("no tenants yet; add one with `tenantry tenant add NAME`")?);
    }
    let short = screen.size().is_some_and(|size| size.columns < WIDE);
    let columns: Vec<&Column> = COLUMNS.iter().filter(|column| !short || column.short).collect();
    let head: Vec<&str> = columns.iter().map(|column| column.name).collect();
    let now = Utc::now();
    let row = |tenant| columns.iter().map(|column| (column.cell)(tenant, now)).collect();
    Ok(screen.table(&head, &tenants.iter().map(row).collect::<Vec<_>>())?)
}

/// One column of the table.
struct Column {
    name: &'static str,
    /// Whether it stands in a narrow table too.
    short: bool,
    cell: fn(&TenantView, DateTime<Utc>) -> (String, Tone),
}

const COLUMNS: &[Column] = &[
    Column { name: "TENANT", short: true, cell: |t, _| plain(t.slug.clone()) },
    Column { name: "STATUS", short: false, cell: |t, _| plain(word(&t.status)) },
    Column {
        name: "WORKER",
        short: true,
        cell: |t, _| (word(&t.worker.status), worker_tone(t.worker.status)),
    },
    Column {
        name: "SESSION",
        short: true,
        cell: |t, _| (word(&t.session.state), session_tone(t.session.state)),
    },
    Column { name: "PID", short: false, cell: |t, _| shown(t.worker.pid) },
    Column { name: "UPTIME", short: true, cell: |t, now| plain(uptime(t, now)) },
    Column { name: "RESTARTS", short: false, cell: |t, _| plain(t.worker.restarts.to_string()) },
    Column {
        name: "CPU",
        short: false,
        cell: |t, _| shown(t.worker.cpu_percent.map(|percent| format!("{percent:.1}%"))),
    },
    Column { name: "MEMORY", short: false, cell: |t, _| shown(t.worker.memory_bytes.map(bytes)) },
    Column {
        name: "LAST SEEN",
        short: true,
        cell: |t, now| {
            shown(t.worker.last_seen_at.map(|at| format!("{} ago", span(since(at, now)))))
        },
    },
];

/// How long the worker's process has been running.
pub fn uptime(tenant: &TenantView, now: DateTime<Utc>) -> String {
    let running = tenant.worker.pid.and(tenant.worker.started_at);
    running.map_or_else(|| NONE.to_owned(), |at| span(since(at, now)))
}

fn plain(text: String) -> (String, Tone) {
    (text, Tone::Plain)
}

fn shown(value: Option<impl ToString>) -> (String, Tone) {
    value.map_or_else(|| (NONE.to_owned(), Tone::Faint), |value| plain(value.to_string()))
}

/// How a worker's status stands out.
pub const fn worker_tone(status: WorkerStatus) -> Tone {
    match status {
        WorkerStatus::Running => Tone::Good,
        WorkerStatus::Starting | WorkerStatus::Stopping | WorkerStatus::Backoff => Tone::Doubtful,
        WorkerStatus::Error => Tone::Bad,
        WorkerStatus::Stopped => Tone::Faint,
    }
}

/// How a session's state stands out.
pub const fn session_tone(state: SessionState) -> Tone {
    match state {
        SessionState::Connected => Tone::Good,
        SessionState::QrReady => Tone::Doubtful,
        SessionState::LoggedOut => Tone::Bad,
        SessionState::Disconnected => Tone::Faint,
    }
}

#[cfg(test)]
mod tests;
