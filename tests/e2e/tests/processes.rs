//! PM2's verbs under Tenantry's own name.

use std::fs;

use e2e::{Workshop, alive, eventually, kill};

fn env_of(shop: &Workshop, name: &str) -> serde_json::Value {
    let list = shop.jlist("tenantry");
    let item = list.iter().find(|item| item["name"] == name).expect("the process is listed");
    item["pm2_env"]["env"].clone()
}

#[test]
fn only_what_starts_something_starts_a_supervisor() {
    let shop = Workshop::new();
    for args in
        [&["list"][..], &["jlist"], &["save"], &["ping"], &["stop", "x"], &["kill"], &["logs"]]
    {
        let run = shop.run("tenantry", args, &[]);
        let fine = !matches!(args[0], "save" | "ping" | "stop");
        assert_eq!(run.code == 0, fine, "{args:?}: {}{}", run.stdout, run.stderr);
    }
    assert!(!shop.folder().join("run").exists());
    shop.ok(&["start", "sleep 1000", "--name", "s"]);
    assert!(alive(shop.supervisor_pid(shop.folder())));
}

#[test]
fn a_script_is_started_restarted_stopped_and_forgotten() {
    let shop = Workshop::new();
    shop.file("app.sh", "echo hello $1; exec sleep 1000");
    shop.ok(&["start", "app.sh", "--", "Ann"]);
    let again = shop.run("tenantry", &["start", "app.sh"], &[]);
    assert_eq!(again.code, 1);
    assert!(again.stderr.contains("already launched as app (0)"), "{}", again.stderr);
    shop.ok(&["restart", "app"]);
    shop.ok(&["restart", "/^a/"]);
    let item = &shop.jlist("tenantry")[0];
    assert_eq!(
        (&item["pm2_env"]["restart_time"], &item["pm2_env"]["status"]),
        (&2.into(), &"online".into())
    );
    shop.ok(&["stop", "0"]);
    shop.ok(&["start", "app"]);
    assert_eq!(shop.jlist("tenantry")[0]["pm2_env"]["restart_time"], 2);
    shop.ok(&["reset", "all"]);
    assert_eq!(shop.jlist("tenantry")[0]["pm2_env"]["restart_time"], 0);
    let shown = shop.ok(&["describe", "app"]);
    assert!(shown.contains("app.sh") && shown.contains("online"), "{shown}");
    shop.ok(&["delete", "app"]);
    assert_eq!(shop.run("tenantry", &["describe", "app"], &[]).code, 1);
    assert!(shop.jlist("tenantry").is_empty());
}

#[test]
fn a_list_in_a_pipe_is_bare_and_in_json_complete() {
    let shop = Workshop::new();
    shop.ok(&["start", "sleep 1000", "--name", "b", "--namespace", "blue"]);
    shop.ok(&["start", "sleep 1000", "--name", "a", "-f"]);
    let text = shop.ok(&["list", "--sort", "name"]);
    let names: Vec<_> =
        text.lines().map(|line| line.split_whitespace().nth(1).expect("a second column")).collect();
    assert_eq!(names, ["name", "a", "b"]);
    let rows: serde_json::Value = serde_json::from_str(&shop.ok(&["list", "--json"])).unwrap();
    assert_eq!(rows[0]["namespace"], "blue");
    shop.ok(&["stop", "blue"]);
    assert!(shop.ok(&["ls"]).contains("stopped"));
}

#[test]
fn env_sets_variables_and_chooses_environments() {
    let shop = Workshop::new();
    shop.file(
        "apps.toml",
        "[[apps]]\nname = \"web\"\nscript = \"sleep 1000\"\nenv = { A = \"file\", B = \"file\" }\n\
         env_production = { B = \"production\" }\n\
         [[apps]]\nname = \"other\"\nscript = \"sleep 1000\"\n",
    );
    let start = ["start", "apps.toml", "--only", "web", "--env", "C=flag", "--env", "production"];
    let run = shop.run("tenantry", &start, &[("SHELL_VAR", "one")]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(shop.jlist("tenantry").len(), 1);
    let env = env_of(&shop, "web");
    let seen =
        ["A", "B", "C", "SHELL_VAR"].map(|name| env[name].as_str().unwrap_or_default().to_owned());
    assert_eq!(seen, ["file", "production", "flag", "one"]);
    let restarted = |args: &[&str], value: &str| {
        assert_eq!(shop.run("tenantry", args, &[("SHELL_VAR", value)]).code, 0);
        env_of(&shop, "web")["SHELL_VAR"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(restarted(&["restart", "web", "--env", "C=new"], "two"), "one");
    assert_eq!(env_of(&shop, "web")["C"], "new");
    assert_eq!(restarted(&["restart", "web", "--update-env"], "three"), "three");
}

#[test]
fn a_file_that_changed_is_read_anew_with_its_script() {
    let shop = Workshop::new();
    let declare = |script: &str, count: u32| {
        let text =
            format!(r#"{{"apps":[{{"name":"web","script":"{script}","instances":{count}}}]}}"#);
        shop.file("apps.json", &text);
    };
    declare("sleep 1000", 1);
    shop.ok(&["start", "apps.json"]);
    declare("sleep 2000", 3);
    shop.ok(&["restart", "apps.json"]);
    let list = shop.jlist("tenantry");
    assert_eq!(list.len(), 3);
    assert!(list.iter().all(|item| item["pm2_env"]["args"][1] == "sleep 2000"), "{list:?}");
    shop.ok(&["reload", "apps.json"]);
    shop.ok(&["delete", "apps.json"]);
    assert!(shop.jlist("tenantry").is_empty());
    let broken = shop.file("broken.json", "{\"apps\":[{\"nmae\":\"x\"}]}");
    let run = shop.run("tenantry", &["start", &broken.to_string_lossy()], &[]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stderr.contains("script"), "{}", run.stderr);
}

#[test]
fn there_can_be_more_and_fewer_of_a_name() {
    let shop = Workshop::new();
    shop.ok(&["start", "sleep 1000", "--name", "w"]);
    shop.ok(&["scale", "w", "+2"]);
    let instances = || -> Vec<_> {
        let list = shop.jlist("tenantry");
        list.iter().map(|item| item["pm2_env"]["NODE_APP_INSTANCE"].clone()).collect()
    };
    assert_eq!(instances(), [0, 1, 2]);
    assert_eq!(shop.ok(&["pid", "w"]).lines().count(), 3);
    shop.ok(&["scale", "w", "-1"]);
    assert_eq!(instances(), [1, 2]);
    assert_eq!(shop.ok(&["id", "w"]), "[ 1, 2 ]\n");
    shop.ok(&["restart", "w", "--name", "v"]);
    assert_eq!(shop.ok(&["id", "w"]), "[]\n");
    assert_eq!(shop.jlist("tenantry").len(), 2);
}

#[tokio::test]
async fn what_is_sent_arrives() {
    let shop = Workshop::new();
    shop.file(
        "echo.sh",
        "trap 'echo got USR1' USR1; while :; do read line && echo \"line $line\"; done",
    );
    shop.ok(&["start", "echo.sh"]);
    shop.ok(&["send", "echo", "hello you"]);
    let logs = || shop.ok(&["logs", "echo", "--nostream", "--raw"]);
    eventually("the line arrives", async || logs().contains("line hello you").then_some(())).await;
    shop.ok(&["sendSignal", "USR1", "echo"]);
    shop.ok(&["send", "echo", "more"]);
    eventually("the signal arrives", async || logs().contains("got USR1").then_some(())).await;
    shop.ok(&["stop", "echo"]);
    let late = shop.run("tenantry", &["send", "echo", "x"], &[]);
    assert_eq!(late.code, 1);
}

/// Whoever follows a log sees each line once, though the supervisor is killed under way.
#[tokio::test]
async fn a_followed_log_goes_on_with_the_next_supervisor() {
    let shop = Workshop::new();
    shop.file("count.sh", "n=0; while :; do n=$((n+1)); echo $n; sleep 0.05; done");
    shop.ok(&["start", "count.sh"]);
    let output = shop.folder().join("followed");
    let mut follower =
        shop.spawn("tenantry", &["logs", "count", "--raw", "--lines", "1000"], &output);
    let last = || -> Option<u32> { fs::read_to_string(&output).ok()?.lines().last()?.parse().ok() };
    eventually("the first lines", async || last().filter(|last| *last > 3)).await;
    kill(shop.supervisor_pid(shop.folder()));
    let before = last().unwrap();
    shop.ok(&["update"]);
    eventually("later lines", async || last().filter(|last| *last > before + 20)).await;
    follower.kill().unwrap();
    follower.wait().unwrap();
    let text = fs::read_to_string(&output).unwrap();
    let numbers: Vec<u32> = text.lines().filter_map(|line| line.parse().ok()).collect();
    let expected: Vec<u32> = (1..).take(numbers.len()).collect();
    assert_eq!(numbers, expected);
}

#[tokio::test]
async fn a_folder_is_served() {
    let shop = Workshop::new();
    shop.file("index.html", "welcome");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let port = port.to_string();
    let password = ["--basic-auth-username", "u", "--basic-auth-password", "pass-word"];
    let serve = [&["serve", ".", &port, "--name", "site"][..], &password].concat();
    shop.ok(&serve);
    let url = format!("http://127.0.0.1:{port}/");
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = eventually("it answers", async || client.get(&url).send().await.ok()).await;
    assert_eq!(answer.status(), 401);
    let answer = client.get(&url).basic_auth("u", Some("pass-word")).send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "welcome");
    for shown in [shop.ok(&["env", "site"]), shop.ok(&["jlist"])] {
        assert!(!shown.contains("pass-word"), "{shown}");
    }
}

#[test]
fn the_unit_and_the_references_can_be_printed() {
    let shop = Workshop::new();
    let unit = shop.ok(&["startup", "--print", "--user", "root"]);
    for line in ["Type=notify", "KillMode=process", "Delegate=yes"] {
        assert!(unit.lines().any(|found| found == line), "{line}: {unit}");
    }
    assert!(shop.ok(&["completion", "bash"]).contains("startOrRestart"));
    shop.ok(&["man", "pages"]);
    assert!(shop.folder().join("pages/tenantry-start.1").exists());
    let schema: serde_json::Value = serde_json::from_str(&shop.ok(&["schema"])).unwrap();
    assert!(schema["$defs"]["app"]["properties"]["script"].is_object());
    shop.ok(&["init"]);
    assert_eq!(shop.run("tenantry", &["init"], &[]).code, 1);
    let report: serde_json::Value = serde_json::from_str(&shop.ok(&["report", "--json"])).unwrap();
    assert_eq!(report["supervisor"], serde_json::Value::Null);
}
