mod environment;
mod update;

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use serde_json::{Value, json};
use supervisor::wire::{Env, NO_LOG};
use tempfile::TempDir;

use super::*;

/// A folder with scripts and with the programs that run them.
struct Machine {
    folder: TempDir,
}

impl Machine {
    fn new() -> Self {
        let machine = Self { folder: TempDir::new().unwrap() };
        for name in ["bash", "node", "python3", "ruby", "bun"] {
            machine.file(&format!("bin/{name}"), b"\x7fELF\0", 0o755);
        }
        machine
    }

    fn file(&self, name: &str, content: &[u8], mode: u32) -> String {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn context(&self) -> Context {
        let env = [("PATH", self.path("bin")), ("HOME", "/site/op".to_owned())];
        let env: Env = env.map(|(name, value)| (name.to_owned(), value)).into();
        let homes = Homes::new(Path::new("/site/op/.pm2"));
        Context { cpus: 4, ..Context::new(self.folder.path().to_owned(), env, homes) }
    }

    fn specs(&self, fields: Value) -> Specs {
        app(fields).specs(&self.context()).unwrap()
    }

    fn spec(&self, fields: Value) -> ProcessSpec {
        self.specs(fields).specs.remove(0)
    }
}

fn app(fields: Value) -> App {
    let mut app = App::default();
    let Value::Object(fields) = fields else { panic!("{fields} is no object") };
    for (name, value) in fields {
        app.set(&name, &value).unwrap();
    }
    app
}

#[test]
fn the_interpreter_is_known_by_extension_or_content() {
    let machine = Machine::new();
    for (name, content, mode, interpreter) in [
        ("a.sh", &b"echo"[..], 0o644, Some("bash")),
        ("a.py", b"pass", 0o644, Some("python3")),
        ("a.rb", b"", 0o644, Some("ruby")),
        ("a.mjs", b"", 0o755, Some("node")),
        ("a.tsx", b"", 0o644, Some("bun")),
        ("text", b"let x", 0o644, Some("node")),
        ("binary", b"\x7fELF\0\0", 0o755, None),
        ("tool", b"#!/usr/bin/env python3\n", 0o755, None),
        ("not-executable", b"#!/bin/sh\n", 0o644, Some("node")),
    ] {
        let path = machine.file(name, content, mode);
        let spec = machine.spec(json!({ "script": name }));
        let expected: Vec<&str> = interpreter.into_iter().chain([path.as_str()]).collect();
        assert_eq!(spec.command, expected, "{name}");
        let shown = Some(interpreter.unwrap_or("none"));
        assert_eq!(spec.labels.get(label::INTERPRETER), shown, "{name}");
    }
    let spec = machine.spec(json!({ "script": "a.py" }));
    assert_eq!(spec.variable("PYTHONUNBUFFERED"), Some("1"));
}

#[test]
fn an_interpreter_can_be_named() {
    let machine = Machine::new();
    let path = machine.file("a.py", b"", 0o755);
    let spec = machine.spec(json!({
        "script": "./a.py", "interpreter": "bash", "interpreter_args": "-x -e", "args": ["1", "2 3"],
    }));
    assert_eq!(spec.command, ["bash", "-x", "-e", &path, "1", "2 3"]);
    let spec = machine.spec(json!({ "script": "a.py", "interpreter": "none" }));
    assert_eq!(spec.command, [path.as_str()]);
    let wrong = app(json!({ "script": "a.py", "interpreter": "perl6" })).specs(&machine.context());
    let wrong = wrong.unwrap_err().to_string();
    assert!(wrong.starts_with("app a: interpreter: perl6 is not in PATH"), "{wrong}");
    let wrong =
        app(json!({ "script": "a.py", "interpreter": "node@20" })).specs(&machine.context());
    assert!(wrong.unwrap_err().to_string().contains("NVM_DIR"));
}

#[test]
fn a_script_is_a_path_then_a_command_then_a_line_for_the_shell() {
    let machine = Machine::new();
    let with_space = machine.file("my script", b"#!/bin/sh\n", 0o755);
    assert_eq!(machine.spec(json!({ "script": "my script" })).command, [with_space]);
    assert_eq!(machine.spec(json!({ "script": "ruby" })).command, [machine.path("bin/ruby")]);
    let line = "cat /etc/passwd | sort -u";
    let spec = machine.spec(json!({ "script": line, "args": "x" }));
    assert_eq!(spec.command, [machine.path("bin/bash").as_str(), "-c", line]);
    let wrong = app(json!({ "script": "nope.js" })).specs(&machine.context()).unwrap_err();
    assert!(wrong.to_string().contains("PATH has no command \"nope.js\""), "{wrong}");
    let wrong = App::default().specs(&machine.context()).unwrap_err();
    assert_eq!(wrong.to_string(), "app (no name): script: is missing: there is nothing to run");
}

#[test]
fn names_come_from_scripts() {
    for (script, name) in
        [("/x/app.js", "app"), ("a.b.js", "a.b"), (".hidden", ".hidden"), ("ls", "ls")]
    {
        assert_eq!(app(json!({ "script": script })).full_name(None).unwrap(), name);
    }
    let named = app(json!({ "name": "web", "append_env_to_name": true, "name_prefix": "p" }));
    assert_eq!(named.full_name(Some("dev")).unwrap(), "p:web-dev");
    assert_eq!(named.full_name(None).unwrap(), "p:web");
}

#[test]
fn instances_have_numbers_and_log_files_of_their_own() {
    let machine = Machine::new();
    machine.file("a.sh", b"", 0o644);
    let mut context = machine.context();
    context.first_id = Some(7);
    let counted = json!({ "script": "a.sh", "instances": 2, "increment_var": "PORT", "env": { "PORT": 3000 } });
    let specs = app(counted).specs(&context).unwrap().specs;
    let seen: Vec<_> = specs
        .iter()
        .map(|spec| (spec.instance, spec.variable("NODE_APP_INSTANCE"), spec.variable("PORT")))
        .collect();
    assert_eq!(seen, [(0, Some("0"), Some("3000")), (1, Some("1"), Some("3001"))]);
    assert_eq!(specs[1].out_file, Path::new("/site/op/.pm2/logs/a-out-8.log"));
    assert_eq!(specs[1].error_file.as_deref(), Some(Path::new("/site/op/.pm2/logs/a-error-8.log")));
    assert!(!specs[0].merge_logs);
    assert!(Arc::ptr_eq(&specs[0].base_env, &specs[1].base_env));
    context.taken.insert("a".to_owned(), [0, 2].into());
    let specs = app(json!({ "script": "a.sh", "instances": 2 })).specs(&context).unwrap().specs;
    assert_eq!(specs.iter().map(|spec| spec.instance).collect::<Vec<_>>(), [1, 3]);
}

#[test]
fn one_process_shares_its_plain_log_names() {
    let machine = Machine::new();
    machine.file("a.sh", b"", 0o644);
    let spec = machine.spec(json!({ "script": "a.sh", "name": "a b@c" }));
    assert_eq!(spec.out_file, Path::new("/site/op/.pm2/logs/a-b-c-out.log"));
    assert!(spec.merge_logs);
    let wrong = app(json!({ "script": "a.sh", "name": "a/b" })).specs(&machine.context());
    let wrong = wrong.unwrap_err().to_string();
    assert!(wrong.starts_with("app a/b: declaration: name: "), "{wrong}");
}

#[test]
fn log_files_go_where_they_are_declared() {
    let machine = Machine::new();
    machine.file("a.sh", b"", 0o644);
    let files = |fields: Value| {
        let mut fields = fields;
        fields["script"] = json!("a.sh");
        let spec = machine.spec(fields);
        let text = |path: Option<&Path>| path.map(|path| path.to_str().unwrap().to_owned());
        (
            text(Some(&spec.out_file)).unwrap(),
            text(spec.error_file.as_deref()),
            text(spec.log_file.as_deref()),
            spec.merge_logs,
        )
    };
    let here = |name: &str| machine.path(name);
    let usual = |name: &str| format!("/site/op/.pm2/logs/{name}.log");
    assert_eq!(files(json!({})), (usual("a-out"), Some(usual("a-error")), None, true));
    assert_eq!(
        files(json!({ "out_file": "l/o.log", "err": "~/e.log", "log": true, "instances": 1 })),
        (here("l/o-0.log"), Some("/site/op/e-0.log".to_owned()), Some(usual("a-0")), false)
    );
    assert_eq!(
        files(json!({ "out": "both.log", "error": "both.log" })),
        (here("both.log"), None, None, true)
    );
    assert_eq!(
        files(json!({ "out": "/dev/null", "error": "NULL", "log": "all.txt", "instances": 1 })),
        (NO_LOG.to_owned(), None, Some(here("all.txt")), true)
    );
    assert_eq!(
        files(json!({ "disable_logs": true, "log": true })),
        (NO_LOG.to_owned(), None, None, true)
    );
}

#[test]
fn numbers_take_the_place_of_older_ones() {
    for (path, expected) in [
        ("/l/a-out.log", "/l/a-out-5.log"),
        ("/l/a-out-12.log", "/l/a-out-5.log"),
        ("/l/a2.log", "/l/a2-5.log"),
        ("/l/a.txt", "/l/a.txt"),
    ] {
        assert_eq!(logs::numbered(Path::new(path), 5), Path::new(expected));
    }
}

#[test]
fn the_policy_is_pm2s() {
    let machine = Machine::new();
    machine.file("a.sh", b"", 0o644);
    let spec = machine.spec(json!({ "script": "a.sh" }));
    let policy = &spec.restart;
    assert_eq!(
        (policy.min_uptime_ms, policy.max_restarts, policy.restart_window_ms),
        (1000, 16, 16_000)
    );
    assert_eq!(
        (policy.restart_delay_ms, policy.backoff_initial_ms, policy.backoff_jitter_percent),
        (0, 0, 0)
    );
    assert_eq!((spec.kill_signal, spec.kill_timeout_ms), (supervisor::wire::KillSignal::Int, 1600));
    assert_eq!(
        (spec.ready.clone(), spec.stdin, spec.treekill),
        (Readiness::Spawned, Stdin::Pipe, true)
    );
    let spec = machine.spec(json!({
        "script": "a.sh", "min_uptime": "2s", "max_restarts": 3, "exp_backoff_restart_delay": 20_000,
        "wait_ready": true, "cron": 0, "max_memory_restart": 0, "autostart": false,
    }));
    assert_eq!(spec.restart.restart_window_ms, 6000);
    assert_eq!((spec.restart.backoff_initial_ms, spec.restart.backoff_cap_ms), (20_000, 20_000));
    assert_eq!(
        (spec.ready, spec.cron_restart, spec.max_memory_bytes),
        (Readiness::Notify, None, None)
    );
    let wrong = app(json!({ "script": "a.sh", "min_uptime": 5 })).specs(&machine.context());
    assert!(wrong.unwrap_err().to_string().contains("at least 100 ms"));
    let mut context = machine.context();
    Arc::make_mut(&mut context.env).insert("PM2_KILL_SIGNAL".into(), "SIGTERM".into());
    Arc::make_mut(&mut context.env).insert("PM2_KILL_TIMEOUT".into(), "300".into());
    let spec = app(json!({ "script": "a.sh" })).specs(&context).unwrap().specs.remove(0);
    assert_eq!((spec.kill_signal, spec.kill_timeout_ms), (supervisor::wire::KillSignal::Term, 300));
}

#[test]
fn instances_of_a_node_program_are_told_to_be_processes() {
    let machine = Machine::new();
    machine.file("a.js", b"", 0o644);
    let found = machine.specs(json!({ "script": "a.js", "instances": "max" }));
    assert_eq!(found.specs.len(), 4);
    assert!(found.warnings[0].contains("4 separate processes"), "{:?}", found.warnings);
    assert!(machine.specs(json!({ "script": "a.js" })).warnings.is_empty());
}

#[test]
fn patterns_of_all_kinds_keep_files_from_being_watched() {
    for (pattern, expected) in [
        ("node_modules", "node_modules"),
        ("client/img", "client/img"),
        ("./logs", "logs"),
        ("a.b", r"a\.b"),
        ("*.log", r"(^|/)[^/]*\.log(/|$)"),
        ("**/tmp/*", r"(^|/)(.*/)?tmp/[^/]*(/|$)"),
        (r"[/\\]\.|x", r"[/\\]\.|x"),
        (r".*\.txt$", r".*\.txt$"),
    ] {
        assert_eq!(watch::pattern_of(pattern), expected, "{pattern}");
    }
    let machine = Machine::new();
    machine.file("a.sh", b"", 0o644);
    let watch = machine.spec(json!({ "script": "a.sh", "watch": ["src"] })).watch.unwrap();
    assert_eq!(watch.paths, [machine.folder.path().join("src")]);
    assert_eq!(watch.ignore, [r"[/\\]\.|node_modules"]);
    assert!(machine.spec(json!({ "script": "a.sh", "watch": false })).watch.is_none());
}

#[test]
fn the_version_is_that_of_the_package() {
    let machine = Machine::new();
    machine.file("package.json", br#"{ "version": "1.2.3" }"#, 0o644);
    machine.file("src/a.js", b"", 0o644);
    let spec = machine.spec(json!({ "script": "src/a.js" }));
    assert_eq!(spec.labels.get(label::VERSION), Some("1.2.3"));
}

#[test]
fn users_are_looked_up() {
    let machine = Machine::new();
    machine.file("a.sh", b"", 0o644);
    let spec = machine.spec(json!({ "script": "a.sh", "uid": "root" }));
    assert_eq!((spec.limits.uid, spec.limits.gid), (Some(0), Some(0)));
    assert!(spec.limits.groups.contains(&0));
    assert_ne!(spec.variable("HOME"), Some("/site/op"));
    let spec = machine.spec(json!({ "script": "a.sh", "uid": 64_321, "gid": 64_322 }));
    assert_eq!((spec.limits.uid, spec.limits.gid), (Some(64_321), Some(64_322)));
    let wrong = app(json!({ "script": "a.sh", "user": "no-such-user" })).specs(&machine.context());
    assert_eq!(wrong.unwrap_err().to_string(), "app a: uid: there is no user \"no-such-user\"");
}
