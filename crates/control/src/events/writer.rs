//! The one writer of events: all that wait go into one transaction.

use std::sync::atomic::Ordering;
use std::time::Duration;

use api::events::EventView;
use store::{NewEvent, Store, StoreError};
use tokio_util::sync::CancellationToken;

use super::EventLog;

/// Events in one transaction: more would keep others from the database for longer than some ten milliseconds.
const BATCH: usize = 2048;
/// The waits between tries while the store fails.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LAST_PAUSE: Duration = Duration::from_secs(5);
/// How often the log's head is read: whoever was ended between a commit and its telling told nobody.
const LOOK: Duration = Duration::from_secs(2);
/// How long to go on trying once the control plane ends.
const LAST_TRIES: Duration = Duration::from_secs(3);

/// Where events are written to.
pub trait Sink: Sync {
    /// Writes events in one transaction; see [`Store::append_events`].
    fn append(
        &self,
        events: &[NewEvent],
    ) -> impl Future<Output = Result<Vec<EventView>, StoreError>> + Send;

    /// The number of the newest event.
    fn head(&self) -> impl Future<Output = Result<i64, StoreError>> + Send;
}

impl Sink for Store {
    async fn append(&self, events: &[NewEvent]) -> Result<Vec<EventView>, StoreError> {
        self.append_events(events).await
    }

    async fn head(&self) -> Result<i64, StoreError> {
        self.event_head().await
    }
}

/// Writes until `shutdown`, and then what is left.
pub async fn run(log: &EventLog, store: &impl Sink, shutdown: CancellationToken) {
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut pause = FIRST_PAUSE;
    loop {
        tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            () = log.waiting.notified() => {}
            _ = look.tick() => {
                if let Ok(head) = store.head().await {
                    log.advance(head);
                }
            }
        }
        while !shutdown.is_cancelled() {
            match step(log, store).await {
                Step::Nothing => break,
                Step::Written => pause = FIRST_PAUSE,
                Step::Failed => {
                    tokio::select! {
                        () = shutdown.cancelled() => {}
                        () = tokio::time::sleep(pause) => {}
                    }
                    pause = (pause * 2).min(LAST_PAUSE);
                }
            }
        }
    }
    let rest = async {
        loop {
            match step(log, store).await {
                Step::Nothing => return,
                Step::Written => {}
                Step::Failed => tokio::time::sleep(FIRST_PAUSE).await,
            }
        }
    };
    if tokio::time::timeout(LAST_TRIES, rest).await.is_err() {
        tracing::error!(lost = log.waiting(), "events could not be written before the end");
    }
}

/// What came of a step.
enum Step {
    Nothing,
    Written,
    Failed,
}

async fn step(log: &EventLog, store: &impl Sink) -> Step {
    let batch = Batch { log, events: log.queue.lock().take(BATCH) };
    if batch.events.is_empty() {
        return Step::Nothing;
    }
    match store.append(&batch.events).await {
        Ok(written) => {
            batch.written();
            log.numbers.commits.fetch_add(1, Ordering::Relaxed);
            let count = u64::try_from(written.len()).unwrap_or(u64::MAX);
            log.numbers.written.fetch_add(count, Ordering::Relaxed);
            log.committed(written);
            *log.health.lock() = Ok(());
            Step::Written
        }
        Err(error) => {
            log.numbers.failures.fetch_add(1, Ordering::Relaxed);
            let was_well = log.health.lock().is_ok();
            if was_well {
                tracing::error!(%error, "events cannot be written; they are kept in memory");
            }
            let why = "events cannot be written and are kept in memory; see the log".to_owned();
            *log.health.lock() = Err(why);
            Step::Failed
        }
    }
}

/// Events that are being written. They go back into the queue unless they were written, also when the writer is
/// ended in between.
struct Batch<'l> {
    log: &'l EventLog,
    events: Vec<NewEvent>,
}

impl Batch<'_> {
    fn written(mut self) {
        let events = std::mem::take(&mut self.events);
        self.log.queue.lock().written(&events);
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        if !self.events.is_empty() {
            self.log.queue.lock().give_back(std::mem::take(&mut self.events));
        }
    }
}

#[cfg(test)]
mod tests;
