use api::link::LinkEventKind;
use api::link::WorkerConfig;
use api::records::Direction;
use proptest::prelude::*;
use rules::Media;

use super::*;

mod full;
mod mend;
mod rules_state;
mod sends;
mod states;

impl BotStore {
    fn next_pending(&self) -> Result<Option<Pending>, StoreError> {
        self.pending_after(0)
    }

    fn next_outgoing(&self, now: DateTime<Utc>) -> Result<Option<Outgoing>, StoreError> {
        Ok(self.due(now)?.into_iter().next())
    }
}

fn open() -> (tempfile::TempDir, BotStore) {
    let dir = tempfile::tempdir().unwrap();
    let store = BotStore::open(&dir.path().join("bot.db")).unwrap();
    (dir, store)
}

fn reopen(dir: &tempfile::TempDir, store: BotStore) -> BotStore {
    drop(store);
    BotStore::open(&dir.path().join("bot.db")).unwrap()
}

fn message(chat: &str, id: &str) -> Incoming {
    Incoming {
        chat: chat.to_owned(),
        alias: None,
        sender: chat.to_owned(),
        message_id: id.to_owned(),
        media: Media::Text,
        text: format!("text of {id}"),
        name: "Ann".to_owned(),
        at: Utc::now(),
        wants_answer: true,
    }
}

fn answer(id: &str) -> Settlement {
    let answer = Answer { message_id: id.to_owned(), text: "hello".to_owned(), media: None };
    Settlement { answer: Some(answer), ..Settlement::default() }
}

/// Binds an answer to the next message, and takes it to be sent.
fn bind(store: &BotStore, id: &str) -> Outgoing {
    let pending = store.next_pending().unwrap().unwrap();
    store.settle(&pending, &answer(id), Utc::now()).unwrap();
    store.next_outgoing(Utc::now()).unwrap().unwrap()
}

fn messages(store: &BotStore, direction: Direction) -> Vec<String> {
    let events = store.oldest_events().unwrap();
    let ids = events.into_iter().filter_map(|event| match event.kind {
        LinkEventKind::Message { message_id, direction: way, .. } if way == direction => {
            Some(message_id)
        }
        _ => None,
    });
    ids.collect()
}

#[test]
fn a_redelivered_message_is_known_even_after_a_restart() {
    let (dir, store) = open();
    assert_eq!(store.receive(&[message("a", "1")], Utc::now()).unwrap(), 1);
    assert_eq!(store.receive(&[message("a", "1"), message("a", "2")], Utc::now()).unwrap(), 1);
    let store = reopen(&dir, store);
    assert_eq!(store.receive(&[message("a", "1")], Utc::now()).unwrap(), 0);
    // The same id in another chat is another message.
    assert_eq!(store.receive(&[message("b", "1")], Utc::now()).unwrap(), 1);
    assert_eq!(messages(&store, Direction::In), ["1", "2", "1"]);
}

#[test]
fn a_crash_before_the_answer_was_bound_leaves_the_message_to_be_answered() {
    let (dir, store) = open();
    store.receive(&[message("a", "1")], Utc::now()).unwrap();
    let before = store.next_pending().unwrap();
    let store = reopen(&dir, store);
    assert!(before.is_some());
    assert_eq!(store.next_pending().unwrap(), before);
}

#[test]
fn a_crash_after_the_answer_was_bound_sends_it_under_the_same_id_once() {
    let (dir, store) = open();
    store.receive(&[message("a", "1")], Utc::now()).unwrap();
    let outgoing = bind(&store, "3EB01");
    let store = reopen(&dir, store);
    assert_eq!(store.next_pending().unwrap(), None);
    assert_eq!(store.next_outgoing(Utc::now()).unwrap().as_ref(), Some(&outgoing));
    store.sent(&outgoing, Utc::now()).unwrap();
    store.sent(&outgoing, Utc::now()).unwrap();
    assert_eq!(store.next_outgoing(Utc::now()).unwrap(), None);
    assert_eq!(messages(&store, Direction::Out), ["3EB01"]);
}

#[test]
fn a_chat_whose_answer_fails_waits_and_holds_up_no_other() {
    let (_dir, store) = open();
    store.receive(&[message("a", "1"), message("a", "2"), message("b", "3")], Utc::now()).unwrap();
    let failing = bind(&store, "A1");
    store.retry(&failing, Utc::now() + chrono::Duration::minutes(4)).unwrap();
    assert_eq!(store.next_outgoing(Utc::now()).unwrap(), None);
    assert!(store.next_due(Utc::now()).unwrap().unwrap() > Utc::now());
    let other = bind(&store, "B1");
    assert_eq!(other.chat, "b");
    store.sent(&other, Utc::now()).unwrap();
    // The second message of the failing chat keeps its place behind the first.
    assert_eq!(store.next_pending().unwrap(), None);
    let later = Utc::now() + chrono::Duration::hours(2);
    let again = store.next_outgoing(later).unwrap().unwrap();
    assert_eq!((again.message_id.as_str(), again.tries), ("A1", 1));
    store.give_up(&again, "no", Utc::now()).unwrap();
    assert_eq!(store.next_pending().unwrap().unwrap().chat, "a");
}

#[test]
fn a_flooding_chat_is_logged_answered_up_to_a_bound_and_told_of_once() {
    let (_dir, store) = open();
    let flood: Vec<Incoming> =
        (0..inbox::PER_CHAT + 20).map(|n| message("a", &n.to_string())).collect();
    store.receive(&flood, Utc::now()).unwrap();
    store.receive(&[message("b", "x")], Utc::now()).unwrap();
    let mut answered = 0;
    while let Some(pending) = store.next_pending().unwrap() {
        store.pass_over(&pending).unwrap();
        answered += 1;
    }
    assert_eq!(answered, inbox::PER_CHAT + 1);
    let events = store.oldest_events().unwrap();
    let notes = events.iter().filter(|event| matches!(event.kind, LinkEventKind::Note { .. }));
    assert_eq!(notes.count(), 1);
    assert_eq!(messages(&store, Direction::In).len(), flood.len() + 1);
}

#[test]
fn events_wait_in_batches_and_keep_their_numbers_over_a_restart() {
    let (dir, store) = open();
    for n in 0..250 {
        store.note("test.note", &n.to_string(), Utc::now()).unwrap();
    }
    let first = store.oldest_events().unwrap();
    assert_eq!((first.len(), first[0].seq, first[199].seq), (200, 1, 200));
    store.forget_events(200).unwrap();
    let id = store.store_id();
    let store = reopen(&dir, store);
    assert_eq!(store.store_id(), id);
    assert_eq!(store.oldest_events().unwrap().len(), 50);
    store.forget_events(250).unwrap();
    let store = reopen(&dir, store);
    store.note("test.note", "next", Utc::now()).unwrap();
    assert_eq!(store.oldest_events().unwrap()[0].seq, 251);
}

#[test]
fn a_batch_of_long_texts_stays_small() {
    let (_dir, store) = open();
    let long = "x".repeat(100_000);
    for _ in 0..5 {
        store.note("test.note", &long, Utc::now()).unwrap();
    }
    assert_eq!(store.oldest_events().unwrap().len(), 2);
}

#[test]
fn too_many_events_drop_the_oldest_notes_and_never_a_message() {
    let (_dir, store) = open();
    for n in 0..5 {
        store.note("test.note", &n.to_string(), Utc::now()).unwrap();
        store.receive(&[message("a", &n.to_string())], Utc::now()).unwrap();
    }
    let drop_to = |kept| store.transact(|t| events::drop_oldest_notes(t, kept)).unwrap();
    assert_eq!(drop_to(8), 2);
    assert_eq!(store.oldest_events().unwrap().len(), 8);
    assert_eq!(drop_to(1), 3);
    assert_eq!(messages(&store, Direction::In).len(), 5);
}

#[test]
fn settings_survive() {
    let (dir, store) = open();
    let config = WorkerConfig {
        version: 3,
        greeting: "hello".to_owned(),
        rate_limit_max_per_minute: 7,
        ..WorkerConfig::default()
    };
    assert_eq!(store.config().unwrap(), None);
    store.set_config(&config).unwrap();
    store.set_paired("1:2@s.whatsapp.net", Utc::now()).unwrap();
    let store = reopen(&dir, store);
    assert_eq!(store.config().unwrap(), Some(config));
    assert_eq!(store.login().unwrap().as_deref(), Some("1:2@s.whatsapp.net"));
    assert!(store.paired_at().unwrap().is_some());
    store.set_login(None).unwrap();
    assert_eq!((store.login().unwrap(), store.paired_at().unwrap()), (None, None));
}

#[test]
fn a_database_of_a_newer_program_is_left_alone() {
    let (dir, store) = open();
    store.lock().pragma_update(None, "user_version", 9).unwrap();
    drop(store);
    let refused = BotStore::open(&dir.path().join("bot.db")).unwrap_err();
    assert!(matches!(refused, StoreError::Newer { found: 9 }));
}

#[test]
fn what_was_answered_long_ago_is_forgotten_and_what_waits_is_not() {
    let (_dir, store) = open();
    store.receive(&[message("a", "1"), message("b", "2")], Utc::now()).unwrap();
    let outgoing = bind(&store, "A1");
    store.sent(&outgoing, Utc::now()).unwrap();
    store.forget_old(Utc::now() + chrono::Duration::days(60)).unwrap();
    let rows = |table: &str| -> i64 {
        let sql = format!("SELECT count(*) FROM {table}");
        store.lock().query_row(&sql, [], |row| row.get(0)).unwrap()
    };
    assert_eq!((rows("inbox"), rows("outbox")), (1, 0));
}

#[derive(Clone, Debug)]
enum Act {
    Deliver(u8, u8),
    Bind,
    Send,
    Crash,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        (0_u8..3, 0_u8..6).prop_map(|(chat, id)| Act::Deliver(chat, id)),
        Just(Act::Bind),
        Just(Act::Send),
        Just(Act::Crash),
    ]
}

proptest! {
    // Each case makes files and syncs them.
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn whatever_crashes_every_message_is_answered_once_and_in_its_chats_order(
        acts in prop::collection::vec(act(), 1..30),
    ) {
        let (dir, mut store) = open();
        let mut delivered: Vec<String> = Vec::new();
        let mut answers: Vec<String> = Vec::new();
        let mut next_id = 0;
        let mut all = acts;
        // At the end everything that waits is worked off.
        all.extend(std::iter::repeat_n([Act::Bind, Act::Send], 20).flatten());
        for act in all {
            match act {
                Act::Deliver(chat, id) => {
                    let one = message(&format!("c{chat}"), &format!("m{id}"));
                    if store.receive(std::slice::from_ref(&one), Utc::now()).unwrap() == 1 {
                        delivered.push(format!("{}/{}", one.chat, one.message_id));
                    }
                }
                Act::Bind => if let Some(pending) = store.next_pending().unwrap() {
                    next_id += 1;
                    store.settle(&pending, &answer(&format!("A{next_id}")), Utc::now()).unwrap();
                },
                Act::Send => if let Some(outgoing) = store.next_outgoing(Utc::now()).unwrap() {
                    store.sent(&outgoing, Utc::now()).unwrap();
                    answers.push(outgoing.chat);
                },
                Act::Crash => store = reopen(&dir, store),
            }
        }
        prop_assert_eq!(answers.len(), delivered.len());
        for chat in ["c0", "c1", "c2"] {
            let came = delivered.iter().filter(|one| one.starts_with(chat)).count();
            prop_assert_eq!(answers.iter().filter(|one| *one == chat).count(), came);
        }
    }
}
