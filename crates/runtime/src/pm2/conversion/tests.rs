use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use chrono::DateTime;
use serde_json::{Value, json};

use super::{observed, process_file};
use crate::pm2::list::Item;
use crate::{ObservedState, RuntimeError, WorkerExit, WorkerLaunch};

fn launch() -> WorkerLaunch {
    WorkerLaunch {
        name: "worker-a".to_owned(),
        tenant: "t1".to_owned(),
        generation: 7,
        command: vec!["sh".to_owned(), "-c".to_owned(), "echo $(id) 'x'".to_owned()],
        env: BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]),
        secret_env: BTreeSet::new(),
        cwd: PathBuf::from("/"),
        log_path: PathBuf::from("/tmp/a.log"),
        final_exits: BTreeMap::from([(78, "taken over".to_owned())]),
        kill_timeout: Duration::ZERO,
    }
}

fn app(launch: &WorkerLaunch) -> Value {
    let file: Value = serde_json::from_slice(&process_file(launch, 3).unwrap()).unwrap();
    file["apps"][0].clone()
}

fn item(record: &Value, pid: u32) -> Item {
    let mut env = app(&launch());
    let env = env["env"].take();
    let mut pm2_env = record.clone();
    pm2_env["env"] = env;
    serde_json::from_value(json!({"name": "worker-a", "pm_id": 0, "pid": pid, "pm2_env": pm2_env}))
        .unwrap()
}

fn state(record: &Value, pid: u32) -> ObservedState {
    observed(&item(record, pid), DateTime::UNIX_EPOCH).state
}

#[test]
fn a_launch_becomes_a_process_file_without_a_shell() {
    let app = app(&launch());
    assert!(app["script"].as_str().unwrap().ends_with("/sh"));
    assert_eq!(app["args"], json!(["-c", "echo $(id) 'x'"]));
    assert_eq!((&app["interpreter"], &app["kill_timeout"]), (&json!("none"), &json!(1)));
    assert_eq!(app["stop_exit_codes"], json!([78]));
}

#[test]
fn a_program_with_a_space_does_not_become_a_shell_line() {
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("a b");
    std::fs::copy("/bin/sh", &program).unwrap();
    let program = program.display().to_string();
    let app = app(&WorkerLaunch { command: vec![program.clone(), "x".to_owned()], ..launch() });
    assert_eq!((&app["script"], &app["args"]), (&json!("/usr/bin/env"), &json!([program, "x"])));
}

#[test]
fn what_pm2_cannot_carry_is_refused_by_name() {
    for name in ["pm_exec_path", "name", "TENANTRY_PM2_TENANT"] {
        let mut launch = launch();
        launch.env.insert(name.to_owned(), "x".to_owned());
        let Err(RuntimeError::Invalid { message }) = process_file(&launch, 1) else {
            panic!("{name} was accepted");
        };
        assert!(message.contains(name), "{message}");
    }
    let mut large = launch();
    large.env.insert("LARGE".to_owned(), "x".repeat(70_000));
    assert!(matches!(process_file(&large, 1), Err(RuntimeError::Invalid { .. })));
    let missing = WorkerLaunch { command: vec!["no-such-program".to_owned()], ..launch() };
    assert!(matches!(process_file(&missing, 1), Err(RuntimeError::SpawnFailed { .. })));
}

#[test]
fn the_labels_come_back() {
    let running = json!({"status": "online", "restart_time": 2, "exit_code": 0, "pm_uptime": 1000});
    let worker = observed(&item(&running, 42), DateTime::UNIX_EPOCH);
    assert_eq!((worker.tenant.as_str(), worker.generation), ("t1", 7));
    assert_eq!((worker.incarnation, worker.restarts), (5, 4));
    assert_eq!(worker.exit, Some(WorkerExit::Unknown));
    assert!(matches!(worker.state, ObservedState::Running { pid: 42, .. }) && worker.wanted);
}

#[test]
fn waiting_for_a_restart_that_never_comes_is_failed() {
    let waits = json!({"status": "waiting restart", "created_at": 5, "prev_restart_delay": 100, "exit_code": 1});
    assert!(matches!(state(&waits, 42), ObservedState::Backoff { .. }));
    let taken_over = json!({"status": "waiting restart", "created_at": 5, "exit_code": 78});
    assert_eq!(state(&taken_over, 0), ObservedState::Failed { reason: "taken over".to_owned() });
    let gave_up = json!({"status": "waiting restart", "created_at": null, "exit_code": 1});
    assert!(matches!(state(&gave_up, 0), ObservedState::Failed { .. }));
    assert_eq!(state(&json!({"status": "stopped", "exit_code": 1}), 0), ObservedState::Stopped);
    assert!(matches!(state(&json!({"status": "online"}), 0), ObservedState::Failed { .. }));
}
