//! What is known of chats, and questions to the webhook.

use std::collections::BTreeMap;

use chrono::Duration;

use super::*;

fn standing_of(store: &BotStore, chat: &str) -> Standing {
    chats::standing(&store.lock(), chat, 0).unwrap()
}

fn change(store: &BotStore, change: Change) {
    let pending = store.next_pending().unwrap().unwrap();
    let settlement = Settlement { change, ..Settlement::default() };
    store.settle(&pending, &settlement, Utc::now()).unwrap();
}

#[test]
fn only_the_first_message_of_a_chat_is_a_first_contact() {
    let (dir, store) = open();
    store.receive(&[message("a", "1"), message("a", "2"), message("b", "3")], Utc::now()).unwrap();
    let mut firsts = Vec::new();
    let mut store = store;
    for _ in 0..3 {
        store = reopen(&dir, store);
        let pending = store.next_pending().unwrap().unwrap();
        firsts.push((pending.chat.clone(), store.standing(&pending).unwrap().first_contact));
        store.pass_over(&pending).unwrap();
    }
    let expected = [("a", true), ("a", false), ("b", true)];
    assert_eq!(firsts, expected.map(|(chat, first)| (chat.to_owned(), first)));
}

#[test]
fn what_changes_about_a_chat_is_stored_with_the_answer_or_not_at_all() {
    let (dir, store) = open();
    store.receive(&[message("a", "1"), message("a", "2"), message("a", "3")], Utc::now()).unwrap();
    let until = time((Utc::now() + Duration::minutes(5)).timestamp_millis());
    change(&store, Change::HandedOver(until));
    change(&store, Change::OptedOut);
    // A settlement whose answer cannot be bound changes nothing.
    store.receive(&[message("b", "4")], Utc::now()).unwrap();
    let outgoing = {
        change(&store, Change::Nothing);
        bind(&store, "X")
    };
    store.sent(&outgoing, Utc::now()).unwrap();
    store.receive(&[message("b", "5")], Utc::now()).unwrap();
    let pending = store.next_pending().unwrap().unwrap();
    let same_id = Settlement { change: Change::OptedOut, ..answer("X") };
    store.settle(&pending, &same_id, Utc::now()).unwrap_err();
    let store = reopen(&dir, store);
    assert!(!standing_of(&store, "b").opted_out);
    assert_eq!(store.next_pending().unwrap(), Some(pending));
    let standing = standing_of(&store, "a");
    assert_eq!((standing.opted_out, standing.handed_over_until), (true, Some(until)));
}

#[test]
fn a_question_holds_up_its_chat_alone_and_survives_a_crash() {
    let (dir, store) = open();
    store.receive(&[message("a", "1"), message("a", "2"), message("b", "3")], Utc::now()).unwrap();
    let pending = store.next_pending().unwrap().unwrap();
    let ask = Settlement { ask: Some("rule".to_owned()), ..Settlement::default() };
    store.settle(&pending, &ask, Utc::now()).unwrap();
    assert_eq!(store.next_pending().unwrap().unwrap().chat, "b");
    let question = store.due_questions(Utc::now(), 9).unwrap().remove(0);
    store.ask_again(&question, Utc::now() + Duration::hours(1)).unwrap();
    let store = reopen(&dir, store);
    assert_eq!(store.due_questions(Utc::now(), 9).unwrap(), []);
    assert!(store.next_question_due(Utc::now()).unwrap().is_some());
    let before = Utc::now() - Duration::days(30);
    assert_eq!(store.due_questions(before, 9).unwrap().len(), 1, "the clock was set back");
    let later = Utc::now() + Duration::hours(2);
    let again = store.due_questions(later, 9).unwrap().remove(0);
    assert_eq!((again.tries, &again.message), (1, &pending));
    store.question_answered(&again, r#"{"ignore":true}"#).unwrap();
    // Its answer makes it the chat's next, before the second message.
    let next = store.next_pending().unwrap().unwrap();
    assert_eq!(next, pending);
    assert_eq!(store.webhook_answer(&next).unwrap().as_deref(), Some(r#"{"ignore":true}"#));
    store.settle(&next, &answer("A1"), Utc::now()).unwrap();
    assert_eq!(store.webhook_answer(&next).unwrap(), None);
    assert_eq!(store.due_questions(later, 9).unwrap(), []);
}

#[test]
fn a_question_that_is_given_up_lets_the_chat_go_on_and_is_told() {
    let (_dir, store) = open();
    store.receive(&[message("a", "1"), message("a", "2")], Utc::now()).unwrap();
    let pending = store.next_pending().unwrap().unwrap();
    let ask = Settlement { ask: Some("orders".to_owned()), ..Settlement::default() };
    store.settle(&pending, &ask, Utc::now()).unwrap();
    let question = store.due_questions(Utc::now(), 9).unwrap().remove(0);
    store.question_failed(&question, "it answers 500", Utc::now()).unwrap();
    assert_eq!(store.next_pending().unwrap().unwrap().message_id, "2");
    let events = store.oldest_events().unwrap();
    let told = events.iter().any(|event| {
        matches!(&event.kind, LinkEventKind::Note { name, detail }
            if name == "webhook.failed" && detail.contains("\"orders\"") && detail.contains("500"))
    });
    assert!(told, "{events:?}");
}

#[test]
fn a_database_of_layout_1_is_taken_over_with_its_messages() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bot.db");
    let old = Connection::open(&path).unwrap();
    layout::make_first(&old);
    old.execute_batch(
        "INSERT INTO inbox (chat, sender, message_id, text, at, received_at, pending)
         VALUES ('a', 'a', '1', '', 5, 5, 0), ('a', 'a', '2', 'again', 6, 6, 1),
                ('b', 'b', '3', 'new', 7, 7, 1), ('c', 'c', '4', '', 8, 8, 0);
         INSERT INTO outbox (inbox_seq, chat, message_id, text, pending, due_at)
         VALUES (4, 'c', 'OLD', 'hi', 1, 0);",
    )
    .unwrap();
    drop(old);
    let store = BotStore::open(&path).unwrap();
    let outgoing = store.next_outgoing(Utc::now()).unwrap().unwrap();
    assert_eq!((outgoing.message_id.as_str(), outgoing.media), ("OLD", None));
    let pending = store.next_pending().unwrap().unwrap();
    assert_eq!((pending.text.as_str(), pending.media), ("again", Media::Text));
    assert!(!store.standing(&pending).unwrap().first_contact);
    store.pass_over(&pending).unwrap();
    let pending = store.next_pending().unwrap().unwrap();
    assert_eq!(pending.chat, "b");
    assert!(store.standing(&pending).unwrap().first_contact);
    let store = {
        drop(store);
        BotStore::open(&path).unwrap()
    };
    assert_eq!(store.next_pending().unwrap(), Some(pending));
}

#[test]
fn files_are_logged_by_their_kind() {
    let (_dir, store) = open();
    let image = |text: &str, id: &str| Incoming {
        media: Media::Image,
        text: text.to_owned(),
        ..message("a", id)
    };
    store.receive(&[image("", "1"), image("look", "2")], Utc::now()).unwrap();
    let events = store.oldest_events().unwrap();
    let texts: Vec<&str> = events
        .iter()
        .filter_map(|event| match &event.kind {
            LinkEventKind::Message { text, .. } => Some(text.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(texts, ["[image]", "[image] look"]);
}

/// What can happen to messages that rules decide about.
#[derive(Clone, Debug)]
enum Act {
    Deliver(u8, u8),
    /// Decides about the next message: an answer, silence, or a question.
    Decide(u8),
    /// The webhook answers the oldest question, or fails.
    Webhook(bool),
    Send,
    Crash,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        (0_u8..3, 0_u8..6).prop_map(|(chat, id)| Act::Deliver(chat, id)),
        (0_u8..3).prop_map(Act::Decide),
        any::<bool>().prop_map(Act::Webhook),
        Just(Act::Send),
        Just(Act::Crash),
    ]
}

/// What became of messages, by chat: those that came, and those that are done, in order.
#[derive(Default)]
struct Ledger {
    came: BTreeMap<String, Vec<String>>,
    done: BTreeMap<String, Vec<String>>,
    bound: BTreeMap<String, String>,
    ids: usize,
}

impl Ledger {
    fn decide(&mut self, store: &BotStore, how: u8) {
        let Some(pending) = store.next_pending().unwrap() else { return };
        let answered = store.webhook_answer(&pending).unwrap().is_some();
        let settlement = match how {
            0 if !answered => Settlement { ask: Some("r".to_owned()), ..Settlement::default() },
            1 => Settlement::default(),
            _ => {
                self.ids += 1;
                let id = format!("A{}", self.ids);
                self.bound.insert(id.clone(), pending.message_id.clone());
                answer(&id)
            }
        };
        store.settle(&pending, &settlement, Utc::now()).unwrap();
        if settlement.ask.is_none() && settlement.answer.is_none() {
            self.done.entry(pending.chat).or_default().push(pending.message_id);
        }
    }

    fn webhook(&mut self, store: &BotStore, answers: bool) {
        let Some(question) = store.due_questions(Utc::now(), 1).unwrap().pop() else { return };
        if answers {
            store.question_answered(&question, "{}").unwrap();
        } else {
            store.question_failed(&question, "no", Utc::now()).unwrap();
            let message = question.message;
            self.done.entry(message.chat).or_default().push(message.message_id);
        }
    }

    fn send(&mut self, store: &BotStore) {
        let Some(outgoing) = store.next_outgoing(Utc::now()).unwrap() else { return };
        store.sent(&outgoing, Utc::now()).unwrap();
        let message = self.bound.remove(&outgoing.message_id).unwrap();
        self.done.entry(outgoing.chat).or_default().push(message);
    }
}

proptest! {
    // Each case makes files and syncs them.
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn whatever_crashes_every_message_is_done_once_and_in_its_chats_order(
        acts in prop::collection::vec(act(), 1..40),
    ) {
        let (dir, mut store) = open();
        let mut ledger = Ledger::default();
        // At the end everything that waits is worked off.
        let rest = [Act::Webhook(true), Act::Decide(2), Act::Send];
        for act in acts.into_iter().chain(std::iter::repeat_n(rest, 25).flatten()) {
            match act {
                Act::Deliver(chat, id) => {
                    let one = message(&format!("c{chat}"), &format!("m{id}"));
                    if store.receive(std::slice::from_ref(&one), Utc::now()).unwrap() == 1 {
                        ledger.came.entry(one.author).or_default().push(one.message_id);
                    }
                }
                Act::Decide(how) => ledger.decide(&store, how),
                Act::Webhook(answers) => ledger.webhook(&store, answers),
                Act::Send => ledger.send(&store),
                Act::Crash => store = reopen(&dir, store),
            }
        }
        prop_assert_eq!(&ledger.done, &ledger.came);
        prop_assert!(ledger.bound.is_empty());
    }
}
