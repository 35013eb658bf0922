//! The newest events in memory, so that those who follow the log need not ask the database for each of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::events::EventView;

/// Events by number. It may have holes, while two transactions that were committed one after the other hand their
/// events over the other way round: whoever meets a hole reads the log itself.
pub struct Tail {
    most: usize,
    events: BTreeMap<i64, Arc<EventView>>,
}

impl Tail {
    /// An empty one that keeps `most` events.
    #[must_use]
    pub const fn new(most: usize) -> Self {
        Self { most, events: BTreeMap::new() }
    }

    /// Takes events in; the oldest make room.
    pub fn add(&mut self, events: impl IntoIterator<Item = EventView>) {
        self.events.extend(events.into_iter().map(|event| (event.seq, Arc::new(event))));
        while self.events.len() > self.most {
            self.events.pop_first();
        }
    }

    /// The events right after number `after` without a hole, at most `most`. None are given where the next one is
    /// not here, which says nothing about the log.
    #[must_use]
    pub fn run_after(&self, after: i64, most: usize) -> Vec<Arc<EventView>> {
        let following = self.events.range(after.saturating_add(1)..).take(most);
        let expected = after.saturating_add(1)..;
        let whole = following.zip(expected).take_while(|((seq, _), expected)| **seq == *expected);
        whole.map(|((_, event), _)| Arc::clone(event)).collect()
    }
}

#[cfg(test)]
mod tests {
    use api::events::EventView;
    use chrono::Utc;
    use proptest::prelude::*;

    use super::Tail;

    fn event(seq: i64) -> EventView {
        let (kind, detail) = ("test.event".to_owned(), String::new());
        EventView { seq, tenant_id: None, kind, detail, data: None, at: Utc::now() }
    }

    proptest! {
        #[test]
        fn a_run_has_no_hole_whatever_came_in_which_order(
            numbers in prop::collection::vec(1_i64..60, 0..80),
            after in 0_i64..60,
            kept in 1_usize..40,
        ) {
            let mut tail = Tail::new(kept);
            tail.add(numbers.iter().copied().map(event));
            let run = tail.run_after(after, 10);
            prop_assert!(run.len() <= 10 && tail.events.len() <= kept);
            for (expected, event) in (after + 1..).zip(&run) {
                prop_assert_eq!(event.seq, expected);
            }
        }
    }

    #[test]
    fn a_hole_ends_a_run_and_may_be_filled() {
        let mut tail = Tail::new(100);
        tail.add([5, 6].map(event));
        assert!(tail.run_after(3, 10).is_empty());
        assert_eq!(tail.run_after(4, 10).len(), 2);
        tail.add([event(4)]);
        assert_eq!(tail.run_after(3, 10).len(), 3);
        assert!(tail.run_after(6, 10).is_empty() && tail.run_after(i64::MAX, 1).is_empty());
    }
}
