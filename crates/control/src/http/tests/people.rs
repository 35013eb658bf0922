//! People: set-up, invitations, sign-in, two steps, sessions, keys.

use api::access::{OperatorRole, Permission, TenantRole};
use axum::http::Method;
use chrono::{Duration, Utc};
use serde_json::{Value, json};
use store::KeyRecord;
use uuid::Uuid;

use super::stage::{ADMIN, Answer, Stage};
use crate::people::accounts::NewUser;
use crate::token;

pub const PASSWORD: &str = "ninapenda ugali na sukuma";

/// Somebody who has signed in.
pub struct Signed {
    pub cookie: String,
    pub csrf: String,
}

impl Signed {
    pub fn headers(&self) -> Vec<(String, String)> {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        vec![header("cookie", &self.cookie), header("x-csrf-token", &self.csrf)]
    }
}

impl Stage {
    pub async fn as_admin(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        self.ask(method, path, &[("authorization", &format!("Bearer {ADMIN}"))], body).await
    }

    pub async fn as_person(
        &self,
        who: &Signed,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Answer {
        let headers = [("cookie", who.cookie.as_str()), ("x-csrf-token", who.csrf.as_str())];
        self.ask(method, path, &headers, body).await
    }

    pub async fn key(&self, scopes: &[Permission], tenant: Option<&str>) -> String {
        let body = json!({"name": "of a test", "scopes": scopes, "tenant": tenant});
        let made = self.as_admin(Method::POST, "/admin/keys", Some(body)).await;
        assert_eq!(made.status, 201, "{}", made.body);
        made.body["secret"].as_str().unwrap().to_owned()
    }

    pub async fn expired_key(&self) -> String {
        let secret = format!("tnt_{}", token::secret().unwrap());
        let record = KeyRecord {
            id: Uuid::now_v7(),
            name: "old".to_owned(),
            prefix: secret[..12].to_owned(),
            hash: token::hash(&secret),
            scopes: vec![Permission::Admin],
            tenant: None,
            created_by: "system".to_owned(),
            created_at: Utc::now() - Duration::days(2),
            expires_at: Some(Utc::now() - Duration::seconds(1)),
            last_used_at: None,
        };
        self.plane.people.directory.write().put_key(record);
        secret
    }

    /// Somebody whose password is [`PASSWORD`].
    pub async fn person(
        &self,
        email: &str,
        role: Option<OperatorRole>,
        tenant: Option<(&str, TenantRole)>,
    ) -> Uuid {
        let place = |(slug, role)| (self.plane.fleet.find(slug).unwrap().id, role);
        let hash = self.plane.people.checked_hash("password", PASSWORD.to_owned(), email).await;
        let new = NewUser {
            email: email.to_owned(),
            name: email.to_owned(),
            role,
            memberships: tenant.map(place).into_iter().collect(),
            password_hash: Some(hash.unwrap()),
        };
        self.plane.people.create(new).await.unwrap().record.id
    }

    pub async fn try_sign_in(&self, body: Value) -> Answer {
        self.ask(Method::POST, "/auth/sign-in", &[], Some(body)).await
    }

    pub async fn sign_in(&self, email: &str, password: &str) -> Option<Signed> {
        let answer = self.try_sign_in(json!({"email": email, "password": password})).await;
        let csrf = answer.body["csrf_token"].as_str()?.to_owned();
        Some(Signed { cookie: answer.cookie()?, csrf })
    }

    pub async fn session(&self, cookie: &str) -> Answer {
        self.ask(Method::GET, "/auth/session", &[("cookie", cookie)], None).await
    }

    /// The actions of the audit log with their actors and results, oldest first.
    async fn audited(&self) -> Vec<(String, String, String)> {
        let page =
            self.plane.store.audit(&store::AuditSelection::default(), None, 1000).await.unwrap();
        let entry = |entry: api::audit::AuditView| (entry.action, entry.actor, entry.result);
        page.items.into_iter().rev().map(entry).collect()
    }
}

#[tokio::test]
async fn the_first_administrator_is_made_once() {
    let stage = Stage::new().await;
    let methods = async || stage.ask(Method::GET, "/auth/methods", &[], None).await.body;
    assert_eq!(methods().await["setup_needed"], false, "no link was made yet");
    let token = stage.plane.people.setup_token().unwrap().unwrap();
    assert_eq!(methods().await["setup_needed"], true);
    let wish = |token: &str, password: &str| json!({"token": token, "email": " Amina@Example.com ", "password": password});
    let set_up = async |body| stage.ask(Method::POST, "/auth/setup", &[], Some(body)).await;
    assert_eq!(set_up(wish("guessed", PASSWORD)).await.code(), (410, "link_not_good"));
    let weak = set_up(wish(&token, "short")).await;
    assert_eq!((weak.code(), weak.fields()), ((422, "invalid_field"), vec!["password"]));
    let body = wish(&token, PASSWORD);
    let (one, two) = tokio::join!(set_up(body.clone()), set_up(body.clone()));
    let mut codes = [one.status, two.status];
    codes.sort_unstable();
    assert_eq!(codes, [200, 410], "two at once do not both get in");
    assert_eq!(set_up(body).await.status, 410);
    assert_eq!(methods().await["setup_needed"], false);
    assert!(stage.plane.people.setup_token().unwrap().is_none());
    let made = if one.status == 200 { one } else { two };
    assert_eq!(made.body["user"]["email"], "amina@example.com");
    assert_eq!(stage.session(&made.cookie().unwrap()).await.status, 200);
}

#[tokio::test]
async fn an_invitation_is_good_once_and_shown_when_no_letter_goes_out() {
    let stage = Stage::with(&[("public_url", "https://bots.example.com")]).await;
    stage.tenant("duka", api::worker::HeartbeatMode::Link).await;
    let invite = |body| stage.as_admin(Method::POST, "/admin/users", Some(body));
    let nobody = invite(json!({"email": "nobody", "role": "ADMIN"})).await;
    assert_eq!(nobody.fields(), ["email"]);
    assert_eq!(invite(json!({"email": "a@b.c"})).await.fields(), ["role"]);
    let lost = json!({"email": "a@b.c", "tenants": [{"tenant": "lost", "role": "OWNER"}]});
    assert_eq!(invite(lost).await.fields(), ["tenants[0].tenant"]);
    let wish =
        json!({"email": "juma@example.com", "tenants": [{"tenant": "duka", "role": "OWNER"}]});
    let made = invite(wish.clone()).await;
    assert_eq!((made.status, &made.body["mailed"]), (201, &json!(false)));
    assert_eq!(invite(wish).await.code(), (409, "email_taken"));
    let url = made.body["link"]["url"].as_str().unwrap();
    let link = url.strip_prefix("https://bots.example.com/invitation#").unwrap();
    assert!(
        stage.sign_in("juma@example.com", PASSWORD).await.is_none(),
        "there is no password yet"
    );
    let accept = |password: &str| json!({"token": link, "password": password, "name": "Juma"});
    let use_link = async |body| stage.ask(Method::POST, "/auth/accept", &[], Some(body)).await;
    assert_eq!(use_link(accept("juma")).await.fields(), ["password"]);
    assert_eq!(use_link(accept(PASSWORD)).await.status, 204);
    assert_eq!(use_link(accept(PASSWORD)).await.code(), (410, "link_not_good"));
    let juma = stage.sign_in("JUMA@example.com", PASSWORD).await.unwrap();
    // A new link takes the place of an older one, and ends the sessions.
    let reset =
        async || stage.as_admin(Method::POST, "/admin/users/juma@example.com/reset", None).await;
    let (older, newer) = (reset().await, reset().await);
    let token = |answer: &Answer| {
        answer.body["link"]["url"].as_str().unwrap().split_once("/reset#").unwrap().1.to_owned()
    };
    let another = "kesho ni siku nyingine";
    let with = |token: String| json!({"token": token, "password": another});
    assert_eq!(use_link(with(token(&older))).await.status, 410);
    assert_eq!(use_link(with(token(&newer))).await.status, 204);
    assert_eq!(stage.session(&juma.cookie).await.status, 401);
    assert!(stage.sign_in("juma@example.com", PASSWORD).await.is_none());
    assert!(stage.sign_in("juma@example.com", another).await.is_some());
    // None of the secrets is in the answers that show accounts, nor in the database in plain.
    let shown = stage.as_admin(Method::GET, "/admin/users", None).await.body.to_string();
    assert!(!shown.contains("argon2") && !shown.contains(&token(&newer)), "{shown}");
}

#[tokio::test]
async fn signing_in_tells_nothing_and_is_written_down() {
    let stage = Stage::new().await;
    stage.person("amina@example.com", Some(OperatorRole::Viewer), None).await;
    let mut answers = Vec::new();
    for (email, password) in
        [("amina@example.com", "wrong"), ("nobody@example.com", "wrong"), ("no address", "wrong")]
    {
        answers.push(stage.try_sign_in(json!({"email": email, "password": password})).await.body);
    }
    assert!(answers.iter().all(|answer| answer == &answers[0]), "{answers:?}");
    assert_eq!(answers[0]["code"], "sign_in_failed");
    let answer =
        stage.try_sign_in(json!({"email": "amina@example.com", "password": PASSWORD})).await;
    let set = answer.headers["set-cookie"].to_str().unwrap();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(set.contains(part), "{set}");
    }
    assert!(!set.contains("Secure"), "plain HTTP on this machine: {set}");
    let info = stage.session(&answer.cookie().unwrap()).await.body;
    assert_eq!(info["user"]["email"], "amina@example.com");
    assert_eq!(info["grants"], json!([{"tenant_id": null, "permissions": ["read"]}]));
    let audited = stage.audited().await;
    let of = |actor: &str, result: &str| {
        audited.contains(&("session.sign_in".to_owned(), actor.to_owned(), result.to_owned()))
    };
    assert!(of("user amina@example.com", "ok") && of("anonymous", "sign_in_failed"));
    assert!(of("user amina@example.com", "sign_in_failed"), "{audited:?}");
}

#[tokio::test]
async fn the_cookie_is_for_encrypted_connections_where_there_are_such() {
    let stage = Stage::with(&[("public_url", "https://bots.example.com")]).await;
    stage.person("amina@example.com", Some(OperatorRole::Viewer), None).await;
    let answer =
        stage.try_sign_in(json!({"email": "amina@example.com", "password": PASSWORD})).await;
    assert!(answer.headers["set-cookie"].to_str().unwrap().contains("Secure"));
}

#[tokio::test]
async fn too_many_attempts_have_to_wait() {
    let stage = Stage::new().await;
    stage.person("amina@example.com", Some(OperatorRole::Viewer), None).await;
    let wrong = json!({"email": "amina@example.com", "password": "wrong"});
    let mut last = stage.try_sign_in(wrong.clone()).await;
    for _ in 0..13 {
        last = stage.try_sign_in(wrong.clone()).await;
    }
    assert_eq!(last.code(), (429, "too_many_sign_ins"));
    let wait: u64 = last.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=61).contains(&wait), "{wait}");
    // The right password does not help then, or the number of guesses would have no bound.
    assert!(stage.sign_in("amina@example.com", PASSWORD).await.is_none());
}

#[tokio::test]
async fn two_steps() {
    let stage = Stage::new().await;
    stage.person("amina@example.com", Some(OperatorRole::Operator), None).await;
    let amina = stage.sign_in("amina@example.com", PASSWORD).await.unwrap();
    let post = async |path: &str, body: Value| {
        stage.as_person(&amina, Method::POST, path, Some(body)).await
    };
    assert_eq!(post("/auth/totp", json!({"password": "wrong"})).await.status, 401);
    assert_eq!(post("/auth/totp/confirm", json!({"code": "123456"})).await.code().1, "wrong_code");
    let offered = post("/auth/totp", json!({"password": PASSWORD})).await;
    let secret = totp_rs::Secret::try_from_base32(offered.body["secret"].as_str().unwrap());
    let shown = totp_rs::Builder::new()
        .with_secret(secret.unwrap())
        .with_account_name("amina@example.com")
        .with_issuer(Some("Tenantry"))
        .build()
        .unwrap();
    let now = u64::try_from(Utc::now().timestamp()).unwrap();
    let code = |steps: i64| shown.generate(now.checked_add_signed(steps * 30).unwrap()).to_string();
    assert_eq!(post("/auth/totp/confirm", json!({"code": "000000"})).await.status, 422);
    assert_eq!(post("/auth/totp/confirm", json!({"code": code(-1)})).await.status, 204);
    let sign_in = async |code: Option<String>| {
        let body = json!({"email": "amina@example.com", "password": PASSWORD, "code": code});
        stage.try_sign_in(body).await
    };
    assert_eq!(sign_in(None).await.code(), (401, "code_required"));
    assert_eq!(sign_in(Some("000000".to_owned())).await.code(), (401, "sign_in_failed"));
    assert_eq!(
        sign_in(Some(code(-1))).await.status,
        401,
        "the code of the confirmation is used up"
    );
    assert_eq!(sign_in(Some(code(0))).await.status, 200);
    assert_eq!(sign_in(Some(code(0))).await.status, 401, "a code is good once");
    let removed = stage.as_admin(Method::DELETE, "/admin/users/amina@example.com/totp", None).await;
    assert_eq!(removed.status, 204);
    assert!(stage.sign_in("amina@example.com", PASSWORD).await.is_some());
}

#[tokio::test]
async fn sessions_end_when_they_are_told_to_and_by_themselves() {
    let stage =
        Stage::with(&[("session_idle_minutes", "1"), ("session_lifetime_minutes", "2")]).await;
    stage.person("amina@example.com", Some(OperatorRole::Admin), None).await;
    stage.person("juma@example.com", Some(OperatorRole::Admin), None).await;
    let sign_in = || stage.sign_in("amina@example.com", PASSWORD);
    let (one, two) = (sign_in().await.unwrap(), sign_in().await.unwrap());
    let juma = stage.sign_in("juma@example.com", PASSWORD).await.unwrap();
    let listed = stage.as_person(&one, Method::GET, "/auth/sessions", None).await.body;
    let listed = listed["items"].as_array().unwrap();
    assert_eq!((listed.len(), &listed[1]["current"]), (2, &json!(true)));
    let other = format!("/auth/sessions/{}", listed[0]["id"].as_str().unwrap());
    let foreign = stage.as_person(&juma, Method::DELETE, &other, None).await;
    assert_eq!(foreign.code(), (404, "unknown_session"), "it is not theirs");
    assert_eq!(stage.as_person(&one, Method::DELETE, &other, None).await.status, 204);
    assert_eq!(stage.session(&two.cookie).await.status, 401);
    let three = sign_in().await.unwrap();
    let out = stage.as_person(&one, Method::POST, "/auth/sign-out", None).await;
    assert_eq!(out.status, 204);
    assert!(out.headers["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
    assert_eq!(stage.session(&one.cookie).await.status, 401);
    assert_eq!(stage.session(&three.cookie).await.status, 200);
    // Another password ends the sessions elsewhere and keeps the one that changes it.
    let four = sign_in().await.unwrap();
    let body = json!({"current": PASSWORD, "new": "kesho ni siku nyingine"});
    let changed = stage.as_person(&four, Method::POST, "/auth/password", Some(body)).await;
    assert_eq!(changed.status, 204, "{}", changed.body);
    assert_eq!(stage.session(&three.cookie).await.status, 401);
    assert_eq!(stage.session(&four.cookie).await.status, 200);
    let everywhere = stage.as_person(&four, Method::POST, "/auth/sign-out-everywhere", None).await;
    assert_eq!(everywhere.status, 204);
    assert_eq!(stage.session(&four.cookie).await.status, 401);
    // By themselves: idle for too long, or too old altogether.
    let lifetime = stage.plane.people.lifetime;
    let hash = token::hash(juma.cookie.split_once('=').unwrap().1);
    let at = |seconds| {
        let later = Utc::now() + Duration::seconds(seconds);
        stage.plane.people.directory.read().by_cookie(&hash, later, lifetime).is_ok()
    };
    assert!(!at(70), "idle for 70 seconds");
    assert!(at(50) && at(100) && !at(130), "used at 50 and 100, and two minutes old then");
}

#[tokio::test]
async fn a_locked_account_is_out_at_once_and_one_administrator_stays() {
    let stage = Stage::new().await;
    stage.person("amina@example.com", Some(OperatorRole::Admin), None).await;
    let amina = stage.sign_in("amina@example.com", PASSWORD).await.unwrap();
    let change = |who: &str, body| {
        let path = format!("/admin/users/{who}");
        let stage = &stage;
        async move { stage.as_admin(Method::PATCH, &path, Some(body)).await }
    };
    let lock = json!({"disabled": true});
    assert_eq!(change("amina@example.com", lock.clone()).await.code(), (409, "last_admin"));
    let demoted = change("amina@example.com", json!({"role": "NONE"})).await;
    assert_eq!(demoted.code(), (409, "last_admin"));
    let gone = stage.as_admin(Method::DELETE, "/admin/users/amina@example.com", None).await;
    assert_eq!(gone.code(), (409, "last_admin"));
    stage.person("juma@example.com", Some(OperatorRole::Admin), None).await;
    assert_eq!(change("amina@example.com", lock).await.status, 200);
    assert_eq!(stage.session(&amina.cookie).await.status, 401);
    assert!(stage.sign_in("amina@example.com", PASSWORD).await.is_none());
    assert_eq!(change("amina@example.com", json!({"disabled": false})).await.status, 200);
    assert_eq!(
        stage.session(&amina.cookie).await.status,
        401,
        "the old session does not come back"
    );
    let demoted = change("amina@example.com", json!({"role": "VIEWER", "name": "A"})).await;
    assert_eq!((&demoted.body["role"], &demoted.body["name"]), (&json!("VIEWER"), &json!("A")));
    assert_eq!(change("nobody@example.com", json!({})).await.code(), (404, "unknown_user"));
}
