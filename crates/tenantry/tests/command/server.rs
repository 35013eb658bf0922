//! A server with canned answers.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A server that gives each route one answer. Its thread ends with the test's process.
pub struct Server {
    pub url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Starts a server for routes of the form `METHOD /path`, each with status and body.
    pub fn start(routes: &'static [(&str, u16, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                answer(&stream, routes, &log);
            }
        });
        Self { url, asked }
    }

    /// The requests so far: method, path and credential.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn answer(mut stream: &TcpStream, routes: &[(&str, u16, &str)], log: &Mutex<Vec<String>>) {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let Some(request) = lines.next() else { return };
    let mut credential = String::new();
    for header in lines.take_while(|line| !line.is_empty()) {
        if let Some((name, value)) = header.split_once(": ")
            && name.eq_ignore_ascii_case("authorization")
        {
            value.clone_into(&mut credential);
        }
    }
    let mut words = request.split([' ', '?']);
    let route = format!("{} {}", words.next().unwrap(), words.next().unwrap());
    log.lock().unwrap().push(format!("{route} {credential}"));
    let found = routes.iter().find(|(known, ..)| *known == route);
    let (status, body) = found.map_or((404, "{}"), |(_, status, body)| (*status, *body));
    let head = "content-type: application/json\r\nconnection: close\r\ncontent-length";
    let text = format!("HTTP/1.1 {status} X\r\n{head}: {}\r\n\r\n{body}", body.len());
    stream.write_all(text.as_bytes()).unwrap();
}

macro_rules! worker {
    () => {
        r#""worker":{"name":"worker-acme-1","desired":"RUNNING","status":"RUNNING","generation":1,
        "pid":42,"started_at":"2026-01-01T00:00:00Z","restarts":0,"cpu_percent":0.5,
        "memory_bytes":1048576,"last_seen_at":"2026-01-01T00:00:00Z","last_error":null},
        "session":{"state":"CONNECTED","paired":true,"jid":null,"connected_at":null,
        "last_frame_age_ms":null,"detail":null}"#
    };
}

macro_rules! tenant {
    () => {
        concat!(
            r#"{"id":"0190a000-0000-7000-8000-000000000001","name":"Acme","slug":"acme","phone":null,
            "status":"ACTIVE","config":{"greeting":"","rate_limit_max_per_minute":10,
            "heartbeat":"link"},"created_at":"2026-01-01T00:00:00Z",
            "updated_at":"2026-01-01T00:00:00Z","#,
            worker!(),
            "}"
        )
    };
}

/// One tenant.
pub const TENANT: &str = tenant!();

/// A page with one tenant.
pub const TENANTS: &str = concat!(r#"{"next":null,"items":["#, tenant!(), "]}");

/// A tenant's status.
pub const STATUS: &str = concat!(
    r#"{"tenant_id":"0190a000-0000-7000-8000-000000000001","name":"Acme","status":"ACTIVE","#,
    worker!(),
    "}"
);

/// A code that waits to be scanned.
pub const QR: &str =
    r#"{"state":"QR_READY","code":"2@abc,def,ghi","expires_at":"2126-01-01T00:00:00Z"}"#;

/// A server that is not well.
pub const HEALTH: &str =
    r#"{"status":"degraded","version":"1.2.3","parts":{"store":"disk is full"}}"#;

/// A refusal.
pub const PROBLEM: &str = r#"{"type":"/problems/worker_already_running","title":"x","status":409,
    "detail":"the worker of Acme runs already","code":"worker_already_running"}"#;
