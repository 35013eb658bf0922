#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use api::TenantId;
use api::events::EventView;
use store::{EventSelection, NewEvent, Store, StoreError};
use tokio_util::sync::CancellationToken;

use super::{Sink, run};
use crate::events::EventLog;

/// A store that fails so many times first.
struct Failing {
    store: Store,
    failures: AtomicUsize,
    commits: AtomicUsize,
}

impl Sink for Failing {
    async fn append(&self, events: &[NewEvent]) -> Result<Vec<EventView>, StoreError> {
        let left = |left: usize| left.checked_sub(1);
        if self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left).is_ok() {
            return Err(StoreError::UnknownTenant(TenantId::generate()));
        }
        self.commits.fetch_add(1, Ordering::SeqCst);
        self.store.append_events(events).await
    }

    async fn head(&self) -> Result<i64, StoreError> {
        self.store.event_head().await
    }
}

async fn failing(folder: &tempfile::TempDir, failures: usize) -> Failing {
    let url = format!("sqlite:{}", folder.path().join("t.db").display());
    let store = Store::open(&url).await.unwrap();
    Failing { store, failures: AtomicUsize::new(failures), commits: AtomicUsize::new(0) }
}

fn event(number: usize) -> NewEvent {
    NewEvent::new(None, "test.event", &number.to_string())
}

async fn details(store: &Store) -> Vec<String> {
    let page = store.events(&EventSelection::default(), 0, 10_000).await.unwrap();
    page.items.into_iter().map(|event| event.detail).collect()
}

#[tokio::test]
async fn what_waits_while_the_store_is_away_is_written_when_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let sink = failing(&folder, 4).await;
    let log = EventLog::default();
    let shutdown = CancellationToken::new();
    (0..1000).for_each(|number| log.publish(event(number)));
    let writing = run(&log, &sink, shutdown.clone());
    let watching = async {
        let mut head = log.subscribe();
        while log.health().is_ok() {
            tokio::task::yield_now().await;
        }
        (1000..2000).for_each(|number| log.publish(event(number)));
        head.wait_for(|head| *head == 2000).await.unwrap();
        assert_eq!(log.health(), Ok(()));
        assert_eq!(log.waiting(), 0);
        shutdown.cancel();
    };
    tokio::join!(writing, watching);
    assert_eq!(details(&sink.store).await, (0..2000).map(|it| it.to_string()).collect::<Vec<_>>());
    assert!(sink.commits.load(Ordering::SeqCst) <= 3, "all that wait share a transaction");
    assert_eq!(log.numbers().failures.load(Ordering::Relaxed), 4);
}

#[tokio::test]
async fn what_is_left_at_the_end_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let sink = failing(&folder, 1).await;
    let log = EventLog::default();
    let shutdown = CancellationToken::new();
    shutdown.cancel();
    (0..10).for_each(|number| log.publish(event(number)));
    run(&log, &sink, shutdown).await;
    assert_eq!(details(&sink.store).await.len(), 10);
}

/// Whoever cuts the writer off in the middle of a transaction must not lose what was in it.
#[tokio::test]
async fn a_writer_that_is_cut_off_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let sink = failing(&folder, 0).await;
    let log = Arc::new(EventLog::default());
    (0..100).for_each(|number| log.publish(event(number)));
    for _ in 0..5 {
        let writing = run(&log, &sink, CancellationToken::new());
        let mut writing = std::pin::pin!(writing);
        // It has begun, and is dropped before the database has answered.
        let _ = futures::poll!(writing.as_mut());
    }
    assert_eq!(log.waiting(), 100);
    let shutdown = CancellationToken::new();
    shutdown.cancel();
    run(&log, &sink, shutdown).await;
    let told = details(&sink.store).await;
    assert_eq!(told.len(), 100, "{told:?}");
}
