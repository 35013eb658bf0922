//! Heartbeats: at the start, at every change of the session, and at every interval.

use api::link::Heartbeat;
use tokio::time::sleep;

use super::pace::Pace;
use super::{Link, fatal};
use crate::error::WorkerError;

impl Link {
    /// Sends heartbeats, without end.
    ///
    /// # Errors
    /// [`WorkerError::Superseded`] and [`WorkerError::TokenRefused`].
    pub async fn heartbeats(self) -> Result<(), WorkerError> {
        let mut changes = self.session.subscribe();
        let mut pace = Pace::new("heartbeat");
        loop {
            // Marked as seen before it is read, so that a change in between sends one more.
            changes.mark_unchanged();
            let answer = self.client.heartbeat(&self.heartbeat()).await;
            self.first.notify_one();
            let wait = match answer {
                Ok(answer) => {
                    pace.answered();
                    if let Some(config) = answer.config {
                        self.apply(config);
                    }
                    self.interval
                }
                Err(error) => match fatal(&error) {
                    Some(fatal) => return Err(fatal),
                    None => pace.failed(&error).min(self.interval),
                },
            };
            tokio::select! {
                () = sleep(wait) => {}
                () = self.beat_now.notified() => {}
                // An error means that the session is gone, and the worker with it.
                changed = changes.changed() => if changed.is_err() { return Ok(()) },
            }
        }
    }

    /// The heartbeat of this moment.
    pub(super) fn heartbeat(&self) -> Heartbeat {
        let depths = self.store.depths().map_err(|error| {
            tracing::error!(%error, "cannot count what waits");
        });
        Heartbeat {
            generation: self.generation,
            incarnation: self.incarnation,
            pid: Some(std::process::id()),
            session: self.session.snapshot().report(self.vitals.last_frame.age_ms()),
            config_version: self.settings.borrow().wire.version,
            health: depths.ok().map(|depths| self.vitals.health(depths)),
        }
    }
}
