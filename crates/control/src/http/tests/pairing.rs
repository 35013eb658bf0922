//! Pairing of a tenant whose worker lies still: by whoever has a link.

use std::sync::Arc;
use std::time::Duration;

use api::TenantId;
use api::worker::{DesiredState, HeartbeatMode, RuntimeKind};
use axum::body::Body;
use axum::http::{Method, Request};
use chrono::Utc;
use futures::StreamExt as _;
use runtime::{ObservedState, ObservedWorker};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::stage::{Answer, Stage};
use crate::fleet::{Member, StartFailure};
use crate::token::Bearer;

const ASK: &str = "/portal/tenant/current/session/qr";

/// A tenant whose worker is wanted and could not be started.
async fn given_up(stage: &Stage) -> Arc<Member> {
    let id = stage.tenant("duka", HeartbeatMode::Link).await;
    let generation = stage.plane.store.want_running(id).await.unwrap();
    let member = stage.plane.fleet.get(id).unwrap();
    member.update(|snapshot| {
        let record = Arc::make_mut(&mut snapshot.record);
        record.worker.desired = DesiredState::Running;
        record.worker.generation = generation;
        snapshot.start_failure = Some(failure(generation));
    });
    stage.plane.fleet.sync(RuntimeKind::Local, Vec::new());
    member
}

fn failure(generation: u64) -> StartFailure {
    StartFailure { generation, reason: "/secret/place is away".to_owned(), log_tail: Vec::new() }
}

async fn ask(stage: &Stage, token: &str, method: Method, path: &str) -> Answer {
    stage.ask(method, path, &[("authorization", &format!("Bearer {token}"))], None).await
}

/// Waits for a generation that is wanted after this one, and gives it.
async fn next_generation(member: &Member, after: u64) -> u64 {
    let mut changes = member.subscribe();
    let wait = changes.wait_for(|now| now.record.worker.generation > after);
    let found = tokio::time::timeout(Duration::from_secs(20), wait).await.unwrap().unwrap();
    found.record.worker.generation
}

/// The process of a worker shows in the runtime.
fn appear(member: &Member, generation: u64) {
    member.observe(Some(ObservedWorker {
        name: member.worker_name.clone(),
        tenant: member.id.to_string(),
        generation,
        state: ObservedState::Running { pid: 7, started_at: Utc::now() },
        wanted: true,
        restarts: 0,
        incarnation: 1,
        cpu_percent: 0.0,
        memory_bytes: 0,
        exit: None,
        last_error: None,
        log_path: None,
    }));
}

/// A worker of a generation, as it speaks over the link.
struct Worker<'a> {
    stage: &'a Stage,
    generation: u64,
    token: String,
}

impl<'a> Worker<'a> {
    fn new(stage: &'a Stage, tenant: TenantId, generation: u64) -> Self {
        let token = stage.plane.link_key.token(Bearer { tenant, generation });
        Self { stage, generation, token: format!("Bearer {token}") }
    }

    async fn beat(&self, session: Value) {
        let body = json!({"generation": self.generation, "incarnation": 1, "session": session});
        let headers = [("authorization", self.token.as_str())];
        let path = "/link/v1/heartbeat";
        let answer = self.stage.ask(Method::POST, path, &headers, Some(body)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    /// Listens for the wish for QR codes and gives its number.
    async fn wish(&self) -> u64 {
        let request = Request::get("/link/v1/commands").header("authorization", &self.token);
        let request = request.body(Body::empty()).unwrap();
        let answer = self.stage.routes.clone().oneshot(request).await.unwrap();
        let mut chunks = answer.into_body().into_data_stream();
        loop {
            let chunk = tokio::time::timeout(Duration::from_secs(20), chunks.next()).await.unwrap();
            let text = String::from_utf8(chunk.unwrap().unwrap().to_vec()).unwrap();
            for line in text.lines().filter_map(|line| line.strip_prefix("data: ")) {
                let command: Value = serde_json::from_str(line).unwrap();
                if command["command"] == "pair_with_qr" {
                    return command["request"].as_u64().unwrap();
                }
            }
        }
    }
}

#[tokio::test]
async fn a_worker_that_is_switched_off_stays_so() {
    let stage = Stage::new().await;
    let id = stage.tenant("duka", HeartbeatMode::Link).await;
    let token = stage.pair_link("duka", 60);
    for path in [ASK, "/portal/tenant/current/session/reconnect"] {
        let refused = ask(&stage, &token, Method::POST, path).await;
        assert_eq!(refused.code(), (409, "worker_not_running"), "{path}");
        let detail = refused.body["detail"].as_str().unwrap();
        assert!(
            detail.contains("is switched off; whoever may control it must start it"),
            "{detail}"
        );
    }
    assert_eq!(stage.plane.store.tenant(id).await.unwrap().worker.generation, 0);
}

#[tokio::test]
async fn a_worker_that_has_given_up_is_started_for_whoever_has_a_link() {
    let stage = Stage::with(&[("lifecycle_wait_ms", "20000")]).await;
    let member = given_up(&stage).await;
    let token = stage.pair_link("duka", 60);
    let before = member.snapshot().record.worker.generation;
    let comes_up = async {
        let generation = next_generation(&member, before).await;
        appear(&member, generation);
        let worker = Worker::new(&stage, member.id, generation);
        // The phone has ended the login: the worker has forgotten it and waits.
        worker.beat(json!({"state": "LOGGED_OUT", "paired": false})).await;
        let request = worker.wish().await;
        let expires_at = Utc::now() + chrono::Duration::seconds(60);
        worker
            .beat(json!({
                "state": "QR_READY", "paired": false, "pairing": "qr", "pairing_request": request,
                "qr": {"code": "2@abc", "expires_at": expires_at},
            }))
            .await;
    };
    let (answer, ()) = tokio::join!(ask(&stage, &token, Method::POST, ASK), comes_up);
    assert_eq!((answer.status, &answer.body["code"]), (200, &"2@abc".into()), "{}", answer.body);
    let entries = stage.get("/admin/audit").await.body;
    let told = |action: &str| {
        let items = entries["items"].as_array().unwrap();
        items.iter().find(|it| it["action"] == action).map(|it| it["actor"].clone())
    };
    assert_eq!(told("worker.start"), Some("system".into()));
    assert_eq!(told("session.qr"), Some("pair-link".into()));
}

#[tokio::test]
async fn a_start_that_fails_again_is_told_without_its_reason() {
    let stage = Stage::with(&[("lifecycle_wait_ms", "20000")]).await;
    let member = given_up(&stage).await;
    let token = stage.pair_link("duka", 60);
    let before = member.snapshot().record.worker.generation;
    let fails = async {
        let generation = next_generation(&member, before).await;
        member.update(|snapshot| snapshot.start_failure = Some(failure(generation)));
    };
    let (answer, ()) = tokio::join!(ask(&stage, &token, Method::POST, ASK), fails);
    assert_eq!(answer.code(), (409, "worker_not_running"));
    let detail = answer.body["detail"].as_str().unwrap();
    assert!(detail.contains("could not be started") && !detail.contains("secret"), "{detail}");

    // Asking on and on does not start it on and on.
    let tried = member.snapshot().record.worker.generation;
    let again = ask(&stage, &token, Method::POST, ASK).await;
    assert_eq!(again.code(), (409, "worker_not_running"));
    assert_eq!(member.snapshot().record.worker.generation, tried);
}

#[tokio::test]
async fn who_asks_while_somebody_else_starts_it_is_not_told_of_the_run_before() {
    let stage = Stage::with(&[("lifecycle_wait_ms", "50")]).await;
    let member = given_up(&stage).await;
    let token = stage.pair_link("duka", 60);
    let _somebody = member.lifecycle.clone().try_lock_owned().unwrap();
    let answer = ask(&stage, &token, Method::POST, ASK).await;
    assert_eq!(answer.code(), (409, "worker_not_running"));
    assert!(answer.body["detail"].as_str().unwrap().contains("ask again"), "{}", answer.body);
}

#[tokio::test]
async fn a_worker_that_takes_its_time_is_asked_again() {
    let stage = Stage::with(&[("lifecycle_wait_ms", "50")]).await;
    let member = given_up(&stage).await;
    let token = stage.pair_link("duka", 60);
    let cancel = "/portal/tenant/current/session/pairing";
    let cancelled = ask(&stage, &token, Method::DELETE, cancel).await;
    assert_eq!(cancelled.code(), (409, "worker_not_running"));
    assert!(member.snapshot().start_failure.is_some(), "no codes need no worker");
    let answer = ask(&stage, &token, Method::POST, ASK).await;
    assert_eq!(answer.code(), (409, "worker_not_running"));
    assert!(answer.body["detail"].as_str().unwrap().contains("ask again"), "{}", answer.body);
}
