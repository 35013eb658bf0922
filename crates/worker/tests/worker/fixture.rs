//! A simulated network with one account and one contact, a control plane, and a worker between.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use api::TenantId;
use api::link::{Command, Heartbeat, SessionReport, WorkerConfig};
use api::pacing::Pacing;
use api::session::SessionState;
use serde_json::json;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use whatsim::{Config, Sim, prepare_session};
use worker::{Contract, Ended, WorkerError};

use crate::plane::{PATIENCE, Plane, TOKEN};

pub const ACCOUNT: &str = "4915550001";
pub const CONTACT: &str = "4915559999";

pub struct Fixture {
    pub sim: Sim,
    pub plane: Plane,
    pub tenant: TenantId,
    home: TempDir,
    settings: BTreeMap<String, String>,
}

/// A running worker.
pub struct Running {
    stop: CancellationToken,
    task: JoinHandle<Result<Ended, WorkerError>>,
}

impl Fixture {
    /// Everything in place, the control plane listening, no worker yet.
    pub async fn new() -> Self {
        let fixture = Self::without_plane(Config::default()).await;
        fixture.plane.listen();
        fixture
    }

    /// The same, with nobody listening at the control plane's address.
    pub async fn without_plane(config: Config) -> Self {
        let sim = Sim::start(config).await.unwrap();
        sim.add_account(ACCOUNT).unwrap();
        sim.add_contact("Ann", CONTACT).unwrap();
        let home = tempfile::tempdir().unwrap();
        let plane = Plane::new(home.path().join("link.sock"));
        std::fs::write(home.path().join("token"), format!("{TOKEN}\n")).unwrap();
        let tenant = TenantId::generate();
        let path = |name: &str| home.path().join(name).to_string_lossy().into_owned();
        let settings = [
            ("TENANT_ID", tenant.to_string()),
            ("SESSIONS_PATH", path("sessions")),
            ("TENANTRY_LINK", format!("unix:{}", path("link.sock"))),
            ("TENANTRY_TOKEN_FILE", path("token")),
            ("TENANTRY_GENERATION", "1".to_owned()),
            ("TENANTRY_INCARNATION", "1".to_owned()),
            ("HEARTBEAT_INTERVAL_MS", "200".to_owned()),
            ("WHATSAPP_URL", sim.ws_url()),
            ("RECONNECT_INITIAL_MS", "400".to_owned()),
            ("RECONNECT_FACTOR", "1.5".to_owned()),
            ("RECONNECT_MAX_MS", "1000".to_owned()),
            ("RECONNECT_ATTEMPTS", "3".to_owned()),
            ("RECONNECT_HEALTHY_MS", "60000".to_owned()),
            ("RECONNECT_PROBE_MS", "1000".to_owned()),
        ];
        let settings = settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let fixture = Self { sim, plane, tenant, home, settings };
        fixture.prepare().await;
        fixture
    }

    /// Lets an unpaired session trust the simulated network.
    pub async fn prepare(&self) {
        prepare_session(&self.session(), self.sim.server_key()).await.unwrap();
    }

    /// The session's directory.
    pub fn session(&self) -> PathBuf {
        self.home.path().join("sessions").join(self.tenant.to_string())
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.settings.insert(name.to_owned(), value.to_owned());
    }

    pub fn start(&self) -> Running {
        let contract = Contract::from_env(&self.settings).unwrap();
        let stop = CancellationToken::new();
        let task = tokio::spawn(worker::run(contract, stop.clone()));
        Running { stop, task }
    }

    /// Starts a worker, pairs it, and waits until it is connected.
    pub async fn start_paired(&self) -> Running {
        let running = self.start();
        self.pair().await;
        running
    }

    /// Scans the code that the worker shows, and waits until it is connected.
    pub async fn pair(&self) -> Heartbeat {
        let qr = self.plane.beat(|beat| beat.session.qr.clone()).await;
        self.sim.scan(&qr.code, ACCOUNT).await.unwrap();
        self.connected_from(0).await
    }

    /// Waits for the QR code that is shown, from heartbeat number `from` on.
    pub async fn code_from(&self, from: usize) -> String {
        self.plane.beat_from(from, |beat| beat.session.qr.as_ref().map(|qr| qr.code.clone())).await
    }

    /// Tells the worker something, and waits until it has heard it: from which heartbeat on.
    pub async fn tell(&self, command: Command) -> usize {
        self.plane.listened_to().await;
        let from = self.plane.beats();
        self.plane.command(command);
        from
    }

    /// Waits for the trouble that the worker tells of, from heartbeat number `from` on.
    pub async fn trouble_from(&self, from: usize) -> SessionReport {
        let wanted = |beat: &Heartbeat| beat.session.trouble.as_ref().map(|_| beat.session.clone());
        self.plane.beat_from(from, wanted).await
    }

    /// A worker that answers within milliseconds to a line that is silent for a second.
    pub fn watch_closely(&mut self) {
        self.set("LIVENESS_QUIET_MS", "600");
        self.set("LIVENESS_PATIENCE_MS", "500");
    }

    /// Waits for a heartbeat of a connected session, from number `from` on.
    pub async fn connected_from(&self, from: usize) -> Heartbeat {
        self.state_from(from, SessionState::Connected).await
    }

    pub async fn state_from(&self, from: usize, state: SessionState) -> Heartbeat {
        let wanted = |beat: &Heartbeat| (beat.session.state == state).then(|| beat.clone());
        self.plane.beat_from(from, wanted).await
    }

    /// The contact writes to the bot.
    pub fn write(&self, text: &str) -> String {
        self.sim.send_text(CONTACT, ACCOUNT, text).unwrap()
    }

    /// The worker's database, for a test that lays something ready or looks at what is kept.
    pub fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.session().join("bot.db")).unwrap()
    }

    /// The bot answers each message with itself.
    pub fn echo(&self, version: u64, pacing: Pacing) {
        let rules = json!({"rules": [{"name": "echo", "action": {"reply": "{message}"}}]});
        self.plane.set_config(WorkerConfig {
            version,
            rate_limit_max_per_minute: 600,
            rules: Some(rules),
            pacing,
            ..WorkerConfig::default()
        });
    }

    /// The texts that reached the contact, in order.
    pub fn texts(&self) -> Vec<String> {
        let received = self.sim.messages(CONTACT).unwrap().received;
        received.into_iter().map(|text| text.text).collect()
    }

    /// Waits for the bot's answer after the first `n`.
    pub async fn answer_after(&self, n: u64) -> String {
        self.sim.wait_for_reply(CONTACT, n, PATIENCE).await.unwrap().text
    }

    /// The ids of the texts that reached the contact.
    pub fn answer_ids(&self) -> Vec<String> {
        let received = self.sim.messages(CONTACT).unwrap().received;
        received.into_iter().map(|text| text.id).collect()
    }

    /// How many texts reached the contact, repeated ones included.
    pub fn answers(&self) -> u32 {
        self.sim.messages(CONTACT).unwrap().received.iter().map(|text| text.copies).sum()
    }
}

impl Running {
    /// Tells the worker to stop and measures how long it takes.
    pub async fn stop(self) -> Duration {
        let begin = Instant::now();
        self.stop.cancel();
        let ended = timeout(PATIENCE, self.task).await.unwrap().unwrap();
        assert_eq!(ended.unwrap(), Ended::Stopped);
        begin.elapsed()
    }

    /// Waits until the worker ends by itself.
    pub async fn failure(self) -> WorkerError {
        timeout(PATIENCE, self.task).await.unwrap().unwrap().unwrap_err()
    }

    /// Ends the worker without any goodbye, as a crash does.
    pub async fn crash(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }

    pub fn is_running(&self) -> bool {
        !self.task.is_finished()
    }
}
