//! A PM2 daemon that is there already, for operators who move to the supervisor step by step.
//!
//! Everything goes through the `pm2` program: argument vectors, a process file on its standard input, and
//! `pm2 jlist` for the state. What PM2 cannot do as the supervisor does:
//!
//! - The polite signal is the daemon's (`SIGINT`, or what `PM2_KILL_SIGNAL` said when it was started).
//! - An end by a signal and exit code 0 look the same; both are [`crate::WorkerExit::Unknown`].
//! - What a program says right before it ends may be lost: PM2 closes the log when it learns of the end.
//! - A program that ends at once is started again by PM2 a few times before its failed start is noticed here.
//! - CPU and memory are those of the main process alone.
//! - PM2 adds its own record to the worker's environment, and shows that environment to whoever may call it, values
//!   of [`crate::WorkerLaunch::secret_env`] included, and `pm2 save` writes it to a file in clear. Secrets belong
//!   into files that a variable names, as the worker contract does with the token.

mod call;
mod conversion;
mod end;
mod labels;
mod list;
mod logs;
mod picture;
mod reserved;
mod settle;
mod start;
mod tree;
mod watch;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;
use tokio::sync::{Mutex, OnceCell};

use crate::{
    ObservedWorker, Runtime, RuntimeError, RuntimeEvent, RuntimeHealth, StopMode, WorkerLaunch,
};
use call::{Call, Program, failed};
use picture::{Picture, Pictures};

/// The word for this runtime.
pub(crate) const KIND: &str = "pm2";

/// A list may be so old: many who look cost no more than one.
const FRESH: Duration = Duration::from_secs(1);

/// Where PM2 is, and how often it is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pm2Settings {
    /// The `pm2` program: a path, or a name that is found in `PATH`.
    pub program: PathBuf,
    /// The daemon's folder (`PM2_HOME`), absolute.
    pub home: PathBuf,
    /// Time between two looks while [`Runtime::watch`] is followed. A look costs a third of a second of processor
    /// time, since it starts Node; 2 s is a fair middle.
    pub interval: Duration,
}

/// Workers as processes of a PM2 daemon. Cheap to clone; clones share the order of their calls.
#[derive(Debug, Clone)]
pub struct Pm2Runtime {
    program: Program,
    pictures: Pictures,
    /// Held by the one call that changes something: PM2's program does not expect another.
    verbs: Arc<Mutex<()>>,
    version: Arc<OnceCell<String>>,
}

impl Pm2Runtime {
    /// A runtime that drives the daemon of `settings`. Looks for it only when used, and never starts one.
    #[must_use]
    pub fn new(settings: Pm2Settings) -> Self {
        let program = Program { program: settings.program, home: settings.home };
        Self {
            pictures: Pictures::new(program.clone(), settings.interval),
            program,
            verbs: Arc::default(),
            version: Arc::default(),
        }
    }

    fn worker(picture: &Picture, name: &str) -> Result<ObservedWorker, RuntimeError> {
        picture.worker(name).ok_or_else(|| RuntimeError::Unknown { name: name.to_owned() })
    }

    async fn log_path(&self, name: &str) -> Result<PathBuf, RuntimeError> {
        let worker = Self::worker(&self.pictures.fresh().await?, name)?;
        worker.log_path.ok_or_else(|| failed(format!("PM2 keeps no log of worker {name}")))
    }
}

#[async_trait]
impl Runtime for Pm2Runtime {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn health(&self) -> Result<RuntimeHealth, RuntimeError> {
        let ask = || async {
            let printed = self.program.call(Call::look(&["--version"])).await?;
            Ok::<_, RuntimeError>(printed.lines().last().unwrap_or_default().trim().to_owned())
        };
        let version = self.version.get_or_try_init(ask).await?.clone();
        self.program.ping().await?;
        let picture = self.pictures.recent(self.pictures.interval() * 3).await?;
        Ok(RuntimeHealth {
            kind: KIND,
            version,
            processes: picture.items.len(),
            endpoint: self.program.home.display().to_string(),
        })
    }

    async fn list(&self) -> Result<Vec<ObservedWorker>, RuntimeError> {
        Ok(self.pictures.recent(FRESH).await?.workers.to_vec())
    }

    async fn get(&self, name: &str) -> Result<Option<ObservedWorker>, RuntimeError> {
        Ok(self.pictures.fresh().await?.worker(name))
    }

    async fn start(
        &self,
        launch: &WorkerLaunch,
        settle: Duration,
    ) -> Result<ObservedWorker, RuntimeError> {
        let _one = self.verbs.lock().await;
        let picture = self.pictures.fresh().await?;
        if picture.of(&launch.name).iter().any(end::may_live) {
            return Err(RuntimeError::AlreadyRunning { name: launch.name.clone() });
        }
        self.launch(launch, &picture, settle).await
    }

    async fn restart(
        &self,
        launch: &WorkerLaunch,
        mode: StopMode,
        settle: Duration,
    ) -> Result<ObservedWorker, RuntimeError> {
        self.cut_short(&launch.name, mode).await?;
        let _one = self.verbs.lock().await;
        let picture = self.pictures.fresh().await?;
        self.check(launch, &picture)?;
        self.end(&launch.name, &picture, mode).await?;
        self.launch(launch, &picture, settle).await
    }

    async fn stop(&self, name: &str, mode: StopMode) -> Result<ObservedWorker, RuntimeError> {
        self.cut_short(name, mode).await?;
        let _one = self.verbs.lock().await;
        let picture = self.pictures.fresh().await?;
        Self::worker(&picture, name)?;
        self.end(name, &picture, mode).await?;
        let ended = self.pictures.fresh().await?;
        if ended.of(name).iter().all(|item| item.pm2_env.status == "stopped") {
            return Self::worker(&ended, name);
        }
        // PM2 had given up on a process that has been seen to the end since; now it finds nothing and agrees.
        self.end(name, &ended, mode).await?;
        Self::worker(&self.pictures.fresh().await?, name)
    }

    async fn forget(&self, name: &str) -> Result<(), RuntimeError> {
        let _one = self.verbs.lock().await;
        let picture = self.pictures.fresh().await?;
        self.delete(name, &picture).await?;
        if !picture.of(name).is_empty() {
            self.pictures.fresh().await?;
        }
        Ok(())
    }

    async fn log_tail(&self, name: &str, lines: usize) -> Result<Vec<String>, RuntimeError> {
        let path = self.log_path(name).await?;
        logs::tail(&path, lines).map_err(|error| failed(format!("{}: {error}", path.display())))
    }

    async fn log_follow(
        &self,
        name: &str,
        lines: usize,
    ) -> Result<BoxStream<'static, String>, RuntimeError> {
        let path = self.log_path(name).await?;
        let failed = |error| failed(format!("{}: {error}", path.display()));
        logs::follow(path.clone(), lines).map_err(failed)
    }

    fn watch(&self) -> BoxStream<'static, RuntimeEvent> {
        watch::watch(self.pictures.clone())
    }
}
