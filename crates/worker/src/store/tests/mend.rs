//! What is saved of a damaged database: rows that lack others.

use api::link::{LinkEventKind, OutsideContent, OutsideMessage};
use api::records::MessageState;
use chrono::{Duration, Utc};
use uuid::Uuid;

use super::{answer, bind, message, open};
use crate::sends::Shape;
use crate::store::room::Room;
use crate::store::{BotStore, Mended, NewSend, Settlement};

const ROOM: Room = Room { known: true, strangers: true };

fn execute(store: &BotStore, sql: &str) {
    store.lock().execute_batch(sql).unwrap();
}

fn count(store: &BotStore, what: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {what}");
    store.lock().query_row(&sql, [], |row| row.get(0)).unwrap()
}

fn outside(to: &str) -> OutsideMessage {
    OutsideMessage {
        send_id: Uuid::now_v7(),
        to: to.to_owned(),
        content: OutsideContent::Text("hi".to_owned()),
        reply_to: None,
        expires_at: Utc::now() + Duration::hours(1),
    }
}

fn take(store: &BotStore, message: &OutsideMessage, id: &str) {
    store.accept(message, id, Utc::now()).unwrap();
}

fn admit(store: &BotStore) {
    let waiting = store.next_waiting(ROOM, Utc::now()).unwrap().unwrap();
    let new = NewSend { text: "hi".to_owned(), media: None, shape: Shape::default() };
    store.admit(&waiting, &new, Utc::now()).unwrap();
}

fn states(store: &BotStore) -> Vec<(String, MessageState)> {
    let events = store.oldest_events().unwrap().into_iter();
    let of = |kind| match kind {
        LinkEventKind::State { message_id, state, .. } => Some((message_id, state)),
        _ => None,
    };
    events.filter_map(|event| of(event.kind)).collect()
}

#[test]
fn a_number_that_an_answer_is_bound_to_is_not_given_again() {
    let (_dir, store) = open();
    store.receive(&[message("a", "1"), message("b", "2")], Utc::now()).unwrap();
    bind(&store, "A");
    store.settle(&store.next_pending().unwrap().unwrap(), &answer("B"), Utc::now()).unwrap();
    execute(&store, "DELETE FROM inbox; DELETE FROM chat; DELETE FROM sqlite_sequence;");
    store.mend(false, Utc::now()).unwrap();
    store.receive(&[message("c", "3")], Utc::now()).unwrap();
    let new = store.next_pending().unwrap().unwrap();
    assert!(new.seq > 2, "{new:?}");
    store.settle(&new, &answer("C"), Utc::now()).unwrap();
}

#[test]
fn only_what_has_no_answer_is_answered() {
    let (_dir, store) = open();
    let now = Utc::now();
    store.receive(&[message("a", "1"), message("a", "2"), message("a", "3")], now).unwrap();
    store.receive(&[message("b", "4")], now).unwrap();
    for id in ["A1", "A2"] {
        let outgoing = bind(&store, id);
        store.sent(&outgoing, now).unwrap();
    }
    // Old rows came back, and the answer to the first is lost; the last of each chat never had one.
    execute(&store, "UPDATE inbox SET pending = 1; DELETE FROM outbox WHERE message_id = 'A1';");
    let mended = store.mend(false, now).unwrap();
    assert_eq!(mended, Mended { settled: 2, unknown: 0 });
    let mut waiting = Vec::new();
    while let Some(pending) = store.next_pending().unwrap() {
        store.pass_over(&pending).unwrap();
        waiting.push(pending.message_id);
    }
    assert_eq!(waiting, ["3", "4"]);
}

#[test]
fn a_question_without_its_message_holds_up_nobody() {
    let (_dir, store) = open();
    store.receive(&[message("a", "1")], Utc::now()).unwrap();
    let ask = Settlement { ask: Some("rule".to_owned()), ..Settlement::default() };
    store.settle(&store.next_pending().unwrap().unwrap(), &ask, Utc::now()).unwrap();
    execute(&store, "DELETE FROM inbox");
    store.mend(false, Utc::now()).unwrap();
    store.receive(&[message("a", "2")], Utc::now()).unwrap();
    assert_eq!(store.next_pending().unwrap().unwrap().message_id, "2");
}

#[test]
fn a_contact_whose_chat_is_lost_is_no_newcomer() {
    let (_dir, store) = open();
    store.receive(&[message("a", "1")], Utc::now()).unwrap();
    execute(&store, "DELETE FROM chat");
    store.mend(false, Utc::now()).unwrap();
    let pending = store.next_pending().unwrap().unwrap();
    assert!(!store.standing(&pending).unwrap().first_contact);
}

#[test]
fn a_message_from_outside_goes_once_whichever_of_its_rows_is_lost() {
    let (_dir, store) = open();
    let now = Utc::now();
    let (first, second) = (outside("a@s.whatsapp.net"), outside("b@s.whatsapp.net"));
    for (message, id) in [(&first, "A"), (&second, "B")] {
        take(&store, message, id);
        admit(&store);
    }
    // One waits again, of the other it is not known that it was taken.
    execute(&store, "UPDATE send SET waits = 1 WHERE message_id = 'A'");
    execute(&store, "DELETE FROM send WHERE message_id = 'B'");
    store.mend(false, now).unwrap();
    assert_eq!(store.next_waiting(ROOM, now).unwrap(), None);
    take(&store, &second, "C");
    assert_eq!(store.next_waiting(ROOM, now).unwrap(), None);
    let ids: Vec<_> =
        store.due(Utc::now()).unwrap().into_iter().map(|due| due.message_id).collect();
    assert_eq!(ids, ["A", "B"]);
    assert_eq!(store.expire_sends(now).unwrap(), 0, "an unknown deadline is not over");
}

#[test]
fn a_message_from_outside_that_nothing_is_known_of_fails_and_is_not_sent_again() {
    let (_dir, store) = open();
    let now = Utc::now();
    let message = outside("a@s.whatsapp.net");
    take(&store, &message, "A");
    admit(&store);
    execute(&store, "DELETE FROM outbox");
    assert_eq!(store.mend(false, now).unwrap(), Mended { settled: 0, unknown: 1 });
    assert_eq!(states(&store), [("A".to_owned(), MessageState::Failed)]);
    take(&store, &message, "B");
    assert_eq!(store.next_waiting(ROOM, now).unwrap(), None);
    assert!(states(&store).iter().all(|state| *state == ("A".to_owned(), MessageState::Failed)));
}

#[test]
fn how_far_messages_from_outside_came_is_told_again() {
    let (_dir, store) = open();
    let now = Utc::now();
    take(&store, &outside("a@s.whatsapp.net"), "A");
    admit(&store);
    store.advance(&["A"], MessageState::Delivered, now).unwrap();
    execute(&store, "DELETE FROM event");
    store.mend(false, now).unwrap();
    assert_eq!(states(&store), [("A".to_owned(), MessageState::Delivered)]);
}

/// The control plane has then told its callers that they failed.
#[test]
fn with_a_new_numbering_messages_from_outside_are_not_sent() {
    let (_dir, store) = open();
    let now = Utc::now();
    store.receive(&[message("c", "1")], now).unwrap();
    bind(&store, "C");
    for (to, id) in [("a@s.whatsapp.net", "A"), ("b@s.whatsapp.net", "B")] {
        take(&store, &outside(to), id);
    }
    admit(&store);
    store.mend(true, now).unwrap();
    assert_eq!(store.next_waiting(ROOM, now).unwrap(), None);
    let ids: Vec<_> =
        store.due(Utc::now()).unwrap().into_iter().map(|due| due.message_id).collect();
    assert_eq!(ids, ["C"], "an answer goes out");
    assert_eq!(count(&store, "send WHERE reason LIKE 'worker_lost_it: %'"), 1);
    assert_eq!(states(&store), [("A".to_owned(), MessageState::Failed)]);
}
