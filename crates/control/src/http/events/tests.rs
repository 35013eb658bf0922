#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::sync::Arc;
use std::time::Duration;

use api::TenantId;
use api::worker::HeartbeatMode;
use axum::body::{Body, BodyDataStream};
use axum::http::Method;
use futures::StreamExt as _;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::events::writer;
use crate::http::tests::stage::{ADMIN, Stage, request};
use crate::plane::ControlPlane;

/// A stream of events, as a browser reads it.
struct Reader {
    chunks: BodyDataStream,
    text: String,
}

impl Reader {
    async fn open(stage: &Stage, path: &str, last: Option<i64>) -> Self {
        let mut request =
            request(Method::GET, path, Some(ADMIN)).header("accept", "text/event-stream");
        if let Some(last) = last {
            request = request.header("Last-Event-ID", last.to_string());
        }
        let answer = stage.routes.clone().oneshot(request.body(Body::empty()).unwrap()).await;
        let answer = answer.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Self { chunks: answer.into_body().into_data_stream(), text: String::new() }
    }

    /// The next event: its `id:` and what it says.
    async fn next(&mut self) -> Option<(i64, Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name));
                let told = field("id: ").zip(field("data: "));
                let told = told.map(|(id, data)| {
                    (id.parse::<i64>().unwrap(), serde_json::from_str::<Value>(data).unwrap())
                });
                self.text = rest.to_owned();
                if told.is_some() {
                    return told;
                }
                continue;
            }
            let wait = tokio::time::timeout(Duration::from_secs(30), self.chunks.next());
            let chunk = wait.await.expect("an event comes, or the end")?.unwrap();
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}

/// Writes events until the guard is dropped.
fn writing(plane: &Arc<ControlPlane>) -> tokio_util::sync::DropGuard {
    let shutdown = CancellationToken::new();
    let (plane, token) = (Arc::clone(plane), shutdown.clone());
    tokio::spawn(async move { writer::run(plane.recorder.log(), &plane.store, token).await });
    shutdown.drop_guard()
}

fn note(seq: u64) -> Value {
    json!([{"seq": seq, "at": "2026-01-02T03:04:05Z", "kind": "note", "name": "bot.note", "detail": seq.to_string()}])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_that_is_cut_off_again_and_again_sees_each_event_once() {
    let stage = Arc::new(Stage::new().await);
    let _writing = writing(&stage.plane);
    let (one, two) = (
        stage.tenant("one", HeartbeatMode::Link).await,
        stage.tenant("two", HeartbeatMode::Link).await,
    );
    let publishers = (0..4).map(|publisher| {
        let stage = Arc::clone(&stage);
        tokio::spawn(async move {
            for step in 0..250 {
                stage.plane.recorder.event(one, "test.event", format!("{publisher} {step}"));
                tokio::task::yield_now().await;
            }
        })
    });
    let workers = [one, two].map(|tenant| {
        let stage = Arc::clone(&stage);
        tokio::spawn(async move {
            for seq in 1..=60 {
                assert_eq!(stage.tell(tenant, note(seq)).await.status, 200);
            }
        })
    });
    let all: Vec<_> = publishers.chain(workers).collect();
    let (mut last, mut seen, mut cut) = (0, Vec::new(), 0);
    // Where to cut: an unlucky-looking walk that is the same each time.
    let mut luck = 7_u32;
    while seen.len() < 1060 {
        luck = luck.wrapping_mul(1_103_515_245).wrapping_add(12_345);
        let path = format!("/admin/tenants/{one}/events");
        let mut reader = Reader::open(&stage, &path, Some(last)).await;
        for _ in 0..=(luck >> 16) % 90 {
            if seen.len() == 1060 {
                break;
            }
            let (id, event) = reader.next().await.unwrap();
            assert!(id > last, "{id} came after {last}");
            assert_eq!(
                (event["seq"].as_i64(), event["tenant_id"].as_str()),
                (Some(id), Some(one.to_string().as_str()))
            );
            last = id;
            seen.push((
                event["kind"].as_str().unwrap().to_owned(),
                event["detail"].as_str().unwrap().to_owned(),
            ));
        }
        cut += 1;
    }
    for task in all {
        task.await.unwrap();
    }
    assert!(cut > 5);
    for publisher in 0..4 {
        let prefix = format!("{publisher} ");
        let told: Vec<_> = seen
            .iter()
            .filter(|(kind, _)| kind == "test.event")
            .filter_map(|(_, detail)| detail.strip_prefix(&prefix)?.parse::<usize>().ok())
            .collect();
        assert_eq!(told, (0..250).collect::<Vec<_>>(), "each once, in its order");
    }
    let notes = seen.iter().filter(|(kind, _)| kind == "bot.note").count();
    assert_eq!(notes, 60);
    let fleet = stage.get("/admin/events?limit=1000&kind=bot.*").await;
    assert_eq!(fleet.body["items"].as_array().unwrap().len(), 120);
}

#[tokio::test]
async fn a_stream_tells_the_chosen_kinds_and_ends_with_its_tenant() {
    let stage = Stage::new().await;
    let _writing = writing(&stage.plane);
    let id = stage.tenant("duka", HeartbeatMode::Link).await;
    let tell = |kind: &str| stage.plane.recorder.event(id, kind, "");
    tell("worker.started");
    tell("message.in");
    let path = format!("/admin/tenants/{id}/events?after=0&kind=message.*&follow=true");
    let mut reader = Reader::open(&stage, &path, None).await;
    assert_eq!(reader.next().await.unwrap().1["kind"], "message.in");
    tell("worker.stale");
    tell("message.out");
    assert_eq!(reader.next().await.unwrap(), {
        let page = stage.get(&format!("/admin/tenants/{id}/events?last=1")).await;
        let event = page.body["items"][0].clone();
        (event["seq"].as_i64().unwrap(), event)
    });
    assert_eq!(stage.plane.recorder.log().listening(), 1);
    stage.plane.fleet.remove(id);
    assert!(reader.next().await.is_none());
}

#[tokio::test]
async fn without_a_number_a_stream_begins_now_or_with_the_newest() {
    let stage = Stage::new().await;
    let _writing = writing(&stage.plane);
    for number in 0..5 {
        stage.plane.recorder.fleet_event("user.signed_in", number.to_string());
    }
    let mut head = stage.plane.recorder.log().subscribe();
    head.wait_for(|head| *head == 5).await.unwrap();
    let mut newest = Reader::open(&stage, "/admin/events?last=2", None).await;
    let mut now = Reader::open(&stage, "/admin/events", None).await;
    stage.plane.recorder.fleet_event("user.signed_in", "5");
    for wanted in ["3", "4", "5"] {
        assert_eq!(newest.next().await.unwrap().1["detail"], wanted);
    }
    assert_eq!(now.next().await.unwrap().1["detail"], "5");
}

#[tokio::test]
async fn listeners_have_a_bound() {
    let stage = Stage::new().await;
    let log = stage.plane.recorder.log();
    let tenant = TenantId::generate();
    let mut places: Vec<_> = (0..50).map(|_| log.listen(Some(tenant)).ok().unwrap()).collect();
    assert_eq!(log.listen(Some(tenant)).err(), Some(50));
    places.extend((0..950).map(|_| log.listen(None).ok().unwrap()));
    assert_eq!(log.listen(None).err(), Some(1000));
    let path = "/admin/events?follow=true";
    assert_eq!(stage.get(path).await.code(), (429, "too_many_listeners"));
    drop(places);
    assert_eq!(log.listening(), 0);
    assert!(log.listen(Some(tenant)).is_ok());
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused() {
    let stage = Stage::new().await;
    let id = stage.tenant("duka", HeartbeatMode::Link).await;
    for query in [
        "after=-1",
        "after=1",
        "after=x",
        "limit=0",
        "limit=1001",
        "last=0",
        "after=0&last=5",
        "kind=%25",
        "follow=perhaps",
    ] {
        let answer = stage.get(&format!("/admin/tenants/{id}/events?{query}")).await;
        assert_eq!(answer.code(), (400, "invalid_query"), "{query}");
    }
    let path = format!("/admin/tenants/{id}/events?follow=true");
    let lost = request(Method::GET, &path, Some(ADMIN)).header("Last-Event-ID", "abc");
    let answer = stage.call(lost.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.code(), (400, "invalid_query"));
    assert_eq!(stage.get(&path.replace("follow=true", "after=0")).await.status, 200);
}
