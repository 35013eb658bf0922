//! Events that wait to be written: a pure queue with a bound.
//!
//! What does not fit is counted. As soon as there is room again, an event that says how many were lost takes their
//! place, so that the log never keeps silent about a hole.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};
use serde_json::json;
use store::NewEvent;

/// The kind of the event that stands for those that were lost.
pub const LOST: &str = "events.lost";

/// How much may wait.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// So many events.
    pub events: usize,
    /// So many bytes of memory.
    pub bytes: usize,
}

/// Events that were not kept.
struct Lost {
    count: u64,
    first: DateTime<Utc>,
    last: DateTime<Utc>,
}

/// The queue.
pub struct Queue {
    bounds: Bounds,
    waiting: VecDeque<NewEvent>,
    /// Of those that wait and those that are being written.
    bytes: usize,
    being_written: usize,
    lost: Option<Lost>,
}

impl Queue {
    /// An empty queue.
    #[must_use]
    pub const fn new(bounds: Bounds) -> Self {
        Self { bounds, waiting: VecDeque::new(), bytes: 0, being_written: 0, lost: None }
    }

    /// Takes an event in; gives whether it was kept.
    pub fn push(&mut self, event: NewEvent) -> bool {
        if !self.has_room(event.weight()) {
            let at = event.at();
            let lost = self.lost.get_or_insert(Lost { count: 0, first: at, last: at });
            lost.count += 1;
            lost.last = lost.last.max(at);
            return false;
        }
        self.tell_lost();
        self.bytes += event.weight();
        self.waiting.push_back(event);
        true
    }

    /// The oldest events, at most `most` of them. Until [`Self::written`] or [`Self::give_back`] was called they take
    /// up room all the same.
    pub fn take(&mut self, most: usize) -> Vec<NewEvent> {
        if self.waiting.is_empty() {
            self.tell_lost();
        }
        let taken: Vec<_> = self.waiting.drain(..most.min(self.waiting.len())).collect();
        self.being_written += taken.len();
        taken
    }

    /// What was taken is in the log.
    pub fn written(&mut self, taken: &[NewEvent]) {
        self.bytes -= weight(taken).min(self.bytes);
        self.being_written -= taken.len().min(self.being_written);
        if self.waiting.is_empty() && self.waiting.capacity() > 1024 {
            // A flood is over: its memory goes.
            self.waiting.shrink_to_fit();
        }
    }

    /// What was taken could not be written: it goes first the next time.
    pub fn give_back(&mut self, taken: Vec<NewEvent>) {
        self.being_written -= taken.len().min(self.being_written);
        for event in taken.into_iter().rev() {
            self.waiting.push_front(event);
        }
    }

    /// How many wait or are being written.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.len() + self.being_written
    }

    /// Whether nothing is left to write, not even about what was lost.
    #[cfg(test)]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0 && self.lost.is_none()
    }

    /// Whether events are being lost now.
    #[must_use]
    pub fn overflows(&self) -> bool {
        self.lost.is_some()
    }

    fn has_room(&self, weight: usize) -> bool {
        self.len() < self.bounds.events && self.bytes + weight <= self.bounds.bytes
    }

    /// It takes up room beyond the bounds, once.
    fn tell_lost(&mut self) {
        let Some(Lost { count, first, last }) = self.lost.take() else { return };
        let detail = format!(
            "{count} events from {} to {} were lost: more waited to be written than are kept in memory",
            first.to_rfc3339(),
            last.to_rfc3339(),
        );
        let event = NewEvent::new(None, LOST, &detail)
            .with(json!({"count": count, "first": first, "last": last}));
        self.bytes += event.weight();
        self.waiting.push_back(event);
    }
}

fn weight(events: &[NewEvent]) -> usize {
    events.iter().map(NewEvent::weight).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use store::NewEvent;

    use super::{Bounds, LOST, Queue};

    #[derive(Clone, Debug)]
    enum Step {
        Push,
        Write(usize),
        Fail(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            6 => Just(Step::Push),
            1 => (1_usize..6).prop_map(Step::Write),
            1 => (1_usize..6).prop_map(Step::Fail),
        ]
    }

    proptest! {
        #[test]
        fn what_is_not_written_in_order_is_counted_in_its_place(
            steps in prop::collection::vec(step(), 0..200),
            bound in 1_usize..8,
        ) {
            let mut queue = Queue::new(Bounds { events: bound, bytes: usize::MAX });
            let (mut pushed, mut log) = (0_u64, Vec::new());
            for step in steps {
                match step {
                    Step::Push => {
                        queue.push(NewEvent::new(None, "test.event", &pushed.to_string()));
                        pushed += 1;
                    }
                    Step::Write(most) => {
                        let taken = queue.take(most);
                        queue.written(&taken);
                        log.extend(taken);
                    }
                    Step::Fail(most) => {
                        let taken = queue.take(most);
                        queue.give_back(taken);
                    }
                }
                // One more than the bound for the word about those that were lost.
                prop_assert!(queue.len() <= bound + 1);
            }
            while !queue.is_empty() {
                let taken = queue.take(3);
                queue.written(&taken);
                log.extend(taken);
            }
            let mut next = 0;
            for event in &log {
                if event.kind() == LOST {
                    next += event.data().unwrap()["count"].as_u64().unwrap();
                } else {
                    prop_assert_eq!(event.detail(), next.to_string());
                    next += 1;
                }
            }
            prop_assert_eq!(next, pushed, "every event was written or counted");
            prop_assert_eq!(queue.bytes, 0);
        }
    }

    #[test]
    fn memory_is_bounded_too() {
        let event = NewEvent::new(None, "test.event", &"x".repeat(1000));
        let bytes = event.weight() * 2;
        let mut queue = Queue::new(Bounds { events: 100, bytes });
        assert!(queue.push(event.clone()) && queue.push(event.clone()));
        assert!(!queue.push(event) && queue.overflows());
    }
}
