use std::collections::BTreeMap;
use std::path::PathBuf;

use supervisor::client::Action;
use supervisor::wire::{
    Confinement, ErrorCode, Liveness, Phase, ProcessSpec, Readiness, Resource, ResourceLimit,
};

use crate::poll::eventually;
use crate::support::{Daemon, example, refusal};

/// What a script says in `lines` lines.
async fn said(daemon: &Daemon, name: &str, lines: usize) -> Vec<String> {
    eventually(&format!("{name} says {lines} lines"), || async {
        let said = daemon.client.logs(name, 100).await.ok()?;
        (said.len() >= lines).then(|| said.into_iter().map(|line| line.line).collect())
    })
    .await
}

/// Runs a script that prints `lines` lines, and tells them.
async fn output(daemon: &Daemon, mut spec: ProcessSpec, script: &str, lines: usize) -> Vec<String> {
    spec.command = ["sh", "-c", &format!("{script}; exec sleep 600")].map(str::to_owned).into();
    let name = spec.name.clone();
    daemon.run(spec).await;
    said(daemon, &name, lines).await
}

fn status_of(pid: u32) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let pairs = text.lines().filter_map(|line| line.split_once(':'));
    pairs.map(|(key, value)| (key.to_owned(), value.trim().to_owned())).collect()
}

fn is_root(what: &str) -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        eprintln!("only root can {what}: not tried");
    }
    is_root
}

#[tokio::test]
async fn resource_limits_and_priority_hold_in_the_child() {
    let daemon = Daemon::start().await;
    let mut spec = daemon.spec("a", &[]);
    let exactly = |value| ResourceLimit { soft: Some(value), hard: Some(value) };
    spec.limits.rlimits = BTreeMap::from([
        (Resource::Nofile, ResourceLimit { soft: Some(123), hard: Some(456) }),
        (Resource::Core, exactly(0)),
    ]);
    spec.limits.nice = Some(7);
    let lines = output(&daemon, spec, "ulimit -Sn; ulimit -Hn; ulimit -Hc; nice", 4).await;
    assert_eq!(lines, ["123", "456", "0", "7"]);
}

#[tokio::test]
async fn the_supervisors_own_limit_on_open_files_is_not_the_childs() {
    let daemon = Daemon::start().await;
    let lines = output(&daemon, daemon.spec("a", &[]), "ulimit -Sn", 1).await;
    let mine = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap();
    assert_eq!(lines, [mine.to_string()]);
}

#[tokio::test]
async fn a_limit_that_cannot_be_set_is_named_and_nothing_runs() {
    let daemon = Daemon::start().await;
    let mut spec = daemon.spec("a", &["sleep", "600"]);
    // More than the kernel lets anybody have.
    let most = Some(u64::MAX - 1);
    spec.limits.rlimits.insert(Resource::Nofile, ResourceLimit { soft: most, hard: most });
    let error = refusal(daemon.try_run(spec, 0).await);
    assert_eq!(error.code, ErrorCode::SpawnFailed);
    assert!(error.message.contains("limits.rlimits"), "{}", error.message);
    assert!(daemon.client.list(&[]).await.unwrap().is_empty() && daemon.living().is_empty());
}

#[tokio::test]
async fn a_child_begins_with_a_clean_slate() {
    let daemon = Daemon::start().await;
    let view = daemon.run(daemon.spec("a", &["sleep", "600"])).await;
    let pid = view.pid.unwrap();
    // The kernel shows it a moment after the execution.
    let status = eventually("it is executed", || async {
        Some(status_of(pid)).filter(|status| status["Name"] == "sleep")
    })
    .await;
    let signals = |key: &str| u64::from_str_radix(&status[key], 16).unwrap();
    // The two that the C library keeps for itself cannot be set by anybody.
    let ignored = signals("SigIgn") & !(0b11 << 31);
    assert_eq!((signals("SigBlk"), ignored, signals("SigCgt")), (0, 0, 0));
    assert_eq!(status["NoNewPrivs"], "0");
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    let own = pid.to_string();
    assert_eq!((fields[2], fields[3]), (own.as_str(), own.as_str()), "group and session");
    // `ls` itself has one more open: the folder that it lists.
    let lines = output(&daemon, daemon.spec("b", &[]), "ls /proc/self/fd", 4).await;
    assert_eq!(lines, ["0", "1", "2", "3"]);
}

#[tokio::test]
async fn a_broken_pipe_ends_a_child_as_elsewhere() {
    let daemon = Daemon::start().await;
    let script = "(sh -c 'kill -PIPE $$'; echo status $?)";
    assert_eq!(output(&daemon, daemon.spec("a", &[]), script, 1).await, ["status 141"]);
}

#[tokio::test]
async fn privileges_can_be_renounced() {
    let daemon = Daemon::start().await;
    let mut spec = daemon.spec("a", &["sleep", "600"]);
    spec.limits.no_new_privs = true;
    let pid = daemon.run(spec).await.pid.unwrap();
    assert_eq!(status_of(pid)["NoNewPrivs"], "1");
}

#[tokio::test]
async fn it_runs_as_another_user_with_those_groups_alone() {
    if !is_root("become another user") {
        return;
    }
    let daemon = Daemon::start().await;
    let mut spec = daemon.spec("a", &["sleep", "600"]);
    spec.cwd = PathBuf::from("/");
    (spec.limits.uid, spec.limits.gid) = (Some(4001), Some(4002));
    spec.limits.groups = vec![4003, 4004];
    let pid = daemon.run(spec).await.pid.unwrap();
    let status = status_of(pid);
    assert_eq!(status["Uid"], "4001\t4001\t4001\t4001");
    assert_eq!(status["Gid"], "4002\t4002\t4002\t4002");
    assert_eq!(status["Groups"], "4003 4004");
    assert_eq!(u64::from_str_radix(&status["CapEff"], 16).unwrap(), 0);
    daemon.act("a", Action::Stop).await.unwrap();
    assert!(daemon.living().is_empty());
}

/// The run directory is closed to others, but what they tell must arrive.
#[tokio::test]
async fn another_users_process_is_heard() {
    if !is_root("become another user") {
        return;
    }
    let daemon = Daemon::start().await;
    // Where the program may be executed by anybody.
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    let folder = tempfile::Builder::new().permissions(open).tempdir().unwrap();
    let program = folder.path().join("behave");
    std::fs::copy(example("behave"), &program).unwrap();
    let script = format!("{0} notify READY=1 & exec {0} beat 20 /nowhere", program.display());
    let mut spec = daemon.spec("a", &["sh", "-c", &script]);
    spec.cwd = PathBuf::from("/");
    (spec.limits.uid, spec.limits.gid) = (Some(4001), Some(4002));
    (spec.ready, spec.listen_timeout_ms) = (Readiness::Notify, 3_600_000);
    spec.liveness =
        Some(Liveness { probe: None, interval_ms: 1000, timeout_ms: 1000, failures: 1 });
    daemon.run(spec).await;
    let view = daemon.reaches("a", Phase::Online).await;
    assert_eq!((view.reason, view.restarts), (None, 0));
}

#[tokio::test]
async fn a_confined_child_reaches_what_it_was_given_alone() {
    let daemon = Daemon::start().await;
    let folder = |name: &str| {
        let folder = daemon.dir.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("file"), format!("of {name}\n")).unwrap();
        folder
    };
    let (mine, shown, secret) = (folder("mine"), folder("shown"), folder("secret"));
    let mut spec = daemon.spec("a", &[]);
    spec.cwd.clone_from(&mine);
    let programs = ["/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache"];
    let read = programs.map(PathBuf::from).into_iter().filter(|path| path.exists());
    spec.limits.confinement = Some(Confinement {
        read: read.chain([shown]).collect(),
        write: vec![mine, PathBuf::from("/dev/null")],
    });
    let script = format!(
        "cat file; cat ../shown/file; cat {secret}/file || echo kept out; echo x > file && cat file; (echo x > ../shown/new) || echo kept from writing",
        secret = secret.display()
    );
    let lines = output(&daemon, spec, &format!("({script}) 2>/dev/null"), 5).await;
    assert_eq!(lines, ["of mine", "of shown", "kept out", "x", "kept from writing"]);
}

/// Rather no process than one without the limit that was asked for.
#[tokio::test]
async fn a_limit_that_the_machine_cannot_hold_is_refused() {
    let daemon = Daemon::start().await;
    if daemon.client.info().await.unwrap().cgroups {
        println!("this machine has control groups: not tried");
        return;
    }
    let mut memory = daemon.spec("memory", &["sleep", "600"]);
    memory.limits.memory_max = Some(64 << 20);
    let mut cpu = daemon.spec("cpu", &["sleep", "600"]);
    cpu.limits.cpu_max_percent = Some(50);
    for spec in [memory, cpu] {
        let error = refusal(daemon.try_run(spec, 0).await);
        assert_eq!(error.code, ErrorCode::SpawnFailed);
        assert!(error.message.contains("limits.memory_max"), "{}", error.message);
        assert!(error.message.contains("doctor"), "{}", error.message);
    }
    assert!(daemon.client.list(&[]).await.unwrap().is_empty() && daemon.living().is_empty());
}
