//! An installation: a home, a running server, and the simulated network beside it.

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use api::client::AdminClient;
use api::tenant::{CreateTenant, TenantStatus, TenantView};
use api::worker::{LifecycleAction, LifecycleAnswer};
use tempfile::TempDir;
use whatsim::Sim;

use crate::poll::eventually;
use crate::{proc, program};

/// What differs from one installation to the next.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// More environment variables for the server.
    pub env: Vec<(String, String)>,
}

/// A running installation. Dropping it ends every process that it has started.
pub struct Installation {
    home: TempDir,
    server: Option<Child>,
    /// What differs; counts from the next start of the server.
    pub setup: Setup,
    /// The simulated WhatsApp network.
    pub sim: Sim,
}

impl Installation {
    /// Starts an installation with quick heartbeats and waits until it is ready.
    pub async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    /// Starts an installation with its own settings.
    pub async fn with(setup: Setup) -> Self {
        let home = tempfile::Builder::new().prefix("tnt").tempdir().expect("a temporary home");
        let sim = Sim::start(whatsim::Config::default()).await.expect("the simulated network");
        let mut installation = Self { home, server: None, setup, sim };
        installation.start_server().await;
        installation
    }

    /// The home.
    #[must_use]
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Starts the server, or starts it again.
    pub async fn start_server(&mut self) {
        let log = fs::File::create(self.home().join("server.out")).expect("a file for its output");
        let mut command = program::command(self.home());
        command
            .env("PORT", "0")
            .env("WHATSAPP_URL", self.sim.ws_url())
            .env("HEARTBEAT_INTERVAL_MS", "250")
            .env("STALE_CHECK_INTERVAL_MS", "200")
            .env("STALE_THRESHOLD_MINUTES", "0.05")
            .envs(self.setup.env.iter().map(|(name, value)| (name, value)))
            .arg("server")
            .stdout(Stdio::null())
            .stderr(log);
        self.server = Some(command.spawn().expect("the server starts"));
        eventually("the server is ready", async || {
            let client = self.try_client()?;
            client.health().await.ok().filter(|health| health.status == "ok")
        })
        .await;
    }

    /// `kill -9` of the server.
    pub fn kill_server(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().expect("the server can be killed");
            server.wait().expect("the server ends");
        }
    }

    /// Where the server is reached.
    #[must_use]
    pub fn url(&self) -> Option<String> {
        let text = fs::read_to_string(self.home().join("run/server.json")).ok()?;
        let value: serde_json::Value = serde_json::from_str(&text).ok()?;
        let ours = value["pid"].as_u64() == self.server.as_ref().map(|child| child.id().into());
        ours.then(|| value["url"].as_str().map(str::to_owned)).flatten()
    }

    /// The operator's token.
    #[must_use]
    pub fn token(&self) -> String {
        fs::read_to_string(self.home().join("admin.token")).unwrap_or_default().trim().to_owned()
    }

    fn try_client(&self) -> Option<AdminClient> {
        AdminClient::new(&self.url()?, &self.token()).ok()
    }

    /// A client with the operator's token.
    #[must_use]
    pub fn client(&self) -> AdminClient {
        self.try_client().expect("the server has said where it is")
    }

    /// The supervisor's pid.
    #[must_use]
    pub fn supervisor_pid(&self) -> u32 {
        let text =
            fs::read_to_string(self.home().join("run/supervisor.pid")).expect("its pid file");
        text.trim().parse().expect("a pid")
    }

    /// Runs the command line against this installation.
    #[must_use]
    pub fn cli(&self, args: &[&str]) -> program::Run {
        program::tenantry(self.home(), &[], args)
    }

    /// Makes a tenant whose worker trusts the simulated network.
    pub async fn tenant(&self, name: &str, phone: &str) -> TenantView {
        let tenant = self
            .client()
            .create_tenant(&CreateTenant {
                name: name.to_owned(),
                phone: Some(phone.to_owned()),
                greeting: Some(format!("Karibu {name}")),
                ..CreateTenant::default()
            })
            .await
            .expect("the tenant is made");
        // Stories do not wait for a bot that types.
        let off = serde_json::json!({"off": true});
        let id = tenant.id.to_string();
        self.client().set_pacing(&id, &off).await.expect("the pacing is off");
        self.prepare(&tenant).await;
        tenant
    }

    /// Makes a tenant with its own program.
    pub async fn tenant_with(&self, name: &str, command: &[&str]) -> TenantView {
        let command = command.iter().map(|&arg| arg.to_owned()).collect();
        let wish =
            CreateTenant { name: name.to_owned(), command: Some(command), ..Default::default() };
        self.client().create_tenant(&wish).await.expect("the tenant is made")
    }

    /// Prepares a tenant's session directory for the simulated network.
    pub async fn prepare(&self, tenant: &TenantView) {
        let dir = self.home().join("sessions").join(tenant.id.to_string());
        whatsim::prepare_session(&dir, self.sim.server_key())
            .await
            .expect("the session is prepared");
    }

    /// Carries out a lifecycle action that must succeed.
    pub async fn act(&self, tenant: &TenantView, action: LifecycleAction) -> LifecycleAnswer {
        let answer = self
            .client()
            .lifecycle(&tenant.slug, action, Some(30.0))
            .await
            .unwrap_or_else(|error| panic!("{action:?} of {}: {error}", tenant.slug));
        assert!(answer.success, "{action:?} of {} was not observed: {answer:?}", tenant.slug);
        answer
    }

    /// The tenant as it is now.
    pub async fn show(&self, tenant: &TenantView) -> TenantView {
        self.client().tenant(&tenant.id.to_string()).await.expect("the tenant is there")
    }

    /// The pid of the tenant's worker.
    pub async fn pid(&self, tenant: &TenantView) -> u32 {
        self.show(tenant).await.worker.pid.expect("the worker runs")
    }

    /// Waits until the tenant has this status.
    pub async fn until(&self, tenant: &TenantView, status: TenantStatus) -> TenantView {
        eventually(&format!("{} is {status:?}", tenant.slug), async || {
            Some(self.show(tenant).await).filter(|tenant| tenant.status == status)
        })
        .await
    }

    /// The QR code that waits to be scanned.
    pub async fn qr(&self, tenant: &TenantView) -> String {
        eventually(&format!("{} shows a QR code", tenant.slug), async || {
            self.client().qr(&tenant.slug).await.expect("the QR route answers").code
        })
        .await
    }

    /// Starts the tenant's worker and has a simulated phone scan its code.
    pub async fn pair(&self, tenant: &TenantView) -> TenantView {
        let phone = tenant.phone.as_ref().expect("the tenant has a number").digits().to_owned();
        self.sim.add_account(&phone).expect("the phone is new");
        self.act(tenant, LifecycleAction::Start).await;
        let qr = self.qr(tenant).await;
        self.sim.scan(&qr, &phone).await.expect("the phone scans the code");
        self.until(tenant, TenantStatus::Active).await;
        eventually("the session is connected", async || {
            let tenant = self.show(tenant).await;
            (tenant.session.state == api::session::SessionState::Connected).then_some(tenant)
        })
        .await
    }

    /// Waits until `contact` has received `count` answers, and gives the texts of all it has.
    pub async fn answers(&self, contact: &str, count: u64) -> Vec<String> {
        self.sim
            .wait_for_reply(contact, count - 1, Duration::from_secs(45))
            .await
            .expect("the answers come");
        let conversation = self.sim.messages(contact).expect("the contact is known");
        conversation.received.into_iter().map(|message| message.text).collect()
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = self.print_logs();
        }
        if let Some(mut server) = self.server.take() {
            let _ = server.kill();
            let _ = server.wait();
        }
        self.end_processes();
    }
}

impl Installation {
    /// Ends everything and goes on in another home on the same network, once `fill` has made what is in it. Gives
    /// the old one.
    pub async fn move_home(&mut self, fill: impl FnOnce(&Path)) -> TempDir {
        self.kill_server();
        self.end_processes();
        let home = tempfile::Builder::new().prefix("tnt").tempdir().expect("a temporary home");
        fill(home.path());
        let old = std::mem::replace(&mut self.home, home);
        self.start_server().await;
        old
    }

    /// Kills what runs in the home without the server.
    fn end_processes(&self) {
        // The supervisor goes before its workers, or it would start them again.
        if let Ok(pid) = fs::read_to_string(self.home().join("run/supervisor.pid"))
            && let Ok(pid) = pid.trim().parse()
        {
            proc::kill(pid);
        }
        for pid in proc::of_home(self.home()) {
            proc::kill(pid);
        }
    }
}

impl Installation {
    /// Shows the ends of all logs of a test that failed.
    fn print_logs(&self) -> std::io::Result<()> {
        let logs =
            fs::read_dir(self.home().join("logs"))?.filter_map(|entry| Some(entry.ok()?.path()));
        for path in logs.chain([self.home().join("server.out")]) {
            let Ok(text) = fs::read_to_string(&path) else { continue };
            let lines: Vec<_> = text.lines().collect();
            eprintln!("--- {}", path.display());
            for line in &lines[lines.len().saturating_sub(40)..] {
                eprintln!("{line}");
            }
        }
        Ok(())
    }
}
