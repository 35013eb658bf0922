use std::time::{Duration, Instant};

use futures::StreamExt;
use supervisor::client::{Action, Client, ClientError};
use supervisor::daemon::{DaemonConfig, DaemonError, socket_path};
use supervisor::wire::{ActionRequest, Confinement, Desired, ErrorCode, Event, Exit, Phase};

use crate::poll::eventually;
use crate::support::{Daemon, is_alive, refusal, spawn_daemon};

/// Never comes to rest, so that it settles for as long as it may.
const BUSY: &[&str] = &["sh", "-c", "while :; do :; done"];

#[tokio::test]
async fn start_stop_restart_delete() {
    let daemon = Daemon::start().await;
    let started = daemon.run(daemon.spec("a", &["sleep", "600"])).await;
    assert_eq!((started.state, started.desired, started.id), (Phase::Online, Desired::Running, 0));
    assert_eq!((started.incarnation, started.restarts), (1, 0));
    let pid = started.pid.unwrap();
    assert!(is_alive(pid));

    let again = refusal(daemon.act("a", Action::Start).await);
    assert_eq!(again.code, ErrorCode::AlreadyRunning);

    let restarted = daemon.act("0", Action::Restart).await.unwrap();
    assert_eq!((restarted.incarnation, restarted.restarts), (2, 1));
    assert!(!is_alive(pid) && restarted.pid != Some(pid));

    let stopped = daemon.act("a", Action::Stop).await.unwrap();
    assert_eq!((stopped.state, stopped.desired), (Phase::Stopped, Desired::Stopped));
    assert_eq!((stopped.exit, stopped.pid), (Some(Exit::Signal(15)), None));
    let twice = daemon.act("a", Action::Stop).await.unwrap();
    assert_eq!(twice.state, Phase::Stopped);

    assert_eq!(daemon.act("a", Action::Start).await.unwrap().incarnation, 3);
    daemon.client.delete("a").await.unwrap();
    assert!(daemon.living().is_empty());
    assert!(daemon.client.list(&[]).await.unwrap().is_empty());
    let unknown = refusal(daemon.client.get("a", false).await);
    assert_eq!(unknown.code, ErrorCode::UnknownProcess);
    assert!(started.out_file.exists(), "log files stay");
    assert_eq!(std::fs::read_dir(daemon.run_dir().join("processes")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_program_that_cannot_run_leaves_nothing_behind() {
    let daemon = Daemon::start().await;
    let missing = refusal(daemon.try_run(daemon.spec("a", &["no-such-program"]), 0).await);
    assert_eq!(missing.code, ErrorCode::SpawnFailed);
    assert!(missing.message.contains("no-such-program"), "{}", missing.message);
    let not_executable = refusal(daemon.try_run(daemon.spec("a", &["/etc/passwd"]), 0).await);
    assert_eq!(not_executable.code, ErrorCode::SpawnFailed);
    assert!(not_executable.message.contains("not executable"), "{}", not_executable.message);
    // Passes every check beforehand, and only the kernel refuses it.
    let broken = daemon.dir.path().join("broken");
    std::fs::write(&broken, "\x7fELF but no more").unwrap();
    std::fs::set_permissions(&broken, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let broken = daemon.spec("a", &[broken.to_str().unwrap()]);
    assert_eq!(refusal(daemon.try_run(broken, 0).await).code, ErrorCode::SpawnFailed);
    assert!(daemon.client.list(&[]).await.unwrap().is_empty());
    assert_eq!(std::fs::read_dir(daemon.run_dir().join("processes")).unwrap().count(), 0);
}

#[tokio::test]
async fn an_early_exit_is_reported_with_the_last_lines() {
    let daemon = Daemon::start().await;
    let spec = daemon.spec("a", &["sh", "-c", "echo so long; exit 3"]);
    let early = refusal(daemon.try_run(spec, 5000).await);
    assert_eq!((early.code, early.exit), (ErrorCode::ExitedEarly, Some(Exit::Code(3))));
    assert_eq!(early.log_tail, ["so long"]);
    let view = daemon.get("a").await;
    assert_eq!((view.state, view.desired), (Phase::Errored, Desired::Stopped));

    let mut better = daemon.spec("a", BUSY);
    better.out_file = view.out_file;
    let began = Instant::now();
    assert_eq!(daemon.try_run(better, 100).await.unwrap().state, Phase::Online);
    assert!(began.elapsed() >= Duration::from_millis(100));
}

#[tokio::test]
async fn a_stop_overrules_a_start_that_settles() {
    let daemon = Daemon::start().await;
    let start = daemon.try_run(daemon.spec("a", BUSY), 30_000);
    let stop = async {
        daemon.reaches("a", Phase::Online).await;
        daemon.act("a", Action::Stop).await.unwrap()
    };
    let (start, stop) = tokio::join!(start, stop);
    assert_eq!(refusal(start).code, ErrorCode::Superseded);
    assert_eq!(stop.state, Phase::Stopped);
}

/// Confined or not, which are two ways to come by a table of open files.
#[tokio::test]
async fn a_process_has_its_standard_streams_open_and_nothing_else() {
    let daemon = Daemon::start().await;
    for (name, confined) in [("free", false), ("confined", true)] {
        let script = r"ls /proc/$$/fd | tr '\n' ,; echo end; sleep 600";
        let mut spec = daemon.spec(name, &["sh", "-c", script]);
        if confined {
            let everything = vec!["/".into()];
            spec.limits.confinement = Some(Confinement { read: Vec::new(), write: everything });
        }
        match daemon.try_run(spec, 0).await {
            Ok(_) => {}
            // A kernel without Landlock confines nothing.
            Err(_) if confined => return,
            Err(error) => panic!("{error}"),
        }
        let lines = eventually("the descriptors are printed", || async {
            let lines = daemon.client.logs(name, 1).await.unwrap();
            lines.iter().any(|line| line.line.ends_with("end")).then_some(lines)
        })
        .await;
        assert_eq!(lines[0].line, "0,1,2,end", "{name}");
    }
}

#[tokio::test]
async fn environment_is_exact_and_secrets_are_masked() {
    let daemon = Daemon::start().await;
    let mut spec = daemon.spec("a", &["sh", "-c", "env; sleep 600"]);
    spec.env.insert("TOKEN".to_owned(), "hush".to_owned());
    spec.secret_env.insert("TOKEN".to_owned());
    spec.labels.insert("tenant".to_owned(), "t=1".to_owned());
    daemon.run(spec).await;
    let lines = eventually("the environment is printed", || async {
        let lines = daemon.client.logs("a", 100).await.unwrap();
        lines.iter().any(|line| line.line.starts_with("TOKEN=hush")).then_some(lines)
    })
    .await;
    let mut names: Vec<&str> =
        lines.iter().map(|line| line.line.split('=').next().unwrap()).collect();
    names.retain(|name| !["PWD", "SHLVL", "_", "OLDPWD"].contains(name));
    names.sort_unstable();
    let wanted =
        ["PATH", "SUPERVISOR_TEST_OWNER", "TENANTRY_INCARNATION", "TENANTRY_PROCESS", "TOKEN"];
    assert_eq!(names, wanted);

    let plain = daemon.get("a").await;
    assert_eq!(plain.spec.env, None);
    assert!(plain.spec.env_names.contains(&"TOKEN".to_owned()));
    let asked = daemon.client.get("a", true).await.unwrap();
    assert_eq!(asked.spec.env.as_ref().unwrap()["TOKEN"], "***");
    assert_eq!(asked.spec.env.unwrap()["PATH"], "/usr/bin:/bin");
    assert_eq!(daemon.client.list(&[("tenant", "t=1")]).await.unwrap().len(), 1);
    assert_eq!(daemon.client.list(&[("tenant", "t")]).await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_restart_may_bring_a_new_description() {
    let daemon = Daemon::start().await;
    daemon.run(daemon.spec("a", &["sleep", "600"])).await;
    let mut spec = daemon.spec("a", &["sleep", "601"]);
    spec.labels.insert("generation".to_owned(), "2".to_owned());
    let request = ActionRequest { spec: Some(spec), ..ActionRequest::default() };
    let view = daemon.client.act("a", Action::Restart, &request).await.unwrap();
    assert_eq!(view.labels["generation"], "2");
    assert_eq!(view.spec.command, ["sleep", "601"]);
    let pid = view.pid.unwrap();
    // The kernel shows it a moment after it lets the caller of the execution go on.
    eventually("the new command runs", || async {
        let cmdline = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?;
        cmdline.contains("601").then_some(())
    })
    .await;

    let broken =
        ActionRequest { spec: Some(daemon.spec("a", &["/none"])), ..ActionRequest::default() };
    let refused = refusal(daemon.client.act("a", Action::Restart, &broken).await);
    assert_eq!(refused.code, ErrorCode::SpawnFailed);
    assert_eq!(daemon.get("a").await.pid, Some(pid), "it goes on");
}

#[tokio::test]
async fn bad_descriptions_are_refused() {
    let daemon = Daemon::start().await;
    let name = daemon.spec("a/b", &["sleep", "600"]);
    assert_eq!(refusal(daemon.try_run(name, 0).await).code, ErrorCode::InvalidSpec);
    daemon.run(daemon.spec("a", &["sleep", "600"])).await;
    let mut same_log = daemon.spec("b", &["sleep", "600"]);
    same_log.out_file = daemon.get("a").await.out_file;
    let refused = refusal(daemon.try_run(same_log, 0).await);
    assert_eq!(refused.code, ErrorCode::InvalidSpec);
    assert!(refused.message.contains("process a"), "{}", refused.message);
}

#[tokio::test]
async fn events_begin_with_everything_and_then_tell_each_change() {
    let daemon = Daemon::start().await;
    daemon.run(daemon.spec("a", &["sleep", "600"])).await;
    let mut events = daemon.client.events().await.unwrap();
    let mut next = async || events.next().await.unwrap().unwrap();
    assert!(matches!(next().await, Event::Sync(views) if views.len() == 1));
    daemon.client.delete("a").await.unwrap();
    let Event::Process(view) = next().await else { panic!() };
    assert_eq!(view.state, Phase::Stopping);
    assert!(matches!(next().await, Event::Gone(gone) if gone.name == "a"));
}

#[tokio::test]
async fn a_second_supervisor_is_refused_and_names_the_first() {
    let mut daemon = Daemon::start().await;
    let first = daemon.client.info().await.unwrap().pid;
    let second = spawn_daemon(&daemon.run_dir()).wait_with_output().unwrap();
    assert!(!second.status.success());
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(
        said.contains(&format!("already running for {}", daemon.run_dir().display())),
        "{said}"
    );
    assert!(said.contains(&format!("pid {first}")), "{said}");
    daemon.leave(false).await;
    assert!(!socket_path(&daemon.run_dir()).exists());
}

#[tokio::test]
async fn a_socket_path_that_is_too_long_is_refused() {
    let run_dir = std::path::PathBuf::from(format!("/tmp/{}", "x".repeat(120)));
    assert!(matches!(Client::new(&socket_path(&run_dir)), Err(ClientError::BadSocket(_))));
    let ended = supervisor::daemon::run(DaemonConfig::new(run_dir), Default::default()).await;
    assert!(matches!(ended, Err(DaemonError::SocketPathTooLong { .. })));
}

#[tokio::test]
async fn leaving_keeps_processes_or_ends_them_and_both_come_back() {
    let mut daemon = Daemon::start().await;
    let pid = daemon.run(daemon.spec("a", &["sleep", "600"])).await.pid.unwrap();
    daemon.leave(false).await;
    assert!(is_alive(pid));
    daemon.start_again().await;
    let view = daemon.get("a").await;
    assert_eq!((view.pid, view.adopted, view.state), (Some(pid), true, Phase::Online));
    daemon.leave(true).await;
    assert!(daemon.living().is_empty());
    daemon.start_again().await;
    assert_eq!(daemon.reaches("a", Phase::Online).await.desired, Desired::Running);
}

#[tokio::test]
async fn requests_take_milliseconds() {
    let daemon = Daemon::start().await;
    daemon.run(daemon.spec("warm", &["sleep", "600"])).await;
    let median = |mut times: Vec<Duration>| {
        times.sort_unstable();
        times[times.len() / 2]
    };
    let (mut starts, mut stops, mut restarts) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..15 {
        let spec = daemon.spec("a", &["sleep", "600"]);
        let began = Instant::now();
        daemon.run(spec).await;
        starts.push(began.elapsed());
        let began = Instant::now();
        daemon.act("a", Action::Restart).await.unwrap();
        restarts.push(began.elapsed());
        let began = Instant::now();
        daemon.act("a", Action::Stop).await.unwrap();
        stops.push(began.elapsed());
    }
    let (start, stop, restart) = (median(starts), median(stops), median(restarts));
    println!("median: start {start:?}, stop {stop:?}, restart {restart:?}");
    // Ten times what it takes on an idle machine: this is to notice polling, not to measure.
    assert!(start < Duration::from_millis(100), "{start:?}");
    assert!(stop < Duration::from_millis(100), "{stop:?}");
    assert!(restart < Duration::from_millis(200), "{restart:?}");
}

#[tokio::test]
async fn wrong_paths_and_bodies_get_problem_answers() {
    let daemon = Daemon::start().await;
    let http = reqwest::Client::builder().unix_socket(daemon.client.socket()).build().unwrap();
    let get = async |path: &str| {
        let response = http.get(format!("http://x{path}")).send().await.unwrap();
        let status = response.status().as_u16();
        (status, response.json::<supervisor::wire::ErrorBody>().await.unwrap().code)
    };
    assert_eq!(get("/nowhere").await, (404, ErrorCode::NotFound));
    assert_eq!(get("/v1/shutdown").await, (405, ErrorCode::MethodNotAllowed));
    assert_eq!(get("/v1/processes/nobody").await, (404, ErrorCode::UnknownProcess));
    assert_eq!(get("/v1/processes?label=x").await, (400, ErrorCode::BadRequest));
    assert_eq!(get("/v1/processes/nobody/logs?tail=x").await, (400, ErrorCode::BadRequest));
    let post = http.post("http://x/v1/processes").body("{").send().await.unwrap();
    assert_eq!(post.status().as_u16(), 400);
}
