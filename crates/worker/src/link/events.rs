//! Hands events over, oldest first, and forgets them when they were accepted.

use api::client::ClientError;
use api::link::EventBatch;
use tokio::time::sleep;

use super::pace::Pace;
use super::{Link, fatal};
use crate::error::WorkerError;
use crate::store::StoreError;

/// The wait after the worker's database failed.
const AFTER_STORE_FAILURE: std::time::Duration = std::time::Duration::from_secs(5);

/// Why events were not handed over.
#[derive(Debug, thiserror::Error)]
pub(super) enum HandOverError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Link {
    /// Hands events over as they come, without end.
    ///
    /// # Errors
    /// [`WorkerError::Superseded`] and [`WorkerError::TokenRefused`].
    pub async fn events(self) -> Result<(), WorkerError> {
        let mut pace = Pace::new("events");
        loop {
            match self.hand_over().await {
                Ok(true) => pace.answered(),
                Ok(false) => self.store.events_stored().await,
                Err(HandOverError::Client(error)) => match fatal(&error) {
                    Some(fatal) => return Err(fatal),
                    None => sleep(pace.failed(&error)).await,
                },
                Err(HandOverError::Store(error)) => {
                    tracing::error!(%error, "cannot read the events");
                    sleep(AFTER_STORE_FAILURE).await;
                }
            }
        }
    }

    /// Hands one batch over; `false` when there is none.
    pub(super) async fn hand_over(&self) -> Result<bool, HandOverError> {
        let events = self.store.oldest_events()?;
        let Some((first, last)) = events.first().zip(events.last()).map(|(a, z)| (a.seq, z.seq))
        else {
            return Ok(false);
        };
        let batch = EventBatch {
            generation: self.generation,
            incarnation: self.incarnation,
            store_id: self.store.store_id(),
            events,
        };
        let answer = self.client.events(&batch).await?;
        if answer.accepted_through < first {
            // Not one was accepted; asking again at once would only go round in a circle.
            return Err(HandOverError::Client(ClientError::Foreign {
                address: "the worker link".to_owned(),
                status: 200,
                excerpt: format!("accepted_through {}", answer.accepted_through),
            }));
        }
        // Never beyond what was sent: a number from elsewhere must not delete what was not heard.
        self.store.forget_events(answer.accepted_through.min(last))?;
        Ok(true)
    }
}
