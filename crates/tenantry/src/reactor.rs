//! The runtimes that commands run in.

use std::future::Future;

use anyhow::Context;

/// Runs a future in a runtime with one thread: enough for a client, and for one worker.
///
/// # Errors
/// What the future fails with, or that there can be no runtime.
pub fn block_on<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start: the system refuses what the program needs to wait for events")?
        .block_on(future)
}
