//! `tenantry server`: the control plane.

use std::collections::BTreeMap;

use anyhow::Context;
use clap::Args;

use crate::connection::Environment;
use crate::{reactor, shutdown};

/// Threads of the control plane: it waits for most of its time.
const THREADS: usize = 2;

/// Every setting is explained by `tenantry config --reference`.
#[derive(Debug, Args)]
pub struct ServerArgs {
    /// The port to listen at; 0 takes any free one
    #[arg(long, value_name = "PORT")]
    port: Option<String>,
    /// The address to listen at
    #[arg(long, value_name = "IP")]
    bind: Option<String>,
    /// Allow an address that other machines reach
    #[arg(long)]
    allow_remote: bool,
    /// The folder of the tenants' sessions
    #[arg(long, value_name = "DIR")]
    sessions_path: Option<String>,
    /// What to log: trace, debug, info, warn, error or off
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<String>,
}

impl ServerArgs {
    /// The settings that are set, by name. Their texts are understood where all others are, so that
    /// all mistakes are told at once.
    fn settings(self) -> BTreeMap<&'static str, String> {
        [
            ("port", self.port),
            ("bind", self.bind),
            ("allow_remote", self.allow_remote.then(|| "true".to_owned())),
            ("sessions_path", self.sessions_path),
            ("log_level", self.log_level),
        ]
        .into_iter()
        .filter_map(|(key, value)| value.map(|value| (key, value)))
        .collect()
    }
}

/// Runs until the process is asked to end.
///
/// # Errors
/// Mistakes in the settings, or why the server cannot start.
pub fn run(args: ServerArgs, environment: &Environment) -> anyhow::Result<()> {
    let loaded = environment.settings(args.settings())?;
    logging::init(logging::Config {
        level: &loaded.settings.log_level,
        output: logging::Output::stderr_and_file(&loaded.settings.home.server_log()),
    })?;
    // A large fleet is much that is needed for a moment, at the start above all.
    supervisor::memory::share_one_heap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .enable_all()
        .build()
        .context("cannot start the threads of the server")?;
    for warning in &loaded.warnings {
        tracing::warn!(setting = warning.key, "{}", warning.message);
    }
    let ended = runtime.block_on(async {
        let shutdown = shutdown::on_signal()?;
        tokio::spawn(supervisor::memory::give_back_now_and_then());
        Ok(control::run(loaded.settings, shutdown).await?)
    });
    runtime.shutdown_timeout(reactor::PATIENCE);
    ended
}
