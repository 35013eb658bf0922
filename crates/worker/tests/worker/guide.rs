//! The example of `docs/worker-contract.md` does what the page says.

use std::process::Stdio;

use api::session::SessionState;
use tokio::process::Command;

use crate::plane::{Plane, TOKEN};

#[tokio::test]
async fn the_node_example_sends_heartbeats_and_ends_when_told() {
    let node = Command::new("node").arg("--version").stdout(Stdio::null()).status().await;
    if !node.is_ok_and(|status| status.success()) {
        eprintln!("no node on this machine: the example was not tried");
        return;
    }
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/worker-contract.md");
    let page = std::fs::read_to_string(page).unwrap();
    let example = page.split("```js\n").nth(1).unwrap().split("```").next().unwrap();
    let home = tempfile::tempdir().unwrap();
    let program = home.path().join("bot.mjs");
    std::fs::write(&program, example).unwrap();
    std::fs::write(home.path().join("token"), TOKEN).unwrap();
    let plane = Plane::new(home.path().join("link.sock"));
    plane.listen();
    let mut child = Command::new("node")
        .arg(&program)
        .env("TENANTRY_LINK", format!("unix:{}", plane.socket.display()))
        .env("TENANTRY_TOKEN_FILE", home.path().join("token"))
        .env("TENANTRY_GENERATION", "1")
        .env("HEARTBEAT_INTERVAL_MS", "100")
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let first = plane.beat(|beat| Some(beat.session.state)).await;
    assert_eq!(first, SessionState::Disconnected);
    // The second carries the version of the settings that the first brought.
    plane.beat(|beat| (beat.config_version == 1).then_some(())).await;
    plane.refuse(Some((409, "stale_generation")));
    let ended = tokio::time::timeout(crate::plane::PATIENCE, child.wait()).await.unwrap().unwrap();
    assert_eq!(ended.code(), Some(76));
}
