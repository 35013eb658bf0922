//! The program itself.

use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::bot::{ACCOUNT, ANN, EchoBot, PATIENCE};

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_whatsim"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    command
}

async fn serve(state: &Path) -> (Child, Value) {
    let mut child = program().arg("serve").arg("--state-dir").arg(state).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().unwrap();
    (child, serde_json::from_str(&line).unwrap())
}

async fn terminate(mut child: Child) {
    let id = child.id().unwrap().to_string();
    let killed = Command::new("kill").arg("-TERM").arg(id).status().await.unwrap();
    assert!(killed.success());
    let status = tokio::time::timeout(PATIENCE, child.wait()).await.unwrap().unwrap();
    assert!(status.success(), "{status}");
}

#[tokio::test]
async fn the_program_serves_a_prepared_bot_and_stops_on_request() {
    let folder = tempfile::tempdir().unwrap();
    let (state, session) = (folder.path().join("state"), folder.path().join("session"));
    let (child, ready) = serve(&state).await;
    let [ws_url, http_url, key] =
        ["ws_url", "http_url", "server_key"].map(|name| ready[name].as_str().unwrap().to_owned());

    let prepared =
        program().args(["prepare", "--http-url", &http_url]).arg(&session).output().await.unwrap();
    assert!(prepared.status.success(), "{prepared:?}");

    let client = reqwest::Client::new();
    let post =
        |path: &str, body: Value| client.post(format!("{http_url}{path}")).json(&body).send();
    post("/accounts", serde_json::json!({ "phone": ACCOUNT })).await.unwrap();
    post("/contacts", serde_json::json!({ "name": "Ann", "phone": ANN })).await.unwrap();
    let bot = EchoBot::start(&session, &ws_url).await;
    let qr = bot.diary.qr().await;
    let scanned = post("/scan", serde_json::json!({ "qr": qr, "phone": ACCOUNT })).await.unwrap();
    assert!(scanned.status().is_success());
    bot.diary.connected(1).await;
    bot.stop().await;
    terminate(child).await;

    let (child, again) = serve(&state).await;
    assert_eq!(again["server_key"].as_str(), Some(key.as_str()));
    terminate(child).await;
}

#[tokio::test]
async fn a_wrong_key_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let output = program()
        .args(["prepare", "--server-key", "12"])
        .arg(folder.path().join("session"))
        .stderr(Stdio::piped())
        .output()
        .await
        .unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("64 hexadecimal digits"));
}
