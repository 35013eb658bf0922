//! Waiting: for a condition with a deadline, and for a random instant.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

/// Generous, since a busy machine must not look like a bug; what succeeds never waits for it.
pub const DEADLINE: Duration = Duration::from_secs(45);
const PAUSE: Duration = Duration::from_millis(5);

/// Waits until `condition` holds, at most for [`DEADLINE`].
///
/// # Errors
/// What the condition said last.
pub async fn eventually<T>(what: &str, mut condition: impl AsyncFnMut() -> Result<T>) -> Result<T> {
    let end = Instant::now() + DEADLINE;
    loop {
        match condition().await {
            Ok(value) => return Ok(value),
            Err(error) if Instant::now() >= end => {
                return Err(anyhow!("waited {DEADLINE:?} in vain until {what}: {error:#}"));
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Lets time pass until the next misfortune. Nothing depends on its length.
pub async fn pause(length: Duration) {
    tokio::time::sleep(length).await;
}

/// Lets time pass between two lines of a worker.
pub fn rest(length: Duration) {
    std::thread::sleep(length);
}
