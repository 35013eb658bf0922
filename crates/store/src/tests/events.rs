use api::link::{LinkEvent, LinkEventKind};
use api::records::{Direction, MessageState};
use chrono::{TimeDelta, Utc};
use sea_orm::ConnectionTrait as _;
use uuid::Uuid;

use super::{Place, message, new, of, undo};
use crate::{EventSelection, MessageSelection, NewEvent, Store};

on_both! {
    a_reader_that_goes_by_number_misses_nothing_of_many_writers,
    messages_are_told_without_their_text,
    kinds_are_chosen,
    what_no_database_keeps_is_written_all_the_same,
    what_is_old_or_too_much_goes_and_its_numbers_stay_given,
}

fn kinds(text: &str) -> EventSelection {
    EventSelection { tenant: None, kinds: text.parse().unwrap() }
}

async fn told(store: &Store, selection: &EventSelection) -> Vec<String> {
    let page = store.events(selection, 0, 1000).await.unwrap();
    page.items.into_iter().map(|event| event.kind).collect()
}

async fn a_reader_that_goes_by_number_misses_nothing_of_many_writers(place: Place) {
    let store = place.open().await;
    let one = store.create(new("One", None)).await.unwrap().id;
    let two = store.create(new("Two", None)).await.unwrap().id;
    let writers = (0..8_u64).map(|writer| {
        let store = store.clone();
        tokio::spawn(async move {
            for step in 0..20 {
                if writer % 2 == 0 {
                    let events = vec![NewEvent::new(Some(one), "test.event", "x"); 1 + step % 9];
                    store.append_events(&events).await.unwrap();
                } else {
                    let events = [message(1, &format!("{writer}-{step}"))];
                    store.accept_link_events(two, Uuid::now_v7(), &events).await.unwrap();
                }
            }
        })
    });
    let writing = futures::future::join_all(writers);
    let (mut after, mut seen) = (0, Vec::new());
    let mut writing = std::pin::pin!(writing);
    let mut done = false;
    loop {
        let page = store.events(&EventSelection::default(), after, 7).await.unwrap();
        after = page.items.last().map_or(after, |event| event.seq);
        seen.extend(page.items.iter().map(|event| event.seq));
        if done && page.items.is_empty() {
            break;
        }
        if !done && let Some(ended) = futures::FutureExt::now_or_never(writing.as_mut()) {
            ended.into_iter().for_each(|task| task.unwrap());
            done = true;
        }
        tokio::task::yield_now().await;
    }
    let all = 4 * (0..20).map(|step| 1 + step % 9).sum::<i64>() + 4 * 20;
    assert_eq!(seen, (1..=all).collect::<Vec<_>>(), "without a gap, in order");
    assert_eq!(store.event_head().await.unwrap(), all);
}

async fn messages_are_told_without_their_text(place: Place) {
    let store = place.open().await;
    let id = store.create(new("Duka", None)).await.unwrap().id;
    let state = |seq, state, reason: Option<&str>| LinkEvent {
        seq,
        at: Utc::now() + TimeDelta::days(9999),
        kind: LinkEventKind::State {
            message_id: "B".to_owned(),
            state,
            reason: reason.map(str::to_owned),
        },
    };
    let mut out = message(2, "B");
    if let LinkEventKind::Message { direction, .. } = &mut out.kind {
        *direction = Direction::Out;
    }
    let batch = [
        message(1, "A"),
        out,
        state(3, MessageState::Sent, None),
        state(4, MessageState::Read, None),
        state(5, MessageState::Delivered, None),
        state(6, MessageState::Failed, Some("late")),
    ];
    let taken = store.accept_link_events(id, Uuid::now_v7(), &batch).await.unwrap();
    let page = store.events(&of(id), 0, 10).await.unwrap().items;
    assert_eq!(taken.events, page, "what is told at once is what is read later");
    let kinds: Vec<_> = page.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["message.in", "message.out", "message.ack"], "what is no news is no event");
    let shown = serde_json::to_string(&page).unwrap();
    assert!(shown.contains("254711111111") && !shown.contains("text of"), "{shown}");
    assert!(page.iter().all(|event| event.at <= Utc::now()), "a wrong clock is not believed");
}

async fn kinds_are_chosen(place: Place) {
    let store = place.open().await;
    let names = ["message.in", "message.out", "messages.x", "qr_x.a", "qrax.a", "worker.stale"];
    let events = names.map(|name| NewEvent::new(None, name, ""));
    store.append_events(&events).await.unwrap();
    assert_eq!(told(&store, &kinds("message.*")).await, ["message.in", "message.out"]);
    assert_eq!(told(&store, &kinds("qr_x.*,worker.stale")).await, ["qr_x.a", "worker.stale"]);
    assert_eq!(told(&store, &EventSelection::default()).await, names);
    let newest = store.newest_events(&kinds("message.*"), 1).await.unwrap();
    assert_eq!(newest[0].kind, "message.out");
}

async fn what_no_database_keeps_is_written_all_the_same(place: Place) {
    let store = place.open().await;
    let data = serde_json::json!({"a\0": ["b\0", {"c": "\0"}]});
    let event = NewEvent::new(None, &"é".repeat(99), &"a\0b".repeat(5000)).with(data);
    let written = store.append_events(&[event]).await.unwrap();
    assert!(!written[0].data.as_ref().unwrap()["a\u{fffd}"].to_string().contains("u0000"));
    assert_eq!(store.events(&EventSelection::default(), 0, 1).await.unwrap().items, written);
    assert_eq!(written[0].kind.chars().count(), 50);
    assert!(written[0].detail.starts_with("a\u{fffd}b") && written[0].detail.len() < 10_000);
    let id = store.create(new("Duka", None)).await.unwrap().id;
    store.accept_link_events(id, Uuid::now_v7(), &[message(1, "A\0")]).await.unwrap();
    let message =
        &store.messages(id, &MessageSelection::default(), None, 1).await.unwrap().items[0];
    assert_eq!(message.text, "text of A\u{fffd}");
}

async fn what_is_old_or_too_much_goes_and_its_numbers_stay_given(place: Place) {
    let store = place.open().await;
    let one = store.create(new("One", None)).await.unwrap().id;
    let two = store.create(new("Two", None)).await.unwrap().id;
    let long_ago = Utc::now() - TimeDelta::days(40);
    let mut events = vec![NewEvent::new(Some(one), "old.event", "").happened(long_ago); 1200];
    events.extend(vec![NewEvent::new(Some(one), "new.event", ""); 1200]);
    events.extend(vec![NewEvent::new(Some(two), "new.event", ""); 30]);
    events.extend(vec![NewEvent::new(None, "new.event", ""); 30]);
    store.append_events(&events).await.unwrap();
    while store.prune_events_before(Utc::now() - TimeDelta::days(30)).await.unwrap() > 0 {}
    let left = |tenant| EventSelection { tenant, ..EventSelection::default() };
    let first = store.events(&left(None), 0, 1).await.unwrap().items[0].seq;
    assert_eq!(first, 1201);
    for tenant in [Some(one), Some(two), None] {
        while store.prune_events_of(tenant, 20).await.unwrap() > 0 {}
    }
    assert_eq!(store.events(&left(Some(one)), 0, 99).await.unwrap().items[0].seq, 2381);
    assert_eq!(store.events(&left(Some(two)), 0, 99).await.unwrap().items.len(), 20);
    assert_eq!(store.events(&left(None), 0, 99).await.unwrap().items.len(), 60);
    while store.prune_events_before(Utc::now() + TimeDelta::days(1)).await.unwrap() > 0 {}
    let next = store.append_events(&[NewEvent::new(None, "new.event", "")]).await.unwrap();
    assert_eq!(next[0].seq, 2461);
}

/// The event log as it was before it had a counter.
#[tokio::test]
async fn an_older_log_of_sqlite_is_taken_over() {
    let place = Place::new();
    let store = place.open().await;
    let id = store.create(new("Duka", None)).await.unwrap().id;
    undo(&store, "m0008_events").await;
    let id_text = id.0.simple().to_string();
    for seq in [3, 4, 9] {
        let sql = format!(
            "INSERT INTO event (seq, tenant_id, kind, detail, at) VALUES ({seq}, x'{id_text}', 'a.b', 'c', '2026-01-02 03:04:05+00:00')"
        );
        store.db.execute_unprepared(&sql).await.unwrap();
    }
    store.db.execute_unprepared("DELETE FROM event WHERE seq = 9").await.unwrap();
    store.db.pool().close_by_ref().await.unwrap();
    let store = place.open().await;
    let next = store.append_events(&[NewEvent::new(Some(id), "d.e", "")]).await.unwrap();
    let page = store.events(&of(id), 0, 10).await.unwrap().items;
    let numbers: Vec<_> = page.iter().map(|event| event.seq).collect();
    assert_eq!(numbers, [3, 4, 10], "a number is never given twice");
    assert_eq!((page[0].detail.as_str(), &page[2]), ("c", &next[0]));
}
