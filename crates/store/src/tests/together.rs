//! What many do at once, as if one did it after the other.

use std::collections::BTreeSet;

use api::link::{LinkEvent, LinkEventKind};
use futures::future::join_all;
use uuid::Uuid;

use super::outgoing::{asked, audit};
use super::{Place, message, new, now, of};
use crate::{AuditSelection, Enqueued, MessageSelection, NewUpload, StoreError, TenantChange};

on_both! {
    one_number_is_given_to_one_tenant,
    no_more_wait_than_may,
    no_more_files_lie_here_than_there_is_room_for,
    one_key_makes_one_message,
    what_a_worker_says_twice_at_once_is_taken_once,
    each_change_of_the_settings_is_a_version,
    each_start_is_a_generation,
    a_tenant_goes_while_its_worker_talks,
    messages_are_handed_over_in_the_order_of_their_numbers,
    a_text_may_hold_any_character,
}

async fn one_number_is_given_to_one_tenant(place: Place) {
    let store = place.open().await;
    let phone = "+254700000001";
    let made = join_all((0..8).map(|_| store.create(new("Duka", Some(phone))))).await;
    assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 1);
    for refused in made.into_iter().filter_map(Result::err) {
        assert!(matches!(refused, StoreError::PhoneTaken(_)), "{refused}");
    }
    let others = join_all((0..4).map(|_| store.create(new("Soko", None)))).await;
    let wish = TenantChange {
        phone: Some(Some("+254700000002".parse().unwrap())),
        ..TenantChange::default()
    };
    let changed = others.iter().map(|made| store.update(made.as_ref().unwrap().id, wish.clone()));
    let changed = join_all(changed).await;
    assert_eq!(changed.iter().filter(|changed| changed.is_ok()).count(), 1);
    for refused in changed.into_iter().filter_map(Result::err) {
        assert!(matches!(refused, StoreError::PhoneTaken(_)), "{refused}");
    }
}

async fn no_more_wait_than_may(place: Place) {
    let store = place.open().await;
    let tenant = store.create(new("Duka", None)).await.unwrap().id;
    let wishes: Vec<_> = (0..16).map(|n| asked(tenant, &n.to_string(), None)).collect();
    let done = join_all(wishes.iter().map(|wish| store.enqueue(wish, audit(), 5))).await;
    let taken = done.iter().filter(|done| matches!(done, Ok(Enqueued::New(_)))).count();
    let full = done.iter().filter(|done| matches!(done, Ok(Enqueued::Full))).count();
    assert_eq!((taken, full), (5, 11));
    assert_eq!(store.audit(&AuditSelection::default(), None, 100).await.unwrap().items.len(), 5);
}

async fn no_more_files_lie_here_than_there_is_room_for(place: Place) {
    let store = place.open().await;
    let tenant = store.create(new("Duka", None)).await.unwrap().id;
    let files: Vec<_> = (0..8)
        .map(|_| NewUpload {
            id: Uuid::now_v7(),
            tenant,
            sha256: String::new(),
            size: 30,
            at: now(),
        })
        .collect();
    let noted = join_all(files.iter().map(|file| store.add_upload(file, audit(), 100))).await;
    assert_eq!(noted.into_iter().filter(|noted| *noted.as_ref().unwrap()).count(), 3);
}

async fn one_key_makes_one_message(place: Place) {
    let store = place.open().await;
    let tenant = store.create(new("Duka", None)).await.unwrap().id;
    let wishes: Vec<_> = (0..8).map(|_| asked(tenant, "one", None)).collect();
    let done = join_all(wishes.iter().map(|wish| store.enqueue(wish, audit(), 5))).await;
    let mut ids = BTreeSet::new();
    for done in done {
        match done.unwrap() {
            Enqueued::New(message) | Enqueued::Same(message) => ids.insert(message.id),
            other => panic!("{other:?}"),
        };
    }
    assert_eq!(ids.len(), 1);
}

async fn what_a_worker_says_twice_at_once_is_taken_once(place: Place) {
    let store = place.open().await;
    let id = store.create(new("Duka", None)).await.unwrap().id;
    let numbering = Uuid::now_v7();
    store.accept_link_events(id, numbering, &[message(1, "A")]).await.unwrap();
    let note = |seq| LinkEvent {
        seq,
        at: now(),
        kind: LinkEventKind::Note { name: "a.note".to_owned(), detail: seq.to_string() },
    };
    let batch = [message(2, "B"), note(3), note(4)];
    let taken = join_all((0..6).map(|_| store.accept_link_events(id, numbering, &batch))).await;
    assert!(taken.into_iter().all(|taken| taken.unwrap().through == 4));
    assert_eq!(
        store.messages(id, &MessageSelection::default(), None, 10).await.unwrap().items.len(),
        2
    );
    let told = store.events(&of(id), 0, 10).await.unwrap().items;
    assert_eq!(told.iter().filter(|event| event.kind == "a.note").count(), 2);
    assert_eq!(told.len(), 4, "and both messages");
}

async fn each_change_of_the_settings_is_a_version(place: Place) {
    let store = place.open().await;
    let id = store.create(new("Duka", None)).await.unwrap().id;
    let secrets = (0..8).map(|n| store.set_webhook_secret(id, n.to_string()));
    let versions = join_all(secrets).await.into_iter().map(|set| set.unwrap().config_version);
    assert_eq!(versions.collect::<BTreeSet<_>>(), (2..=9).collect());
}

async fn each_start_is_a_generation(place: Place) {
    let store = place.open().await;
    let id = store.create(new("Duka", None)).await.unwrap().id;
    let started = join_all((0..8).map(|_| store.want_running(id))).await;
    let generations = started.into_iter().map(Result::unwrap).collect::<BTreeSet<_>>();
    assert_eq!(generations, (1..=8).collect());
}

/// The two lock the same rows; in different orders they would wait for each other.
async fn a_tenant_goes_while_its_worker_talks(place: Place) {
    let store = place.open().await;
    for round in 0..10 {
        let id = store.create(new("Duka", None)).await.unwrap().id;
        let numbering = Uuid::now_v7();
        let talk = async {
            for seq in 1..=3 {
                let said = store.accept_link_events(id, numbering, &[message(seq, "A")]).await;
                if let Err(error) = said {
                    assert!(matches!(error, StoreError::UnknownTenant(_)), "{round}: {error}");
                }
            }
        };
        let wishes: Vec<_> = (0..3).map(|n| asked(id, &n.to_string(), None)).collect();
        let ask = join_all(wishes.iter().map(|wish| store.enqueue(wish, audit(), 5)));
        let (deleted, (), _) = tokio::join!(store.delete(id), talk, ask);
        deleted.unwrap();
        assert!(store.tenants().await.unwrap().is_empty());
    }
}

/// Whoever has seen number 7 never asks for number 6 again.
async fn messages_are_handed_over_in_the_order_of_their_numbers(place: Place) {
    let store = place.open().await;
    let tenant = store.create(new("Duka", None)).await.unwrap().id;
    let wishes: Vec<_> = (0..30).map(|n| asked(tenant, &n.to_string(), None)).collect();
    let write = join_all(wishes.iter().map(|wish| store.enqueue(wish, audit(), 100)));
    let read = async {
        let (mut seen, mut after) = (0, 0);
        while seen < wishes.len() {
            let page = store.not_handed_over(tenant, after, 100).await.unwrap();
            after = page.last().map_or(after, |(seq, _)| *seq);
            seen += page.len();
        }
        seen
    };
    let (written, seen) = tokio::join!(write, read);
    assert!(written.into_iter().all(|written| written.is_ok()));
    assert_eq!(seen, wishes.len());
}

/// PostgreSQL has no place for a NUL, and a contact may send one.
async fn a_text_may_hold_any_character(place: Place) {
    let store = place.open().await;
    let id = store.create(new("Duka", None)).await.unwrap().id;
    let text = "a\0b 👩‍👩‍👧 \u{202e} \u{ffff} \\u0000 ' \" \u{1}";
    let mut event = message(1, "A\0");
    let LinkEventKind::Message { text: said, .. } = &mut event.kind else { panic!() };
    text.clone_into(said);
    store.accept_link_events(id, Uuid::now_v7(), &[event]).await.unwrap();
    let found =
        store.messages(id, &MessageSelection::default(), None, 10).await.unwrap().items.remove(0);
    assert_eq!(found.text, text.replace('\0', "\u{fffd}"));
    let rules = serde_json::json!({"a\0": ["\0", {"b": "c\0"}]});
    let set = store.set_rules(id, Some(rules), None).await.unwrap();
    let wanted = serde_json::json!({"a\u{fffd}": ["\u{fffd}", {"b": "c\u{fffd}"}]});
    assert_eq!(set.rules.as_deref(), Some(&wanted));
}
