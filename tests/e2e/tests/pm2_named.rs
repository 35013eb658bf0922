//! The program called `pm2`: what scripts for PM2 rely on.

use std::fs;

use e2e::{Workshop, alive, eventually};

#[test]
fn the_table_is_pm2s_even_in_a_pipe() {
    let shop = Workshop::new();
    assert!(shop.pm2(&["ls"]).starts_with('┌'));
    let started = shop.pm2(&["start", "sleep 1000", "--name", "web"]);
    assert!(started.contains("│ web") && started.contains("online"), "{started}");
    assert!(shop.pm2_home().join("logs/web-out.log").exists());
    let pid = fs::read_to_string(shop.pm2_home().join("pm2.pid")).unwrap();
    assert!(alive(pid.trim().parse().unwrap()));
    let pretty = shop.pm2(&["prettylist"]);
    for (needle, count) in [("name: 'web'", 2), ("status: 'online'", 1), ("pm_id: 0", 2)] {
        assert_eq!(pretty.matches(needle).count(), count, "{needle}: {pretty}");
    }
}

#[test]
fn exit_codes_are_those_of_pm2() {
    let shop = Workshop::new();
    for (args, code) in [
        (&["kill"][..], 0),
        (&["ls"], 0),
        (&["ping"], 1),
        (&["stop", "all"], 1),
        (&["restart", "nobody"], 1),
        (&["delete", "7"], 1),
        (&["describe", "x"], 1),
        (&["start", "no-such-script"], 1),
        (&["frobnicate"], 1),
        (&["link", "a", "b"], 1),
        (&["--version"], 0),
    ] {
        let run = shop.run("pm2", args, &[]);
        assert_eq!(run.code, code, "{args:?}: {}{}", run.stdout, run.stderr);
    }
}

#[test]
fn a_saved_list_comes_back_after_kill_has_forgotten_it() {
    let shop = Workshop::new();
    shop.pm2(&["start", "sleep 1000", "--name", "web", "-i", "3"]);
    shop.pm2(&["stop", "2"]);
    shop.pm2(&["save"]);
    shop.pm2(&["save"]);
    assert!(shop.pm2_home().join("dump.pm2.bak").exists());
    shop.pm2(&["kill"]);
    assert_eq!(shop.jlist("pm2").len(), 0);
    shop.file(".pm2/dump.pm2", "[{");
    shop.pm2(&["resurrect"]);
    assert!(!shop.pm2_home().join("dump.pm2").exists(), "a damaged list is removed");
    let list = shop.jlist("pm2");
    let states: Vec<_> =
        list.iter().map(|item| item["pm2_env"]["status"].as_str().unwrap()).collect();
    assert_eq!(states, ["online", "online", "stopped"]);
    shop.pm2(&["resurrect"]);
    assert_eq!(shop.jlist("pm2").len(), 3);
    shop.pm2(&["delete", "all"]);
    assert_eq!(shop.run("pm2", &["save"], &[]).code, 1);
    shop.pm2(&["save", "--force"]);
}

#[test]
fn a_key_of_an_application_becomes_its_variable() {
    let shop = Workshop::new();
    shop.pm2(&["set", "plain", "1"]);
    shop.pm2(&["start", "sleep 1000", "--name", "web"]);
    shop.pm2(&["set", "web.level", "debug"]);
    let item = &shop.jlist("pm2")[0];
    assert_eq!(item["pm2_env"]["env"]["level"], "debug");
    assert_eq!(item["pm2_env"]["restart_time"], 1);
    assert_eq!(shop.pm2(&["get", "web.level"]), "debug\n");
    shop.pm2(&["unset", "all"]);
    assert_eq!(shop.run("pm2", &["get", "plain"], &[]).code, 1);
}

/// What PM2 had saved goes on under Tenantry's supervisor, with the environment that it had there.
#[test]
fn what_pm2_saved_is_taken_over() {
    let shop = Workshop::new();
    fs::create_dir(shop.pm2_home()).unwrap();
    let record = serde_json::json!([{
        "name": "legacy", "pm_exec_path": "/bin/sleep", "args": ["1000"], "exec_interpreter": "none",
        "exec_mode": "fork_mode", "pm_cwd": "/", "status": "online", "NODE_APP_INSTANCE": 0,
        "env": { "GREETING": "hi", "PM2_USAGE": "CLI", "unique_id": "x" },
    }]);
    shop.file(".pm2/dump.pm2", &record.to_string());
    let shown = shop.ok(&["import", "pm2", "--dry-run"]);
    assert!(shown.contains("legacy"), "{shown}");
    assert!(!shop.folder().join("run").exists());
    assert_eq!(shop.run("tenantry", &["import", "pm2"], &[]).code, 1, "nobody has agreed");
    shop.ok(&["import", "pm2", "--yes"]);
    let list = shop.jlist("tenantry");
    assert_eq!((list.len(), &list[0]["name"]), (1, &"legacy".into()));
    assert_eq!(list[0]["pm2_env"]["env"]["GREETING"], "hi");
    let again = shop.run("tenantry", &["import", "pm2", "--yes"], &[]);
    assert!(again.stderr.contains("runs here already"), "{}{}", again.stdout, again.stderr);
    assert_eq!(shop.jlist("tenantry").len(), 1);
}

#[tokio::test]
async fn the_runtime_leaves_when_nothing_runs_any_more() {
    let shop = Workshop::new();
    shop.file("short.sh", "echo done; exit 0");
    let output = shop.folder().join("output");
    let mut runtime =
        shop.spawn("pm2-runtime", &["start", "short.sh", "--no-autorestart"], &output);
    eventually("it leaves", async || runtime.try_wait().unwrap()).await;
    let text = fs::read_to_string(&output).unwrap();
    assert!(text.contains("done"), "{text}");
    assert!(!shop.pm2_home().join("run/supervisor.pid").exists());
}
