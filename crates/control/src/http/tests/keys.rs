//! Keys for programs, and what none but administrators may say.

use api::access::{Permission, TenantRole};
use axum::http::Method;
use serde_json::json;

use super::people::PASSWORD;
use super::stage::Stage;
use crate::token;

#[tokio::test]
async fn keys_are_shown_once_and_good_until_they_are_deleted() {
    let stage = Stage::new().await;
    stage.tenant("duka", api::worker::HeartbeatMode::Link).await;
    let create = |body| stage.as_admin(Method::POST, "/admin/keys", Some(body));
    let mistakes = [
        (json!({"name": "", "scopes": ["read"]}), "name"),
        (json!({"name": "a", "scopes": []}), "scopes"),
        (json!({"name": "a", "scopes": ["people"]}), "scopes"),
        (json!({"name": "a", "scopes": ["admin"], "tenant": "duka"}), "scopes"),
        (json!({"name": "a", "scopes": ["read"], "tenant": "lost"}), "tenant"),
        (json!({"name": "a", "scopes": ["read"], "expires_in_days": 0}), "expires_in_days"),
    ];
    for (body, field) in mistakes {
        assert_eq!(create(body.clone()).await.fields(), [field], "{body}");
    }
    let made = create(json!({"name": "shop", "scopes": ["send", "read", "send"], "tenant": "duka", "expires_in_days": 30})).await;
    let secret = made.body["secret"].as_str().unwrap();
    assert_eq!(made.body["key"]["scopes"], json!(["read", "send"]));
    let with = |name: &'static str, value: String| {
        let stage = &stage;
        async move { stage.ask(Method::GET, "/v1/tenants/duka/messages", &[(name, &value)], None).await }
    };
    assert_eq!(with("authorization", format!("bearer {secret}")).await.status, 200);
    assert_eq!(with("x-api-key", secret.to_owned()).await.status, 200);
    let listed = stage.as_admin(Method::GET, "/admin/keys", None).await.body;
    assert!(!listed.to_string().contains(secret));
    let key = &listed["items"][0];
    assert!(secret.starts_with(key["prefix"].as_str().unwrap()));
    assert!(key["last_used_at"].is_string() && key["created_by"] == "admin-token");
    // What is kept is not the secret, and comes back after a restart.
    let keys = stage.plane.store.api_keys().await.unwrap();
    assert_eq!((keys.len(), keys[0].hash.as_str()), (1, token::hash(secret).as_str()));
    let path = format!("/admin/keys/{}", key["id"].as_str().unwrap());
    assert_eq!(stage.as_admin(Method::DELETE, &path, None).await.status, 204);
    assert_eq!(stage.as_admin(Method::DELETE, &path, None).await.code(), (404, "unknown_key"));
    assert_eq!(with("x-api-key", secret.to_owned()).await.code(), (401, "unauthorized"));
    assert_eq!(stage.as_admin(Method::DELETE, "/admin/keys/x", None).await.status, 404);
}

#[tokio::test]
async fn what_runs_on_the_machine_is_for_administrators() {
    let stage = Stage::new().await;
    stage.tenant("duka", api::worker::HeartbeatMode::Link).await;
    let key = stage.key(&[Permission::Settings, Permission::Read], None).await;
    let ask = |method, path: &'static str, body| {
        let (stage, key) = (&stage, format!("Bearer {key}"));
        async move { stage.ask(method, path, &[("authorization", &key)], Some(body)).await }
    };
    for (field, value) in [
        ("command", json!(["/bin/sh"])),
        ("cwd", json!("/")),
        ("env", json!({"A": "b"})),
        ("heartbeat", json!("process")),
    ] {
        let made = ask(Method::POST, "/admin/tenants", json!({"name": "x", field: value})).await;
        assert_eq!(made.code(), (403, "forbidden"), "{field}");
        let changed = ask(Method::PATCH, "/admin/tenants/duka", json!({field: value})).await;
        assert_eq!(changed.code(), (403, "forbidden"), "{field}");
    }
    let greeted = ask(Method::PATCH, "/admin/tenants/duka", json!({"greeting": "Karibu"})).await;
    assert_eq!(greeted.status, 200);
    assert_eq!(ask(Method::POST, "/admin/tenants", json!({"name": "x"})).await.status, 201);
}

#[tokio::test]
async fn a_tenant_takes_its_keys_and_places_along() {
    let stage = Stage::new().await;
    let duka = stage.tenant("duka", api::worker::HeartbeatMode::Link).await;
    let key = stage.key(&[Permission::Read], Some("duka")).await;
    stage.person("amina@example.com", None, Some(("duka", TenantRole::Owner))).await;
    stage.plane.store.delete(duka).await.unwrap();
    stage.plane.people.forget_tenant(duka);
    let answer = stage.ask(Method::GET, "/auth/session", &[("x-api-key", &key)], None).await;
    assert_eq!(answer.status, 401);
    let amina = stage.sign_in("amina@example.com", PASSWORD).await.unwrap();
    assert_eq!(stage.session(&amina.cookie).await.body["grants"], json!([]));
    assert!(stage.plane.store.users().await.unwrap()[0].memberships.is_empty());
}

/// The end of a stream's body; panics when it does not come.
async fn ends(answer: axum::response::Response) {
    let body = axum::body::to_bytes(answer.into_body(), 1 << 20);
    tokio::time::timeout(std::time::Duration::from_secs(20), body).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_stream_ends_with_the_credential_that_it_was_asked_for_with() {
    use tower::ServiceExt as _;
    let stage = Stage::new().await;
    stage.tenant("duka", api::worker::HeartbeatMode::Link).await;
    stage.person("amina@example.com", None, Some(("duka", TenantRole::Owner))).await;
    let amina = stage.sign_in("amina@example.com", PASSWORD).await.unwrap();
    let key = stage.key(&[Permission::Control], Some("duka")).await;
    let follow = async |path: &str, name: &str, value: &str| {
        let request = axum::http::Request::get(path).header(name, value);
        let request = request.body(axum::body::Body::empty()).unwrap();
        let answer = stage.routes.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), 200);
        answer
    };
    let of_tenant = "/admin/tenants/duka/session/events";
    let by_key = follow(of_tenant, "x-api-key", &key).await;
    let by_person = follow("/portal/tenant/current/session/events", "cookie", &amina.cookie).await;
    let listed = stage.as_admin(Method::GET, "/admin/keys", None).await.body;
    let path = format!("/admin/keys/{}", listed["items"][0]["id"].as_str().unwrap());
    assert_eq!(stage.as_admin(Method::DELETE, &path, None).await.status, 204);
    ends(by_key).await;
    // Staff may not see the codes: what was allowed to the owner ends with the role.
    let body = json!({"tenants": [{"tenant": "duka", "role": "STAFF"}]});
    let path = "/admin/users/amina@example.com";
    assert_eq!(stage.as_admin(Method::PATCH, path, Some(body)).await.status, 200);
    ends(by_person).await;
}
