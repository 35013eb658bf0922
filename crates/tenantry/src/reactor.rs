//! The runtimes that commands run in.

use std::future::Future;
use std::time::Duration;

use anyhow::Context;

/// How long blocking calls may go on when the command is done.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// Runs a future in a runtime with one thread: enough for a client, and for one worker.
///
/// # Errors
/// What the future fails with, or that there can be no runtime.
pub fn block_on<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    block_on_for(PATIENCE, future)
}

/// The same, for a program that has little time to end. What still blocks after `patience` (a disk or a server that
/// does not answer) is left behind, and ends with the process as by a kill.
///
/// # Errors
/// What the future fails with, or that there can be no runtime.
pub fn block_on_for<T>(
    patience: Duration,
    future: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start: the system refuses what the program needs to wait for events")?;
    let done = runtime.block_on(future);
    runtime.shutdown_timeout(patience);
    done
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn a_call_that_blocks_does_not_hold_up_the_end() {
        let (release, blocked) = channel::<()>();
        let (ended, end) = channel();
        std::thread::spawn(move || {
            let done = block_on_for(Duration::from_millis(20), async move {
                tokio::task::spawn_blocking(move || blocked.recv());
                Ok(7)
            });
            let _ = ended.send(done);
        });
        let done = end.recv_timeout(Duration::from_secs(60));
        assert_eq!(done.unwrap().unwrap(), 7);
        drop(release);
    }
}
