//! A worker's database that a disk spoiled.

use api::link::{OutsideContent, OutsideMessage};
use api::records::MessageState;
use chrono::Duration;
use rules::Media;
use uuid::Uuid;

use super::*;
use crate::safekeeping::SALVAGING;
use crate::sends::Shape;
use crate::store::{Answer, Change, Incoming, NewSend, Settlement};

const PAGE: usize = 4096;

fn message(chat: &str, id: String) -> Incoming {
    Incoming {
        chat: chat.to_owned(),
        alias: Some(format!("{chat}-alias")),
        sender: chat.to_owned(),
        text: format!("{id} {}", "x".repeat(400)),
        message_id: id,
        media: Media::Text,
        name: "Ann".to_owned(),
        at: Utc::now(),
        wants_answer: true,
    }
}

fn answered(id: String) -> Settlement {
    let answer = Answer { message_id: id, text: "y".repeat(200), media: None };
    Settlement { answer: Some(answer), ..Settlement::default() }
}

/// A database with everything in it: some of it done, some under way, some waiting.
fn busy(path: &Path) {
    let store = BotStore::open(path).unwrap();
    let now = Utc::now();
    store.set_login(Some("1:2@s.whatsapp.net")).unwrap();
    for chat in 0..12 {
        let name = format!("chat-{chat}");
        let messages = (0..3).map(|n| message(&name, format!("in-{chat}-{n}"))).collect::<Vec<_>>();
        store.receive(&messages, now).unwrap();
    }
    let mut after = 0;
    while let Some(pending) = store.pending_after(after).unwrap() {
        after = pending.seq;
        let settlement = match pending.seq % 4 {
            0 => Settlement { ask: Some("rule".to_owned()), ..Settlement::default() },
            1 => Settlement { change: Change::OptedOut, ..answered(format!("out-{after}")) },
            _ => answered(format!("out-{after}")),
        };
        if let Some(outgoing) = store.settle(&pending, &settlement, now).unwrap()
            && pending.seq % 3 == 0
        {
            store.sent(&outgoing, now).unwrap();
        }
    }
    for number in 0..12 {
        let outside = OutsideMessage {
            send_id: Uuid::now_v7(),
            to: format!("to-{number}"),
            content: OutsideContent::Text("z".repeat(300)),
            reply_to: None,
            expires_at: now + Duration::hours(1),
        };
        let id = format!("send-{number}");
        store.accept(&outside, &id, now).unwrap();
        if number % 2 == 0 {
            let waiting = store.next_waiting(now).unwrap().unwrap();
            let new = NewSend { text: "z".repeat(300), media: None, shape: Shape::default() };
            store.admit(&waiting, &new, now).unwrap();
            store.advance(&[waiting.message_id], MessageState::Sent, now).unwrap();
        }
    }
}

/// What no program of ours would have written.
const MISFITS: [&str; 6] = [
    "inbox WHERE pending AND seq IN (SELECT inbox_seq FROM outbox)",
    "webhook WHERE inbox_seq NOT IN (SELECT seq FROM inbox WHERE pending)",
    "inbox WHERE chat NOT IN (SELECT chat FROM chat)",
    "send WHERE waits AND send_id IN (SELECT send_id FROM outbox)",
    "outbox WHERE send_id IS NOT NULL AND send_id NOT IN (SELECT send_id FROM send)",
    "send WHERE NOT waits AND reason IS NULL
     AND send_id NOT IN (SELECT send_id FROM outbox WHERE send_id IS NOT NULL)",
];

fn count(path: &Path, what: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {what}");
    Connection::open(path).unwrap().query_row(&sql, [], |row| row.get(0)).unwrap()
}

fn spoil_page(path: &Path, page: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[page * PAGE..(page + 1) * PAGE].fill(0xa5);
    fs::write(path, bytes).unwrap();
}

/// The page on which these bytes stand.
fn page_of(path: &Path, wanted: &str) -> usize {
    let bytes = fs::read(path).unwrap();
    bytes.windows(wanted.len()).position(|it| it == wanted.as_bytes()).unwrap() / PAGE
}

#[test]
fn whichever_page_is_spoiled_what_is_left_fits_and_works() {
    let place = Place::new();
    let path = place.dir.private_file(BOT).unwrap();
    busy(&path);
    let whole = fs::read(&path).unwrap();
    let rows = |path: &Path| count(path, "inbox") + count(path, "outbox") + count(path, "send");
    let all = rows(&path);
    let mut damaged = 0;
    for page in 0..whole.len() / PAGE {
        fs::write(&path, &whole).unwrap();
        spoil_page(&path, page);
        if place.findings().is_empty() {
            // A page that nothing is on.
            continue;
        }
        damaged += 1;
        for misfit in MISFITS {
            assert_eq!(count(&path, misfit), 0, "page {page}: {misfit}");
        }
        assert!(page == 0 || rows(&path) > all / 3, "page {page}: {} of {all}", rows(&path));
        // Messages that come from now on are answered.
        let store = BotStore::open(&path).unwrap();
        store.receive(&[message("new", "new".to_owned())], Utc::now()).unwrap();
        let mut after = 0;
        while let Some(pending) = store.pending_after(after).unwrap() {
            after = pending.seq;
            store.settle(&pending, &answered(format!("new-{after}")), Utc::now()).unwrap();
        }
        let bound = format!("outbox WHERE message_id = 'new-{after}' AND chat = 'new'");
        assert_eq!(count(&path, &bound), 1, "page {page}");
        drop(store);
        assert_eq!(place.findings(), [""; 0], "page {page}");
    }
    assert!(damaged > 10, "{damaged}");
    assert!((1..=3).contains(&place.damaged(BOT)), "only the newest are kept");
}

/// A store with so many notes that one of its pages is full of those in the middle; the numbers of the first
/// and the last.
fn notes(path: &Path) -> (u64, Uuid) {
    let store = BotStore::open(path).unwrap();
    store.set_login(Some("1:2@s.whatsapp.net")).unwrap();
    for number in 0..400 {
        let detail = format!("number {number:03} {}", "x".repeat(100));
        store.note("test.noted", &detail, Utc::now()).unwrap();
    }
    (400, store.store_id())
}

#[test]
fn the_newest_rows_are_kept_too_and_the_numbering_goes_on() {
    let place = Place::new();
    let path = place.dir.private_file(BOT).unwrap();
    let (last, id) = notes(&path);
    spoil_page(&path, page_of(&path, "number 200"));
    let found = open(&place.dir, None).unwrap().remove(0);
    assert_eq!(found.0, "store.damaged");
    assert!(found.1.contains("something is lost of the tables event;"), "{}", found.1);
    let has = |number: &str| count(&path, &format!("event WHERE body LIKE '%number {number}%'"));
    assert_eq!((has("000"), has("200"), has("399")), (1, 0, 1));
    assert!(count(&path, "event") > 350);
    let store = BotStore::open(&path).unwrap();
    assert_eq!(store.login().unwrap().as_deref(), Some("1:2@s.whatsapp.net"));
    assert_eq!(store.store_id(), id);
    store.note("test.noted", "after", Utc::now()).unwrap();
    let next = count(&path, &format!("event WHERE seq > {last} AND body LIKE '%after%'"));
    assert_eq!(next, 1, "a number that was given is not given again");
    assert_eq!(place.damaged(BOT), 1);
}

#[test]
fn without_anything_that_can_be_read_the_numbering_begins_anew() {
    let place = Place::new();
    let path = place.dir.private_file(BOT).unwrap();
    let (_, id) = notes(&path);
    spoil(&path, 0);
    assert_eq!(place.findings(), ["store.damaged"]);
    let store = BotStore::open(&path).unwrap();
    assert_eq!(store.login().unwrap(), None);
    assert_ne!(store.store_id(), id);
}

#[test]
fn a_crash_while_the_database_is_made_anew_is_made_up_for() {
    let place = Place::new();
    let path = place.dir.private_file(BOT).unwrap();
    let (_, id) = notes(&path);
    let new = place.dir.path().join(SALVAGING);
    let is_kept = || {
        let store = BotStore::open(&path).unwrap();
        assert_eq!(store.store_id(), id);
        assert_eq!(store.login().unwrap().as_deref(), Some("1:2@s.whatsapp.net"));
        assert!(!new.exists());
    };
    // Before the new one is whole.
    spoil_page(&path, page_of(&path, "number 200"));
    fs::write(&new, "half of it").unwrap();
    fs::write(new.with_extension("salvaging-wal"), "half of it").unwrap();
    assert_eq!(place.findings(), ["store.damaged"]);
    is_kept();
    // After the damaged one was set aside, but not its log.
    fs::rename(&path, &new).unwrap();
    fs::write(place.dir.path().join("bot.db-wal"), "of the damaged one").unwrap();
    assert_eq!(place.findings(), ["store.damaged"]);
    is_kept();
    assert_eq!(place.findings(), [""; 0]);
}
