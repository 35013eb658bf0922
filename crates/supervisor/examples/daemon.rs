//! The smallest program that is a supervisor: `daemon RUN_DIR`.
//!
//! For anyone who wants to run processes with this library alone, without the rest of Tenantry. Start
//! it on an empty folder and talk to it with [`supervisor::client::Client`], or by hand:
//! `curl --unix-socket RUN_DIR/supervisor.sock http://supervisor/v1/processes`. End it in any way, even
//! with SIGKILL: its processes live on, and the next one on the same folder takes them over. This
//! package's tests do just that.

use std::process::ExitCode;

use supervisor::daemon::{DaemonConfig, run};
use tokio_util::sync::CancellationToken;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let run_dir = std::env::args_os().nth(1).and_then(|folder| std::path::absolute(folder).ok());
    let Some(run_dir) = run_dir else {
        eprintln!("usage: daemon RUN_DIR");
        return ExitCode::from(2);
    };
    // Nobody cancels: it runs until a client asks it to leave.
    match run(DaemonConfig { run_dir }, CancellationToken::new()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
