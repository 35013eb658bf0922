use api::link::{LinkEvent, LinkEventKind, OutsideContent, OutsideMessage};
use api::records::MessageState;
use api::tenant::TenantId;
use chrono::Duration;
use proptest::prelude::*;
use uuid::Uuid;

use super::{Place, new, now};
use crate::{Enqueued, NewAudit, NewOutgoing, NewUpload, Store};

on_both! {
    a_file_is_useless_once_its_message_is_settled_or_nobody_named_it,
    what_a_worker_lost_is_told_and_not_sent_again,
    a_deadline_that_is_over_says_whether_the_worker_had_the_message,
}

pub(super) fn asked(tenant: TenantId, key: &str, upload: Option<Uuid>) -> NewOutgoing {
    NewOutgoing {
        tenant,
        key: key.to_owned(),
        request_hash: "hash".to_owned(),
        message: OutsideMessage {
            send_id: Uuid::now_v7(),
            to: "254700000001@s.whatsapp.net".to_owned(),
            content: OutsideContent::Text("hi".to_owned()),
            reply_to: None,
            expires_at: now() + Duration::hours(1),
        },
        upload,
    }
}

pub(super) fn audit() -> NewAudit {
    NewAudit {
        actor: "admin-token".to_owned(),
        action: "message.send".to_owned(),
        tenant: None,
        result: "ok".to_owned(),
        detail: String::new(),
    }
}

async fn tell(store: &Store, tenant: TenantId, seq: u64, kind: LinkEventKind) {
    let event = LinkEvent { seq, at: now(), kind };
    store.accept_link_events(tenant, tenant.0, &[event]).await.unwrap();
}

/// How a message may go on, as the documents say.
fn next(now: MessageState, told: MessageState) -> MessageState {
    use MessageState::{Delivered, Failed, Queued, Read, Sent};
    match (now, told) {
        (Failed, _) | (_, Queued) => now,
        (Queued | Sent, Failed) => Failed,
        (Delivered | Read, Failed) => now,
        (Queued | Sent | Delivered | Read, later) => now.max(later),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_message_only_goes_forward_whatever_is_told_in_which_order(
        told in prop::collection::vec(0_usize..5, 0..8)
    ) {
        use MessageState::{Delivered, Failed, Queued, Read, Sent};
        let states = [Queued, Sent, Delivered, Read, Failed];
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let place = Place::new();
            let store = place.open().await;
            let tenant = store.create(new("Duka", None)).await.unwrap().id;
            let wish = asked(tenant, "k", None);
            let id = wish.message.send_id;
            store.enqueue(&wish, audit(), 10).await.unwrap();
            let message_id = "3EB0".to_owned();
            tell(&store, tenant, 1, LinkEventKind::Accepted { send_id: id, message_id: message_id.clone() }).await;
            let mut expected = Queued;
            for (n, state) in told.iter().map(|index| states[*index]).enumerate() {
                let kind = LinkEventKind::State { message_id: message_id.clone(), state, reason: None };
                tell(&store, tenant, n as u64 + 2, kind).await;
                expected = next(expected, state);
                let found = store.sent_message(id).await.unwrap().unwrap();
                assert_eq!(found.state, expected, "after {told:?}");
                assert_eq!(found.failed_at.is_some(), expected == Failed);
                assert_eq!(found.delivered_at.is_some(), matches!(expected, Delivered | Read));
            }
        });
    }
}

async fn a_file_is_useless_once_its_message_is_settled_or_nobody_named_it(place: Place) {
    let store = place.open().await;
    let tenant = store.create(new("Duka", None)).await.unwrap().id;
    let upload =
        |id: Uuid, size: u64| NewUpload { id, tenant, sha256: "abc".to_owned(), size, at: now() };
    let (used, unused, large) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    assert!(store.add_upload(&upload(used, 60), audit(), 100).await.unwrap());
    assert!(store.add_upload(&upload(unused, 40), audit(), 100).await.unwrap());
    assert!(!store.add_upload(&upload(large, 1), audit(), 100).await.unwrap(), "there is no room");
    assert!(!store.is_upload(tenant, large).await.unwrap());
    let wish = asked(tenant, "k", Some(used));
    assert!(matches!(store.enqueue(&wish, audit(), 10).await.unwrap(), Enqueued::New(_)));
    let second = asked(tenant, "l", Some(used));
    assert_eq!(store.enqueue(&second, audit(), 10).await.unwrap(), Enqueued::NoUpload);
    assert_eq!(store.sent_message(second.message.send_id).await.unwrap(), None);
    let other = store.create(new("Other", None)).await.unwrap().id;
    assert_eq!(store.upload_hash(other, used).await.unwrap(), None);

    let (yesterday, tomorrow) = (now() - Duration::days(1), now() + Duration::days(1));
    assert_eq!(store.useless_uploads(yesterday).await.unwrap(), []);
    assert_eq!(store.useless_uploads(tomorrow).await.unwrap(), [(tenant, unused)]);
    store.expire_outgoing(tomorrow).await.unwrap();
    assert_eq!(store.useless_uploads(yesterday).await.unwrap(), [(tenant, used)]);
    store.upload_deleted(used).await.unwrap();
    assert_eq!(store.useless_uploads(yesterday).await.unwrap(), []);
    // Its hash is still known, for requests that are repeated, until all is forgotten.
    assert_eq!(store.upload_hash(tenant, used).await.unwrap().as_deref(), Some("abc"));
    store.forget_outgoing(tomorrow).await.unwrap();
    assert_eq!(store.upload_hash(tenant, used).await.unwrap(), None);
    assert_eq!(store.sent_message(wish.message.send_id).await.unwrap(), None);
    store.delete(tenant).await.unwrap();
    assert!(!store.is_upload(tenant, unused).await.unwrap());
}

/// Two messages, of which the worker has taken the first.
async fn one_taken_one_waiting(store: &Store, tenant: TenantId) -> (NewOutgoing, NewOutgoing) {
    let (had, waits) = (asked(tenant, "had", None), asked(tenant, "waits", None));
    for wish in [&had, &waits] {
        store.enqueue(wish, audit(), 10).await.unwrap();
    }
    let accepted =
        LinkEventKind::Accepted { send_id: had.message.send_id, message_id: "3EB0".to_owned() };
    tell(store, tenant, 1, accepted).await;
    (had, waits)
}

async fn what_a_worker_lost_is_told_and_not_sent_again(place: Place) {
    let store = place.open().await;
    let tenant = store.create(new("Duka", None)).await.unwrap().id;
    let (had, waits) = one_taken_one_waiting(&store, tenant).await;
    // A worker whose numbers begin anew has another store.
    let event = LinkEvent {
        seq: 1,
        at: now(),
        kind: LinkEventKind::Note { name: "a".to_owned(), detail: String::new() },
    };
    store.accept_link_events(tenant, Uuid::now_v7(), &[event]).await.unwrap();
    let found = store.sent_message(had.message.send_id).await.unwrap().unwrap();
    assert_eq!(
        (found.state, found.reason.as_deref()),
        (MessageState::Failed, Some("worker_lost_it"))
    );
    let left = store.not_handed_over(tenant, 0, 10).await.unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].1, waits.message);
}

async fn a_deadline_that_is_over_says_whether_the_worker_had_the_message(place: Place) {
    let store = place.open().await;
    let tenant = store.create(new("Duka", None)).await.unwrap().id;
    let (had, waits) = one_taken_one_waiting(&store, tenant).await;
    let over = had.message.expires_at + Duration::minutes(1);
    assert_eq!(store.expire_outgoing(over).await.unwrap(), 1, "its worker may still tell");
    assert_eq!(store.expire_outgoing(over + Duration::hours(1)).await.unwrap(), 1);
    for (wish, may_be_sent) in [(had, true), (waits, false)] {
        let found = store.sent_message(wish.message.send_id).await.unwrap().unwrap();
        assert_eq!(found.reason.as_deref(), Some("expired"));
        let detail = found.detail.unwrap();
        assert_eq!(detail.contains("may have been sent"), may_be_sent, "{detail}");
    }
}
