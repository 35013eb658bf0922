use std::path::{Path, PathBuf};

use serde_json::json;
use supervisor::wire::{Desired, KillSignal, RestartPolicy};

use super::*;
use crate::app::App;
use crate::specs::Context;

/// A process that runs, as the supervisor tells of it.
pub(crate) fn view(spec: &ProcessSpec, id: u32) -> ProcessView {
    ProcessView {
        name: spec.name.clone(),
        instance: spec.instance,
        namespace: spec.namespace.clone(),
        id,
        state: Phase::Online,
        desired: Desired::Running,
        pid: Some(4242),
        restarts: 0,
        unstable: 0,
        started_at: Some(1_700_000_000_500),
        uptime_ms: Some(10),
        next_start_at: None,
        exit: None,
        reason: None,
        cpu_percent: 12.34,
        memory_bytes: 4096,
        incarnation: 1,
        adopted: false,
        out_file: spec.out_file.clone(),
        error_file: spec.error_file.clone(),
        created_at: 1_700_000_000_000,
        status: None,
        uid: None,
        watching: false,
        log_bytes_lost: 0,
        log_trouble: None,
        labels: spec.labels.to_map(),
        spec: supervisor::wire::SpecSummary {
            command: spec.command.clone(),
            cwd: spec.cwd.clone(),
            env_names: Vec::new(),
            env: None,
            kill_signal: KillSignal::Int,
            kill_timeout_ms: 1600,
            log_max_bytes: 0,
            log_keep: 0,
            restart: RestartPolicy::default(),
        },
    }
}

fn homes() -> Homes {
    Homes::new(Path::new("/site/op/.pm2"))
}

/// One process of an app whose script exists on any machine that runs tests.
fn spec(fields: Value) -> ProcessSpec {
    let mut app = App::default();
    app.set("script", &json!("sh")).unwrap();
    let Value::Object(fields) = fields else { panic!("{fields} is no object") };
    for (name, value) in fields {
        app.set(&name, &value).unwrap();
    }
    let env = [("PATH".to_owned(), "/usr/bin:/bin".to_owned())].into();
    let context = Context::new(PathBuf::from("/srv"), env, homes());
    app.specs(&context).unwrap().specs.remove(0)
}

fn count(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

#[test]
fn the_counts_that_pm2s_own_suite_relies_on() {
    for node in [false, true] {
        let mut spec = spec(json!({ "name": "ECHONEST", "env": { "FOO": "bar", "PORT": 3000 } }));
        if node {
            spec.labels.insert(label_of_interpreter(), "node".to_owned());
        }
        let text = pretty(&Value::Array(vec![item(&view(&spec, 3), &spec, &homes())]));
        for (part, times) in [
            ("pm_id: 3", 2),
            ("restart_time: 0", 1),
            ("restart_time", 1),
            ("status: 'online'", 1),
            ("online", 1),
            ("exec_mode: 'fork_mode'", 1),
            ("fork_mode", 1),
            ("pm_exec_path: ", 1),
            ("FOO: 'bar'", 2),
            ("PORT: 3000", 2),
            ("NODE_APP_INSTANCE: 0", 1),
            ("ECHONEST", 7),
            ("watch: false", 1),
            ("km_link: false", 1),
            ("vizion: true", 1),
            ("node_args: []", 1),
            ("deep_monitoring", 0),
            ("launching", 0),
        ] {
            assert_eq!(count(&text, part), times, "{part} (node: {node}) in\n{text}");
        }
        // Tools cut the value out of `pm_id: 3,`.
        assert_eq!(count(&text, "pm_id: 3,"), 2, "{text}");
    }
}

fn label_of_interpreter() -> String {
    crate::specs::label::INTERPRETER.to_owned()
}

#[test]
fn a_node_apps_name_is_where_pm2s_instrumentation_says_it() {
    let mut spec = spec(json!({ "name": "web-dev" }));
    spec.labels.insert(label_of_interpreter(), "/opt/node/bin/node".to_owned());
    let text = pretty(&item(&view(&spec, 0), &spec, &homes()));
    assert_eq!(count(&text, "name: 'web-dev'"), 3, "{text}");
}

#[test]
fn an_item_has_what_other_tools_read() {
    let spec = spec(json!({
        "name": "a b", "args": "x 'y z'", "watch": ["server", "client"],
        "ignore_watch": ["node_modules"], "max_memory_restart": "50M", "instances": 2, "deep_monitoring": true,
        "stop_exit_codes": [3], "exp_backoff_restart_delay": 100, "env_production": { "MODE": "prod" }, "log_file": true,
    }));
    let mut view = view(&spec, 7);
    view.exit = Some(Exit::Signal(9));
    view.state = Phase::WaitingRestart;
    view.pid = None;
    let item = item(&view, &spec, &homes());
    let record = &item["pm2_env"];
    let expected = json!({
        "pid": 0, "name": "a b", "pm_id": 7, "monit": { "memory": 4096, "cpu": 12.3 },
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&item[name], value, "{name}");
    }
    let expected = json!({
        "status": "waiting restart", "args": ["x", "y z"], "watch": ["server", "client"],
        "ignore_watch": ["node_modules"], "max_memory_restart": 52_428_800, "instances": 2,
        "stop_exit_codes": [3], "exp_backoff_restart_delay": 100, "exit_code": 0,
        "env_production": { "MODE": "prod" }, "deep_monitoring": true, "merge_logs": null,
        "pm_out_log_path": "/site/op/.pm2/logs/a-b-out-0.log",
        "pm_err_log_path": "/site/op/.pm2/logs/a-b-error-0.log",
        "pm_log_path": "/site/op/.pm2/logs/a-b-0.log",
        "pm_pid_path": "/site/op/.pm2/pids/a-b-7.pid",
        "pm_cwd": "/srv", "exec_interpreter": "none", "namespace": "default",
        "created_at": 1_700_000_000_000_i64, "pm_uptime": 1_700_000_000_500_i64,
        "version": "N/A", "axm_actions": [], "axm_monitor": {}, "axm_options": {}, "axm_dynamic": {},
        "kill_timeout": null, "min_uptime": null, "max_restarts": null,
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(record.get(name).unwrap_or(&Value::Null), value, "{name}");
    }
    assert!(record["pm_exec_path"].as_str().unwrap().ends_with("/bin/sh"));
}

#[test]
fn secrets_are_not_shown() {
    let mut spec = spec(json!({ "env": { "TOKEN": "s3cret" } }));
    spec.secret_env.insert("TOKEN".to_owned());
    let text = item(&view(&spec, 0), &spec, &homes()).to_string();
    assert!(!text.contains("s3cret"), "{text}");
    assert_eq!(count(&text, r#""TOKEN":"***""#), 2, "{text}");
}

#[test]
fn a_process_that_is_no_pm2_app_is_shown_too() {
    let command = vec!["/bin/job".to_owned(), "run".to_owned()];
    let spec = ProcessSpec::new("w", command, "/".into(), "/var/log/w.log".into());
    let item = item(&view(&spec, 1), &spec, &homes());
    let record = &item["pm2_env"];
    assert_eq!(record["pm_exec_path"], "/bin/job");
    assert_eq!(record["args"], json!(["run"]));
    assert_eq!(record["exec_interpreter"], "none");
    assert_eq!(record["pm_err_log_path"], "/var/log/w.log");
    assert_eq!(record["instances"], 1);
}

#[test]
fn literals_are_nodes_own() {
    // `list.txt` is what Node's `util.inspect(list, false, null, false)` made of `list.json`.
    let list: Value = serde_json::from_str(include_str!("../../fixtures/list.json")).unwrap();
    let expected = include_str!("../../fixtures/list.txt");
    let made = pretty(&list);
    for (line, (made, expected)) in made.lines().zip(expected.lines()).enumerate() {
        assert_eq!(made, expected, "line {}", line + 1);
    }
    assert_eq!(made, expected);
}
