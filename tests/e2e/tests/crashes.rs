//! Each kind of process is killed or frozen; the others do not suffer and everything heals.

use api::session::SessionState;
use api::worker::{LifecycleAction, WorkerStatus};
use e2e::{Installation, alive, cont, eventually, kill, stop};

const SALON: &str = "254700000001";
const WANJIKU: &str = "254711111111";

async fn connected(stage: &Installation, tenant: &api::tenant::TenantView, not: u32) -> u32 {
    eventually("another process is connected", async || {
        let tenant = stage.show(tenant).await;
        let pid = tenant.worker.pid.filter(|pid| *pid != not)?;
        (tenant.session.state == SessionState::Connected).then_some(pid)
    })
    .await
}

/// `kill -9` of a worker: started again, its session kept, and the message that came meanwhile is
/// answered.
#[tokio::test]
async fn a_killed_worker_is_started_again() {
    let stage = Installation::start().await;
    let salon = stage.tenant("Salon", &format!("+{SALON}")).await;
    let pid = stage.pair(&salon).await.worker.pid.unwrap();
    stage.sim.add_contact("Wanjiku", WANJIKU).unwrap();
    kill(pid);
    stage.sim.send_text(WANJIKU, SALON, "Habari?").unwrap();
    connected(&stage, &salon, pid).await;
    assert_eq!(stage.answers(WANJIKU, 1).await.len(), 1);
    assert!(stage.show(&salon).await.worker.restarts >= 1);
}

/// A frozen worker (SIGSTOP) is alive for the kernel and dead for its customer.
#[tokio::test]
async fn a_frozen_worker_becomes_stale_and_is_restarted() {
    let stage = Installation::start().await;
    let salon = stage.tenant("Salon", &format!("+{SALON}")).await;
    let pid = stage.pair(&salon).await.worker.pid.unwrap();
    stop(pid);
    connected(&stage, &salon, pid).await;
    assert!(!alive(pid), "the frozen process is gone");
    let events = stage.client().events(&salon.slug, 0).await.unwrap().items;
    let stale = events.iter().find(|event| event.kind == "worker.stale").expect("it was said");
    assert!(stale.detail.contains("no heartbeat"), "{stale:?}");
    let audit = stage.client().audit().await.unwrap().items;
    assert!(audit.iter().any(|entry| entry.actor == "system" && entry.action == "worker.restart"));
    cont(pid);
}

/// `kill -9` of the control plane: workers go on, and it finds them again.
#[tokio::test]
async fn a_killed_control_plane_finds_its_workers_again() {
    let mut stage = Installation::start().await;
    let salon = stage.tenant("Salon", &format!("+{SALON}")).await;
    let pid = stage.pair(&salon).await.worker.pid.unwrap();
    stage.kill_server();
    stage.sim.add_contact("Wanjiku", WANJIKU).unwrap();
    stage.sim.send_text(WANJIKU, SALON, "Habari?").unwrap();
    assert_eq!(stage.answers(WANJIKU, 1).await.len(), 1, "the bot works on its own");
    assert!(alive(pid));

    stage.start_server().await;
    let tenant = eventually("the worker is heard again", async || {
        let tenant = stage.show(&salon).await;
        (tenant.session.state == SessionState::Connected).then_some(tenant)
    })
    .await;
    assert_eq!(tenant.worker.pid, Some(pid), "the same process");
    eventually("what was said meanwhile is told", async || {
        let page = stage.client().messages(&salon.slug).await.unwrap();
        (page.items.len() == 2).then_some(())
    })
    .await;
}

/// `kill -9` of the supervisor: workers go on, and a new one re-adopts them with the same pids.
#[tokio::test]
async fn a_killed_supervisor_is_replaced_and_readopts() {
    let stage = Installation::start().await;
    let salon = stage.tenant("Salon", &format!("+{SALON}")).await;
    let worker = stage.pair(&salon).await.worker.pid.unwrap();
    let sleeper = stage.tenant_with("Sleeper", &["sleep", "1000"]).await;
    let sleeping = stage.act(&sleeper, LifecycleAction::Start).await.worker.pid.unwrap();
    let old = stage.supervisor_pid();
    kill(old);
    eventually("a new supervisor has both", async || {
        let health = stage.client().health().await.ok()?;
        let replaced = health.status == "ok" && stage.supervisor_pid() != old;
        replaced.then_some(())
    })
    .await;
    assert!(alive(worker) && alive(sleeping));
    assert_eq!(stage.pid(&salon).await, worker);
    assert_eq!(stage.pid(&sleeper).await, sleeping);

    // It is a supervisor, not a bystander: it restarts and stops what it has adopted.
    kill(worker);
    connected(&stage, &salon, worker).await;
    let stopped = stage.act(&sleeper, LifecycleAction::Stop).await;
    assert_eq!(stopped.worker.status, WorkerStatus::Stopped);
    assert!(!alive(sleeping));
}

/// A worker that cannot reach WhatsApp says so and keeps trying, and one whose code nobody scans
/// waits: neither is stale, however long it takes.
#[tokio::test]
async fn a_worker_that_waits_is_left_alone() {
    let stage = Installation::start().await;
    let waiting = stage.tenant("Waiting", "+254700000001").await;
    stage.act(&waiting, LifecycleAction::Start).await;
    stage.qr(&waiting).await;
    stage.sim.refuse_connections(true);
    let cut_off = stage.tenant("Cut off", "+254700000002").await;
    stage.act(&cut_off, LifecycleAction::Start).await;
    eventually("it says that WhatsApp cannot be reached", async || {
        let session = stage.show(&cut_off).await.session;
        (session.state == SessionState::Disconnected)
            .then_some(session.detail?)
            .filter(|detail| detail.contains("WhatsApp"))
    })
    .await;
    let begun = std::time::Instant::now();
    // Twice the threshold of three seconds that the stage sets.
    eventually("twice the threshold is over", async || {
        (begun.elapsed().as_secs() >= 6).then_some(())
    })
    .await;
    for tenant in [&waiting, &cut_off] {
        let worker = stage.show(tenant).await.worker;
        assert_eq!((worker.generation, worker.restarts), (1, 0), "{worker:?}");
        assert_eq!(worker.status, WorkerStatus::Running);
    }
}
