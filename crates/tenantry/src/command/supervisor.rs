//! `tenantry supervisor`: the daemon that keeps processes alive.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use supervisor::daemon::{DaemonConfig, holder_socket_path};

use crate::connection::Environment;
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
}

#[derive(Debug, Subcommand)]
enum SupervisorCommand {
    /// Hold the pipes of a supervisor's processes (it starts this by itself)
    #[command(hide = true)]
    HoldPipes {
        /// The supervisor's folder
        run_dir: PathBuf,
    },
}

/// Runs until the process is asked to end; the processes that it keeps go on.
///
/// # Errors
/// Why the supervisor cannot start.
pub fn run(args: SupervisorArgs, environment: &Environment) -> anyhow::Result<()> {
    if let Some(SupervisorCommand::HoldPipes { run_dir }) = &args.command {
        return Ok(supervisor::holder::run(&holder_socket_path(run_dir))?);
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
    reactor::block_on(async {
        let shutdown = shutdown::on_signal()?;
        Ok(supervisor::daemon::run(daemon_config(run_dir)?, shutdown).await?)
    })
}

/// What a supervisor of this folder has to know, with this program as the holder of its pipes.
///
/// # Errors
/// When this program cannot tell where it is.
pub fn daemon_config(run_dir: PathBuf) -> anyhow::Result<DaemonConfig> {
    let program = std::env::current_exe()?;
    let (verb, noun) = ("supervisor".into(), "hold-pipes".into());
    let holder = vec![program.into(), verb, noun, run_dir.clone().into()];
    Ok(DaemonConfig { run_dir, holder })
}
