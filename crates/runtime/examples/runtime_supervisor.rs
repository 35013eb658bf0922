//! What a [`runtime::local::LocalRuntime`] starts when no supervisor answers: `runtime_supervisor RUN_DIR`.
//!
//! For anyone who writes the program that a [`runtime::local::SupervisorCommand`] names: it has to listen
//! on the socket that the runtime was given, here `supervisor.sock` in RUN_DIR, and to stay when its
//! starter goes. What it writes ends up in `supervisor.err` there. This package's tests start it.

use std::process::ExitCode;

use supervisor::daemon::{DaemonConfig, run};
use tokio_util::sync::CancellationToken;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let run_dir = std::env::args_os().nth(1).and_then(|folder| std::path::absolute(folder).ok());
    let Some(run_dir) = run_dir else {
        eprintln!("usage: runtime_supervisor RUN_DIR");
        return ExitCode::from(2);
    };
    match run(DaemonConfig::new(run_dir), CancellationToken::new()).await {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
