use std::fs;
use std::path::PathBuf;

use api::TenantId;
use api::worker::{HeartbeatMode, RuntimeKind};
use axum::body::{Body, Bytes};
use axum::http::{Method, StatusCode};
use axum::{Json, Router};
use futures::{StreamExt as _, stream};
use serde_json::json;
use store::Deletion;
use tokio::net::UnixListener;
use tokio::sync::oneshot;

use crate::http::tests::stage::{ADMIN, Answer, Stage, request};
use crate::problem::Kind;
use crate::sending::uploads;
use crate::{deletion, launch};

/// A supervisor that has no processes.
fn supervise(stage: &Stage) {
    let socket = UnixListener::bind(stage.plane.settings.home.supervisor_socket()).unwrap();
    let unknown = json!({"code": "unknown_process", "message": "there is none"});
    let routes = Router::new().fallback(async move || (StatusCode::NOT_FOUND, Json(unknown)));
    tokio::spawn(async move { axum::serve(socket, routes).await });
    stage.plane.fleet.sync(RuntimeKind::Local, Vec::new());
}

/// What lies around of a tenant, the key first.
fn files(stage: &Stage, tenant: TenantId) -> Vec<PathBuf> {
    let (settings, home) = (&stage.plane.settings, &stage.plane.settings.home);
    let log = launch::log_file(home, tenant);
    vec![
        launch::session_key(home, tenant),
        launch::session_dir(settings, tenant).join("whatsapp.db"),
        home.media().join(tenant.to_string()).join("a file"),
        launch::token_file(home, tenant),
        log.with_extension("log.1"),
        log,
    ]
}

fn scatter(stage: &Stage, tenant: TenantId) -> Vec<PathBuf> {
    let files = files(stage, tenant);
    for file in &files {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "x").unwrap();
    }
    files
}

fn of(tenant: TenantId, name: &str) -> Deletion {
    let worker_name = format!("worker-{name}");
    Deletion { tenant, worker_name, runtime: RuntimeKind::Local }
}

async fn delete(stage: &Stage, name: &str) -> Answer {
    let path = format!("/admin/tenants/{name}");
    stage.call(request(Method::DELETE, &path, Some(ADMIN)).body(Body::empty()).unwrap()).await
}

/// As the next control plane does, from its start on.
async fn next_start(stage: &Stage) {
    let erased = deletion::go_on(&stage.plane.store, &stage.plane.settings).await.unwrap();
    deletion::finish(stage.plane.clone(), erased).await;
}

#[tokio::test]
async fn a_deleted_tenant_leaves_nothing() {
    let stage = Stage::new().await;
    supervise(&stage);
    let one = stage.tenant("one", HeartbeatMode::Link).await;
    let left = scatter(&stage, one);
    assert_eq!(delete(&stage, "one").await.status, 204);
    assert!(left.iter().all(|file| !file.exists()));
    assert_eq!(stage.plane.store.tenants().await.unwrap(), []);
    assert_eq!(stage.plane.store.deletions().await.unwrap(), []);
}

#[tokio::test]
async fn a_deletion_that_was_cut_off_is_finished_and_nothing_else_is_touched() {
    let stage = Stage::new().await;
    supervise(&stage);
    let store = &stage.plane.store;
    let mut left = Vec::new();
    for name in ["early", "late"] {
        let tenant = stage.tenant(name, HeartbeatMode::Link).await;
        left.extend(scatter(&stage, tenant));
        store.begin_deletion(&of(tenant, name)).await.unwrap();
        if name == "late" {
            store.delete(tenant).await.unwrap();
        }
    }
    let stays = stage.tenant("stays", HeartbeatMode::Link).await;
    let mut kept = scatter(&stage, stays);
    // Sessions that are there before their database is: a backup that is being restored, say.
    kept.extend(scatter(&stage, TenantId::generate()));
    next_start(&stage).await;
    assert!(left.iter().all(|file| !file.exists()));
    assert!(kept.iter().all(|file| file.exists()));
    let tenants: Vec<_> = store.tenants().await.unwrap().iter().map(|tenant| tenant.id).collect();
    assert_eq!(tenants, [stays]);
    assert_eq!(store.deletions().await.unwrap(), []);
    let audit = stage.get("/admin/audit").await.body;
    let told: Vec<_> = audit["items"].as_array().unwrap().iter().collect();
    assert_eq!(told.len(), 2);
    assert!(told.iter().all(|e| e["action"] == "tenant.delete" && e["actor"] == "system"));
}

#[tokio::test]
async fn what_cannot_be_deleted_yet_is_tried_again_at_the_next_start() {
    let stage = Stage::new().await;
    supervise(&stage);
    let one = stage.tenant("one", HeartbeatMode::Link).await;
    // A folder is no file: not even root can unlink it.
    let token = launch::token_file(&stage.plane.settings.home, one);
    fs::create_dir_all(&token).unwrap();
    assert_eq!(delete(&stage, "one").await.status, 204);
    next_start(&stage).await;
    assert_eq!(stage.plane.store.deletions().await.unwrap(), [of(one, "one")]);
    fs::remove_dir(&token).unwrap();
    next_start(&stage).await;
    assert_eq!(stage.plane.store.deletions().await.unwrap(), []);
}

#[tokio::test]
async fn a_key_that_cannot_be_destroyed_keeps_its_tenant() {
    let stage = Stage::new().await;
    supervise(&stage);
    let one = stage.tenant("one", HeartbeatMode::Link).await;
    let left = scatter(&stage, one);
    fs::remove_file(&left[0]).unwrap();
    fs::create_dir(&left[0]).unwrap();
    assert_eq!(delete(&stage, "one").await.code(), (500, "internal"));
    assert_eq!(stage.plane.store.deletions().await.unwrap(), [], "it was called off");
    // The same of one that was cut off.
    stage.plane.store.begin_deletion(&of(one, "one")).await.unwrap();
    next_start(&stage).await;
    assert_eq!(stage.plane.store.deletions().await.unwrap(), []);
    assert_eq!(stage.plane.store.tenants().await.unwrap().len(), 1);
    assert!(left.iter().all(|file| file.exists()));
}

#[tokio::test]
async fn an_upload_whose_tenant_is_deleted_meanwhile_is_not_kept() {
    let stage = Stage::new().await;
    supervise(&stage);
    let one = stage.tenant("one", HeartbeatMode::Link).await;
    let folder = stage.plane.settings.home.media().join(one.to_string());
    let (begun, has_begun) = oneshot::channel();
    let (go_on, may_end) = oneshot::channel::<()>();
    let first = stream::once(async move {
        begun.send(()).unwrap();
        Ok::<_, std::io::Error>(Bytes::from_static(b"one half"))
    });
    let second = stream::once(async move {
        may_end.await.unwrap();
        Ok(Bytes::from_static(b", and the other"))
    });
    let path = "/v1/tenants/one/media";
    let body = Body::from_stream(first.chain(second));
    let upload = stage.call(request(Method::POST, path, Some(ADMIN)).body(body).unwrap());
    let deletion = async {
        has_begun.await.unwrap();
        assert!(folder.exists());
        assert_eq!(delete(&stage, "one").await.status, 204);
        go_on.send(()).unwrap();
    };
    let (upload, ()) = tokio::join!(upload, deletion);
    assert_eq!(upload.code(), (404, "unknown_tenant"));
    assert!(!folder.exists());
    assert_eq!(stage.plane.store.deletions().await.unwrap(), []);
    // One that was let in before, and makes its folder only now.
    let late = uploads::store(&stage.plane, one, Body::from("late")).await;
    assert_eq!(late.unwrap_err().kind(), Kind::UnknownTenant);
    assert!(!folder.exists());
}
