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
