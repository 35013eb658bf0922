//! Bad input meets a clear error and changes nothing.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::net::TcpListener;

use e2e::{Installation, Setup, tenantry};
use reqwest::Method;
use serde_json::{Value, json};

struct Caller {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Caller {
    fn new(stage: &Installation) -> Self {
        Self { http: reqwest::Client::new(), url: stage.url().unwrap(), token: stage.token() }
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: impl Into<reqwest::Body>,
    ) -> (u16, Value) {
        let request = self
            .http
            .request(method, format!("{}{path}", self.url))
            .bearer_auth(&self.token)
            .header("content-type", "application/json")
            .body(body);
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
        if status >= 400 {
            assert_eq!(kind, "application/problem+json", "{path}");
        }
        (status, answer.json().await.unwrap())
    }

    /// Expects a refusal with this status and code, which names what is wrong.
    async fn refused(
        &self,
        method: Method,
        path: &str,
        body: &str,
        status: u16,
        code: &str,
    ) -> Value {
        let (got, problem) = self.send(method, path, body.to_owned()).await;
        assert_eq!(
            (got, problem["code"].as_str()),
            (status, Some(code)),
            "{path} {body}: {problem}"
        );
        assert_eq!(problem["status"], status);
        assert!(!problem["detail"].as_str().unwrap().is_empty());
        problem
    }
}

#[tokio::test]
async fn a_refused_tenant_is_not_made() {
    let stage = Installation::start().await;
    let call = Caller::new(&stage);
    stage.tenant("Salon", "+254700000001").await;
    let refused = async |body: Value, field: &str| {
        let text = body.to_string();
        let problem =
            call.refused(Method::POST, "/admin/tenants", &text, 422, "invalid_field").await;
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
    };
    refused(json!({"name": ""}), "name").await;
    refused(json!({"name": " \t "}), "name").await;
    refused(json!({"name": "x".repeat(300)}), "name").await;
    refused(json!({"name": "a\nb"}), "name").await;
    refused(json!({"name": "a\u{1b}[31m"}), "name").await;
    for phone in ["", "0700000001", "+12", "+2547000000012345", "phone", "+25470000000x"] {
        refused(json!({"name": "Other", "phone": phone}), "phone").await;
    }
    for program in ["/no/such/program", "no-such-program-anywhere", "/etc/passwd", "/tmp", ""] {
        refused(json!({"name": "Other", "command": [program]}), "command").await;
    }
    refused(json!({"name": "Other", "command": []}), "command").await;
    refused(json!({"name": "Other", "env": {"TENANT_ID": "x"}}), "env").await;
    refused(json!({"name": "Other", "rate_limit_max_per_minute": 0}), "rate_limit_max_per_minute")
        .await;
    refused(json!({"name": "Other", "heartbeat": "process"}), "heartbeat").await;

    let post = async |body: &str, status, code: &str| {
        call.refused(Method::POST, "/admin/tenants", body, status, code).await
    };
    post(r#"{"name": "Other", "phone": "+254 700 000 001"}"#, 409, "phone_taken").await;
    post("{", 400, "malformed_json").await;
    post("", 400, "malformed_json").await;
    post(r#"{"name": 7}"#, 422, "invalid_body").await;
    post(r#"{"name": "Other", "nmae": "x"}"#, 422, "invalid_body").await;
    let (status, problem) =
        call.send(Method::POST, "/admin/tenants", vec![b'a'; 10 * 1024 * 1024]).await;
    assert_eq!((status, problem["code"].as_str()), (413, Some("body_too_large")));
    assert_eq!(stage.client().tenants().await.unwrap().len(), 1, "nothing was made");
}

#[tokio::test]
async fn unknown_things_and_wrong_credentials() {
    let mut stage = Installation::start().await;
    let call = Caller::new(&stage);
    let stranger = api::TenantId::generate().to_string();
    for tenant in [stranger.as_str(), "no-such-tenant", "%2e%2e%2f", "%00"] {
        for (method, rest) in [
            (Method::GET, ""),
            (Method::DELETE, ""),
            (Method::GET, "/status"),
            (Method::GET, "/logs"),
            (Method::GET, "/qr"),
            (Method::GET, "/messages"),
            (Method::GET, "/events"),
            (Method::POST, "/worker/start"),
            (Method::POST, "/worker/stop"),
            (Method::POST, "/session/reset"),
        ] {
            let path = format!("/admin/tenants/{tenant}{rest}");
            call.refused(method, &path, "", 404, "unknown_tenant").await;
        }
    }
    call.refused(Method::GET, "/nowhere", "", 404, "no_such_route").await;
    call.refused(Method::PUT, "/admin/tenants", "{}", 405, "method_not_allowed").await;
    stage.tenant("Salon", "+254700000001").await;
    for query in ["logs?tail=x", "logs?tail=999999999", "messages?limit=0", "qr?format=gif"] {
        let path = format!("/admin/tenants/salon/{query}");
        call.refused(Method::GET, &path, "", 400, "invalid_query").await;
    }
    call.refused(Method::GET, "/admin/tenants/salon/qr?format=png", "", 404, "no_qr").await;
    let start = "/admin/tenants/salon/worker/start?wait=-1";
    call.refused(Method::POST, start, "", 400, "invalid_query").await;

    for token in ["", "wrong", &"0".repeat(64)] {
        let stranger = Caller { token: token.to_owned(), ..Caller::new(&stage) };
        for path in ["/admin/tenants", "/admin/audit", "/admin/tenants/salon", "/admin/events"] {
            stranger.refused(Method::GET, path, "", 401, "unauthorized").await;
        }
    }
    stage.kill_server();
    let run = stage.cli(&["tenants"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("tenantry server"), "the remedy is told: {}", run.stderr);
}

#[tokio::test]
async fn a_second_server_and_a_port_in_use_are_told() {
    let stage = Installation::start().await;
    let run = stage.cli(&["server"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("another tenantry server"), "{}", run.stderr);
    assert_eq!(stage.client().health().await.unwrap().status, "ok", "the first goes on");

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let home = tempfile::tempdir().unwrap();
    let run = tenantry(home.path(), &[("PORT", &port)], &["server"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains(&port) && run.stderr.contains("in use"), "{}", run.stderr);
    assert!(!home.path().join("run/supervisor.pid").exists(), "nothing was started");
}

#[test]
fn mistakes_in_the_settings_are_told_all_at_once() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("tenantry.toml"), "sessions_pth = \"/x\"\n").unwrap();
    let env =
        [("PORT", "99999"), ("HEARTBEAT_INTERVAL_MS", "soon"), ("ADMIN_PASSWORD", "admin123")];
    let run = tenantry(home.path(), &env, &["server"]);
    assert_eq!(run.code, 2);
    for word in ["sessions_pth", "sessions_path", "PORT", "HEARTBEAT_INTERVAL_MS", "ADMIN_PASSWORD"]
    {
        assert!(run.stderr.contains(word), "{word}: {}", run.stderr);
    }
    assert!(!run.stderr.contains("admin123"), "a secret is not shown");
    assert!(!home.path().join("tenantry.db").exists());
}

#[test]
fn a_home_that_cannot_be_used_is_told() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("a-file");
    fs::write(&file, "not a directory").unwrap();
    let sessions = file.display().to_string();
    let run = tenantry(home.path(), &[("SESSIONS_PATH", &sessions), ("PORT", "0")], &["server"]);
    assert_ne!(run.code, 0);
    assert!(run.stderr.contains("a-file"), "{}", run.stderr);

    fs::write(home.path().join("tenantry.db"), "no database".repeat(1000)).unwrap();
    let run = tenantry(home.path(), &[("PORT", "0")], &["server"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("tenantry.db") && run.stderr.contains("damaged"), "{}", run.stderr);
    let text = fs::read_to_string(home.path().join("tenantry.db")).unwrap();
    assert!(text.starts_with("no database"), "it was left as it is");
}

/// The password of an older installation, where one is set.
#[tokio::test]
async fn an_admin_password_lets_in_where_it_is_set() {
    let password = "correct horse battery";
    let env = vec![("ADMIN_PASSWORD".to_owned(), password.to_owned())];
    let stage = Installation::with(Setup { env }).await;
    let url = format!("{}/admin/tenants", stage.url().unwrap());
    let http = reqwest::Client::new();
    let status = async |request: reqwest::RequestBuilder| request.send().await.unwrap().status();
    assert_eq!(status(http.get(&url).basic_auth("admin", Some(password))).await, 200);
    assert_eq!(status(http.get(&url).header("x-admin-password", password)).await, 200);
    assert_eq!(status(http.get(&url).basic_auth("admin", Some("wrong"))).await, 401);
    assert_eq!(status(http.get(&url).basic_auth("root", Some(password))).await, 401);
    assert_eq!(status(http.get(format!("{url}?password={password}"))).await, 401);
}
