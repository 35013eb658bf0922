//! Workers move from PM2 to the supervisor, one by one, and never does a tenant have two.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use api::tenant::TenantView;
use api::worker::{DesiredState, LifecycleAction, RuntimeKind, WorkerStatus};
use e2e::{Installation, Pm2, Setup, alive, eventually, program};
use tempfile::TempDir;

const SALON: &str = "254700000001";

struct Stage {
    // Dropped in this order: the server first, which would otherwise complain about the rest.
    installation: Installation,
    pm2: Pm2,
    files: TempDir,
}

impl Stage {
    async fn start() -> Self {
        let files = tempfile::Builder::new().prefix("tpm").tempdir().unwrap();
        let pm2 = Pm2::start(files.path().join("pm2"));
        let mut env = pm2.settings();
        // PM2's program takes seconds where many tests run side by side.
        env.push(("LIFECYCLE_WAIT_MS".to_owned(), "60000".to_owned()));
        let installation = Installation::with(Setup { env }).await;
        Self { installation, pm2, files }
    }

    fn diary(&self, name: &str) -> PathBuf {
        self.files.path().join(format!("{name}.diary"))
    }

    /// A tenant whose worker keeps a diary: a line when it begins, with every other worker of this tenant that
    /// lives at that moment.
    async fn diarist(&self, name: &str) -> TenantView {
        let script = "for other in $(cut -d' ' -f1 \"$0\" 2>/dev/null); do
                kill -0 $other 2>/dev/null && beside=\"$beside $other\"
            done
            echo \"$$ $TENANTRY_GENERATION beside:$beside\" >> \"$0\"
            exec sleep 600";
        let diary = self.diary(name).display().to_string();
        let tenant = self.installation.tenant_with(name, &["/bin/sh", "-c", script, &diary]).await;
        assert_eq!(
            tenant.worker.runtime,
            RuntimeKind::Pm2,
            "new tenants go where the settings say"
        );
        self.installation.act(&tenant, LifecycleAction::Start).await;
        tenant
    }

    /// Waits until a worker runs in `runtime`, in a generation above `generation`.
    async fn runs_in(&self, tenant: &TenantView, runtime: RuntimeKind, generation: u64) -> u32 {
        eventually(&format!("{} runs in {runtime}", tenant.slug), async || {
            let worker = self.installation.client().tenant(&tenant.slug).await.ok()?.worker;
            let there = worker.status == WorkerStatus::Running
                && worker.runtime == runtime
                && worker.generation > generation;
            worker.pid.filter(|_| there)
        })
        .await
    }
}

/// The pids that have begun, each of which was alone.
fn begun(diary: &Path) -> Vec<u32> {
    let text = std::fs::read_to_string(diary).unwrap();
    for line in text.lines() {
        assert!(line.ends_with("beside:"), "two workers of one tenant:\n{text}");
    }
    text.lines().map(|line| line.split(' ').next().unwrap().parse().unwrap()).collect()
}

fn names(pm2: &Pm2) -> BTreeSet<String> {
    pm2.names().into_iter().collect()
}

#[tokio::test]
async fn tenants_move_one_by_one() {
    let stage = Stage::start().await;
    let (here, pm2) = (&stage.installation, &stage.pm2);
    let (one, two) = (stage.diarist("One").await, stage.diarist("Two").await);
    let paused = stage.diarist("Paused").await;
    here.act(&paused, LifecycleAction::Stop).await;
    let salon = here.tenant("Salon", &format!("+{SALON}")).await;
    let paired = here.pair(&salon).await.worker;
    let workers = [&one, &two, &paused, &salon].map(|tenant| tenant.worker.name.clone());
    assert_eq!(names(pm2), workers.into());

    let dry = here.cli(&["migrate", "runtime", "--to", "local", "--dry-run"]);
    assert_eq!(dry.code, 0, "{dry:?}");
    assert!(dry.stdout.contains("4 to move to local, 0 there already"), "{dry:?}");
    let first = here.cli(&["migrate", "runtime", "--to", "local", "--tenant", "one"]);
    assert_eq!(first.code, 0, "{first:?}");
    assert_eq!(here.show(&one).await.worker.runtime, RuntimeKind::Local);
    assert_eq!(here.show(&two).await.worker.runtime, RuntimeKind::Pm2, "the others stay");
    let rest = here.cli(&["migrate", "runtime", "--to", "local"]);
    assert_eq!(rest.code, 0, "{rest:?}");
    assert!(rest.stdout.contains("3 moved to local, 0 failed, 1 there already"), "{rest:?}");

    assert_eq!(names(pm2), BTreeSet::new(), "PM2 has forgotten them all");
    for (tenant, diary) in [(&one, "One"), (&two, "Two")] {
        let worker = here.show(tenant).await.worker;
        assert_eq!((worker.status, worker.generation), (WorkerStatus::Running, 2));
        let pids = begun(&stage.diary(diary));
        assert_eq!((pids.len(), pids.last().copied()), (2, worker.pid));
        assert!(!alive(pids[0]));
    }
    let worker = here.show(&paused).await.worker;
    assert_eq!((worker.status, worker.desired), (WorkerStatus::Stopped, DesiredState::Stopped));
    // The bot has kept its login and answers from its new place.
    let moved = here.show(&salon).await.worker;
    assert!(moved.generation > paired.generation && !alive(paired.pid.unwrap()));
    here.sim.add_contact("Wanjiku", "254711111111").unwrap();
    here.sim.send_text("254711111111", SALON, "Habari?").unwrap();
    assert_eq!(here.answers("254711111111", 1).await.len(), 1);
    let audit = here.client().audit().await.unwrap().items;
    let moves =
        audit.iter().filter(|entry| entry.action == "worker.migrate" && entry.result == "ok");
    assert_eq!(moves.count(), 4);
}

/// The control plane dies at some moment of a move. Whichever it was, the next one makes one worker of it.
#[tokio::test]
async fn a_control_plane_that_dies_in_the_middle_leaves_one_worker() {
    let mut stage = Stage::start().await;
    let tenant = stage.diarist("One").await;
    let first = stage.installation.pid(&tenant).await;
    let mut moving = program::command(stage.installation.home())
        .args(["migrate", "runtime", "--to", "local"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    eventually("the old worker has been ended", async || (!alive(first)).then_some(())).await;
    stage.installation.kill_server();
    moving.wait().unwrap();
    stage.installation.start_server().await;
    let place = stage.installation.show(&tenant).await.worker.runtime;
    let healed = stage.runs_in(&tenant, place, 0).await;
    assert_eq!(begun(&stage.diary("One")).last(), Some(&healed));

    let again = stage.installation.cli(&["migrate", "runtime", "--to", "local"]);
    assert_eq!(again.code, 0, "{again:?}");
    let moved = stage.runs_in(&tenant, RuntimeKind::Local, 1).await;
    let pids = begun(&stage.diary("One"));
    let living: Vec<_> = pids.iter().copied().filter(|pid| alive(*pid)).collect();
    assert_eq!(living, [moved]);
    assert_eq!(names(&stage.pm2), BTreeSet::new());
}

/// PM2 may bring up again what has moved away: from a dump after a reboot. It is ended there, and the worker in
/// the right place goes on.
#[tokio::test]
async fn what_pm2_brings_up_again_after_a_move_is_ended() {
    let stage = Stage::start().await;
    let tenant = stage.diarist("One").await;
    stage.pm2.call(&["save"]);
    let moved = stage.installation.cli(&["migrate", "runtime", "--to", "local"]);
    assert_eq!(moved.code, 0, "{moved:?}");
    let right = stage.installation.pid(&tenant).await;
    stage.pm2.call(&["resurrect"]);
    eventually("PM2 has forgotten it again", async || {
        let events = stage.installation.client().events(&tenant.slug, 0).await.ok()?.items;
        events.iter().any(|event| event.kind == "worker.evicted").then_some(())
    })
    .await;
    assert_eq!(names(&stage.pm2), BTreeSet::new());
    assert_eq!(stage.installation.pid(&tenant).await, right);
}

/// A place that cannot take a worker leaves it where it is.
#[tokio::test]
async fn a_move_to_a_place_that_does_not_answer_changes_nothing() {
    let stage = Installation::start().await;
    let tenant = stage.tenant_with("One", &["sleep", "600"]).await;
    let before = stage.act(&tenant, LifecycleAction::Start).await.worker;
    let refused = stage.cli(&["migrate", "runtime", "--to", "pm2"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.stdout.contains("no PM2 daemon answers"), "{refused:?}");
    let after = stage.show(&tenant).await.worker;
    assert_eq!((after.pid, after.generation), (before.pid, before.generation));
    assert_eq!(after.runtime, RuntimeKind::Local);
}
