//! The portal: a tenant's own people, programs, and foreign portals.

use api::access::{OperatorRole, Permission, TenantRole};
use api::worker::HeartbeatMode;
use axum::Extension;
use axum::http::Method;
use serde_json::json;

use super::people::PASSWORD;
use super::stage::Stage;
use crate::http::peer::Peer;

const STATUS: &str = "/portal/tenant/current/status";

#[tokio::test]
async fn who_belongs_to_one_tenant_need_not_name_it() {
    let stage = Stage::new().await;
    let one = stage.tenant("one", HeartbeatMode::Link).await;
    let two = stage.tenant("two", HeartbeatMode::Link).await;
    let id = stage.person("amina@example.com", None, Some(("one", TenantRole::Owner))).await;
    let amina = stage.sign_in("amina@example.com", PASSWORD).await.unwrap();
    let status = async |headers: &[(&str, &str)], query: &str| {
        let mut all = vec![("cookie", amina.cookie.as_str())];
        all.extend(headers);
        stage.ask(Method::GET, &format!("{STATUS}{query}"), &all, None).await
    };
    assert_eq!(status(&[], "").await.body["tenant_id"], json!(one));
    assert_eq!(
        status(&[("x-tenant-id", &two.to_string())], "").await.code(),
        (404, "unknown_tenant")
    );
    let body = json!({"tenants": [{"tenant": "one", "role": "OWNER"}, {"tenant": "two", "role": "STAFF"}]});
    let path = format!("/admin/users/{id}");
    assert_eq!(stage.as_admin(Method::PATCH, &path, Some(body)).await.status, 200);
    assert_eq!(status(&[], "").await.code(), (400, "tenant_not_named"));
    assert_eq!(status(&[("x-tenant-id", &two.to_string())], "").await.body["name"], "two");
    assert_eq!(status(&[], &format!("?tenant={one}")).await.body["name"], "one");
    assert_eq!(status(&[("x-tenant-id", "two")], "").await.status, 404, "not by its name");
    // What may be done is that of the tenant that is named.
    let stop = async |tenant: String| {
        let headers = [
            ("cookie", amina.cookie.as_str()),
            ("x-csrf-token", amina.csrf.as_str()),
            ("x-tenant-id", tenant.as_str()),
        ];
        let path = "/portal/tenant/current/settings";
        stage.ask(Method::PATCH, path, &headers, Some(json!({"greeting": "Habari"}))).await.status
    };
    assert_eq!((stop(one.to_string()).await, stop(two.to_string()).await), (200, 403));
}

#[tokio::test]
async fn a_foreign_portal_sees_the_tenant_that_it_names_from_where_it_may_call() {
    let key = "the-portal-key-of-tests";
    let settings = [("portal_internal_key", key), ("portal_addresses", "10.0.0.0/8, 192.0.2.7")];
    let mut stage = Stage::with(&settings).await;
    let one = stage.tenant("one", HeartbeatMode::Link).await.to_string();
    let headers = [("x-portal-key", key), ("x-tenant-id", one.as_str())];
    let from_nowhere = stage.ask(Method::GET, STATUS, &headers, None).await;
    assert_eq!(from_nowhere.code(), (403, "portal_address"));
    let routes = stage.routes.clone();
    for (address, status) in [("10.1.2.3", 200), ("192.0.2.7", 200), ("192.0.2.8", 403)] {
        let peer = Peer { address: address.parse().unwrap(), tls: false };
        stage.routes = routes.clone().layer(Extension(peer));
        assert_eq!(
            stage.ask(Method::GET, STATUS, &headers, None).await.status,
            status,
            "{address}"
        );
    }
    let peer = Peer { address: "10.0.0.1".parse().unwrap(), tls: false };
    stage.routes = routes.layer(Extension(peer));
    let unnamed = stage.ask(Method::GET, STATUS, &headers[..1], None).await;
    assert_eq!(unnamed.code(), (401, "unauthorized"));
    let stop = "/portal/tenant/current/worker/stop";
    assert_eq!(stage.ask(Method::POST, stop, &headers, None).await.code(), (403, "forbidden"));
    let alias = stage.ask(Method::GET, &format!("/api{STATUS}"), &headers, None).await;
    assert_eq!(alias.body["tenant_id"], json!(one));
}

#[tokio::test]
async fn a_foreign_portal_needs_a_key_to_be_set() {
    let stage = Stage::new().await;
    let headers = [("x-portal-key", ""), ("x-tenant-id", "x")];
    assert_eq!(
        stage.ask(Method::GET, STATUS, &headers, None).await.code(),
        (403, "portal_disabled")
    );
}

#[tokio::test]
async fn an_owner_invites_nobody_without_a_mail_server_and_sees_their_own_people() {
    let stage = Stage::new().await;
    stage.tenant("one", HeartbeatMode::Link).await;
    stage.tenant("two", HeartbeatMode::Link).await;
    stage.person("amina@example.com", None, Some(("one", TenantRole::Owner))).await;
    let juma = stage.person("juma@example.com", None, Some(("one", TenantRole::Staff))).await;
    let asha = stage.person("asha@example.com", None, Some(("two", TenantRole::Owner))).await;
    stage.person("root@example.com", Some(OperatorRole::Admin), None).await;
    let amina = stage.sign_in("amina@example.com", PASSWORD).await.unwrap();
    let path = "/portal/tenant/current/people";
    let listed = stage.as_person(&amina, Method::GET, path, None).await.body;
    let emails: Vec<_> =
        listed["items"].as_array().unwrap().iter().map(|it| &it["email"]).collect();
    assert_eq!(emails, ["amina@example.com", "juma@example.com"]);
    let add = json!({"email": "new@example.com", "role": "STAFF"});
    let added = stage.as_person(&amina, Method::POST, path, Some(add)).await;
    assert_eq!(added.code(), (409, "mail_not_configured"));
    let remove = async |id: uuid::Uuid| {
        stage.as_person(&amina, Method::DELETE, &format!("{path}/{id}"), None).await
    };
    assert_eq!(remove(asha).await.code(), (404, "unknown_user"), "not theirs");
    assert_eq!(remove(juma).await.status, 204);
    assert!(stage.plane.people.directory.read().user(juma).unwrap().record.memberships.is_empty());
    let key = stage.key(&[Permission::Read], Some("one")).await;
    let by_key = stage.ask(Method::GET, path, &[("x-api-key", &key)], None).await;
    assert_eq!(by_key.code(), (403, "forbidden"));
}
