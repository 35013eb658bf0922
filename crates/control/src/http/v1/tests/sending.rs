use std::os::unix::fs::PermissionsExt as _;

use api::worker::HeartbeatMode;
use axum::body::Body;
use axum::http::Method;
use chrono::{Duration, Utc};
use futures::FutureExt as _;
use serde_json::{Value, json};
use store::{Enqueued, NewOutgoing};

use super::TO;
use crate::audit::{self, Actor};
use crate::http::tests::stage::{Stage, request};
use crate::sending::{request as wish, upkeep};

fn id(answer: &Value) -> String {
    answer["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_repeated_request_makes_one_message() {
    let stage = Stage::new().await;
    let one = stage.tenant("one", HeartbeatMode::Link).await;
    stage.tenant("two", HeartbeatMode::Link).await;
    let first = stage.send("one", Some("order 17"), json!({"to": TO, "text": "hi"})).await;
    assert_eq!((first.status, &first.body["state"]), (202, &json!("queued")));
    assert_eq!(first.body["to"], "254700000001@s.whatsapp.net");
    // The same, written in another way and to the tenant's id.
    let same = json!({"text": "hi", "to": "254 700 000 001"});
    let again = stage.send(&one.to_string(), Some("order 17"), same).await;
    assert_eq!((again.status, id(&again.body)), (200, id(&first.body)));
    let other = stage.send("one", Some("order 17"), json!({"to": TO, "text": "bye"})).await;
    assert_eq!(other.code(), (422, "idempotency_key_reused"));
    assert!(other.body["detail"].as_str().unwrap().contains(&id(&first.body)));
    let another_tenant = stage.send("two", Some("order 17"), json!({"to": TO, "text": "bye"}));
    assert_eq!(another_tenant.await.status, 202);
    let second = stage.send("one", Some("order 18"), json!({"to": TO, "text": "hi"})).await;
    let page = stage.get("/v1/tenants/one/messages?limit=1").await.body;
    assert_eq!(id(&page["items"][0]), id(&second.body));
    let next = format!("/v1/tenants/one/messages?limit=1&before={}", page["next"]);
    let page = stage.get(&next).await.body;
    assert_eq!((id(&page["items"][0]), &page["next"]), (id(&first.body), &Value::Null));
}

#[tokio::test]
async fn a_message_is_handed_over_until_the_worker_has_it_and_then_told_of() {
    let stage = Stage::new().await;
    let one = stage.tenant("one", HeartbeatMode::Link).await;
    let mut ids = Vec::new();
    for n in ["0", "1", "2"] {
        let sent = stage.send("one", Some(n), json!({"to": TO, "text": n})).await;
        ids.push(id(&sent.body));
    }
    let of = |commands: &[Value]| -> Vec<Value> {
        let sends = commands.iter().filter(|command| command["command"] == "send");
        sends.map(|command| command["send_id"].clone()).collect()
    };
    // Two streams say the same: nobody has accepted anything.
    assert_eq!(of(&stage.commands(one, 4).await), ids);
    assert_eq!(of(&stage.commands(one, 4).await), ids);
    let accepted = json!({"seq": 1, "at": Utc::now(), "kind": "accepted", "send_id": ids[0], "message_id": "3EB01"});
    assert_eq!(stage.tell(one, json!([accepted])).await.status, 200);
    assert_eq!(of(&stage.commands(one, 3).await), ids[1..]);
    // What comes while a stream is open is said on it.
    let late = async {
        let late = stage.send("one", Some("late"), json!({"to": TO, "text": "late"})).await;
        id(&late.body)
    };
    let (commands, late) = tokio::join!(stage.commands(one, 4), late);
    assert_eq!(of(&commands)[2], late);

    let state = |seq: u64, state: &str, reason: Option<&str>| json!({"seq": seq, "at": Utc::now(), "kind": "state", "message_id": "3EB01", "state": state, "reason": reason});
    let path = format!("/v1/messages/{}", ids[0]);
    stage.tell(one, json!([state(2, "delivered", None)])).await;
    let seen = stage.get(&path).await.body;
    assert_eq!((&seen["state"], &seen["message_id"]), (&json!("delivered"), &json!("3EB01")));
    assert!(seen["sent_at"].is_string() && seen["delivered_at"].is_string());
    // Never back, and never failed after that.
    stage.tell(one, json!([state(3, "sent", None), state(4, "failed", Some("not_sent: x"))])).await;
    assert_eq!(stage.get(&path).await.body, seen);
    stage.tell(one, json!([state(5, "read", None)])).await;
    assert_eq!(stage.get(&path).await.body["state"], "read");
    let failed = [
        json!({"seq": 6, "at": Utc::now(), "kind": "accepted", "send_id": ids[1], "message_id": "3EB02"}),
        json!({"seq": 7, "at": Utc::now(), "kind": "state", "message_id": "3EB02", "state": "failed", "reason": "not_on_whatsapp: no"}),
    ];
    stage.tell(one, json!(failed)).await;
    let seen = stage.get(&format!("/v1/messages/{}", ids[1])).await.body;
    assert_eq!((&seen["state"], &seen["reason"]), (&json!("failed"), &json!("not_on_whatsapp")));
    assert_eq!(seen["detail"], "no");
}

#[tokio::test]
async fn the_message_log_knows_how_far_a_message_has_come() {
    let stage = Stage::new().await;
    let one = stage.tenant("one", HeartbeatMode::Link).await;
    let chat = "254700000001@s.whatsapp.net";
    let message = |seq: u64, id: &str, way: &str, text: &str| {
        json!({"seq": seq, "at": Utc::now(), "kind": "message", "message_id": id, "chat": chat,
            "direction": way, "text": text})
    };
    let delivered = json!({"seq": 3, "at": Utc::now(), "kind": "state", "message_id": "B", "state": "delivered"});
    let events =
        [message(1, "A", "IN", "where are you?"), message(2, "B", "OUT", "here"), delivered];
    stage.tell(one, json!(events)).await;
    let log = stage.get("/admin/tenants/one/messages").await.body["items"].clone();
    assert_eq!((&log[0]["state"], &log[1]["state"]), (&json!("delivered"), &Value::Null));
    // A reply carries what it answers, as the log has it.
    let reply = json!({"to": TO, "text": "in town", "reply_to": "A"});
    stage.send("one", Some("k"), reply).await;
    let commands = stage.commands(one, 2).await;
    let quoted = json!({"message_id": "A", "text": "where are you?", "from_me": false});
    assert_eq!(commands.iter().find(|it| it["command"] == "send").unwrap()["reply_to"], quoted);
}

#[tokio::test]
async fn a_file_lies_closed_until_its_message_is_settled() {
    let stage = Stage::new().await;
    let one = stage.tenant("one", HeartbeatMode::Link).await;
    let file = vec![7; 3_000_000];
    let upload = stage.upload("one", file.clone()).await;
    assert_eq!((upload.status, &upload.body["size"]), (201, &json!(3_000_000)));
    let path = stage.plane.settings.home.media().join(one.to_string()).join(id(&upload.body));
    assert_eq!(std::fs::read(&path).unwrap(), file);
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(path.parent().unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o700);
    let media = |upload: &str| json!({"to": TO, "media": {"kind": "document", "upload": upload}});
    let sent = stage.send("one", Some("k"), media(&id(&upload.body))).await;
    assert_eq!(sent.status, 202);
    // Whoever tries again may have uploaded the file again: it is the same request.
    let second = stage.upload("one", file).await;
    let again = stage.send("one", Some("k"), media(&id(&second.body))).await;
    assert_eq!((again.status, id(&again.body)), (200, id(&sent.body)));
    let taken = stage.send("one", Some("l"), media(&id(&upload.body))).await;
    assert_eq!(taken.fields(), ["media.upload"]);

    let shutdown = tokio_util::sync::CancellationToken::new();
    let upkeep = tokio::spawn(upkeep::run(stage.plane.clone(), shutdown.clone()));
    let events = [
        json!({"seq": 1, "at": Utc::now(), "kind": "accepted", "send_id": id(&sent.body), "message_id": "3EB0"}),
        json!({"seq": 2, "at": Utc::now(), "kind": "state", "message_id": "3EB0", "state": "sent"}),
    ];
    stage.tell(one, json!(events)).await;
    let gone = format!("/link/v1/media/{}", id(&upload.body));
    let begin = std::time::Instant::now();
    loop {
        let worker = stage.worker(one);
        let answer =
            stage.call(request(Method::GET, &gone, Some(&worker)).body(Body::empty()).unwrap());
        if answer.await.code() == (404, "unknown_upload") {
            break;
        }
        assert!(begin.elapsed().as_secs() < 30, "the file is deleted");
        tokio::task::yield_now().await;
    }
    assert!(!path.exists());
    // The one that no message has stays for its day.
    let other = path.with_file_name(id(&second.body));
    assert!(other.exists());
    shutdown.cancel();
    upkeep.await.unwrap();
}

#[tokio::test]
async fn what_is_accepted_stands_in_the_audit_log_once_and_without_its_words() {
    let stage = Stage::new().await;
    let one = stage.tenant("one", HeartbeatMode::Link).await;
    let upload = id(&stage.upload("one", b"a file".to_vec()).await.body);
    let message = json!({"to": TO, "text": "a secret"});
    let sent = stage.send("one", Some("k"), message.clone()).await;
    assert_eq!(stage.send("one", Some("k"), message).await.status, 200);
    // What is refused does nothing, and leaves no entry.
    assert_eq!(stage.send("one", Some("k"), json!({"to": TO, "text": "other"})).await.status, 422);
    assert_eq!(stage.upload("one", Vec::new()).await.status, 422);
    let page = stage.get(&format!("/admin/audit?tenant={one}")).await.body;
    let entries: Vec<_> = page["items"].as_array().unwrap().iter().rev().collect();
    let wanted = [
        ("media.upload", format!("upload {upload}, 6 bytes")),
        ("message.send", format!("message {}", id(&sent.body))),
    ];
    assert_eq!(entries.len(), wanted.len());
    for (entry, (action, detail)) in entries.iter().zip(wanted) {
        assert_eq!((&entry["action"], &entry["detail"]), (&json!(action), &json!(detail)));
        assert_eq!((&entry["actor"], &entry["result"]), (&json!("admin-token"), &json!("ok")));
        assert_eq!(entry["tenant_id"], json!(one));
    }
    assert!(!page.to_string().contains("secret"));
}

#[tokio::test]
async fn only_messages_from_outside_ring_for_the_upkeep() {
    let stage = Stage::new().await;
    let one = stage.tenant("one", HeartbeatMode::Link).await;
    let sent = stage.send("one", Some("k"), json!({"to": TO, "text": "hi"})).await;
    let state = |seq: u64, id: &str, state: &str| json!({"seq": seq, "at": Utc::now(), "kind": "state", "message_id": id, "state": state});
    let rung = async || stage.plane.settled.notified().now_or_never().is_some();
    let accepted = json!({"seq": 1, "at": Utc::now(), "kind": "accepted", "send_id": id(&sent.body), "message_id": "3EB0"});
    stage.tell(one, json!([accepted, state(2, "an answer", "sent")])).await;
    assert!(!rung().await, "the bot's own answers have no files here");
    stage.tell(one, json!([state(3, "3EB0", "sent")])).await;
    assert!(rung().await);
    stage.tell(one, json!([state(4, "3EB0", "sent")])).await;
    assert!(!rung().await, "it is no news");
}

#[tokio::test]
async fn too_many_are_refused_and_a_deadline_fails_what_waits() {
    let stage = Stage::new().await;
    let one = stage.tenant("one", HeartbeatMode::Link).await;
    let store = &stage.plane.store;
    let new = |key: &str| {
        let body: api::messages::SendMessage =
            serde_json::from_value(json!({"to": TO, "text": "hi", "expires_in": 60})).unwrap();
        let message = wish::message(&body, Utc::now()).unwrap();
        let request_hash = wish::hash(&body, None);
        NewOutgoing { tenant: one, key: key.to_owned(), request_hash, message, upload: None }
    };
    let audit = || audit::entry(&Actor::System, "message.send", one, String::new());
    let Enqueued::New(first) = store.enqueue(&new("a"), audit(), 2).await.unwrap() else {
        panic!()
    };
    assert!(matches!(store.enqueue(&new("b"), audit(), 2).await.unwrap(), Enqueued::New(_)));
    assert_eq!(store.enqueue(&new("c"), audit(), 2).await.unwrap(), Enqueued::Full);
    // A refused one leaves nothing behind, and a repeated one is no further one.
    assert!(matches!(store.enqueue(&new("a"), audit(), 2).await.unwrap(), Enqueued::Same(_)));
    assert_eq!(store.enqueue(&new("c"), audit(), 2).await.unwrap(), Enqueued::Full);

    assert_eq!(store.expire_outgoing(Utc::now()).await.unwrap(), 0);
    assert_eq!(store.expire_outgoing(Utc::now() + Duration::seconds(61)).await.unwrap(), 2);
    let path = format!("/v1/messages/{}", first.id);
    let failed = stage.get(&path).await.body;
    assert_eq!((&failed["state"], &failed["reason"]), (&json!("failed"), &json!("expired")));
    assert!(matches!(store.enqueue(&new("c"), audit(), 2).await.unwrap(), Enqueued::New(_)));
    // A worker that had sent it before and comes to tell it only now is right.
    let events = [
        json!({"seq": 1, "at": Utc::now(), "kind": "accepted", "send_id": first.id, "message_id": "3EB0"}),
        json!({"seq": 2, "at": Utc::now(), "kind": "state", "message_id": "3EB0", "state": "sent"}),
    ];
    stage.tell(one, json!(events)).await;
    let sent = stage.get(&path).await.body;
    assert_eq!((&sent["state"], &sent["reason"]), (&json!("sent"), &Value::Null));
    assert_eq!(sent["failed_at"], Value::Null);
    store.forget_outgoing(Utc::now() + Duration::days(1)).await.unwrap();
    assert_eq!(stage.get(&path).await.status, 404);
}
