use api::link::{LinkEvent, LinkEventKind};
use api::records::Direction;
use api::tenant::TenantId;
use uuid::Uuid;

use super::{Place, new, now, undo};
use crate::{MessageSelection, Store};

on_both! {
    chats_come_newest_first_and_page_by_page,
    messages_are_found_by_chat_and_text,
    a_search_looks_at_so_many_and_says_where_to_go_on,
    chats_of_an_older_database_are_found_too,
}

fn said(seq: u64, chat: &str, text: &str) -> LinkEvent {
    let kind = LinkEventKind::Message {
        message_id: format!("M{seq}"),
        chat: chat.to_owned(),
        direction: Direction::In,
        text: text.to_owned(),
    };
    LinkEvent { seq, at: now(), kind }
}

async fn told(store: &Store, all: &[(&str, &str)]) -> TenantId {
    let id = store.create(new("Duka", None)).await.unwrap().id;
    let events: Vec<_> = (1..).zip(all).map(|(seq, (chat, text))| said(seq, chat, text)).collect();
    store.accept_link_events(id, Uuid::now_v7(), &events).await.unwrap();
    id
}

async fn chats_come_newest_first_and_page_by_page(place: Place) {
    let store = place.open().await;
    let all = [("a", "1"), ("b", "2"), ("a", "3"), ("c", "4"), ("d", "5"), ("b", "6")];
    let id = told(&store, &all).await;
    // Another tenant's chats of the same names are its own.
    told(&store, &[("a", "7"), ("z", "8")]).await;
    let (mut before, mut seen, mut pages) = (None, Vec::new(), 0);
    loop {
        let page = store.conversations(id, before, 2).await.unwrap();
        pages += 1;
        seen.extend(page.items.into_iter().map(|it| (it.chat, it.last.text, it.messages)));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    let seen: Vec<_> = seen.iter().map(|(chat, text, count)| (&**chat, &**text, *count)).collect();
    assert_eq!(seen, [("b", "6", 2), ("d", "5", 1), ("c", "4", 1), ("a", "3", 2)]);
    assert_eq!(pages, 2);
    let nobody = store.create(new("Nobody", None)).await.unwrap().id;
    assert_eq!(store.conversations(nobody, None, 10).await.unwrap().items, []);
}

async fn messages_are_found_by_chat_and_text(place: Place) {
    let store = place.open().await;
    let all = [
        ("a", "Habari za asubuhi"),
        ("b", "HABARI"),
        ("a", "100% sure_thing"),
        ("a", "1000 sureXthing"),
        ("b", r"back\slash"),
        ("a", "Äpfel"),
    ];
    let id = told(&store, &all).await;
    let found = async |chat: Option<&str>, text: Option<&str>| {
        let selection =
            MessageSelection { chat: chat.map(str::to_owned), containing: text.map(str::to_owned) };
        let page = store.messages(id, &selection, None, 10).await.unwrap();
        page.items.into_iter().map(|message| message.text).collect::<Vec<_>>()
    };
    assert_eq!(found(None, None).await.len(), 6);
    assert_eq!(found(Some("b"), None).await, [r"back\slash", "HABARI"]);
    assert_eq!(found(None, Some("habari")).await, ["HABARI", "Habari za asubuhi"]);
    assert_eq!(found(Some("a"), Some("HABARI ZA")).await, ["Habari za asubuhi"]);
    assert_eq!(found(None, Some("100%")).await, ["100% sure_thing"]);
    assert_eq!(found(None, Some("sure_")).await, ["100% sure_thing"]);
    assert_eq!(found(None, Some(r"k\s")).await, [r"back\slash"]);
    assert_eq!(found(None, Some("Äpf")).await, ["Äpfel"]);
    assert!(found(None, Some("%")).await.len() == 1 && found(None, Some("'")).await.is_empty());
    assert_eq!(found(Some("c"), None).await, [""; 0]);
}

async fn a_search_looks_at_so_many_and_says_where_to_go_on(place: Place) {
    let store = place.open().await;
    let all = [("a", "x 1"), ("b", "x 2"), ("a", "3"), ("b", "4"), ("a", "5"), ("b", "x 6")];
    let id = told(&store, &all).await;
    // Another tenant's messages take no room in the window.
    told(&store, &[("a", "x 7"), ("a", "x 8")]).await;
    let pages = async |chat: Option<&str>, text: &str, window: u64, limit: u64| {
        let containing = Some(text.to_owned());
        let selection = MessageSelection { chat: chat.map(str::to_owned), containing };
        let (mut before, mut pages) = (None, Vec::new());
        loop {
            let page = store.messages_within(window, id, &selection, before, limit).await.unwrap();
            let texts: Vec<_> = page.items.into_iter().map(|message| message.text).collect();
            pages.push(texts.join(", "));
            match page.next {
                Some(next) => before = Some(next),
                None => break pages,
            }
        }
    };
    assert_eq!(pages(None, "x", 2, 10).await, ["x 6", "", "x 2, x 1"]);
    assert_eq!(pages(None, "x", 6, 10).await, ["x 6, x 2, x 1"]);
    assert_eq!(pages(None, "x", 5, 10).await, ["x 6, x 2", "x 1"]);
    assert_eq!(pages(None, "x", 6, 1).await, ["x 6", "x 2", "x 1"]);
    assert_eq!(pages(Some("a"), "x", 2, 10).await, ["", "x 1"]);
    assert_eq!(pages(None, "nowhere", 2, 10).await, ["", "", ""]);
    // Who looks for no text has no window.
    let page = store.messages_within(2, id, &MessageSelection::default(), None, 10).await.unwrap();
    assert_eq!((page.items.len(), page.next), (6, None));
}

async fn chats_of_an_older_database_are_found_too(place: Place) {
    let store = place.open().await;
    let id = told(&store, &[("a", "1"), ("a", "2")]).await;
    undo(&store, "m0010_chats").await;
    let chats = place.open().await.conversations(id, None, 10).await.unwrap().items;
    assert_eq!(chats.iter().map(|chat| chat.messages).collect::<Vec<_>>(), [2]);
}
