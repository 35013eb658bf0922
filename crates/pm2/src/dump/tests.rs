use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use supervisor::wire::{Pairs, Stdin};
use tempfile::TempDir;

use super::*;
use crate::jlist::tests::view;

/// What PM2 7.0.4 wrote after a file with two apps (one of them twice) and a script were started, and the script stopped.
const PM2: &str = include_str!("../../fixtures/dump.pm2");

/// A machine on which the dump's programs exist.
struct Machine {
    folder: TempDir,
    homes: Homes,
}

impl Machine {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        for program in ["echo.sh", "tick.js", "bin/bash", "bin/node"] {
            let path = folder.path().join(program);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, "#!/bin/sh\n").unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self { folder, homes: Homes::new(Path::new("/site/op/.pm2")) }
    }

    fn read(&self, text: &str) -> Dump {
        let app = self.folder.path().to_str().unwrap();
        let text = text.replace("/srv/app", app);
        let text = text.replace("/usr/local/bin:/usr/bin:/bin", &format!("{app}/bin"));
        read(&text, &self.homes).unwrap()
    }
}

#[test]
fn a_dump_of_pm2_becomes_processes() {
    let machine = Machine::new();
    let dump = machine.read(PM2);
    assert_eq!(dump.failed, Vec::<String>::new());
    let named: Vec<_> =
        dump.saved.iter().map(|s| (s.spec.name.as_str(), s.spec.instance, s.running)).collect();
    assert_eq!(
        named,
        [("echo-app", 0, true), ("two", 0, true), ("two", 1, true), ("tick", 0, false)]
    );
    let echo = &dump.saved[0].spec;
    let script = machine.folder.path().join("echo.sh").to_str().unwrap().to_owned();
    assert_eq!(echo.command, ["bash", script.as_str(), "a", "b c"]);
    assert_eq!(echo.cwd, machine.folder.path());
    assert_eq!(echo.max_memory_bytes, Some(52_428_800));
    assert_eq!(echo.restart.stop_exit_codes, [3].into());
    assert_eq!((echo.restart.backoff_initial_ms, echo.restart.backoff_jitter_percent), (100, 0));
    assert_eq!(echo.out_file, Path::new("/site/op/.pm2/logs/echo-app-out.log"));
    assert_eq!(echo.stdin, Stdin::Pipe);
    let two = &dump.saved[2].spec;
    assert_eq!(two.out_file, Path::new("/site/op/.pm2/logs/two-out-2.log"));
    assert_eq!(two.variable("NODE_APP_INSTANCE"), Some("1"));
    assert_eq!(dump.saved[3].spec.command[0], "node");
    assert!(dump.saved.iter().all(|saved| saved.warnings.is_empty()));
}

#[test]
fn what_pm2_puts_into_the_environment_is_left_out() {
    let machine = Machine::new();
    let dump = machine.read(PM2);
    let echo = &dump.saved[0].spec;
    let names: Vec<_> = echo.environment().map(|(name, _)| name).collect();
    let expected = ["FOO", "HOME", "LANG", "NODE_APP_INSTANCE", "PATH", "PM2_HOME"];
    let mut names: Vec<_> = names.into_iter().collect();
    names.sort_unstable();
    assert_eq!(names, expected);
    assert!(Arc::ptr_eq(&dump.saved[1].spec.base_env, &dump.saved[2].spec.base_env));
}

#[test]
fn an_apps_own_variables_that_are_named_like_pm2s_stay() {
    let mut env: Env =
        ["name", "version", "status"].map(|name| (name.to_owned(), "mine".to_owned())).into();
    drop_record_variables(&mut env);
    assert_eq!(env.keys().collect::<Vec<_>>(), ["name", "version"]);
    env.insert("pm_id".to_owned(), "3".to_owned());
    drop_record_variables(&mut env);
    assert!(env.is_empty());
}

#[test]
fn a_written_dump_reads_back() {
    let machine = Machine::new();
    let first = machine.read(PM2);
    let mut views: Vec<ProcessView> =
        (0..).zip(&first.saved).map(|(id, saved)| view(&saved.spec, id)).collect();
    views[3].state = supervisor::wire::Phase::Stopped;
    let text = write(views.iter().zip(first.saved.iter().map(|s| &s.spec)), &machine.homes);
    let records: Vec<Map<String, Value>> = serde_json::from_str(&text).unwrap();
    assert!(records.iter().all(|record| !record.contains_key("pm_id")));
    assert!(records.iter().all(|record| !record.contains_key("instances")));
    let second = read(&text, &machine.homes).unwrap();
    // PM2 does not write down that it does not watch; we do.
    let bare = |saved: &Saved| {
        let mut spec = saved.spec.clone();
        let declared = spec.labels.remove(label::DECLARED).unwrap();
        (spec, saved.running, declared.replace("\"watch\":false,", ""))
    };
    for (one, other) in first.saved.iter().zip(&second.saved) {
        assert_eq!(bare(one), bare(other));
    }
    assert_eq!(first.saved.len(), second.saved.len());
}

#[test]
fn our_own_fields_survive_a_dump() {
    let machine = Machine::new();
    let mut app = App::default();
    for (name, value) in [
        ("script", json!("sh")),
        ("ready", json!("port:8080")),
        ("liveness", json!({ "probe": "http://:1/x", "interval": "5s" })),
        ("rlimits", json!({ "nofile": "10:unlimited" })),
        ("confine", json!({ "read": ["/usr"], "write": ["data"] })),
        ("log_max_size", json!("1M")),
        ("kill_signal", json!("SIGTERM")),
        ("cron_restart", json!("0 3 * * *")),
        ("watch", json!(["src"])),
        ("ignore_watch", json!(["*.log"])),
        ("log_date_format", json!("YYYY")),
        ("max_crashes", json!(5)),
        ("port", json!(3000)),
        ("increment_var", json!("PORT")),
    ] {
        app.set(name, &value).unwrap();
    }
    let env = [("PATH".to_owned(), "/usr/bin:/bin".to_owned())].into();
    let context = Context::new(PathBuf::from("/srv"), env, machine.homes.clone());
    let spec = app.specs(&context).unwrap().specs.remove(0);
    let text = write([(&view(&spec, 0), &spec)], &machine.homes);
    let back = read(&text, &machine.homes).unwrap().saved.remove(0).spec;
    let all = |spec: &ProcessSpec| {
        spec.environment().map(|(name, value)| format!("{name}={value}")).collect::<BTreeSet<_>>()
    };
    assert_eq!(all(&back), all(&spec));
    let bare = |mut spec: ProcessSpec| {
        spec.merge_logs = true;
        (spec.base_env, spec.env) = (Arc::default(), Pairs::new());
        spec.labels = Pairs::new();
        serde_json::to_value(spec).unwrap()
    };
    assert_eq!(bare(back), bare(spec));
}

#[test]
fn one_bad_process_does_not_lose_the_others() {
    let machine = Machine::new();
    let text = PM2.replace("/srv/app/tick.js", "/srv/app/gone.js");
    let dump = machine.read(&text);
    assert_eq!(dump.saved.len(), 3);
    assert_eq!(dump.failed.len(), 1);
    assert!(dump.failed[0].starts_with("app tick: script: "), "{:?}", dump.failed);
}

#[test]
fn a_cluster_app_is_taken_over_with_a_warning() {
    let text = PM2.replacen("fork_mode", "cluster_mode", 1);
    let dump = Machine::new().read(&text);
    assert_eq!(dump.saved[0].warnings.len(), 1, "{:?}", dump.saved[0].warnings);
    assert!(dump.saved[0].warnings[0].starts_with("echo-app: exec_mode: "));
}

#[test]
fn a_damaged_dump_is_an_error() {
    let homes = Machine::new().homes;
    assert!(matches!(read("[{", &homes), Err(DumpError::Syntax(_))));
    assert!(matches!(read("{}", &homes), Err(DumpError::NoList)));
    assert!(matches!(read("[7]", &homes), Err(DumpError::NoList)));
}

#[test]
fn secrets_are_not_written() {
    let machine = Machine::new();
    let mut spec = machine.read(PM2).saved.remove(0).spec;
    spec.env.insert("TOKEN".to_owned(), "s3cret".to_owned());
    spec.secret_env.insert("TOKEN".to_owned());
    let text = write([(&view(&spec, 0), &spec)], &machine.homes);
    assert!(!text.contains("s3cret"), "{text}");
    assert!(!text.contains("\"TOKEN\":"), "{text}");
}
