#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::io::Read as _;
use std::sync::Arc;

use api::fleet::{AttentionKind, FleetChanges, FleetRow, FleetRows, FleetView, HeartbeatHealth};
use api::worker::HeartbeatMode;
use axum::body::{Body, to_bytes};
use axum::http::Method;
use chrono::{TimeDelta, Utc};
use runtime::ObservedState;
use serde_json::json;
use tokio_util::sync::{CancellationToken, DropGuard};
use tower::ServiceExt as _;

use crate::dashboard::{self, Dashboard};
use crate::http::tests::stage::{ADMIN, Stage, request};
use crate::http::tests::streams::{Reader, Told, beat, process, run};

/// Passes and samples are made until the guard is dropped.
fn watching(stage: &Stage) -> DropGuard {
    let shutdown = CancellationToken::new();
    tokio::spawn(dashboard::run(Arc::clone(&stage.plane), shutdown.clone()));
    shutdown.drop_guard()
}

async fn rows(stage: &Stage) -> FleetRows {
    serde_json::from_value(stage.get("/admin/fleet/tenants").await.body).unwrap()
}

fn row_of<'r>(rows: &'r [FleetRow], slug: &str) -> &'r FleetRow {
    rows.iter().find(|row| row.slug == slug).unwrap()
}

fn changes(told: &Told) -> FleetChanges {
    serde_json::from_value(told.data.clone()).unwrap()
}

#[tokio::test]
async fn the_fleet_is_counted_and_its_last_hour_kept() {
    let stage = Stage::new().await;
    let id = stage.tenant("one", HeartbeatMode::Link).await;
    for slug in ["two", "three", "four"] {
        stage.tenant(slug, HeartbeatMode::Link).await;
    }
    run(&stage, "one");
    beat(&stage, id, json!({"state": "CONNECTED", "paired": true})).await;
    run(&stage, "two");
    let failed = ObservedState::Failed { reason: "no such program".to_owned() };
    run(&stage, "three");
    stage.plane.fleet.find("three").unwrap().observe(Some(process("three", failed)));
    let message = |seq, direction| json!({"seq": seq, "at": Utc::now(), "kind": "message", "message_id": format!("M{seq}"), "chat": "c", "direction": direction, "text": "x"});
    stage.tell(id, json!([message(1, "IN"), message(2, "IN"), message(3, "OUT")])).await;

    let view = async || -> FleetView {
        serde_json::from_value(stage.get("/admin/fleet").await.body).unwrap()
    };
    let now = view().await;
    let tenants = now.tenants;
    assert_eq!((tenants.active, tenants.qr_pending, tenants.error, tenants.paused), (1, 1, 1, 1));
    assert_eq!(tenants.total, 4);
    let workers = now.workers;
    assert_eq!((workers.running, workers.starting, workers.error, workers.stopped), (1, 1, 1, 1));
    assert_eq!((now.sessions.connected, now.sessions.disconnected), (1, 3));
    assert_eq!((now.heartbeats.on_time, now.heartbeats.none, now.attention), (1, 3, 1));
    let rate = now.messages_per_minute;
    assert_eq!((rate.received, rate.sent), (2, 1));
    assert_eq!(now.usage.workers_memory_bytes, 20 << 20);
    assert!((now.usage.workers_cpu_percent - 4.8).abs() < 0.01);
    assert!(now.usage.server_memory_bytes > 0 && now.machine.cpus > 0);
    assert!(now.machine.disk_total_bytes > 0 && now.machine.memory_total_bytes > 0);
    assert_eq!((now.newest, now.history.len()), (None, 0));

    stage.plane.dashboard.sample(&stage.plane);
    stage.plane.dashboard.sample(&stage.plane);
    let later = view().await;
    assert_eq!(later.history.len(), 2);
    assert_eq!(later.newest, later.history.last().copied());
    let first = later.history[0];
    assert_eq!((first.active, first.attention, first.received, first.sent), (1, 1, 2, 1));
    assert_eq!((later.history[1].received, later.history[1].memory_bytes), (0, 20 << 20));
    assert_eq!(later.messages_per_minute, rate);
}

#[tokio::test]
async fn a_row_says_what_is_the_matter() {
    let stage = Stage::new().await;
    let id = stage.tenant("one", HeartbeatMode::Link).await;
    let member = stage.plane.fleet.get(id).unwrap();
    run(&stage, "one");
    beat(&stage, id, json!({"state": "CONNECTED", "paired": true})).await;
    let row = |told: &[FleetRow]| row_of(told, "one").clone();
    let look = || {
        let now = dashboard::Look::now(&stage.plane.settings);
        member.read(|snapshot| now.row(&member, snapshot))
    };
    let fine = row(&rows(&stage).await.items);
    assert_eq!((&fine.attention, fine.heartbeat), (&None, HeartbeatHealth::OnTime));
    assert_eq!((fine.cpu_percent, fine.memory_bytes), (Some(2), Some(10 << 20)));
    assert!(fine.started_at.is_some());

    let kind = || look().attention.map(|attention| attention.kind);
    member.update(|now| now.stale = Some("stale: no heartbeat for 91 s".to_owned()));
    assert_eq!((kind(), look().heartbeat), (Some(AttentionKind::Stale), HeartbeatHealth::Stale));
    assert_eq!(look(), look(), "it stays the same while nothing changes");
    member.update(|now| now.stale = None);

    let mut died =
        process("one", ObservedState::Backoff { until: Utc::now() + TimeDelta::seconds(5) });
    died.last_error = Some("exit code 3".to_owned());
    member.observe(Some(died));
    let attention = look().attention.unwrap();
    assert_eq!(attention.kind, AttentionKind::RestartLoop);
    assert!(attention.reason.ends_with("exit code 3"), "{}", attention.reason);
    assert_eq!(look().cpu_percent, None);
    run(&stage, "one");

    let banned = json!({"state": "DISCONNECTED", "paired": true, "trouble": {"kind": "banned", "detail": "the account is banned"}});
    beat(&stage, id, banned).await;
    assert_eq!(kind(), Some(AttentionKind::Trouble));
    beat(&stage, id, json!({"state": "LOGGED_OUT"})).await;
    assert_eq!(kind(), Some(AttentionKind::LoggedOut));
    beat(&stage, id, json!({"state": "QR_READY"})).await;
    assert_eq!(kind(), Some(AttentionKind::QrWaiting));
    beat(&stage, id, json!({"state": "CONNECTED", "paired": true})).await;
    assert_eq!(kind(), None);
    stage.plane.limit_hit(&member, "queue_full", "too many");
    let attention = look().attention.unwrap();
    assert_eq!(attention.kind, AttentionKind::LimitHit);
    assert!(Utc::now() - attention.since.unwrap() < TimeDelta::minutes(1));
}

#[tokio::test]
async fn rows_are_compressed_for_those_who_can_read_it() {
    let stage = Stage::new().await;
    for number in 0..50 {
        stage.tenant(&format!("tenant-{number}"), HeartbeatMode::Link).await;
    }
    let path = "/admin/fleet/tenants";
    let plain = rows(&stage).await;
    assert_eq!(plain.items.len(), 50);
    assert!(stage.get(path).await.headers.get("content-encoding").is_none());
    let wish = request(Method::GET, path, Some(ADMIN)).header("accept-encoding", "gzip, br");
    let answer = stage.routes.clone().oneshot(wish.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(answer.headers()["content-encoding"], "gzip");
    let headers = answer.headers().clone();
    let (json, accept) = ("application/json", "accept-encoding");
    let bytes = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
    assert!(bytes.len() * 3 < text.len());
    assert_eq!(serde_json::from_str::<FleetRows>(&text).unwrap().items, plain.items);
    for headers in [stage.get(path).await.headers, headers] {
        assert_eq!(
            (headers["content-type"].to_str().unwrap(), headers["vary"].to_str().unwrap()),
            (json, accept)
        );
    }
}

#[tokio::test]
async fn the_list_is_written_once_until_a_row_changes() {
    let stage = Stage::new().await;
    stage.tenant("one", HeartbeatMode::Link).await;
    let watching = watching(&stage);
    let mut passes = stage.plane.dashboard.passes();
    let list = async || Dashboard::list(&stage.plane).await.unwrap();
    let (first, second) = tokio::join!(list(), list());
    assert!(Arc::ptr_eq(&first, &second));
    passes.changed().await.unwrap();
    assert!(Arc::ptr_eq(&first, &list().await), "nothing changed");
    run(&stage, "one");
    passes.changed().await.unwrap();
    passes.changed().await.unwrap();
    let changed = list().await;
    assert!(!Arc::ptr_eq(&first, &changed) && first.plain != changed.plain);
    drop(watching);
    drop((first, second));
    stage.plane.dashboard.forget_list();
    assert_eq!(Arc::strong_count(&changed), 1, "it is kept for those who look alone");
}

#[tokio::test]
async fn a_follower_is_told_what_changed_after_its_cursor() {
    let stage = Stage::new().await;
    let one = stage.tenant("one", HeartbeatMode::Link).await;
    let two = stage.tenant("two", HeartbeatMode::Link).await;
    let _watching = watching(&stage);
    let before = rows(&stage).await;
    let mut reader =
        Reader::open(&stage, &format!("/admin/fleet/stream?after={}", before.cursor), &[]).await;
    let first = reader.next().await.unwrap();
    assert_eq!((first.event.as_str(), &first.id), ("fleet", &before.cursor), "nothing changed");
    let view: FleetView = serde_json::from_value(first.data).unwrap();
    assert_eq!((view.tenants.total, view.history.len()), (2, 0));

    run(&stage, "one");
    let told = reader.next_of("rows").await;
    let changed = changes(&told).changed;
    assert_eq!(changed.iter().map(|row| row.id).collect::<Vec<_>>(), [one]);
    assert_eq!(reader.next_of("fleet").await.id, told.id, "the numbers follow the rows");

    stage.plane.fleet.remove(two);
    let gone = reader.next_of("rows").await;
    assert_eq!(changes(&gone), FleetChanges { changed: Vec::new(), removed: vec![two] });
    drop(reader);

    // Whoever was cut off goes on where it was, and a browser says so by itself.
    let path = "/admin/fleet/stream?after=nonsense";
    let mut back = Reader::open(&stage, path, &[("Last-Event-ID", &told.id)]).await;
    assert_eq!(changes(&back.next().await.unwrap()).removed, [two]);
    let path = format!("/admin/fleet/stream?after={}", before.cursor);
    let mut all = Reader::open(&stage, &path, &[]).await;
    let both = changes(&all.next().await.unwrap());
    assert_eq!((both.changed[0].id, both.removed.as_slice()), (one, [two].as_slice()));
    assert_eq!(rows(&stage).await.items, both.changed);
}

#[tokio::test]
async fn who_comes_from_another_life_of_the_server_begins_anew() {
    let stage = Stage::new().await;
    let one = stage.tenant("one", HeartbeatMode::Link).await;
    let _watching = watching(&stage);
    let path = "/admin/fleet/stream?after=0190a0b000007000800000000000abcd.7";
    let mut reader = Reader::open(&stage, path, &[]).await;
    let reset = reader.next().await.unwrap();
    assert_eq!((reset.event.as_str(), &reset.data), ("reset", &json!({})));
    let fresh = rows(&stage).await;
    assert_eq!(fresh.cursor, reset.id);
    run(&stage, "one");
    assert_eq!(changes(&reader.next_of("rows").await).changed[0].id, one, "the stream goes on");
    for path in ["?after=x", "?after=1", "?after="] {
        let answer = stage.get(&format!("/admin/fleet/stream{path}")).await;
        assert_eq!(answer.code(), (400, "invalid_query"), "{path}");
    }
}

#[tokio::test]
async fn followers_have_a_bound_and_leave_their_place() {
    let stage = Stage::new().await;
    let followers = &stage.plane.dashboard.followers;
    let places: Vec<_> = (0..200).map(|_| followers.enter(None).ok().unwrap()).collect();
    let path = "/admin/fleet/stream";
    assert_eq!(stage.get(path).await.code(), (429, "too_many_listeners"));
    drop(places);
    let mut reader = Reader::open(&stage, path, &[]).await;
    assert_eq!(reader.next().await.unwrap().event, "fleet");
    assert_eq!(followers.taken(), 1);
    drop(reader);
    assert_eq!(followers.taken(), 0);
}
