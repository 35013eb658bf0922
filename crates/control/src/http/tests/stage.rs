//! A control plane without processes, and requests to its routes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use api::TenantId;
use api::worker::{HeartbeatMode, RuntimeKind};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request};
use chrono::Utc;
use futures::StreamExt as _;
use runtime::local::{LocalRuntime, SupervisorCommand};
use runtime::pm2::{Pm2Runtime, Pm2Settings};
use serde_json::{Value, json};
use store::{NewTenant, Store};
use tempfile::TempDir;
use tokio::sync::Notify;
use tower::ServiceExt as _;

use crate::audit::Actor;
use crate::backup::Kept;
use crate::brand::Brands;
use crate::config;
use crate::dashboard::Dashboard;
use crate::fleet::Fleet;
use crate::http::credential;
use crate::metrics::Metrics;
use crate::people::People;
use crate::plane::ControlPlane;
use crate::reconcile::driver::Reconciler;
use crate::runtimes::Runtimes;
use crate::serving::{Limits, Rate};
use crate::token::{self, Bearer, LinkKey};
use crate::usage::Figures;
use crate::{doctor, http, recorder, startup};

pub const ADMIN: &str = "the-operators-token-of-these-tests";

pub struct Stage {
    _home: TempDir,
    pub plane: Arc<ControlPlane>,
    pub routes: Router,
}

/// An answer, its body understood.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    /// The cookie that it sets, as a request brings it back.
    pub fn cookie(&self) -> Option<String> {
        let set = self.headers.get("set-cookie")?.to_str().unwrap();
        Some(set.split(';').next().unwrap().to_owned())
    }

    pub fn code(&self) -> (u16, &str) {
        (self.status, self.body["code"].as_str().unwrap_or_default())
    }

    /// The fields that were refused.
    pub fn fields(&self) -> Vec<&str> {
        let errors = self.body["errors"].as_array();
        errors.into_iter().flatten().filter_map(|error| error["field"].as_str()).collect()
    }
}

impl Stage {
    pub async fn new() -> Self {
        Self::with(&[]).await
    }

    /// With settings beside the defaults.
    pub async fn with(settings: &[(&str, &str)]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let plane = Arc::new(plane(home.path(), settings).await);
        Self { _home: home, routes: http::router(&plane), plane }
    }

    /// A tenant whose worker would run in generation 1.
    pub async fn tenant(&self, slug: &str, heartbeat: HeartbeatMode) -> TenantId {
        let id = TenantId::generate();
        let new = NewTenant {
            id,
            name: slug.to_owned(),
            slug_base: slug.to_owned(),
            phone: None,
            worker_name: format!("worker-{slug}"),
            runtime: RuntimeKind::Local,
            config: api::tenant::TenantConfig {
                greeting: String::new(),
                rate_limit_max_per_minute: 10,
                command: None,
                cwd: None,
                env: BTreeMap::new(),
                heartbeat,
            },
        };
        let mut record = self.plane.store.create(new).await.unwrap();
        record.worker.generation = 1;
        self.plane.fleet.insert(record);
        id
    }

    /// The token of the tenant's worker.
    pub fn worker(&self, tenant: TenantId) -> String {
        self.plane.link_key.token(Bearer { tenant, generation: 1 })
    }

    pub async fn call(&self, request: Request<Body>) -> Answer {
        let answer = self.routes.clone().oneshot(request).await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let bytes = to_bytes(answer.into_body(), 64 << 20).await.unwrap();
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        Answer { status, headers, body }
    }

    /// The status of an answer and its problem's code; the body of any other answer may have no end.
    pub async fn outcome(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
    ) -> (u16, String) {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = self.routes.clone().oneshot(request.body(Body::empty()).unwrap()).await;
        let answer = answer.unwrap();
        let status = answer.status().as_u16();
        let kind = answer.headers().get("content-type").map(|kind| kind.to_str().unwrap());
        if kind != Some("application/problem+json") {
            return (status, String::new());
        }
        let bytes = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        let problem: Value = serde_json::from_slice(&bytes).unwrap();
        (status, problem["code"].as_str().unwrap().to_owned())
    }

    /// A request with headers and a JSON body.
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = match body {
            None => Body::empty(),
            Some(body) => {
                request = request.header("content-type", "application/json");
                Body::from(body.to_string())
            }
        };
        self.call(request.body(body).unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call(request(Method::GET, path, Some(ADMIN)).body(Body::empty()).unwrap()).await
    }

    /// Asks to send a message.
    pub async fn send(&self, tenant: &str, key: Option<&str>, body: Value) -> Answer {
        let path = format!("/v1/tenants/{tenant}/messages");
        let mut request =
            request(Method::POST, &path, Some(ADMIN)).header("content-type", "application/json");
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        self.call(request.body(Body::from(body.to_string())).unwrap()).await
    }

    pub async fn upload(&self, tenant: &str, file: Vec<u8>) -> Answer {
        let path = format!("/v1/tenants/{tenant}/media");
        let request = request(Method::POST, &path, Some(ADMIN));
        self.call(request.body(Body::from(file)).unwrap()).await
    }

    /// The next `count` commands on a new stream of the tenant's worker.
    pub async fn commands(&self, tenant: TenantId, count: usize) -> Vec<Value> {
        let request = request(Method::GET, "/link/v1/commands", Some(&self.worker(tenant)));
        let answer = self.routes.clone().oneshot(request.body(Body::empty()).unwrap()).await;
        let mut chunks = answer.unwrap().into_body().into_data_stream();
        let mut commands = Vec::new();
        while commands.len() < count {
            let wait = tokio::time::timeout(Duration::from_secs(30), chunks.next());
            let chunk = wait.await.expect("a command comes").unwrap().unwrap();
            let text = String::from_utf8(chunk.to_vec()).unwrap();
            let lines = text.lines().filter_map(|line| line.strip_prefix("data: "));
            commands.extend(lines.map(|line| serde_json::from_str::<Value>(line).unwrap()));
        }
        commands
    }

    /// The tenant's worker tells of events.
    pub async fn tell(&self, tenant: TenantId, events: Value) -> Answer {
        let body = json!({"generation": 1, "store_id": tenant, "events": events});
        let request = request(Method::POST, "/link/v1/events", Some(&self.worker(tenant)))
            .header("content-type", "application/json");
        self.call(request.body(Body::from(body.to_string())).unwrap()).await
    }
}

pub fn request(method: Method, path: &str, token: Option<&str>) -> axum::http::request::Builder {
    let request = Request::builder().method(method).uri(path);
    match token {
        Some(token) => request.header("authorization", format!("Bearer {token}")),
        None => request,
    }
}

async fn plane(home: &Path, more: &[(&str, &str)]) -> ControlPlane {
    let mut flags = BTreeMap::from([("home", home.display().to_string())]);
    flags.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
    let settings = config::load(flags, &|_| None).unwrap().settings;
    startup::directories(&settings).unwrap();
    let store = Store::open(settings.database_url.expose()).await.unwrap();
    let nothing = SupervisorCommand { program: "/bin/false".into(), args: Vec::new() };
    let local = LocalRuntime::new(settings.home.supervisor_socket(), nothing).unwrap();
    let pm2 = Pm2Settings {
        program: "/bin/false".into(),
        home: home.join("pm2"),
        interval: Duration::from_secs(3600),
    };
    let pm2 = Pm2Runtime::new(pm2);
    let brand = Brands::open(store.clone()).await.unwrap();
    let doctor = doctor::tests::that_says(doctor::tests::WELL);
    let people = People::open(store.clone(), &settings).await.unwrap();
    ControlPlane {
        people,
        admin: credential::administrator(Actor::AdminToken),
        brand,
        doctor,
        backups: Kept::default(),
        started_at: Utc::now(),
        listening: OnceLock::new(),
        link_key: LinkKey::load(&home.join("link.key")).unwrap(),
        settings,
        store,
        fleet: Fleet::default(),
        runtimes: Runtimes::new(Arc::new(local), Arc::new(pm2), BTreeSet::new()),
        reconciler: Reconciler::default(),
        recorder: recorder::channel().0,
        metrics: Metrics::default(),
        settled: Notify::new(),
        admin_token_hash: token::hash(ADMIN),
        figures: Figures::default(),
        dashboard: Dashboard::default(),
        heavy: Arc::default(),
        limits: Arc::new(Limits::new(Rate::NONE, Rate::NONE)),
    }
}
