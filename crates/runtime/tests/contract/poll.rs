//! Waiting for a condition with a deadline: the only way in which these tests let time pass.

use std::time::Duration;

/// Generous, since a busy machine must not look like a bug; a test that succeeds never waits for it.
const DEADLINE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(5);

/// Asks until there is an answer; panics when there is none by the deadline, even amid a question.
pub async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let looking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    let found = tokio::time::timeout(DEADLINE, looking).await;
    found.unwrap_or_else(|_| panic!("waited {DEADLINE:?} in vain for: {what}"))
}
