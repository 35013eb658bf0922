use std::path::Path;

use supervisor::client::Action;
use supervisor::wire::{Desired, Exit, Phase};

use crate::poll::eventually;
use crate::support::{Daemon, is_alive};

/// The process that holds the pipes of this run directory.
fn holder(daemon: &Daemon) -> Option<u32> {
    let run_dir = daemon.run_dir();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let mut pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.find(|pid| {
        let cmdline = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let words: Vec<&[u8]> = cmdline.split(|byte| *byte == 0).collect();
        let ends = [b"hold".as_slice(), run_dir.as_os_str().as_encoded_bytes(), b""];
        words.ends_with(&ends) && is_alive(*pid)
    })
}

fn kill(pid: u32) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

async fn has_ended(pid: u32) {
    eventually("it has ended", || async { (!is_alive(pid)).then_some(()) }).await;
}

/// How many pipes of processes this process has open.
fn pipes_held(pid: u32, run_dir: &Path) -> usize {
    let folder = run_dir.join("processes");
    let fds = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    fds.filter(|fd| std::fs::read_link(fd.path()).is_ok_and(|to| to.starts_with(&folder))).count()
}

/// Says a word and ends as soon as a file is there.
fn last_word(daemon: &Daemon, word: &str) -> supervisor::wire::ProcessSpec {
    let go = daemon.dir.path().join("go");
    let script =
        format!("while ! [ -e {} ]; do sleep 0.01; done; echo {word}; exit 3", go.display());
    let mut spec = daemon.spec("a", &["sh", "-c", &script]);
    spec.restart.autorestart = false;
    spec
}

fn go(daemon: &Daemon) {
    std::fs::write(daemon.dir.path().join("go"), "").unwrap();
}

async fn logged(daemon: &Daemon, words: &[&str]) {
    eventually(&format!("the log says {words:?}"), || async {
        let lines = daemon.client.logs("a", 100).await.ok()?;
        let lines: Vec<&str> = lines.iter().map(|line| line.line.as_str()).collect();
        (lines == words).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_is_said_while_there_is_no_supervisor_is_in_the_log() {
    let mut daemon = Daemon::start().await;
    let pid = daemon.run(last_word(&daemon, "farewell")).await.pid.unwrap();
    daemon.kill();
    go(&daemon);
    has_ended(pid).await;
    daemon.start_again().await;
    logged(&daemon, &["farewell"]).await;
    let view = daemon.get("a").await;
    assert_eq!((view.state, view.desired), (Phase::Stopped, Desired::Stopped));
}

#[tokio::test]
async fn another_holder_takes_the_place_of_one_that_was_killed() {
    let mut daemon = Daemon::start().await;
    let pid = daemon.run(last_word(&daemon, "farewell")).await.pid.unwrap();
    for _ in 0..2 {
        let first = holder(&daemon).unwrap();
        kill(first);
        eventually("another one holds", || async {
            let next = holder(&daemon).filter(|next| *next != first)?;
            (pipes_held(next, &daemon.run_dir()) > 0).then_some(())
        })
        .await;
    }
    daemon.kill();
    go(&daemon);
    has_ended(pid).await;
    daemon.start_again().await;
    logged(&daemon, &["farewell"]).await;
}

#[tokio::test]
async fn the_next_supervisor_has_a_holder_though_both_were_killed() {
    let mut daemon = Daemon::start().await;
    let pid = daemon.run(last_word(&daemon, "farewell")).await.pid.unwrap();
    let first = holder(&daemon).unwrap();
    daemon.kill();
    kill(first);
    has_ended(first).await;
    daemon.start_again().await;
    eventually("another one holds", || async {
        (pipes_held(holder(&daemon)?, &daemon.run_dir()) > 0).then_some(())
    })
    .await;
    daemon.kill();
    go(&daemon);
    has_ended(pid).await;
    daemon.start_again().await;
    logged(&daemon, &["farewell"]).await;
}

#[tokio::test]
async fn what_is_forgotten_is_not_held_and_one_holder_is_enough() {
    let mut daemon = Daemon::start().await;
    daemon.run(daemon.spec("a", &["sleep", "600"])).await;
    let first = holder(&daemon).unwrap();
    eventually("it holds", || async { (pipes_held(first, &daemon.run_dir()) > 0).then_some(()) })
        .await;
    daemon.kill();
    daemon.start_again().await;
    assert_eq!(holder(&daemon), Some(first));
    daemon.client.delete("a").await.unwrap();
    eventually("it lets go", || async {
        (pipes_held(first, &daemon.run_dir()) == 0).then_some(())
    })
    .await;
    daemon.leave(false).await;
    has_ended(first).await;
}

#[tokio::test]
async fn what_was_given_up_stays_so() {
    let mut daemon = Daemon::start().await;
    let mut spec = daemon.spec("a", &["sh", "-c", "exit 7"]);
    spec.restart.max_restarts = 2;
    spec.restart.backoff_initial_ms = 10;
    daemon.run(spec).await;
    let before = daemon.reaches("a", Phase::Errored).await;
    daemon.kill();
    daemon.start_again().await;
    let view = daemon.get("a").await;
    assert_eq!((view.state, view.exit), (Phase::Errored, Some(Exit::Code(7))));
    assert_eq!((view.reason, view.restarts), (before.reason, before.restarts));
    assert_eq!(daemon.act("a", Action::Start).await.unwrap().reason, None);
}

/// As a reboot leaves it: no process, and records of another boot.
#[tokio::test]
async fn after_a_reboot_all_that_is_meant_to_run_does() {
    let mut daemon = Daemon::start().await;
    let mut errored = daemon.spec("errored", &["sh", "-c", "[ -e go ] || exit 7; exec sleep 600"]);
    errored.restart.max_restarts = 1;
    let mut once = daemon.spec("once", &["sleep", "600"]);
    once.restart.autorestart = false;
    let mut ended = daemon.spec("ended", &["true"]);
    ended.restart.autorestart = false;
    for spec in [daemon.spec("plain", &["sleep", "600"]), once, ended, errored] {
        daemon.run(spec).await;
    }
    daemon.run(daemon.spec("stopped", &["sleep", "600"])).await;
    daemon.act("stopped", Action::Stop).await.unwrap();
    daemon.reaches("errored", Phase::Errored).await;
    daemon.reaches("ended", Phase::Stopped).await;
    daemon.kill();
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    for id in 0..5 {
        daemon.set_record(id, &daemon.record(id).replace(boot.trim(), &"0".repeat(36)));
    }
    for pid in daemon.living() {
        kill(u32::try_from(pid).unwrap());
    }
    go(&daemon);
    daemon.start_again().await;
    for name in ["plain", "once", "errored"] {
        let view = daemon.reaches(name, Phase::Online).await;
        assert_eq!(view.desired, Desired::Running);
    }
    for name in ["stopped", "ended"] {
        let view = daemon.get(name).await;
        assert_eq!((view.state, view.desired), (Phase::Stopped, Desired::Stopped));
    }
}
