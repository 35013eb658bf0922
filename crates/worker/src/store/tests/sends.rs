use api::link::{LinkEventKind, OutsideContent, OutsideMessage};
use api::records::MessageState;
use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use super::{bind, message as incoming, open};
use crate::sends::Shape;
use crate::store::room::Room;
use crate::store::{BotStore, Change, Incoming, NewSend, Settlement};

const ROOM: Room = Room { known: true, strangers: true };

const TO: &str = "254700000001@s.whatsapp.net";

fn message(expires_at: DateTime<Utc>) -> OutsideMessage {
    OutsideMessage {
        send_id: Uuid::now_v7(),
        to: TO.to_owned(),
        content: OutsideContent::Text("hi".to_owned()),
        reply_to: None,
        expires_at,
    }
}

fn as_text() -> NewSend {
    NewSend { text: "hi".to_owned(), media: None, shape: Shape::default() }
}

/// What was told of messages from outside, in order.
fn told(store: &BotStore) -> Vec<(String, Option<MessageState>)> {
    let events = store.oldest_events().unwrap().into_iter();
    events
        .filter_map(|event| match event.kind {
            LinkEventKind::Accepted { message_id, .. } => Some((message_id, None)),
            LinkEventKind::State { message_id, state, .. } => Some((message_id, Some(state))),
            _ => None,
        })
        .collect()
}

#[test]
fn a_message_is_taken_once_and_told_of_each_time() {
    let (_dir, store) = open();
    let now = Utc::now();
    let first = message(now + Duration::hours(1));
    store.accept(&first, "A", now).unwrap();
    // Said again, it keeps the id that it was taken under.
    store.accept(&first, "B", now).unwrap();
    assert_eq!(told(&store), [("A".to_owned(), None), ("A".to_owned(), None)]);
    let waiting = store.next_waiting(ROOM, now).unwrap().unwrap();
    assert_eq!((&waiting.message, waiting.message_id.as_str()), (&first, "A"));
    store.admit(&waiting, &as_text(), now).unwrap();
    store.admit(&waiting, &as_text(), now).unwrap();
    assert_eq!(store.next_waiting(ROOM, now).unwrap(), None);
    assert_eq!(store.room(2).unwrap(), ROOM);
    assert_eq!(store.room(1).unwrap(), Room { known: true, strangers: false });
    assert!(store.is_open(first.send_id).unwrap());
    let outgoing = store.next_outgoing(now).unwrap().unwrap();
    assert_eq!((outgoing.message_id.as_str(), outgoing.chat.as_str()), ("A", TO));
    store.sent(&outgoing, now).unwrap();
    assert!(!store.is_open(first.send_id).unwrap());
    // Whoever says it now is told what became of it, and nothing goes out again.
    store.accept(&first, "C", now).unwrap();
    let told = told(&store);
    assert_eq!(told.last().unwrap(), &("A".to_owned(), Some(MessageState::Sent)));
    assert_eq!(
        (store.next_waiting(ROOM, now).unwrap(), store.next_outgoing(now).unwrap()),
        (None, None)
    );
    assert!(store.is_acquainted(TO).unwrap());
}

#[test]
fn a_refused_message_is_told_of_once_and_never_sent() {
    let (_dir, store) = open();
    let now = Utc::now();
    store.accept(&message(now + Duration::hours(1)), "A", now).unwrap();
    let waiting = store.next_waiting(ROOM, now).unwrap().unwrap();
    let later = now + Duration::seconds(2);
    store.look_up_later(&waiting, true, later).unwrap();
    assert_eq!(store.next_waiting(ROOM, now).unwrap(), None);
    assert_eq!(
        store.next_send_due(ROOM).unwrap().unwrap().timestamp_millis(),
        later.timestamp_millis()
    );
    let waiting = store.next_waiting(ROOM, later).unwrap().unwrap();
    assert_eq!(waiting.tries, 1);
    store.refuse(&waiting, "not_on_whatsapp: no", now).unwrap();
    store.refuse(&waiting, "not_on_whatsapp: no", now).unwrap();
    store.admit(&waiting, &as_text(), now).unwrap();
    assert_eq!(store.next_outgoing(now).unwrap(), None);
    assert_eq!(
        told(&store),
        [("A".to_owned(), None), ("A".to_owned(), Some(MessageState::Failed))]
    );
    assert!(!store.is_acquainted(TO).unwrap());
}

#[test]
fn a_deadline_fails_what_was_not_tried() {
    let (_dir, store) = open();
    let now = Utc::now();
    let soon = now + Duration::seconds(1);
    for id in ["bound", "waits"] {
        store.accept(&message(soon), id, now).unwrap();
    }
    let bound = store.next_waiting(ROOM, now).unwrap().unwrap();
    store.admit(&bound, &as_text(), now).unwrap();
    let outgoing = store.next_outgoing(now).unwrap().unwrap();
    assert_eq!(outgoing.message_id, "bound");
    store.postpone(outgoing.seq, soon).unwrap();
    assert_eq!(store.next_deadline().unwrap().unwrap().timestamp_millis(), soon.timestamp_millis());
    assert_eq!(store.expire_sends(now).unwrap(), 0);
    assert_eq!(store.expire_sends(soon).unwrap(), 2);
    assert_eq!(store.expire_sends(soon).unwrap(), 0);
    assert_eq!((store.next_deadline().unwrap(), store.next_outgoing(soon).unwrap()), (None, None));

    store.accept(&message(soon), "under way", now).unwrap();
    let waiting = store.next_waiting(ROOM, now).unwrap().unwrap();
    store.admit(&waiting, &as_text(), now).unwrap();
    let outgoing = store.next_outgoing(now).unwrap().unwrap();
    store.trying(&outgoing, now).unwrap();
    assert_eq!(store.expire_sends(soon).unwrap(), 0, "it may have arrived");
}

#[test]
fn who_opts_out_is_not_written_to_any_more() {
    let (_dir, store) = open();
    let now = Utc::now();
    store.accept(&message(now + Duration::hours(1)), "A", now).unwrap();
    store.admit(&store.next_waiting(ROOM, now).unwrap().unwrap(), &as_text(), now).unwrap();
    // The contact writes by its other address.
    let stop = Incoming { alias: Some(TO.to_owned()), ..incoming("1@lid", "stop") };
    store.receive(&[stop], now).unwrap();
    let stop = store.next_pending().unwrap().unwrap();
    let settlement = Settlement { change: Change::OptedOut, ..Settlement::default() };
    store.settle(&stop, &settlement, now).unwrap();
    assert_eq!(store.next_outgoing(now).unwrap(), None);
    assert_eq!(told(&store).last().unwrap(), &("A".to_owned(), Some(MessageState::Failed)));
    assert!(store.has_opted_out(TO).unwrap());
}

#[test]
fn an_answer_does_not_wait_for_a_message_from_outside_in_its_chat() {
    let (_dir, store) = open();
    let now = Utc::now();
    store.accept(&message(now + Duration::hours(1)), "OUT", now).unwrap();
    store.admit(&store.next_waiting(ROOM, now).unwrap().unwrap(), &as_text(), now).unwrap();
    let outside = store.next_outgoing(now).unwrap().unwrap();
    store.postpone(outside.seq, now + Duration::minutes(1)).unwrap();
    store.receive(&[incoming(TO, "1"), incoming(TO, "2")], now).unwrap();
    let answer = bind(&store, "A");
    assert_eq!(answer.message_id, "A");
    assert_eq!(store.next_pending().unwrap(), None, "the second answer waits for the first");
    store.sent(&answer, now).unwrap();
    assert_eq!(bind(&store, "B").message_id, "B");
    // But what comes from outside waits for the answers before it.
    store.accept(&message(now + Duration::hours(1)), "LATER", now).unwrap();
    store.admit(&store.next_waiting(ROOM, now).unwrap().unwrap(), &as_text(), now).unwrap();
    let due: Vec<String> =
        store.due(Utc::now()).unwrap().into_iter().map(|one| one.message_id).collect();
    assert_eq!(due, ["B"]);
}

#[test]
fn strangers_who_wait_keep_nobody_who_is_known_from_being_written_to() {
    let (_dir, store) = open();
    let now = Utc::now();
    let later = now + Duration::hours(1);
    store.receive(&[incoming("2@lid", "1")], now).unwrap();
    for id in ["A", "B"] {
        store.accept(&message(later), id, now).unwrap();
    }
    store.accept(&OutsideMessage { to: "2@lid".to_owned(), ..message(later) }, "C", now).unwrap();
    store.admit(&store.next_waiting(ROOM, now).unwrap().unwrap(), &as_text(), now).unwrap();
    let full = store.room(1).unwrap();
    let next = store.next_waiting(full, now).unwrap().unwrap();
    assert_eq!(next.message_id, "C");
    store.admit(&next, &as_text(), now).unwrap();
    let full = store.room(1).unwrap();
    assert_eq!(full, Room { known: false, strangers: false });
    assert_eq!(store.next_waiting(full, now).unwrap(), None);
    assert_eq!(store.next_send_due(full).unwrap(), None, "nothing to wake up for");
    // Who writes is no stranger any more, and waits behind none.
    store.receive(&[incoming(TO, "2")], now).unwrap();
    assert!(store.room(1).unwrap().strangers);
}
