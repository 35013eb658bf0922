//! The smallest program that is a supervisor: `daemon RUN_DIR`.
//!
//! For anyone who wants to run processes with this library alone, without the rest of Tenantry. Start
//! it on an empty folder and talk to it with [`supervisor::client::Client`], or by hand:
//! `curl --unix-socket RUN_DIR/supervisor.sock http://supervisor/v1/processes`. End it in any way, even
//! with SIGKILL: its processes live on, and the next one on the same folder takes them over. This
//! package's tests do just that.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use supervisor::daemon::{DaemonConfig, DaemonError, Ending, holder_socket_path, run};
use supervisor::handover::{HANDOVER_VAR, Handover};
use tokio_util::sync::CancellationToken;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let (run_dir, holds) = match arguments.as_slice() {
        [flag] if flag == "--version" => {
            let _ = writeln!(std::io::stdout(), "daemon {}", env!("CARGO_PKG_VERSION"));
            return ExitCode::SUCCESS;
        }
        [run_dir] => (run_dir, false),
        // The supervisor starts this itself.
        [verb, run_dir] if verb == "hold" => (run_dir, true),
        _ => {
            eprintln!("usage: daemon RUN_DIR");
            return ExitCode::from(2);
        }
    };
    let ended = std::path::absolute(run_dir)
        .map_err(|error| error.to_string())
        .and_then(|run_dir| if holds { hold(&run_dir) } else { supervise(run_dir) });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn hold(run_dir: &Path) -> Result<(), String> {
    supervisor::holder::run(&holder_socket_path(run_dir)).map_err(|error| error.to_string())
}

fn supervise(run_dir: PathBuf) -> Result<(), String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut config = DaemonConfig::new(run_dir.clone());
    config.holder = vec![program.into(), "hold".into(), run_dir.into()];
    config.handover = Handover::receive(std::env::var_os(HANDOVER_VAR).as_deref());
    match serve(config).map_err(|error| error.to_string())? {
        Ending::Left => Ok(()),
        Ending::Upgrade { program, handover } => {
            Err(handover.execute(&program, std::env::args_os().skip(1)).to_string())
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn serve(config: DaemonConfig) -> Result<Ending, DaemonError> {
    // Nobody cancels: it runs until a client asks it to leave.
    run(config, CancellationToken::new()).await
}
