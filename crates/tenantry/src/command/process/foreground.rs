//! The supervisor in the foreground: `start --no-daemon`, and PM2's `pm2-runtime`.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use supervisor::client::Client;
use supervisor::daemon::{DaemonError, Ending};
use supervisor::wire::{Phase, ShutdownRequest};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::batch;
use super::call::Call;
use super::logs::{self, LogOptions};
use super::start::{self, StartArgs};
use crate::command::supervisor::daemon_config;
use crate::shutdown;

/// Time between two looks whether anything runs still.
const PAUSE: Duration = Duration::from_secs(1);

/// How the foreground ends, and what it prints.
#[derive(Debug, Default)]
pub struct Manner {
    /// Whether to leave when nothing runs any more.
    pub leave_when_idle: bool,
    /// How lines are printed.
    pub logs: LogOptions,
    /// Whether they are printed as JSON.
    pub json: bool,
}

/// Starts what is named under a supervisor in this process, and shows the logs until it is asked to end; then ends everything.
///
/// # Errors
/// When a supervisor runs already, or something cannot be started.
pub async fn start(args: &StartArgs, call: &mut Call<'_>) -> anyhow::Result<ExitCode> {
    let logs = LogOptions::beginning_with(15);
    run(args, Manner { logs, ..Manner::default() }, call).await
}

/// As [`start()`], in the manner that is wanted.
///
/// # Errors
/// As [`start()`].
pub async fn run(
    args: &StartArgs,
    manner: Manner,
    call: &mut Call<'_>,
) -> anyhow::Result<ExitCode> {
    let client = call.client()?;
    if let Some(info) = call.info(&client).await? {
        bail!("a supervisor runs for {} already (pid {})", call.place.root().display(), info.pid);
    }
    call.place.prepare()?;
    let asked = shutdown::on_signal()?;
    let daemon = Daemon::start(call, &client).await?;
    let worked = work(args, &manner, &client, call, &asked).await;
    client.shutdown(&ShutdownRequest { stop_processes: true }).await?;
    daemon.end().await?;
    worked.map(|()| ExitCode::SUCCESS)
}

async fn work(
    args: &StartArgs,
    manner: &Manner,
    client: &Client,
    call: &mut Call<'_>,
    asked: &CancellationToken,
) -> anyhow::Result<()> {
    let outcome = start::all(args, client, call).await?;
    batch::tell(call, "started", &outcome)?;
    let all = ["all".to_owned()];
    let request = logs::Request { targets: &all, options: &manner.logs, json: manner.json };
    tokio::select! {
        () = asked.cancelled() => Ok(()),
        () = idle(client), if manner.leave_when_idle => Ok(()),
        shown = logs::run(&request, call) => shown.map(drop),
    }
}

/// Returns when nothing runs, or will.
async fn idle(client: &Client) {
    loop {
        tokio::time::sleep(PAUSE).await;
        let Ok(rows) = client.rows().await else { continue };
        if rows.iter().all(|row| matches!(row.state, Phase::Stopped | Phase::Errored)) {
            return;
        }
    }
}

/// A supervisor in this process.
struct Daemon {
    task: JoinHandle<Result<Ending, DaemonError>>,
}

impl Daemon {
    async fn start(call: &Call<'_>, client: &Client) -> anyhow::Result<Self> {
        let config = daemon_config(call.place.run_dir())?;
        let task = tokio::spawn(supervisor::daemon::run(config, CancellationToken::new()));
        let answers = async {
            while call.info(client).await?.is_none() && !task.is_finished() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(Duration::from_secs(10), answers)
            .await
            .context("the supervisor does not answer")??;
        Ok(Self { task })
    }

    async fn end(self) -> anyhow::Result<()> {
        match self.task.await.context("the supervisor failed")?? {
            Ending::Left => Ok(()),
            Ending::Upgrade { .. } => {
                bail!("a supervisor in the foreground cannot become another program")
            }
        }
    }
}
