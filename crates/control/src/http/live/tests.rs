#![allow(clippy::unwrap_used, reason = "a test may fail")]

use api::access::Permission;
use api::live::{TenantSeries, TenantStream};
use api::session::SessionState;
use api::worker::{HeartbeatMode, WorkerStatus};
use axum::body::Body;
use axum::http::Method;
use chrono::Utc;
use runtime::ObservedState;
use serde_json::json;

use crate::http::tests::stage::{Stage, request};
use crate::http::tests::streams::{Reader, beat, process, run};

async fn next(reader: &mut Reader) -> TenantStream {
    let told = reader.next().await.unwrap();
    assert_eq!(told.event, "status");
    serde_json::from_value(told.data).unwrap()
}

fn waiting() -> serde_json::Value {
    let expires_at = Utc::now() + chrono::TimeDelta::minutes(1);
    json!({"state": "QR_READY", "qr": {"code": "the code", "expires_at": expires_at}})
}

#[tokio::test]
async fn a_tenant_is_told_at_once_and_whenever_it_changes_until_it_is_no_more() {
    let stage = Stage::new().await;
    let id = stage.tenant("duka", HeartbeatMode::Link).await;
    let mut reader = Reader::open(&stage, &format!("/admin/tenants/{id}/stream"), &[]).await;
    let first = next(&mut reader).await;
    assert_eq!((first.status.tenant_id, first.status.worker.status), (id, WorkerStatus::Stopped));
    assert_eq!(first.qr.unwrap().code, None);
    run(&stage, "duka");
    assert!(next(&mut reader).await.status.worker.started_at.is_some());
    beat(&stage, id, waiting()).await;
    let qr = next(&mut reader).await.qr.unwrap();
    assert_eq!((qr.state, qr.code.as_deref()), (SessionState::QrReady, Some("the code")));
    // A change of nothing is none.
    let member = stage.plane.fleet.get(id).unwrap();
    member.update(|_| {});
    tokio::task::yield_now().await;
    let started_at = member.read(|now| match now.process.as_ref().unwrap().state {
        ObservedState::Running { started_at, .. } => started_at,
        _ => panic!("it runs"),
    });
    let mut used = process("duka", ObservedState::Running { pid: 7, started_at });
    used.cpu_percent = 88.0;
    member.observe_usage(&used);
    let percent = next(&mut reader).await.status.worker.cpu_percent;
    assert_eq!(percent, Some(88.0), "what the worker uses is told although nothing else changed");
    assert_eq!(stage.plane.dashboard.tenant_followers.taken(), 1);
    drop(member);
    stage.plane.fleet.remove(id);
    assert!(reader.next().await.is_none());
    assert_eq!(stage.plane.dashboard.tenant_followers.taken(), 0);
}

#[tokio::test]
async fn codes_are_for_those_who_may_control_the_bot() {
    let stage = Stage::new().await;
    let id = stage.tenant("duka", HeartbeatMode::Link).await;
    run(&stage, "duka");
    beat(&stage, id, waiting()).await;
    for (permissions, sees) in
        [(&[Permission::Read][..], false), (&[Permission::Read, Permission::Control][..], true)]
    {
        let key = stage.key(permissions, Some("duka")).await;
        for path in ["/portal/tenant/current/stream", "/admin/tenants/duka/stream"] {
            let wish = request(Method::GET, path, Some(&key)).body(Body::empty()).unwrap();
            let told = next(&mut Reader::of(&stage, wish).await).await;
            let code = told.qr.and_then(|qr| qr.code);
            assert_eq!(code.is_some(), sees, "{path} {permissions:?}");
            assert_eq!(told.status.session.state, SessionState::QrReady);
        }
    }
}

#[tokio::test]
async fn those_who_follow_one_tenant_have_a_bound() {
    let stage = Stage::new().await;
    let id = stage.tenant("duka", HeartbeatMode::Link).await;
    let other = stage.tenant("other", HeartbeatMode::Link).await;
    let places = &stage.plane.dashboard.tenant_followers;
    let _taken: Vec<_> = (0..50).map(|_| places.enter(Some(id)).ok().unwrap()).collect();
    let answer = stage.get(&format!("/admin/tenants/{id}/stream")).await;
    assert_eq!(answer.code(), (429, "too_many_listeners"));
    let mut reader = Reader::open(&stage, &format!("/admin/tenants/{other}/stream"), &[]).await;
    assert_eq!(next(&mut reader).await.status.tenant_id, other);
}

#[tokio::test]
async fn messages_and_usage_make_the_curves() {
    let stage = Stage::new().await;
    let id = stage.tenant("duka", HeartbeatMode::Link).await;
    let path = format!("/admin/tenants/{id}/series");
    let series =
        async || -> TenantSeries { serde_json::from_value(stage.get(&path).await.body).unwrap() };
    assert_eq!(series().await, TenantSeries { step_seconds: 60, points: Vec::new() });
    let message = |seq, direction| json!({"seq": seq, "at": Utc::now(), "kind": "message", "message_id": format!("M{seq}"), "chat": "c", "direction": direction, "text": "x"});
    let events = json!([message(1, "IN"), message(2, "OUT"), message(3, "OUT")]);
    assert_eq!(stage.tell(id, events.clone()).await.status, 200);
    assert_eq!(stage.tell(id, events).await.status, 200, "said twice, and counted once");
    run(&stage, "duka");
    crate::dashboard::note_usage(&stage.plane);
    let points = series().await.points;
    let sums = points.iter().fold((0, 0), |sum, it| (sum.0 + it.received, sum.1 + it.sent));
    assert_eq!(sums, (1, 2));
    let last = points.last().unwrap();
    assert_eq!((last.cpu_percent, last.memory_bytes), (Some(2.4), Some(10 << 20)));
}
