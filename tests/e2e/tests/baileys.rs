//! A bot that is not ours as a tenant's own program: the example on Baileys, heartbeats included.

#![allow(clippy::expect_used, reason = "a test may fail")]

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use api::session::SessionState;
use api::tenant::CreateTenant;
use api::worker::HeartbeatMode;
use e2e::{Installation, eventually};

const PHONE: &str = "254700000077";
const ANN: &str = "254711000077";

/// The example in `dir`, beside the packages that `cargo xtask test` has installed.
fn install(dir: &Path) -> PathBuf {
    let me = std::env::current_exe().expect("a test knows its program");
    let target = me.ancestors().nth(3).expect("it is in a target folder");
    let packages = target.join("tools/baileys/node_modules");
    assert!(
        packages.is_dir(),
        "{} is missing: run the tests with `cargo xtask test`, which installs Baileys",
        packages.display()
    );
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/baileys-bot/bot.mjs");
    let program = dir.join("bot.mjs");
    std::fs::copy(example, &program).expect("the example is there");
    symlink(packages, dir.join("node_modules")).expect("a link can be made");
    program
}

/// Its QR code comes through the API, its session shows, it answers with the tenant's greeting, and
/// a killed one is started again and goes on without a new code.
#[tokio::test]
async fn a_bot_on_baileys_is_paired_answers_and_survives_a_kill() {
    let stage = Installation::start().await;
    let dir = tempfile::tempdir().unwrap();
    let program = install(dir.path());
    let wish = CreateTenant {
        name: "Baileys".to_owned(),
        phone: Some(format!("+{PHONE}")),
        greeting: Some("Karibu".to_owned()),
        command: Some(vec!["node".to_owned(), program.to_str().unwrap().to_owned()]),
        heartbeat: Some(HeartbeatMode::Link),
        ..CreateTenant::default()
    };
    let tenant = stage.client().create_tenant(&wish).await.unwrap();
    let tenant = stage.pair(&tenant).await;
    assert!(tenant.session.jid.as_deref().is_some_and(|jid| jid.starts_with(PHONE)));

    stage.sim.add_contact("Ann", ANN).unwrap();
    stage.sim.send_text(ANN, PHONE, "hello").unwrap();
    assert_eq!(stage.answers(ANN, 1).await, ["Karibu"]);

    let pid = stage.pid(&tenant).await;
    e2e::kill(pid);
    eventually("another process runs and is connected", async || {
        let tenant = stage.show(&tenant).await;
        let connected = tenant.session.state == SessionState::Connected;
        (connected && tenant.worker.pid.is_some_and(|now| now != pid)).then_some(())
    })
    .await;
    stage.sim.send_text(ANN, PHONE, "still there").unwrap();
    assert_eq!(stage.answers(ANN, 2).await, ["Karibu", "Karibu"]);
}
