//! Those who follow the event log.
//!
//! Each has a task that reads for it, from memory or from the store, and hands on what it reads. A listener that does not
//! take it in time is cut: it comes back with the number of the last event that it saw.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use api::TenantId;
use api::events::EventView;
use futures::Stream;
use store::{EventSelection, Store};
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;

use super::EventLog;
use crate::places::{Place, Places};

/// The most listeners: a task, a connection and about 50 kB each.
const MOST: usize = 1000;
/// The most listeners of one tenant.
const MOST_OF_TENANT: usize = 50;
/// Events that are read at once.
const CHUNK: usize = 256;
/// Events that wait for a listener to take them, beside what its socket holds.
const BUFFER: usize = 64;
/// How long a listener may take none of the events that wait for it.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long to wait before the store is asked again after a failure.
const PAUSE: Duration = Duration::from_secs(1);

/// The places for listeners.
pub(super) fn places() -> Arc<Places> {
    Places::new(MOST, MOST_OF_TENANT)
}

/// A listener's place. It is free again when this is dropped.
pub struct Listening {
    log: Arc<EventLog>,
    _place: Place,
    /// How long the listener may take none of the events that wait for it.
    patience: Duration,
}

pub(super) fn enter(log: &Arc<EventLog>, tenant: Option<TenantId>) -> Result<Listening, usize> {
    let place = log.listeners.enter(tenant)?;
    Ok(Listening { log: Arc::clone(log), _place: place, patience: PATIENCE })
}

/// The chosen events after number `after`, and then each as it is committed. The stream ends when its listener is cut,
/// and when the channel of `alive` is closed.
pub fn follow<T: Send + Sync + 'static>(
    store: Store,
    listening: Listening,
    selection: EventSelection,
    after: i64,
    alive: Option<watch::Receiver<T>>,
) -> impl Stream<Item = Arc<EventView>> + use<T> {
    let (sender, events) = mpsc::channel(BUFFER);
    let reader = Reader { store, listening, selection, after, sender };
    tokio::spawn(async move {
        let closed = reader.sender.clone();
        tokio::select! {
            () = reader.run() => {}
            () = closed.closed() => {}
            () = ended(alive) => {}
        }
    });
    ReceiverStream::new(events)
}

async fn ended<T>(alive: Option<watch::Receiver<T>>) {
    match alive {
        Some(mut alive) => while alive.changed().await.is_ok() {},
        None => std::future::pending().await,
    }
}

struct Reader {
    store: Store,
    listening: Listening,
    selection: EventSelection,
    /// The number of the last event that was handed on, or passed over.
    after: i64,
    sender: mpsc::Sender<Arc<EventView>>,
}

impl Reader {
    async fn run(mut self) {
        let mut head = self.listening.log.subscribe();
        loop {
            let known = *head.borrow_and_update();
            if !self.catch_up(known).await {
                return;
            }
            // The log outlives its listeners, for each holds it.
            if head.changed().await.is_err() {
                return;
            }
        }
    }

    /// Hands on what there is; the log goes at least to number `known`. Gives whether the listener still listens.
    async fn catch_up(&mut self, known: i64) -> bool {
        loop {
            let run = self.listening.log.run_after(self.after, CHUNK);
            let more = if let Some(last) = run.last().map(|event| event.seq) {
                let chosen = run.into_iter().filter(|event| self.is_chosen(event)).collect();
                if !self.hand_on(chosen).await {
                    return false;
                }
                self.after = last;
                self.after < known
            } else {
                let limit = u64::try_from(CHUNK).unwrap_or(u64::MAX);
                match self.store.events(&self.selection, self.after, limit).await {
                    Ok(page) => {
                        let last = page.items.last().map_or(self.after, |event| event.seq);
                        if !self.hand_on(page.items.into_iter().map(Arc::new).collect()).await {
                            return false;
                        }
                        // What was known before the question was asked is in the answer.
                        self.after = if page.next.is_some() { last } else { last.max(known) };
                        page.next.is_some()
                    }
                    Err(error) => {
                        tracing::debug!(%error, "a listener waits for the store");
                        tokio::time::sleep(PAUSE).await;
                        true
                    }
                }
            };
            if !more {
                return true;
            }
        }
    }

    fn is_chosen(&self, event: &EventView) -> bool {
        self.selection.tenant.is_none_or(|tenant| event.tenant_id == Some(tenant))
            && self.selection.kinds.matches(&event.kind)
    }

    async fn hand_on(&self, events: Vec<Arc<EventView>>) -> bool {
        for event in events {
            if self.sender.send_timeout(event, self.listening.patience).await.is_err() {
                if !self.sender.is_closed() {
                    self.listening.log.numbers.cut.fetch_add(1, Ordering::Relaxed);
                }
                return false;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::Ordering;
    use std::time::Duration;

    use futures::StreamExt as _;
    use store::{EventSelection, NewEvent, Store};
    use tokio::sync::watch;

    use super::{BUFFER, follow};
    use crate::events::EventLog;

    #[tokio::test]
    async fn a_listener_that_does_not_read_is_cut_and_goes_on_where_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("t.db").display());
        let store = Store::open(&url).await.unwrap();
        let log = Arc::new(EventLog::default());
        let mut lazy = log.listen(None).ok().unwrap();
        lazy.patience = Duration::from_millis(1);
        let follow = |listening, after| {
            let alive = None::<watch::Receiver<()>>;
            Box::pin(follow(store.clone(), listening, EventSelection::default(), after, alive))
        };
        let lazy = follow(lazy, 0);
        for number in 0..10 * BUFFER {
            let event = NewEvent::new(None, "test.event", &number.to_string());
            log.committed(store.append_events(&[event]).await.unwrap());
        }
        while log.listening() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(log.numbers().cut.load(Ordering::Relaxed), 1);
        let seen: Vec<_> = lazy.map(|event| event.seq).collect().await;
        assert_eq!(seen, (1..=i64::try_from(BUFFER).unwrap()).collect::<Vec<_>>());
        let mut back = follow(log.listen(None).ok().unwrap(), seen[seen.len() - 1]);
        assert_eq!(back.next().await.unwrap().seq, seen[seen.len() - 1] + 1);
    }
}
