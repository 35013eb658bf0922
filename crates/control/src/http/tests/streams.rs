//! Streams of server-sent events, as a browser reads them, and workers that seem to run.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::sync::Arc;
use std::time::Duration;

use api::TenantId;
use api::worker::DesiredState;
use axum::body::{Body, BodyDataStream};
use axum::http::{Method, Request};
use chrono::Utc;
use futures::StreamExt as _;
use runtime::{ObservedState, ObservedWorker};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::stage::{ADMIN, Stage, request};

/// One message of a stream.
pub struct Told {
    pub event: String,
    pub id: String,
    pub data: Value,
}

pub struct Reader {
    chunks: BodyDataStream,
    text: String,
}

impl Reader {
    /// Opens a stream with the administrator's token, and `more` headers.
    pub async fn open(stage: &Stage, path: &str, more: &[(&str, &str)]) -> Self {
        let mut request = request(Method::GET, path, Some(ADMIN));
        for (name, value) in more {
            request = request.header(*name, *value);
        }
        Self::of(stage, request.body(Body::empty()).unwrap()).await
    }

    /// Opens a stream.
    pub async fn of(stage: &Stage, request: Request<Body>) -> Self {
        let answer = stage.routes.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Self { chunks: answer.into_body().into_data_stream(), text: String::new() }
    }

    /// The next message; none at the end.
    pub async fn next(&mut self) -> Option<Told> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let line = block.lines().find_map(|line| line.strip_prefix(name));
                    line.map(str::to_owned)
                };
                let told = field("data: ").map(|data| Told {
                    event: field("event: ").unwrap_or_default(),
                    id: field("id: ").unwrap_or_default(),
                    data: serde_json::from_str(&data).unwrap(),
                });
                self.text = rest.to_owned();
                if told.is_some() {
                    return told;
                }
                continue;
            }
            let wait = tokio::time::timeout(Duration::from_secs(30), self.chunks.next());
            let chunk = wait.await.expect("a message comes, or the end")?.unwrap();
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The next message of this kind.
    pub async fn next_of(&mut self, event: &str) -> Told {
        loop {
            let told = self.next().await.expect("the stream goes on");
            if told.event == event {
                return told;
            }
        }
    }
}

/// A process in this state, as a runtime would tell of it.
pub fn process(slug: &str, state: ObservedState) -> ObservedWorker {
    ObservedWorker {
        name: format!("worker-{slug}"),
        tenant: String::new(),
        generation: 1,
        state,
        wanted: true,
        restarts: 0,
        incarnation: 1,
        cpu_percent: 2.4,
        memory_bytes: 10 << 20,
        exit: None,
        last_error: None,
        log_path: None,
    }
}

/// Has a tenant's worker wanted, and its process run.
pub fn run(stage: &Stage, slug: &str) {
    let member = stage.plane.fleet.find(slug).unwrap();
    member.update(|now| Arc::make_mut(&mut now.record).worker.desired = DesiredState::Running);
    member.observe(Some(process(slug, ObservedState::Running { pid: 7, started_at: Utc::now() })));
}

/// The tenant's worker tells of its session.
pub async fn beat(stage: &Stage, tenant: TenantId, session: Value) {
    let body = json!({"generation": 1, "session": session}).to_string();
    let request = request(Method::POST, "/link/v1/heartbeat", Some(&stage.worker(tenant)))
        .header("content-type", "application/json");
    assert_eq!(stage.call(request.body(Body::from(body)).unwrap()).await.status, 200);
}
