//! A backup is made while everything runs, and what it holds goes on elsewhere.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::process::Command;

use api::session::SessionState;
use api::tenant::TenantView;
use api::worker::{DesiredState, LifecycleAction};
use e2e::{Installation, Run, Setup, eventually, program};
use serde_json::Value;

const SALON: &str = "254700000001";
const DUKA: &str = "254700000002";
const WANJIKU: &str = "254711111111";

async fn connected(stage: &Installation, tenant: &TenantView) {
    eventually("it is connected", async || {
        let now = stage.show(tenant).await;
        (now.session.state == SessionState::Connected).then_some(())
    })
    .await;
}

/// Two tenants with sessions, one of them sealed, and a chat that goes on.
async fn stage() -> (Installation, [TenantView; 2]) {
    let mut stage = Installation::start().await;
    let salon = stage.tenant("Salon", &format!("+{SALON}")).await;
    stage.pair(&salon).await;
    stage.kill_server();
    stage.setup = Setup { env: vec![("ENCRYPT_SESSIONS".to_owned(), "true".to_owned())] };
    stage.start_server().await;
    let duka = stage.tenant("Duka", &format!("+{DUKA}")).await;
    stage.pair(&duka).await;
    stage.sim.add_contact("Wanjiku", WANJIKU).unwrap();
    (stage, [salon, duka])
}

fn ok(run: &Run) -> Value {
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    serde_json::from_str(&run.stdout).unwrap()
}

#[tokio::test]
async fn an_installation_goes_on_in_another_home() {
    let (mut stage, tenants) = stage().await;
    for number in 1..=5 {
        stage.sim.send_text(WANJIKU, SALON, &format!("Habari {number}")).unwrap();
        stage.sim.send_text(WANJIKU, DUKA, &format!("Habari {number}")).unwrap();
    }
    // Some are answered, some are on their way.
    stage.answers(WANJIKU, 3).await;
    let pids = [stage.pid(&tenants[0]).await, stage.pid(&tenants[1]).await];
    let place = tempfile::tempdir().unwrap();
    let archive = place.path().join("b.tar.gz");
    let file = archive.to_str().unwrap();
    let made = ok(&stage.cli(&["backup", file, "--json"]));
    assert_eq!((&made["sessions"], &made["warnings"]), (&2.into(), &Value::Array(Vec::new())));

    // Nobody was disturbed.
    stage.answers(WANJIKU, 10).await;
    for (tenant, pid) in tenants.iter().zip(pids) {
        assert_eq!(stage.pid(tenant).await, pid);
        connected(&stage, tenant).await;
    }

    // Beneath what runs nothing is restored.
    let refused = stage.cli(&["restore", file, "--force"]);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("another tenantry server"), "{}", refused.stderr);

    // The first installation ends, its workers with it; another goes on from the backup on the same network.
    let _old = stage
        .move_home(|home| {
            let run = program::tenantry(home, &[], &["restore", file, "--json"]);
            let done = ok(&run);
            assert_eq!((&done["stopped"], &done["warnings"]), (&2.into(), &Value::Array(vec![])));
        })
        .await;
    assert_eq!(stage.client().tenants().await.unwrap().len(), 2);
    for tenant in &tenants {
        let now = stage.show(tenant).await;
        assert_eq!((now.worker.desired, now.worker.pid), (DesiredState::Stopped, None));
        let messages = stage.client().messages(&tenant.slug).await.unwrap().items;
        assert!(messages.iter().any(|message| message.text.starts_with("Habari")));
        stage.act(tenant, LifecycleAction::Start).await;
        connected(&stage, tenant).await;
    }
    let before = stage.sim.messages(WANJIKU).unwrap().received.len() as u64;
    for (tenant, number) in tenants.iter().zip([SALON, DUKA]) {
        stage.sim.send_text(WANJIKU, number, "Uko?").unwrap();
        eventually("it understands what is written to it", async || {
            let messages = stage.client().messages(&tenant.slug).await.unwrap().items;
            messages.iter().any(|message| message.text == "Uko?").then_some(())
        })
        .await;
    }
    stage.answers(WANJIKU, before + 2).await;
}

#[tokio::test]
async fn a_disk_that_is_full_leaves_no_half_of_a_backup() {
    let stage = Installation::start().await;
    stage.tenant("Salon", &format!("+{SALON}")).await;
    let media = stage.home().join("media/0");
    fs::create_dir_all(&media).unwrap();
    // What cannot be packed tighter.
    let noise: Vec<u8> =
        (0..400_000_u32).flat_map(|it| it.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    fs::write(media.join("noise"), noise).unwrap();
    let place = tempfile::tempdir().unwrap();
    let archive = place.path().join("b.tar.gz");
    fs::write(&archive, "an earlier one").unwrap();
    // A limit for files, in blocks of 512 bytes, fails a write as a full disk does.
    let script = "trap '' XFSZ; ulimit -f 800; exec \"$0\" \"$@\"";
    let run = Command::new("sh")
        .args(["-c", script])
        .arg(program::program())
        .args(["backup", "--force"])
        .arg(&archive)
        .env("TENANTRY_HOME", stage.home())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&run.stderr);
    assert!(!run.status.success() && told.contains("File too large"), "{told}");
    let left: Vec<_> = fs::read_dir(place.path()).unwrap().flatten().collect();
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(fs::read(&archive).unwrap(), b"an earlier one");
}

#[tokio::test]
async fn the_database_moves_to_postgres_and_the_server_goes_on_there() {
    let mut stage = Installation::start().await;
    let salon = stage.tenant("Salon", &format!("+{SALON}")).await;
    let database = pgtest::Database::new();
    let url = database.url();
    let refused = stage.cli(&["db", "copy", "--to", &url]);
    assert!(refused.stderr.contains("another tenantry server"), "{}", refused.stderr);
    let status = ok(&stage.cli(&["db", "status", "--json"]));
    assert_eq!((&status["backend"], &status["pending"]), (&"sqlite".into(), &Value::Array(vec![])));

    stage.kill_server();
    let copied = stage.cli(&["db", "copy", "--to", &url, "--json"]);
    assert!(!copied.stdout.contains(pgtest::PASSWORD));
    assert!(ok(&copied)["rows"].as_u64() > Some(3));
    let again = stage.cli(&["db", "copy", "--to", &url]);
    assert!(again.code == 1 && again.stderr.contains("not empty"), "{}", again.stderr);
    stage.setup = Setup { env: vec![("DATABASE_URL".to_owned(), url.clone())] };
    stage.start_server().await;
    assert_eq!(stage.show(&salon).await.name, "Salon");
    stage.tenant("Duka", &format!("+{DUKA}")).await;
}
