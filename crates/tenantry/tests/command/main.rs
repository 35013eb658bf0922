//! The program itself, run as a process, against a server that gives canned answers.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod server;

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use server::Server;
use tempfile::TempDir;

/// The program with a home of its own and nothing else in its environment.
fn tenantry(home: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
    command.env_clear().env("TENANTRY_HOME", home).args(args).stdin(Stdio::null());
    command
}

fn run(home: &Path, args: &[&str]) -> Output {
    tenantry(home, args).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A home with a token whose server is `server`.
fn home(server: &Server) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("admin.token"), "op-token\n").unwrap();
    fs::create_dir(home.path().join("run")).unwrap();
    let file = serde_json::json!({ "url": server.url });
    fs::write(home.path().join("run/server.json"), file.to_string()).unwrap();
    home
}

#[test]
fn every_command_has_help() {
    let home = tempfile::tempdir().unwrap();
    for command in [
        "server",
        "supervisor",
        "worker",
        "worker run",
        "worker force-restart",
        "config",
        "tenant",
        "tenant add",
        "tenant set",
        "tenant delete",
        "tenants",
        "status",
        "qr",
        "logs",
        "messages",
        "events",
        "audit",
        "session reset",
        "rules set",
        "rules test",
        "health",
    ] {
        let args: Vec<&str> = command.split(' ').chain(["--help"]).collect();
        let output = run(home.path(), &args);
        assert!(output.status.success(), "{command}: {}", stderr(&output));
        assert!(stdout(&output).contains("Usage: tenantry"), "{command}");
    }
}

#[test]
fn all_mistakes_of_the_settings_are_told_at_once_with_exit_code_2() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("tenantry.toml"), "prot = 1\n").unwrap();
    for command in [&["server", "--bind", "nowhere"][..], &["config"]] {
        let output = tenantry(home.path(), command).env("PORT", "x").output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let text = stderr(&output);
        assert!(text.contains("did you mean port?"), "{text}");
        assert!(text.contains("port (environment PORT)"), "{text}");
        assert_eq!(text.contains("bind (flag --bind)"), command.len() > 1, "{text}");
    }
}

#[test]
fn the_settings_are_shown_with_their_sources_and_without_secrets() {
    let home = tempfile::tempdir().unwrap();
    let mut command = tenantry(home.path(), &["config", "--json"]);
    let output = command.env("ADMIN_PASSWORD", "open-sesame").env("PORT", "0").output().unwrap();
    let settings: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let find = |key: &str| {
        settings.as_array().unwrap().iter().find(|setting| setting["key"] == key).unwrap()
    };
    assert_eq!(find("port")["value"], "0");
    assert_eq!(find("port")["source"], "environment PORT");
    assert_eq!(find("bind")["source"], "default");
    assert_eq!(find("admin_password")["value"], "********");
    assert!(!stdout(&output).contains("sesame"));
}

#[test]
fn a_missing_token_and_a_silent_server_are_told_with_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let output = run(home.path(), &["tenants"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("start `tenantry server` once"), "{}", stderr(&output));

    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    let mut command = tenantry(home.path(), &["tenants", "--url", &url]);
    let output = command.env("TENANTRY_TOKEN", "op-token").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = stderr(&output);
    assert!(text.contains(&url) && text.contains("Connection refused"), "{text}");
    assert!(text.contains("start it with `tenantry server`"), "{text}");
    assert!(!text.contains("op-token"), "{text}");
}

#[test]
fn tenants_are_a_plain_table_in_a_pipe() {
    let server = Server::start(&[("GET /admin/tenants", 200, server::TENANTS)]);
    let output = run(home(&server).path(), &["tenants"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stdout(&output);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(lines[0].starts_with("TENANT  STATUS  WORKER   SESSION    PID"), "{text}");
    assert!(lines[1].starts_with("acme    ACTIVE  RUNNING  CONNECTED  42"), "{text}");
    assert!(!text.contains('\u{1b}'), "{text}");
    assert_eq!(server.asked(), ["GET /admin/tenants Bearer op-token"]);
}

#[test]
fn what_the_server_refuses_is_told_with_its_code() {
    let server = Server::start(&[("POST /admin/tenants/acme/worker/start", 409, server::PROBLEM)]);
    let output = run(home(&server).path(), &["worker", "start", "acme"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        stderr(&output),
        "error: the worker of Acme runs already\n  (worker_already_running)\n"
    );
    assert_eq!(stdout(&output), "");
}

#[test]
fn a_qr_code_is_drawn_once_in_a_pipe() {
    let server = Server::start(&[
        ("GET /admin/tenants/acme/qr", 200, server::QR),
        ("GET /admin/tenants/acme/status", 200, server::STATUS),
    ]);
    let home = home(&server);
    let output = run(home.path(), &["qr", "acme"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.lines().count() > 10 && text.contains('█'), "{text}");
    let output = run(home.path(), &["qr", "acme", "--once", "--json"]);
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["code"], "2@abc,def,ghi");
}

#[test]
fn health_needs_no_token() {
    let server = Server::start(&[("GET /health", 200, server::HEALTH)]);
    let home = tempfile::tempdir().unwrap();
    let output = run(home.path(), &["health", "--url", &server.url]);
    assert_eq!(output.status.code(), Some(1), "degraded: {}", stdout(&output));
    assert!(stdout(&output).contains("store    disk is full"), "{}", stdout(&output));
}

#[test]
fn what_cannot_be_undone_is_not_done_without_a_yes() {
    let server = Server::start(&[
        ("GET /admin/tenants/acme", 200, server::TENANT),
        ("DELETE /admin/tenants/0190a000-0000-7000-8000-000000000001", 200, "{}"),
    ]);
    let home = home(&server);
    let output = run(home.path(), &["tenant", "delete", "acme"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("add --yes"), "{}", stderr(&output));
    assert!(server.asked().iter().all(|request| !request.starts_with("DELETE")));
    let output = run(home.path(), &["tenant", "delete", "acme", "--yes"]);
    assert_eq!(stdout(&output), "deleted Acme (acme)\n", "{}", stderr(&output));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let home = tempfile::tempdir().unwrap();
    let mut child = tenantry(home.path(), &["config", "--reference"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut text = String::new();
    child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "");
    assert!(child.wait().unwrap().success());
}
