//! One contact under several addresses.

use super::*;

const PN: &str = "254700000001@s.whatsapp.net";
const LID: &str = "9@lid";

fn by(author: &str, alias: Option<&str>, id: &str) -> Incoming {
    Incoming { alias: alias.map(str::to_owned), ..message(author, id) }
}

fn opt(store: &BotStore, change: Change) {
    let pending = store.next_pending().unwrap().unwrap();
    let settlement = Settlement { change, ..Settlement::default() };
    store.settle(&pending, &settlement, Utc::now()).unwrap();
}

fn pending(store: &BotStore) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    while let Some(pending) = store.next_pending().unwrap() {
        found.push((pending.chat.clone(), pending.number.clone(), pending.message_id.clone()));
        store.pass_over(&pending).unwrap();
    }
    found
}

#[test]
fn a_message_that_comes_again_under_the_other_address_is_the_same_message() {
    for (first, then) in [(PN, LID), (LID, PN)] {
        let (_dir, store) = open();
        let receive = |one: Incoming| store.receive(&[one], Utc::now()).unwrap();
        assert_eq!(receive(by(first, Some(then), "1")), 1);
        assert_eq!(receive(by(then, Some(first), "1")), 0);
        assert_eq!(receive(by(then, None, "1")), 0);
        assert_eq!(receive(by(then, None, "2")), 1);
        let one = |id: &str| (PN.to_owned(), "254700000001".to_owned(), id.to_owned());
        assert_eq!(pending(&store), [one("1"), one("2")], "the number names the contact");
    }
}

#[test]
fn an_answer_goes_to_the_address_that_was_written_from() {
    let (_dir, store) = open();
    store.receive(&[by(LID, Some(PN), "1")], Utc::now()).unwrap();
    let outgoing = bind(&store, "A");
    assert_eq!((outgoing.chat.as_str(), outgoing.address.as_str()), (PN, LID));
    assert!(outgoing.shape.quote.is_none());
}

#[test]
fn two_that_turn_out_to_be_one_keep_what_is_known_of_either() {
    let (dir, store) = open();
    store.receive(&[by(LID, None, "1"), by(LID, None, "2")], Utc::now()).unwrap();
    opt(&store, Change::OptedOut);
    // Both messages came by the number as well: one was decided about, one waits.
    store.receive(&[by(PN, None, "1"), by(PN, None, "2"), by(PN, None, "3")], Utc::now()).unwrap();
    assert!(!store.has_opted_out(PN).unwrap());
    store.receive(&[by(LID, Some(PN), "4")], Utc::now()).unwrap();
    assert!(store.has_opted_out(PN).unwrap());
    let first = store.next_pending().unwrap().unwrap();
    assert!(!store.standing(&first).unwrap().first_contact);
    let ids: Vec<String> =
        pending(&store).into_iter().map(|(chat, _, id)| chat + " " + &id).collect();
    assert_eq!(ids, ["2", "3", "4"].map(|id| format!("{PN} {id}")));
    let store = reopen(&dir, store);
    assert_eq!(store.receive(&[by(LID, None, "3")], Utc::now()).unwrap(), 0);
}

#[test]
fn an_opt_out_holds_for_both_addresses_of_a_contact_and_ends_for_both() {
    let (_dir, store) = open();
    store.receive(&[by(PN, None, "1")], Utc::now()).unwrap();
    opt(&store, Change::OptedOut);
    // The contact comes by another address, which names the one that is known.
    store.receive(&[by(LID, Some(PN), "2")], Utc::now()).unwrap();
    let pending = store.next_pending().unwrap().unwrap();
    let standing = store.standing(&pending).unwrap();
    assert_eq!((standing.opted_out, standing.first_contact), (true, false));
    opt(&store, Change::OptedIn);
    assert!(!store.has_opted_out(PN).unwrap());
}

#[test]
fn a_look_up_tells_whose_an_address_is() {
    let (_dir, store) = open();
    store.receive(&[by(LID, None, "1")], Utc::now()).unwrap();
    opt(&store, Change::OptedOut);
    let chat = store.same_contact(PN, LID).unwrap();
    assert_eq!(chat, LID, "the name of a contact stays");
    assert!(store.has_opted_out(&chat).unwrap());
}

#[test]
fn members_of_a_group_share_its_chat_and_the_answer_quotes_the_one_it_is_for() {
    let (_dir, store) = open();
    let in_group = |author: &str, id: &str| Incoming {
        group: Some("1@g.us".to_owned()),
        ..by(author, (author == LID).then_some(PN), id)
    };
    store
        .receive(&[in_group(LID, "1"), in_group("8@lid", "1"), by(PN, None, "1")], Utc::now())
        .unwrap();
    let first = store.next_pending().unwrap().unwrap();
    assert_eq!((first.chat.as_str(), first.number.as_str()), ("1@g.us", "254700000001"));
    let outgoing = bind(&store, "A");
    assert_eq!((outgoing.chat.as_str(), outgoing.address.as_str()), ("1@g.us", "1@g.us"));
    let quote = outgoing.shape.quote.unwrap();
    assert_eq!((quote.author.as_str(), quote.text.as_str()), (LID, "text of 1"));
    assert_eq!(store.author("1@g.us", "1").unwrap(), Some(Some(LID.to_owned())));
    assert_eq!(store.receive(&[in_group(PN, "1")], Utc::now()).unwrap(), 0);
    let waiting: Vec<String> = pending(&store).into_iter().map(|(chat, ..)| chat).collect();
    assert_eq!(waiting, [PN], "the group's second waits for the first");
}

#[test]
fn a_database_of_the_layout_before_learns_whose_its_addresses_are() {
    let (dir, store) = open();
    let now = Utc::now();
    store.receive(&[message(LID, "1"), message(PN, "2"), message("7@lid", "3")], now).unwrap();
    bind(&store, "A");
    store
        .lock()
        .execute_batch(&format!(
            "ALTER TABLE inbox ADD COLUMN alias TEXT; ALTER TABLE inbox DROP COLUMN author;
             ALTER TABLE outbox DROP COLUMN address; DROP TABLE address;
             UPDATE inbox SET alias = '{PN}' WHERE chat = '{LID}'; PRAGMA user_version = 5;"
        ))
        .unwrap();
    let store = reopen(&dir, store);
    let outgoing = store.next_outgoing(Utc::now()).unwrap().unwrap();
    assert_eq!((outgoing.chat.as_str(), outgoing.address.as_str()), (PN, LID));
    store.sent(&outgoing, now).unwrap();
    let names: Vec<String> = pending(&store).into_iter().map(|(chat, ..)| chat).collect();
    assert_eq!(names, [PN, "7@lid"]);
    assert_eq!(store.receive(&[message(PN, "1"), message(LID, "2")], now).unwrap(), 0);
}
