//! Links with which somebody without an account connects a tenant's WhatsApp.

use std::time::Duration;

use api::TenantId;
use api::access::{Permission, TenantRole};
use api::worker::HeartbeatMode;
use axum::Extension;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request};
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::people::PASSWORD;
use super::stage::{Answer, Stage};
use crate::http::peer::Peer;
use crate::people::pair_links::{PairBearer, PairLinkKey};
use crate::token;

const FOLLOW: &str = "/portal/tenant/current/session/events";

impl Stage {
    fn link_token(&self, slug: &str, expires_at: DateTime<Utc>, epoch: u64) -> String {
        let home = self.plane.settings.home.root();
        let key = PairLinkKey::of(token::key(&home.join("people.key")).unwrap());
        let tenant = self.plane.fleet.find(slug).unwrap().id;
        key.token(PairBearer { tenant, expires_at, epoch })
    }

    /// The token of a link that is good for so many minutes from now on.
    pub fn pair_link(&self, slug: &str, minutes: i64) -> String {
        self.link_token(slug, Utc::now() + chrono::Duration::minutes(minutes), 0)
    }

    /// The same of another epoch of the tenant's links.
    pub fn pair_link_of_epoch(&self, slug: &str, epoch: u64) -> String {
        self.link_token(slug, Utc::now() + chrono::Duration::minutes(60), epoch)
    }

    /// Makes a link over HTTP; gives its token.
    async fn make_link(&self, slug: &str, body: Value) -> String {
        let path = format!("/admin/tenants/{slug}/pair-links");
        let made = self.as_admin(Method::POST, &path, Some(body)).await;
        assert_eq!(made.status, 201, "{}", made.body);
        let (_, token) = made.body["url"].as_str().unwrap().split_once("/connect#").unwrap();
        token.to_owned()
    }

    async fn with_link(&self, token: &str, method: Method, path: &str) -> Answer {
        self.ask(method, path, &[("authorization", &format!("Bearer {token}"))], None).await
    }

    async fn opened(&self, token: &str) -> Answer {
        self.ask(Method::POST, "/auth/pair-link", &[], Some(json!({"token": token}))).await
    }

    async fn follow(&self, token: &str) -> Response {
        let request = Request::get(FOLLOW).header("authorization", format!("Bearer {token}"));
        let request = request.body(Body::empty()).unwrap();
        let answer = self.routes.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), 200);
        answer
    }

    async fn audit_entries(&self, action: &str) -> Vec<(String, Option<TenantId>, String)> {
        let page = self.plane.store.audit(&store::AuditSelection::default(), None, 1000).await;
        let entries = page.unwrap().items.into_iter().filter(|entry| entry.action == action);
        entries.map(|entry| (entry.actor, entry.tenant_id, entry.detail)).collect()
    }
}

/// The end of a stream's body; panics when it does not come.
async fn ends(answer: Response) {
    let body = to_bytes(answer.into_body(), 1 << 20);
    tokio::time::timeout(Duration::from_secs(20), body).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_link_connects_its_tenant_and_does_nothing_else() {
    let stage = Stage::with(&[("public_url", "https://bots.example.com")]).await;
    let id = stage.tenant("duka", HeartbeatMode::Link).await;
    stage.tenant("elsewhere", HeartbeatMode::Link).await;
    let path = "/admin/tenants/duka/pair-links";
    let made = stage.as_admin(Method::POST, path, Some(json!({}))).await;
    let url = made.body["url"].as_str().unwrap();
    let token = url.strip_prefix("https://bots.example.com/connect#").unwrap();
    assert!(token.starts_with("tnp_"));
    let until: DateTime<Utc> = made.body["expires_at"].as_str().unwrap().parse().unwrap();
    let minutes = (until - Utc::now()).num_seconds().div_euclid(60);
    assert!((59..=60).contains(&minutes), "{minutes}");

    let opened = stage.opened(token).await;
    assert_eq!(
        opened.body,
        json!({"tenant_id": id, "tenant_name": "duka", "expires_at": made.body["expires_at"]})
    );
    let session = stage.with_link(token, Method::GET, "/auth/session").await.body;
    assert_eq!(session["actor"], "pair-link");
    assert_eq!(session["grants"], json!([{"tenant_id": id, "permissions": ["pair"]}]));
    let qr = stage.with_link(token, Method::GET, "/portal/tenant/current/qr").await;
    assert_eq!(qr.body["state"], "DISCONNECTED");
    let forbidden = [
        (Method::GET, "/portal/tenant/current/status"),
        (Method::GET, "/portal/tenant/current/messages"),
        (Method::POST, "/portal/tenant/current/worker/start"),
        (Method::POST, "/portal/tenant/current/pair-links"),
        (Method::POST, "/admin/tenants/duka/session/reset"),
        (Method::GET, "/admin/tenants"),
        (Method::GET, "/admin/system"),
    ];
    for (method, path) in forbidden {
        assert_eq!(stage.with_link(token, method, path).await.code(), (403, "forbidden"), "{path}");
    }
    let other = stage.with_link(token, Method::GET, "/admin/tenants/elsewhere/qr").await;
    assert_eq!(other.code(), (404, "unknown_tenant"));
    let entries = stage.audit_entries("pair_link.create").await;
    assert_eq!((entries.len(), &*entries[0].0, entries[0].1), (1, "admin-token", Some(id)));
    assert!(!entries[0].2.contains("tnp_"), "the token is nowhere: {}", entries[0].2);
}

#[tokio::test]
async fn what_is_asked_for_is_bounded() {
    let stage = Stage::new().await;
    stage.tenant("duka", HeartbeatMode::Link).await;
    let make = async |minutes: Value| {
        let body = json!({"expires_in_minutes": minutes});
        stage.as_admin(Method::POST, "/admin/tenants/duka/pair-links", Some(body)).await
    };
    for wrong in [0, 4, 10_081] {
        assert_eq!(make(wrong.into()).await.fields(), ["expires_in_minutes"], "{wrong}");
    }
    for right in [5, 10_080] {
        assert_eq!(make(right.into()).await.status, 201, "{right}");
    }
    assert_eq!(make(json!(-5)).await.code(), (422, "invalid_body"));
}

#[tokio::test]
async fn who_may_control_a_tenant_makes_links_for_it() {
    let stage = Stage::new().await;
    stage.tenant("duka", HeartbeatMode::Link).await;
    stage.person("amina@example.com", None, Some(("duka", TenantRole::Owner))).await;
    stage.person("juma@example.com", None, Some(("duka", TenantRole::Staff))).await;
    let amina = stage.sign_in("amina@example.com", PASSWORD).await.unwrap();
    let juma = stage.sign_in("juma@example.com", PASSWORD).await.unwrap();
    let path = "/portal/tenant/current/pair-links";
    let body = || Some(json!({"expires_in_minutes": 30}));
    let made = stage.as_person(&amina, Method::POST, path, body()).await;
    let (_, token) = made.body["url"].as_str().unwrap().split_once('#').unwrap();
    assert_eq!(stage.opened(token).await.body["tenant_name"], "duka");
    assert_eq!(stage.as_person(&juma, Method::POST, path, body()).await.code(), (403, "forbidden"));
    assert_eq!(stage.as_person(&juma, Method::DELETE, path, None).await.code(), (403, "forbidden"));
    let key = stage.key(&[Permission::Pair], Some("duka")).await;
    let by_key = stage.ask(Method::POST, path, &[("x-api-key", &key)], body()).await;
    assert_eq!(by_key.code(), (403, "forbidden"), "who may pair may not let others");
    let qr = stage.ask(Method::GET, "/admin/tenants/duka/qr", &[("x-api-key", &key)], None).await;
    assert_eq!(qr.status, 200);
    let status = "/admin/tenants/duka/status";
    let status = stage.ask(Method::GET, status, &[("x-api-key", &key)], None).await;
    assert_eq!(status.code(), (403, "forbidden"));
}

#[tokio::test]
async fn links_that_were_taken_back_are_good_for_nothing() {
    let stage = Stage::new().await;
    let id = stage.tenant("duka", HeartbeatMode::Link).await;
    stage.tenant("elsewhere", HeartbeatMode::Link).await;
    let token = stage.make_link("duka", json!({})).await;
    let other = stage.make_link("elsewhere", json!({})).await;
    let (stream, kept) = (stage.follow(&token).await, stage.follow(&other).await);
    let taken = stage.as_admin(Method::DELETE, "/admin/tenants/duka/pair-links", None).await;
    assert_eq!(taken.status, 204);
    ends(stream).await;
    let refused = stage.opened(&token).await;
    assert_eq!(refused.code(), (410, "invalid_pair_link"));
    let detail = "this link is no longer good; ask for a new one";
    assert_eq!(refused.body["detail"], detail);
    let qr = stage.with_link(&token, Method::GET, "/portal/tenant/current/qr").await;
    assert_eq!(qr.code(), (401, "unauthorized"));
    assert_eq!(stage.opened(&other).await.status, 200, "another tenant's stay");
    assert_eq!(stage.opened(&stage.make_link("duka", json!({})).await).await.status, 200);
    let entries = stage.audit_entries("pair_link.take_back").await;
    assert_eq!((entries.len(), entries[0].1), (1, Some(id)));
    // After a restart too: the store keeps it.
    assert_eq!(stage.plane.store.tenant(id).await.unwrap().pair_epoch, 1);
    // A change of the settings does not bring them back.
    let body = json!({"greeting": "Karibu"});
    assert_eq!(stage.as_admin(Method::PATCH, "/admin/tenants/duka", Some(body)).await.status, 200);
    assert_eq!(stage.opened(&token).await.status, 410);
    drop(kept);
}

#[tokio::test]
async fn a_link_ends_by_itself_and_with_its_tenant() {
    let stage = Stage::new().await;
    let id = stage.tenant("duka", HeartbeatMode::Link).await;
    // Whole seconds: the one after the next is between one and two seconds away.
    let soon = DateTime::from_timestamp(Utc::now().timestamp() + 2, 0).unwrap();
    let token = stage.link_token("duka", soon, 0);
    let begun = std::time::Instant::now();
    ends(stage.follow(&token).await).await;
    assert!(Utc::now() >= soon && begun.elapsed() < Duration::from_secs(10));
    assert_eq!(stage.opened(&token).await.code(), (410, "invalid_pair_link"));
    let token = stage.make_link("duka", json!({})).await;
    stage.plane.store.delete(id).await.unwrap();
    stage.plane.fleet.remove(id);
    assert_eq!(stage.opened(&token).await.code(), (410, "invalid_pair_link"));
    let qr = stage.with_link(&token, Method::GET, "/portal/tenant/current/qr").await;
    assert_eq!(qr.code(), (401, "unauthorized"));
}

#[tokio::test]
async fn wrong_links_are_counted_and_right_ones_are_not() {
    let mut stage = Stage::new().await;
    stage.tenant("duka", HeartbeatMode::Link).await;
    let token = stage.make_link("duka", json!({})).await;
    let peer = Peer { address: "192.0.2.7".parse().unwrap(), tls: false };
    stage.routes = stage.routes.clone().layer(Extension(peer));
    for _ in 0..40 {
        assert_eq!(stage.opened(&token).await.status, 200);
    }
    let mut answers = Vec::new();
    for number in 0..40 {
        answers.push(stage.opened(&format!("tnp_{number:0128}")).await.status);
    }
    assert_eq!(answers.iter().filter(|status| **status == 410).count(), 30, "{answers:?}");
    assert!(answers.ends_with(&[429]));
    assert_eq!(stage.opened(&token).await.status, 200);
}

#[tokio::test]
async fn whoever_uses_a_link_leaves_an_entry_whatever_they_ask_for() {
    let stage = Stage::new().await;
    let id = stage.tenant("duka", HeartbeatMode::Link).await;
    let token = stage.pair_link("duka", 60);
    for _ in 0..3 {
        // Seeing the code is all that it takes to link a phone.
        let seen = stage.with_link(&token, Method::GET, "/portal/tenant/current/qr").await;
        assert_eq!(seen.status, 200);
    }
    let uses = stage.audit_entries("pair_link.use").await;
    assert_eq!(uses, [("pair-link".to_owned(), Some(id), String::new())]);
    let other = stage.tenant("salon", HeartbeatMode::Link).await;
    assert_eq!(stage.opened(&stage.pair_link("salon", 60)).await.status, 200);
    let uses = stage.audit_entries("pair_link.use").await;
    assert!(uses.iter().any(|(_, tenant, _)| *tenant == Some(other)), "{uses:?}");
}
