//! One tenant cannot reach another, and nobody without a credential reaches any.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use api::client::LinkClient;
use api::link::{Heartbeat, SessionReport};
use api::worker::LifecycleAction;
use e2e::{Installation, Setup, eventually};

const PORTAL_KEY: &str = "a-portal-key-of-some-length";

async fn stage() -> Installation {
    let env = vec![("PORTAL_INTERNAL_KEY".to_owned(), PORTAL_KEY.to_owned())];
    Installation::with(Setup { env }).await
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn beat(generation: u64) -> Heartbeat {
    Heartbeat {
        generation,
        incarnation: 0,
        pid: None,
        session: SessionReport::default(),
        config_version: 0,
        health: None,
    }
}

#[tokio::test]
async fn sessions_logs_and_tokens_are_apart() {
    let stage = stage().await;
    let one = stage.tenant("One", "+254700000001").await;
    let two = stage.tenant("Two", "+254700000002").await;
    for tenant in [&one, &two] {
        stage.act(tenant, LifecycleAction::Start).await;
        let id = tenant.id.to_string();
        assert_eq!(mode(&stage.home().join("sessions").join(&id)), 0o700);
        assert_eq!(mode(&stage.home().join("run/tokens").join(&id)), 0o600);
        let log = stage.home().join(format!("logs/{id}.log"));
        eventually("the worker writes its log", async || {
            fs::metadata(&log).ok().filter(|log| log.len() > 0)
        })
        .await;
        assert_eq!(mode(&log), 0o600);
    }
    let log = fs::read_to_string(stage.home().join(format!("logs/{}.log", one.id))).unwrap();
    assert!(!log.contains(&two.id.to_string()), "nothing of the other tenant");
    for dir in ["run", "run/tokens", "logs"] {
        assert_eq!(mode(&stage.home().join(dir)), 0o700, "{dir}");
    }
    for secret in ["admin.token", "link.key", "tenantry.db", "run/link.sock", "run/supervisor.sock"]
    {
        assert_eq!(mode(&stage.home().join(secret)), 0o600, "{secret}");
    }
}

#[tokio::test]
async fn a_worker_token_is_good_for_its_tenant_and_generation_alone() {
    let stage = stage().await;
    let one = stage.tenant_with("One", &["sleep", "1000"]).await;
    let generation = stage.act(&one, LifecycleAction::Start).await.worker.generation;
    let address = format!("unix:{}", stage.home().join("run/link.sock").display());
    let token =
        fs::read_to_string(stage.home().join("run/tokens").join(one.id.to_string())).unwrap();
    let link = LinkClient::new(&address, &token).unwrap();
    link.heartbeat(&beat(generation)).await.unwrap();

    for wrong in [
        String::new(),
        stage.token(),
        token.replace(&one.id.to_string(), &api::TenantId::generate().to_string()),
    ] {
        let client = LinkClient::new(&address, &wrong).unwrap();
        let error = client.heartbeat(&beat(generation)).await.unwrap_err();
        assert_eq!((error.status(), error.code()), (Some(401), Some("unauthorized")));
    }
    let error = link.heartbeat(&beat(generation + 1)).await.unwrap_err();
    assert_eq!(error.status(), Some(422), "it cannot speak for another generation");

    stage.act(&one, LifecycleAction::Restart).await;
    let error = link.heartbeat(&beat(generation)).await.unwrap_err();
    assert_eq!((error.status(), error.code()), (Some(409), Some("stale_generation")));
    // The token is no key to the operators' routes.
    let admin = api::client::AdminClient::new(&stage.url().unwrap(), &token).unwrap();
    assert_eq!(admin.tenants().await.unwrap_err().status(), Some(401));
}

#[tokio::test]
async fn the_portal_shows_one_tenant_to_who_has_the_key() {
    let stage = stage().await;
    let one = stage.tenant("One", "+254700000001").await;
    let url = stage.url().unwrap();
    let http = reqwest::Client::new();
    let get = async |path: &str, key: Option<&str>, tenant: Option<&str>| {
        let mut request = http.get(format!("{url}{path}"));
        if let Some(key) = key {
            request = request.header("x-portal-key", key);
        }
        if let Some(tenant) = tenant {
            request = request.header("x-tenant-id", tenant);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json::<serde_json::Value>().await.unwrap())
    };
    let id = one.id.to_string();
    for prefix in ["/portal", "/api/portal"] {
        for what in ["status", "logs", "qr", "messages"] {
            let path = format!("{prefix}/tenant/current/{what}");
            let (status, body) = get(&path, Some(PORTAL_KEY), Some(&id)).await;
            assert_eq!(status, 200, "{path}: {body}");
            assert_eq!(get(&path, None, Some(&id)).await.0, 401);
            assert_eq!(get(&path, Some("wrong-key-wrong-key"), Some(&id)).await.0, 401);
            assert_eq!(get(&path, Some(PORTAL_KEY), None).await.0, 401);
            let stranger = api::TenantId::generate().to_string();
            assert_eq!(get(&path, Some(PORTAL_KEY), Some(&stranger)).await.0, 404);
            assert_eq!(get(&path, Some(PORTAL_KEY), Some("../../etc")).await.0, 404);
        }
    }
    let (_, body) = get("/portal/tenant/current/status", Some(PORTAL_KEY), Some(&id)).await;
    assert_eq!(body["tenant_id"], id);
}
