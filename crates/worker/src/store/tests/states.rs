//! How far messages come, and what the control plane hears of it.

use api::records::MessageState;

use super::*;

fn told(store: &BotStore) -> Vec<MessageState> {
    let events = store.oldest_events().unwrap().into_iter();
    events
        .filter_map(|event| match event.kind {
            LinkEventKind::State { state, .. } => Some(state),
            _ => None,
        })
        .collect()
}

#[test]
fn a_receipt_that_is_faster_than_the_acknowledgement_stands_for_it() {
    let (dir, store) = open();
    store.receive(&[message("a", "1"), message("a", "2")], Utc::now()).unwrap();
    let outgoing = bind(&store, "A1");
    let now = Utc::now();
    assert_eq!(store.advance(&["A1", "not ours"], MessageState::Delivered, now).unwrap(), 1);
    let store = reopen(&dir, store);
    assert_eq!(store.next_outgoing(now).unwrap(), None, "it is not sent again");
    store.sent(&outgoing, now).unwrap();
    store.give_up(&outgoing, "no acknowledgement", now).unwrap();
    store.advance(&["A1"], MessageState::Read, now).unwrap();
    assert_eq!(told(&store), [MessageState::Delivered, MessageState::Read]);
    assert_eq!(messages(&store, Direction::Out), ["A1"]);
    assert_eq!(store.next_pending().unwrap().unwrap().message_id, "2");
}

#[test]
fn what_failed_stays_so_and_is_not_in_the_log() {
    let (_dir, store) = open();
    store.receive(&[message("a", "1")], Utc::now()).unwrap();
    let outgoing = bind(&store, "A1");
    store.give_up(&outgoing, "WhatsApp answers 479", Utc::now()).unwrap();
    store.advance(&["A1"], MessageState::Read, Utc::now()).unwrap();
    assert_eq!(told(&store), [MessageState::Failed]);
    assert!(messages(&store, Direction::Out).is_empty());
}

#[test]
fn what_is_due_beyond_all_retries_is_of_a_wrong_clock_and_due_now() {
    let (_dir, store) = open();
    store.receive(&[message("a", "1")], Utc::now()).unwrap();
    let outgoing = bind(&store, "A1");
    for (minutes, due) in [(4, false), (6, true), (-600, true), (600_000, true)] {
        store.postpone(outgoing.seq, Utc::now() + chrono::Duration::minutes(minutes)).unwrap();
        assert_eq!(store.next_outgoing(Utc::now()).unwrap().is_some(), due, "{minutes}");
    }
}

#[test]
fn a_message_to_who_never_wrote_is_cold_until_they_write_and_comes_last() {
    let (_dir, store) = open();
    store
        .lock()
        .execute_batch(
            "INSERT INTO outbox (send_id, chat, message_id, text, pending, due_at) VALUES
             ('s1', 'stranger', 'C1', 'offer', 1, 0), ('s2', '1@g.us', 'G1', 'hello', 1, 0);",
        )
        .unwrap();
    store.receive(&[message("a", "1")], Utc::now()).unwrap();
    bind(&store, "A1");
    let due = |store: &BotStore| -> Vec<(String, bool)> {
        let due = store.due(Utc::now()).unwrap().into_iter();
        due.map(|one| (one.message_id, one.cold)).collect()
    };
    let of = |id: &str, cold| (id.to_owned(), cold);
    assert_eq!(due(&store), [of("A1", false), of("G1", false), of("C1", true)]);
    store.receive(&[message("stranger", "2")], Utc::now()).unwrap();
    assert_eq!(due(&store), [of("A1", false), of("C1", false), of("G1", false)]);
}

#[test]
fn a_database_of_the_layout_before_forgets_what_was_pending_and_had_arrived() {
    let (dir, store) = open();
    store.receive(&[message("a", "1")], Utc::now()).unwrap();
    bind(&store, "A1");
    store
        .lock()
        .execute_batch(
            "ALTER TABLE inbox ADD COLUMN alias TEXT; ALTER TABLE inbox DROP COLUMN author;
             ALTER TABLE outbox DROP COLUMN address; DROP TABLE address;
             ALTER TABLE outbox DROP COLUMN cold; DROP INDEX outbox_tried; DROP INDEX inbox_waiting;
             UPDATE outbox SET state = 'delivered'; PRAGMA user_version = 4;",
        )
        .unwrap();
    let store = reopen(&dir, store);
    assert_eq!(store.next_outgoing(Utc::now()).unwrap(), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn whatever_is_heard_in_whatever_order_is_told_forward_and_logged_once(
        heard in prop::collection::vec(0_usize..5, 1..12),
    ) {
        let (dir, mut store) = open();
        store.receive(&[message("a", "1")], Utc::now()).unwrap();
        let outgoing = bind(&store, "A1");
        for news in heard {
            match MessageState::ALL[news] {
                MessageState::Queued => store = reopen(&dir, store),
                MessageState::Failed => store.give_up(&outgoing, "why", Utc::now()).unwrap(),
                state => drop(store.advance(&["A1"], state, Utc::now()).unwrap()),
            }
        }
        let told = told(&store);
        prop_assert!(told.windows(2).all(|pair| pair[0].may_become(pair[1])), "{told:?}");
        let logged = messages(&store, Direction::Out).len();
        prop_assert_eq!(logged, usize::from(told.first().is_some_and(|it| *it != MessageState::Failed)));
        prop_assert_eq!(store.next_outgoing(Utc::now()).unwrap().is_none(), !told.is_empty());
    }
}
