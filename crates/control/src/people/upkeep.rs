//! What is done for people and keys from time to time.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use tokio_util::sync::CancellationToken;

use super::People;
use super::directory;
use crate::plane::ControlPlane;
use crate::problem::ApiError;

/// How old the times of last use in the store may be.
const INTERVAL: Duration = Duration::from_secs(60);

/// Writes down when sessions and keys were last used, and ends what is over, until `shutdown`.
pub async fn run(plane: Arc<ControlPlane>, shutdown: CancellationToken) {
    let mut interval = tokio::time::interval(INTERVAL);
    interval.tick().await;
    loop {
        let last = tokio::select! {
            () = shutdown.cancelled() => true,
            _ = interval.tick() => false,
        };
        if let Err(error) = look(&plane.people).await {
            tracing::warn!(detail = error.detail(), "times of last use could not be written");
        }
        if last {
            return;
        }
    }
}

async fn look(people: &People) -> Result<(), ApiError> {
    let (now, lifetime) = (Utc::now(), people.lifetime);
    people.end_sessions(|browser| directory::is_over(browser, now, lifetime)).await?;
    let (browsers, keys) = {
        let directory = people.directory.read();
        (directory.browsers(), directory.keys())
    };
    let seen: Vec<_> = browsers
        .iter()
        .filter_map(|browser| Some((browser.record.id, browser.seen.take_news()?)))
        .collect();
    let used: Vec<_> =
        keys.iter().filter_map(|key| Some((key.record.id, key.used.take_news()?))).collect();
    people.store.note_browser_sessions(&seen, now).await?;
    if !used.is_empty() {
        people.store.note_api_keys(&used).await?;
    }
    Ok(())
}
