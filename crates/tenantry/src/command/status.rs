//! `tenantry status`: one tenant, its worker and its session.

use api::records::StatusView;
use chrono::{DateTime, Utc};
use clap::Args;

use super::pair::spaced;
use super::process::call::{Call, Output};
use super::process::list::{self, View};
use super::tenants::{session_tone, worker_tone};
use crate::called::Called;
use crate::cli::ReadArgs;
use crate::connection::Environment;
use crate::reactor;
use crate::screen::{Screen, Tone};
use crate::text::{bytes, line, since, span, time, word};

/// The longest error that is shown, in characters.
const LONGEST: usize = 400;

#[derive(Debug, Args)]
pub struct StatusArgs {
    /// The tenant's slug or id; without one all processes are listed
    tenant: Option<String>,
    #[command(flatten)]
    read: ReadArgs,
}

/// Prints the status.
///
/// # Errors
/// Whatever the server or the connection says.
pub fn run(
    args: &StatusArgs,
    environment: &Environment,
    screen: &mut Screen,
) -> anyhow::Result<()> {
    let Some(tenant) = &args.tenant else {
        let output = Output { json: args.read.json, ..Output::default() };
        let mut call = Call::new(Called::Tenantry, environment, screen, output)?;
        return reactor::block_on(list::all(&View::default(), &mut call));
    };
    let client = args.read.reach.client(environment)?;
    let status = reactor::block_on(async { Ok(client.status(tenant).await?) })?;
    if args.read.json {
        return screen.json(&status);
    }
    Ok(screen.table(&[], &rows(&status, Utc::now()))?)
}

/// The rows of the status; what is not known is left out.
pub fn rows(status: &StatusView, now: DateTime<Utc>) -> Vec<Vec<(String, Tone)>> {
    let (worker, session) = (&status.worker, &status.session);
    let health = worker.health.as_ref();
    let ago = |at: DateTime<Utc>| format!("{} ({} ago)", time(at), span(since(at, now)));
    let some = |text: String| Some((text, Tone::Plain));
    let rows = [
        ("tenant", some(format!("{} ({})", status.name, status.tenant_id))),
        ("status", some(word(&status.status))),
        ("worker", Some((word(&worker.status), worker_tone(worker.status)))),
        ("wanted", some(word(&worker.desired))),
        ("process", some(worker.name.clone())),
        ("runtime", some(word(&worker.runtime))),
        ("pid", worker.pid.and_then(|pid| some(pid.to_string()))),
        ("started", worker.pid.and(worker.started_at).and_then(|at| some(ago(at)))),
        ("restarts", some(worker.restarts.to_string())),
        ("cpu", worker.cpu_percent.and_then(|cpu| some(format!("{cpu:.1}%")))),
        ("memory", worker.memory_bytes.and_then(|memory| some(bytes(memory)))),
        ("last seen", worker.last_seen_at.and_then(|at| some(ago(at)))),
        ("last error", worker.last_error.as_ref().map(|text| (line(text, LONGEST), Tone::Bad))),
        ("session", Some((word(&session.state), session_tone(session.state)))),
        ("paired", some(if session.paired { "yes" } else { "no" }.to_owned())),
        ("number", session.jid.clone().and_then(some)),
        ("connected", session.connected_at.and_then(|at| some(ago(at)))),
        (
            "last frame",
            session.last_frame_age_ms.and_then(|age| {
                some(format!("{} before that", span(std::time::Duration::from_millis(age))))
            }),
        ),
        ("ping", health.and_then(|it| it.ping_ms).and_then(|ms| some(format!("{ms} ms")))),
        ("reconnects", health.and_then(|it| some(it.reconnects.to_string()))),
        ("undecrypted", health.and_then(|it| some(it.decrypt_failures.to_string()))),
        (
            "waiting",
            health.and_then(|it| {
                some(format!(
                    "{} in, {} out, {} events",
                    it.inbox_pending, it.outbox_pending, it.events_pending
                ))
            }),
        ),
        (
            "own memory",
            health.and_then(|it| some(format!("{} PSS", bytes(it.pss_kb?.saturating_mul(1024))))),
        ),
        (
            "pairing code",
            session
                .pairing_code
                .as_ref()
                .and_then(|it| some(format!("{} for {}", spaced(&it.code), it.phone))),
        ),
        ("next try", session.retry_at.and_then(|at| some(time(at)))),
        ("detail", session.detail.as_ref().and_then(|text| some(line(text, LONGEST)))),
    ];
    rows.into_iter()
        .filter_map(|(name, value)| Some(vec![(name.to_owned(), Tone::Faint), value?]))
        .collect()
}
