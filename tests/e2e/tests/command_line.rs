//! The README's session, through the command line alone.

use api::tenant::TenantView;
use e2e::{Installation, eventually};

const SALON: &str = "254700000001";

/// Runs a command that must succeed, and gives what it printed.
fn ok(stage: &Installation, args: &[&str]) -> String {
    let run = stage.cli(args);
    assert_eq!(run.code, 0, "tenantry {args:?}: {}{}", run.stdout, run.stderr);
    run.stdout
}

/// The simulated network lives on a thread of its own, since the commands block this one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_session_of_the_readme() {
    let stage = Installation::start().await;
    let salon = "mama-njeri-salon";
    let added = ok(&stage, &["tenant", "add", "Mama Njeri Salon", "--phone", "+254700000001"]);
    assert!(added.contains(salon), "{added}");
    let shown = ok(&stage, &["tenant", "show", salon, "--json"]);
    let tenant: TenantView = serde_json::from_str(&shown).expect("a tenant in JSON");
    stage.prepare(&tenant).await;

    let started = ok(&stage, &["worker", "start", salon]);
    assert!(started.contains("RUNNING"), "{started}");
    let again = stage.cli(&["worker", "start", salon]);
    assert_eq!(again.code, 1);
    assert!(again.stderr.contains("worker_already_running"), "{}", again.stderr);

    let drawn = ok(&stage, &["qr", salon, "--once"]);
    assert!(drawn.lines().count() > 20 && drawn.contains('█'), "{drawn}");
    stage.sim.add_account(SALON).expect("a phone");
    let code = stage.qr(&tenant).await;
    stage.sim.scan(&code, SALON).await.expect("the phone scans the code");
    eventually("the table shows it connected", async || {
        let table = ok(&stage, &["tenants"]);
        let row = table.lines().find(|line| line.starts_with(salon))?;
        (row.contains("ACTIVE") && row.contains("CONNECTED")).then_some(())
    })
    .await;
    let said = ok(&stage, &["qr", salon, "--once"]);
    assert!(said.contains("connected"), "{said}");

    let logs = ok(&stage, &["logs", salon, "--lines", "50"]);
    assert!(logs.contains("the worker starts"), "{logs}");
    for action in ["restart", "force-restart"] {
        assert!(ok(&stage, &["worker", action, salon]).contains("RUNNING"));
    }
    assert!(ok(&stage, &["worker", "stop", salon]).contains("STOPPED"));
    assert!(ok(&stage, &["status", salon]).contains("PAUSED"));
    assert!(ok(&stage, &["events", salon]).contains("session.connected"));
    let of_all = ok(&stage, &["events", "--kind", "session.*", "--after", "0"]);
    assert!(of_all.contains("session.connected") && !of_all.contains("worker.started"), "{of_all}");
    assert!(ok(&stage, &["audit"]).contains("worker.force-restart"));
    let chosen = ok(&stage, &["audit", "--action", "tenant.*", "--since", "1h"]);
    assert!(chosen.contains("tenant.create") && !chosen.contains("worker."), "{chosen}");
    let exported = ok(&stage, &["audit", "export"]);
    let last: serde_json::Value = serde_json::from_str(exported.lines().last().unwrap()).unwrap();
    let head = last["hash"].as_str().unwrap();
    let verified = ok(&stage, &["audit", "verify", "--head", head]);
    assert!(verified.contains("are as they were written"), "{verified}");
    assert!(verified.contains(&format!("the head that was given is entry {}", last["seq"])));
    let missed = stage.cli(&["audit", "verify", "--head", &"a".repeat(64)]);
    assert_eq!(missed.code, 1, "{missed:?}");
    assert!(ok(&stage, &["config"]).contains("heartbeat_interval_ms"));
    ok(&stage, &["tenant", "delete", salon, "--yes"]);
    assert!(!ok(&stage, &["tenants"]).contains(salon));
}
