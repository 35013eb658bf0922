//! The control plane's parts, held together.

use std::sync::{Arc, OnceLock};

use chrono::{DateTime, Utc};
use runtime::{ObservedWorker, Runtime};
use store::Store;
use tokio::sync::Notify;

use crate::backup::Kept;
use crate::brand::Brands;
use crate::config::Settings;
use crate::dashboard::Dashboard;
use crate::doctor::Doctor;
use crate::fleet::{Fleet, Member, StartFailure};
use crate::grant::Principal;
use crate::heavy::HeavyReads;
use crate::metrics::Metrics;
use crate::people::People;
use crate::reconcile::driver::Reconciler;
use crate::reconcile::watch::describe;
use crate::recorder::Recorder;
use crate::runtimes::Runtimes;
use crate::serving::Limits;
use crate::token::LinkKey;
use crate::usage::Figures;

/// What every route and every background task of the control plane works on.
pub struct ControlPlane {
    /// The settings.
    pub settings: Settings,
    /// What is durable.
    pub store: Store,
    /// What is known.
    pub fleet: Fleet,
    /// Where workers run.
    pub runtimes: Runtimes,
    /// Makes what runs equal to what is wanted.
    pub reconciler: Reconciler,
    /// Writes down what happens.
    pub recorder: Recorder,
    /// What is counted.
    pub metrics: Metrics,
    /// Rung when messages from outside may have been settled, so that their files can go.
    pub settled: Notify,
    /// Proves who speaks on the worker link.
    pub link_key: LinkKey,
    /// Who may come in.
    pub people: People,
    /// How the operator appears to tenants.
    pub brand: Brands,
    /// Looks whether the installation is sound.
    pub doctor: Doctor,
    /// The backups in the home.
    pub backups: Kept,
    /// When this control plane was started.
    pub started_at: DateTime<Utc>,
    /// The bearer of the admin token.
    pub admin: Arc<Principal>,
    /// Where the server is reached, when the settings do not say; known once it listens.
    pub listening: OnceLock<String>,
    /// The SHA-256 of the admin token.
    pub admin_token_hash: String,
    /// When CPU and memory of the workers were last asked for.
    pub figures: Figures,
    /// What those who look at the whole fleet are shown.
    pub dashboard: Dashboard,
    /// Has reads that may take long wait for their turn.
    pub heavy: Arc<HeavyReads>,
    /// How often somebody may ask.
    pub limits: Arc<Limits>,
}

impl ControlPlane {
    /// Where people reach the server: what links begin with. Never what a request says of it.
    pub fn base_url(&self) -> &str {
        let listening = || self.listening.get().map_or("", String::as_str);
        self.settings.public_url.as_deref().unwrap_or_else(listening)
    }

    /// Where a tenant's worker runs, or would.
    pub fn runtime_of(&self, member: &Member) -> &dyn Runtime {
        self.runtimes.get(member.runtime())
    }

    /// Notes that a tenant ran into a limit, named by its problem's code.
    pub fn limit_hit(&self, member: &Member, limit: &'static str, detail: &str) {
        member.activity.note_limit_hit(Utc::now());
        self.recorder.limit_hit(member.id, limit, detail);
    }

    /// Takes in what the runtime answered about a worker, and writes down a change of its state.
    pub fn observe(&self, member: &Member, process: Option<ObservedWorker>) {
        let told = process.as_ref().and_then(describe);
        if member.observe(process) {
            self.write_down(member, told);
        }
    }

    /// The same for news, which may be older than what is known.
    pub fn observe_news(&self, member: &Member, process: ObservedWorker) {
        let told = describe(&process);
        if member.observe_news(process) {
            self.write_down(member, told);
        }
    }

    /// Keeps that a generation could not be started, so that it is not tried again by itself, not
    /// even by the next control plane.
    pub async fn start_failed(&self, member: &Member, failure: StartFailure) {
        let (generation, reason) = (failure.generation, failure.reason.clone());
        member.update(|snapshot| snapshot.start_failure = Some(failure));
        if let Err(error) = self.store.record_start_failure(member.id, generation, &reason).await {
            tracing::error!(tenant = %member.id, %error, "a failed start could not be written");
        }
    }

    fn write_down(&self, member: &Member, told: Option<(&'static str, String)>) {
        if let Some((kind, detail)) = told {
            self.recorder.event(member.id, kind, detail);
        }
    }
}
