//! Changes, found by comparing one picture of PM2's list with the next.

use std::collections::{BTreeMap, VecDeque};

use futures::stream::{self, BoxStream, StreamExt as _};
use tokio::sync::watch::Receiver;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::picture::{Picture, Pictures};
use crate::{ObservedState, ObservedWorker, RuntimeEvent};

type Workers = BTreeMap<String, ObservedWorker>;

struct State {
    pictures: Pictures,
    taken: Receiver<Picture>,
    /// `None` while PM2 does not answer.
    known: Option<Workers>,
    told_lost: bool,
    events: VecDeque<RuntimeEvent>,
    /// When to look next, whoever else does.
    next_look: Instant,
}

pub(super) fn watch(pictures: Pictures) -> BoxStream<'static, RuntimeEvent> {
    let taken = pictures.subscribe();
    let state = State {
        pictures,
        taken,
        known: None,
        told_lost: false,
        events: VecDeque::new(),
        next_look: Instant::now(),
    };
    stream::unfold(state, |mut state| async {
        loop {
            if let Some(event) = state.events.pop_front() {
                return Some((event, state));
            }
            state.look().await;
        }
    })
    .boxed()
}

impl State {
    /// Waits for the next picture: one that a verb took, or our own when its time has come.
    async fn look(&mut self) {
        let interval = self.pictures.interval();
        let workers = if self.known.is_some()
            && let Ok(Ok(())) = timeout_at(self.next_look, self.taken.changed()).await
        {
            Ok(self.taken.borrow_and_update().workers.clone())
        } else {
            sleep_until(self.next_look).await;
            let looked = self.pictures.fresh().await;
            // It is our own; nobody need tell us of it.
            self.taken.mark_unchanged();
            looked.map(|picture| picture.workers)
        };
        self.next_look = Instant::now() + interval;
        match workers {
            Ok(workers) => {
                let now = workers.iter().map(|worker| (worker.name.clone(), worker.clone()));
                self.compare(now.collect());
            }
            Err(error) => {
                self.known = None;
                // Once is enough, however long it lasts.
                if !std::mem::replace(&mut self.told_lost, true) {
                    self.events.push_back(RuntimeEvent::Lost(error.to_string()));
                }
            }
        }
    }

    fn compare(&mut self, now: Workers) {
        self.told_lost = false;
        match &self.known {
            None => self.events.push_back(RuntimeEvent::Sync(now.values().cloned().collect())),
            Some(known) => self.events.extend(changes(known, &now)),
        }
        self.known = Some(now);
    }
}

/// What happened between two pictures.
fn changes(known: &Workers, now: &Workers) -> Vec<RuntimeEvent> {
    let gone = known.keys().filter(|name| !now.contains_key(*name));
    let gone = gone.map(|name| RuntimeEvent::Gone(name.clone()));
    let changed = now.values().filter(|worker| {
        known.get(&worker.name).is_none_or(|before| essence(before) != essence(worker))
    });
    let changed = changed.map(|worker| RuntimeEvent::Changed(Box::new(worker.clone())));
    gone.chain(changed).collect()
}

/// A worker without what differs at every look: its use of the machine, and the guess when it is due again.
fn essence(worker: &ObservedWorker) -> ObservedWorker {
    let mut essence = ObservedWorker { cpu_percent: 0.0, memory_bytes: 0, ..worker.clone() };
    if let ObservedState::Backoff { until } = &mut essence.state {
        *until = chrono::DateTime::UNIX_EPOCH;
    }
    essence
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::{Workers, changes};
    use crate::{ObservedState, ObservedWorker, RuntimeEvent};

    fn worker(name: &str, state: ObservedState) -> ObservedWorker {
        ObservedWorker {
            name: name.to_owned(),
            tenant: "t".to_owned(),
            generation: 1,
            state,
            wanted: true,
            restarts: 0,
            incarnation: 1,
            cpu_percent: 0.0,
            memory_bytes: 0,
            exit: None,
            last_error: None,
            log_path: None,
        }
    }

    fn picture(workers: &[ObservedWorker]) -> Workers {
        workers.iter().map(|worker| (worker.name.clone(), worker.clone())).collect()
    }

    #[test]
    fn only_what_matters_is_a_change() {
        let until = |seconds| ObservedState::Backoff {
            until: DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds),
        };
        let (a, b) = (worker("a", ObservedState::Starting), worker("b", until(1)));
        let before = picture(&[a.clone(), b]);
        let busy = ObservedWorker { cpu_percent: 50.0, ..a.clone() };
        assert_eq!(changes(&before, &picture(&[busy, worker("b", until(2))])), []);
        let stopped = worker("a", ObservedState::Stopped);
        let expected =
            [RuntimeEvent::Gone("b".to_owned()), RuntimeEvent::Changed(Box::new(stopped.clone()))];
        assert_eq!(changes(&before, &picture(&[stopped])), expected);
        assert_eq!(changes(&Workers::new(), &picture(&[a])).len(), 1);
    }
}
