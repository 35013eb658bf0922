//! A genuine client that is not ours: the example bot on Baileys.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use whatsim::{Addressing, Config, Delivery, Sim};

use crate::bot::{ACCOUNT, ANN, PATIENCE, network};

/// A bot that runs by itself: it tells each change of its session on its output.
struct Baileys {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

/// The packages that `cargo xtask test` has installed.
fn packages() -> PathBuf {
    let me = std::env::current_exe().unwrap();
    let packages = me.ancestors().nth(3).unwrap().join("tools/baileys/node_modules");
    assert!(
        packages.is_dir(),
        "{} is missing: run the tests with `cargo xtask test`, which installs Baileys",
        packages.display()
    );
    packages
}

/// A copy of the example in `dir`, beside its packages.
fn install(dir: &Path) -> PathBuf {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/baileys-bot/bot.mjs");
    let program = dir.join("bot.mjs");
    std::fs::copy(example, &program).unwrap();
    std::os::unix::fs::symlink(packages(), dir.join("node_modules")).unwrap();
    program
}

impl Baileys {
    fn start(program: &Path, sim: &Sim) -> Self {
        let mut command = Command::new("node");
        command
            .arg(program)
            .env("SESSIONS_PATH", program.parent().unwrap())
            .env("WHATSAPP_URL", sim.ws_url())
            .env_remove("TENANTRY_LINK")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// Waits until the session is in this state.
    async fn session(&mut self, state: &str) -> Value {
        let reached = async {
            loop {
                let line = self.lines.next_line().await.unwrap().expect("the bot has ended");
                // A library of Baileys writes to the output as well.
                let Ok(session) = serde_json::from_str::<Value>(&line) else {
                    continue;
                };
                if session["state"] == state {
                    return session;
                }
            }
        };
        let waited = tokio::time::timeout(PATIENCE, reached).await;
        waited.unwrap_or_else(|_| panic!("the session is not {state}"))
    }

    async fn code(&mut self) -> String {
        self.session("QR_READY").await["qr"]["code"].as_str().unwrap().to_owned()
    }

    async fn stop(mut self) {
        self.child.kill().await.unwrap();
    }
}

#[tokio::test]
async fn baileys_pairs_and_answers() {
    let sim = network(Config::default()).await;
    let dir = tempfile::tempdir().unwrap();
    let program = install(dir.path());
    let mut bot = Baileys::start(&program, &sim);
    sim.scan(&bot.code().await, ACCOUNT).await.unwrap();
    bot.session("CONNECTED").await;
    let id = sim.send_text(ANN, ACCOUNT, "hello").unwrap();
    let reply = sim.wait_for_reply(ANN, 0, PATIENCE).await.unwrap();
    assert_eq!((reply.text.as_str(), reply.from.as_str()), ("You said: hello", ACCOUNT));
    assert!(sim.wait_confirmed(ANN, &id, PATIENCE).await.unwrap() >= Delivery::Delivered);
    sim.send_text(ANN, ACCOUNT, "again").unwrap();
    assert_eq!(sim.wait_for_reply(ANN, 1, PATIENCE).await.unwrap().text, "You said: again");
    bot.stop().await;

    // What comes while it is off is answered when it is back, without a new code.
    sim.wait_link(ACCOUNT, whatsim::LinkState::Offline, PATIENCE).await.unwrap();
    sim.send_text(ANN, ACCOUNT, "meanwhile").unwrap();
    let mut bot = Baileys::start(&program, &sim);
    bot.session("CONNECTED").await;
    assert_eq!(sim.wait_for_reply(ANN, 2, PATIENCE).await.unwrap().text, "You said: meanwhile");
    bot.stop().await;
}

#[tokio::test]
async fn baileys_answers_in_a_group_and_is_logged_out() {
    let sim = network(Config { addressing: Addressing::Lid, ..Config::default() }).await;
    let dir = tempfile::tempdir().unwrap();
    let mut bot = Baileys::start(&install(dir.path()), &sim);
    sim.scan(&bot.code().await, ACCOUNT).await.unwrap();
    bot.session("CONNECTED").await;
    let group = sim.create_group("Tennis", &[ANN, ACCOUNT], Addressing::Lid).unwrap();
    sim.send_text(ANN, &group.id, "anyone").unwrap();
    let reply = sim.wait_for_reply(ANN, 0, PATIENCE).await.unwrap();
    assert_eq!(reply.text, "You said: anyone");
    assert_eq!(reply.group.as_deref(), Some(group.id.as_str()));
    sim.logout(ACCOUNT).unwrap();
    bot.session("LOGGED_OUT").await;
    bot.code().await;
    bot.stop().await;
}
