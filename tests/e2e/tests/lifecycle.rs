//! Lifecycle requests: what wins, what is refused, what fails clearly.

use api::tenant::TenantStatus;
use api::worker::{DesiredState, LifecycleAction, WorkerStatus};
use e2e::{Installation, alive, eventually};

#[tokio::test]
async fn start_restart_force_restart_stop() {
    let stage = Installation::start().await;
    let bot = stage.tenant_with("Bot", &["sleep", "1000"]).await;
    let client = stage.client();

    let first = stage.act(&bot, LifecycleAction::Start).await.worker;
    assert_eq!(first.status, WorkerStatus::Running);
    let error = client.lifecycle(&bot.slug, LifecycleAction::Start, None).await.unwrap_err();
    assert_eq!((error.status(), error.code()), (Some(409), Some("worker_already_running")));
    assert_eq!(stage.pid(&bot).await, first.pid.unwrap(), "the refusal changed nothing");

    let second = stage.act(&bot, LifecycleAction::Restart).await.worker;
    assert!(second.generation > first.generation && !alive(first.pid.unwrap()));
    let third = stage.act(&bot, LifecycleAction::ForceRestart).await.worker;
    assert!(third.generation > second.generation && !alive(second.pid.unwrap()));
    assert_eq!(third.name, first.name);

    stage.act(&bot, LifecycleAction::Stop).await;
    assert!(!alive(third.pid.unwrap()));
    stage.act(&bot, LifecycleAction::Stop).await;
    assert_eq!(stage.show(&bot).await.status, TenantStatus::Paused);
    stage.act(&bot, LifecycleAction::ForceRestart).await;
    let audit = client.audit().await.unwrap().items;
    let results: Vec<_> = audit.iter().rev().map(|it| (&*it.action, &*it.result)).collect();
    assert_eq!(
        results,
        [
            ("tenant.create", "ok"),
            ("worker.start", "ok"),
            ("worker.start", "worker_already_running"),
            ("worker.restart", "ok"),
            ("worker.force-restart", "ok"),
            ("worker.stop", "ok"),
            ("worker.stop", "ok"),
            ("worker.force-restart", "ok"),
        ]
    );
}

/// A program that ignores TERM and leaves children behind is ended whole.
#[tokio::test]
async fn stopping_ends_the_whole_tree() {
    let stage = Installation::start().await;
    let script = "trap '' TERM; sleep 1000 & echo child $!; while :; do wait; done";
    let bot = stage.tenant_with("Stubborn", &["sh", "-c", script]).await;
    let pid = stage.act(&bot, LifecycleAction::Start).await.worker.pid.unwrap();
    let child: u32 = eventually("the child is told", async || {
        let lines = stage.client().logs(&bot.slug, 10).await.unwrap();
        lines.iter().find_map(|line| line.strip_prefix("child ")?.trim().parse().ok())
    })
    .await;
    stage.act(&bot, LifecycleAction::ForceRestart).await;
    assert!(!alive(pid) && !alive(child), "force-restart waits until the old tree is gone");
}

#[tokio::test]
async fn a_program_that_cannot_start_says_why() {
    let stage = Installation::start().await;
    let bot = stage.tenant_with("Broken", &["sh", "-c", "echo no database; exit 3"]).await;
    for action in [LifecycleAction::Start, LifecycleAction::Restart] {
        let error = stage.client().lifecycle(&bot.slug, action, None).await.unwrap_err();
        let api::client::ClientError::Problem(problem) = error else { panic!("{error}") };
        assert_eq!((problem.status, problem.code.as_str()), (502, "worker_start_failed"));
        assert!(problem.log_tail.iter().any(|line| line.contains("no database")), "{problem:?}");
    }
    let tenant = stage.show(&bot).await;
    assert_eq!(tenant.status, TenantStatus::Error);
    assert_eq!(tenant.worker.status, WorkerStatus::Error);
    assert!(tenant.worker.last_error.unwrap().contains('3'), "the exit code is told");

    let run = stage.cli(&["worker", "start", &bot.slug]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("no database") && run.stderr.contains("worker_start_failed"));
    stage.act(&bot, LifecycleAction::Stop).await;
    assert_eq!(stage.show(&bot).await.worker.desired, DesiredState::Stopped);
}

/// Two lifecycle requests at once: one wins, the other is told, and never two workers.
#[tokio::test]
async fn of_two_requests_at_once_one_wins() {
    let stage = Installation::start().await;
    let bot = stage.tenant_with("Contested", &["sleep", "1000"]).await;
    let client = stage.client();
    let start = async || client.lifecycle(&bot.slug, LifecycleAction::Start, None).await;
    let (one, two, three) = tokio::join!(start(), start(), start());
    let outcomes = [one, two, three];
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    for refused in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        assert_eq!(refused.status(), Some(409), "{refused}");
    }
    assert_eq!(stage.show(&bot).await.worker.generation, 1);
}

/// What is wanted outlives everything: after both daemons were killed and the process too, the worker
/// is there again.
#[tokio::test]
async fn what_is_wanted_outlives_both_daemons() {
    let mut stage = Installation::start().await;
    let bot = stage.tenant_with("Durable", &["sleep", "1000"]).await;
    let pid = stage.act(&bot, LifecycleAction::Start).await.worker.pid.unwrap();
    stage.kill_server();
    e2e::kill(stage.supervisor_pid());
    e2e::kill(pid);
    stage.start_server().await;
    eventually("the worker runs again", async || {
        let worker = stage.show(&bot).await.worker;
        (worker.status == WorkerStatus::Running && worker.pid != Some(pid)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn deleting_a_tenant_leaves_nothing() {
    let stage = Installation::start().await;
    let bot = stage.tenant_with("Gone", &["sleep", "1000"]).await;
    let pid = stage.act(&bot, LifecycleAction::Start).await.worker.pid.unwrap();
    stage.client().delete_tenant(&bot.slug).await.unwrap();
    assert!(!alive(pid));
    assert_eq!(stage.client().tenant(&bot.slug).await.unwrap_err().code(), Some("unknown_tenant"));
    assert!(!stage.home().join("sessions").join(bot.id.to_string()).exists());
    assert!(!stage.home().join("run/tokens").join(bot.id.to_string()).exists());
}

/// A caller who hangs up leaves nothing half done, and his action in the audit log.
#[tokio::test]
async fn a_caller_who_hangs_up_leaves_nothing_half_done() {
    let stage = Installation::start().await;
    let bot = stage.tenant_with("Stubborn", &["sh", "-c", "trap '' TERM; sleep 1000"]).await;
    stage.act(&bot, LifecycleAction::Start).await;
    let url = format!("{}/admin/tenants/{}", stage.url().unwrap(), bot.slug);
    let hasty = reqwest::Client::builder().timeout(std::time::Duration::from_millis(200)).build();
    let answer = hasty.unwrap().delete(url).bearer_auth(stage.token()).send().await;
    assert!(answer.is_err_and(|error| error.is_timeout()), "the worker takes longer to stop");
    eventually("the tenant is deleted all the same", async || {
        stage.client().tenant(&bot.slug).await.is_err().then_some(())
    })
    .await;
    eventually("and that is in the audit log", async || {
        let audit = stage.client().audit().await.unwrap().items;
        let deleted =
            |it: &api::audit::AuditView| it.action == "tenant.delete" && it.result == "ok";
        audit.iter().any(deleted).then_some(())
    })
    .await;
}

/// Two changes of settings at once: neither loses what the other has changed.
#[tokio::test]
async fn changes_at_once_do_not_undo_each_other() {
    let stage = Installation::start().await;
    let bot = stage.tenant_with("Changed", &["sleep", "1000"]).await;
    let client = stage.client();
    for round in 1..=20_u32 {
        let greeting = format!("Hello {round}");
        let one =
            api::tenant::UpdateTenant { greeting: Some(greeting.clone()), ..Default::default() };
        let two = api::tenant::UpdateTenant {
            rate_limit_max_per_minute: Some(round),
            ..Default::default()
        };
        let (one, two) = tokio::join!(
            client.update_tenant(&bot.slug, &one),
            client.update_tenant(&bot.slug, &two)
        );
        one.unwrap();
        two.unwrap();
        let config = stage.show(&bot).await.config;
        assert_eq!((config.greeting, config.rate_limit_max_per_minute), (greeting, round));
    }
}

/// A start that failed is not tried again by itself, not even by the next control plane.
#[tokio::test]
async fn a_failed_start_stays_failed_after_a_restart_of_the_server() {
    let mut stage = Installation::start().await;
    let bot = stage.tenant_with("Broken", &["sh", "-c", "exit 3"]).await;
    stage.client().lifecycle(&bot.slug, LifecycleAction::Start, None).await.unwrap_err();
    let failures = async |stage: &Installation| {
        let events = stage.client().events(&bot.slug, 0).await.unwrap().items;
        events.iter().filter(|event| event.kind == "worker.start_failed").count()
    };
    eventually("the failure is in the event log", async || {
        (failures(&stage).await == 1).then_some(())
    })
    .await;
    stage.kill_server();
    stage.start_server().await;
    let tenant = stage.show(&bot).await;
    assert_eq!((tenant.status, tenant.worker.status), (TenantStatus::Error, WorkerStatus::Error));
    assert_eq!(failures(&stage).await, 1);
}

/// Another database on the same home does not end the workers of the first.
#[tokio::test]
async fn workers_of_another_database_are_left_alone() {
    let mut stage = Installation::start().await;
    let bot = stage.tenant_with("Kept", &["sleep", "1000"]).await;
    let pid = stage.act(&bot, LifecycleAction::Start).await.worker.pid.unwrap();
    stage.kill_server();
    let other = format!("sqlite:{}", stage.home().join("other.db").display());
    stage.setup.env = vec![("DATABASE_URL".to_owned(), other)];
    stage.start_server().await;
    assert!(stage.client().tenants().await.unwrap().is_empty());
    stage.kill_server();
    stage.setup.env.clear();
    stage.start_server().await;
    assert_eq!(stage.pid(&bot).await, pid);
}
