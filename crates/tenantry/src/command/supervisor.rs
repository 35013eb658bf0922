//! `tenantry supervisor`: the daemon that keeps processes alive.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::builder::TypedValueParser as _;
use clap::{Args, Subcommand};
use supervisor::client::Client;
use supervisor::daemon::{DaemonConfig, Ending, holder_socket_path, socket_path};
use supervisor::handover::{HANDOVER_VAR, Handover};
use supervisor::wire::{Info, UpgradeRequest};

use crate::connection::Environment;
use crate::screen::Screen;
use crate::{reactor, shutdown};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct SupervisorArgs {
    #[command(subcommand)]
    command: Option<SupervisorCommand>,
    /// The folder of the socket, the locks and the state [default: run in the home]
    #[arg(long, value_name = "DIR")]
    run_dir: Option<PathBuf>,
    /// What to log: trace, debug, info, warn, error or off [env: LOG_LEVEL] [default: info]
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<String>,
    /// How many processes may be starting at the same time [default: 16]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..).map(usize::from))]
    start_at_once: Option<usize>,
    /// How many starts there may be in a second that nobody asked for (restarts, a reboot) [default: 100]
    #[arg(long, value_name = "N", value_parser = rate)]
    start_rate: Option<f64>,
}

#[derive(Debug, Subcommand)]
enum SupervisorCommand {
    /// Hold the pipes of a supervisor's processes (it starts this by itself)
    #[command(hide = true)]
    HoldPipes {
        /// The supervisor's folder
        run_dir: PathBuf,
    },
    /// Have the running supervisor become another program: same pid, no process notices
    Upgrade {
        /// The new program [default: this one]
        program: Option<PathBuf>,
        /// The supervisor's folder [default: run in the home]
        #[arg(long, value_name = "DIR")]
        run_dir: Option<PathBuf>,
    },
}

/// How long a supervisor may take to become another program.
const UPGRADE_PATIENCE: Duration = Duration::from_secs(15);
/// Pause between two questions whether it has.
const PAUSE: Duration = Duration::from_millis(10);

fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "must be a number".to_owned())?;
    if rate.is_finite() && rate > 0.0 { Ok(rate) } else { Err("must be above 0".to_owned()) }
}

/// Runs until the process is asked to end; the processes that it keeps go on.
///
/// # Errors
/// Why the supervisor cannot start.
pub fn run(args: SupervisorArgs, environment: &Environment) -> anyhow::Result<()> {
    match &args.command {
        Some(SupervisorCommand::HoldPipes { run_dir }) => {
            return Ok(supervisor::holder::run(&holder_socket_path(run_dir))?);
        }
        Some(SupervisorCommand::Upgrade { program, run_dir }) => {
            let run_dir = match run_dir {
                Some(dir) => std::path::absolute(dir)?,
                None => environment.home()?.run(),
            };
            return upgrade(&run_dir, program.as_deref());
        }
        None => {}
    }
    let (run_dir, log) = match args.run_dir {
        Some(dir) => (std::path::absolute(&dir)?, dir.join("supervisor.log")),
        None => {
            let home = environment.home()?;
            (home.run(), home.supervisor_log())
        }
    };
    let level = args
        .log_level
        .or_else(|| environment.variable("LOG_LEVEL").filter(|level| !level.trim().is_empty()))
        .unwrap_or_else(|| "info".to_owned());
    let mut output = logging::Output::stderr_and_file(&log);
    if !std::io::stderr().is_terminal() {
        // The file has it all, and is rotated; what stderr goes to is not.
        output.stderr = logging::Form::Silent;
    }
    logging::init(logging::Config { level: &level, output })?;
    let mut config = daemon_config(run_dir)?;
    config.notify_socket = std::env::var_os("NOTIFY_SOCKET");
    config.handover = Handover::receive(std::env::var_os(HANDOVER_VAR).as_deref());
    config.starts_at_once = args.start_at_once.unwrap_or(config.starts_at_once);
    config.starts_per_second = args.start_rate.unwrap_or(config.starts_per_second);
    let ending = reactor::block_on(async {
        Ok(supervisor::daemon::run(config, shutdown::on_signal()?).await?)
    })?;
    match ending {
        Ending::Left => Ok(()),
        Ending::Upgrade { program, handover } => {
            let error = handover.execute(&program, std::env::args_os().skip(1));
            Err(error).context("the supervisor could not become another program")
        }
    }
}

/// What a supervisor of this folder has to know, with this program as the holder of its pipes.
///
/// # Errors
/// When this program cannot tell where it is.
pub fn daemon_config(run_dir: PathBuf) -> anyhow::Result<DaemonConfig> {
    let mut config = DaemonConfig::new(run_dir.clone());
    let (verb, noun) = ("supervisor".into(), "hold-pipes".into());
    config.holder = vec![std::env::current_exe()?.into(), verb, noun, run_dir.into()];
    Ok(config)
}

/// Has the running supervisor become another program.
fn upgrade(run_dir: &Path, program: Option<&Path>) -> anyhow::Result<()> {
    let program = match program {
        Some(program) => std::path::absolute(program)?,
        None => std::env::current_exe()?,
    };
    reactor::block_on(async {
        let now = become_program(&Client::new(&socket_path(run_dir))?, program).await?;
        Ok(Screen::stdout().line(&format!(
            "the supervisor (pid {}) is now version {}; it kept {} running processes",
            now.pid, now.version, now.adopted
        ))?)
    })
}

/// Has a supervisor become another program, and waits until that one answers.
///
/// # Errors
/// When it cannot; the old one goes on then.
pub async fn become_program(client: &Client, program: PathBuf) -> anyhow::Result<Info> {
    let before = client.info().await?;
    client.upgrade(&UpgradeRequest { program: Some(program) }).await?;
    let end = Instant::now() + UPGRADE_PATIENCE;
    loop {
        // Until then the old one answers, or the question waits in the socket for the new one.
        match client.info().await {
            Ok(now) if now.started_at != before.started_at => return Ok(now),
            Ok(_) | Err(_) if Instant::now() < end => tokio::time::sleep(PAUSE).await,
            Ok(_) => anyhow::bail!("the supervisor goes on as before; see its log"),
            Err(error) => return Err(error.into()),
        }
    }
}
