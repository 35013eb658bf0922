//! Waiting for a condition with a deadline: the only way in which these tests let time pass.

use std::time::{Duration, Instant};

/// Generous, since a busy machine must not look like a bug; a test that succeeds never waits for it.
const DEADLINE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(5);

/// Asks until there is an answer; panics when there is none by the deadline.
pub async fn eventually<T>(what: &str, ask: impl AsyncFnMut() -> Option<T>) -> T {
    by_deadline(ask).await.unwrap_or_else(|| panic!("waited {DEADLINE:?} in vain for: {what}"))
}

/// Asks until there is an answer; gives up at the deadline.
pub async fn by_deadline<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + DEADLINE;
    loop {
        let answer = ask().await;
        if answer.is_some() || Instant::now() >= end {
            return answer;
        }
        tokio::time::sleep(PAUSE).await;
    }
}
