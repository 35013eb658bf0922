//! The supervisor on this machine.
//!
//! The supervisor is a process of its own that outlives whoever uses it. When none answers on the
//! socket, one is started (if a [`SupervisorCommand`] says how) and left running.

mod connection;
mod conversion;
mod watch;

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::ready;
use futures::stream::{BoxStream, StreamExt};
use supervisor::client::Action;
pub use supervisor::launcher::SupervisorCommand;
use supervisor::wire::{ActionRequest, CreateRequest, ErrorCode};

use crate::{
    ObservedWorker, Runtime, RuntimeError, RuntimeEvent, RuntimeHealth, StopMode, WorkerLaunch,
};
use connection::Connection;
use conversion::{error, observed, settle_ms, spec};

/// The word for this runtime.
pub(crate) const KIND: &str = "local";

/// Workers as processes of the supervisor on this machine. Cheap to clone.
#[derive(Debug, Clone)]
pub struct LocalRuntime {
    connection: Connection,
}

impl LocalRuntime {
    /// A runtime that uses the supervisor listening on `socket`. Connects only when used; every use finds
    /// out whether one answers, and starts one by `command` (if there is one) when none does.
    ///
    /// # Errors
    /// [`RuntimeError::Invalid`] when the path is too long for a Unix socket.
    pub fn new(
        socket: impl AsRef<Path>,
        command: impl Into<Option<SupervisorCommand>>,
    ) -> Result<Self, RuntimeError> {
        Ok(Self { connection: Connection::new(socket.as_ref(), command.into())? })
    }

    /// Makes sure that a supervisor answers, and starts one where that is needed and allowed.
    ///
    /// # Errors
    /// [`RuntimeError::Unreachable`] when none answers in the end.
    pub async fn ensure_supervisor(&self) -> Result<(), RuntimeError> {
        self.connection.ensure().await
    }

    async fn act(
        &self,
        name: &str,
        action: Action,
        request: &ActionRequest,
    ) -> Result<ObservedWorker, RuntimeError> {
        let client = self.connection.client();
        let acted = self.connection.call(|| client.act(name, action, request)).await;
        acted.map(|view| observed(&view)).map_err(|problem| error(problem, name))
    }
}

#[async_trait]
impl Runtime for LocalRuntime {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn health(&self) -> Result<RuntimeHealth, RuntimeError> {
        let client = self.connection.client();
        let asked = self.connection.call(|| client.info()).await;
        let info = asked.map_err(|problem| error(problem, ""))?;
        Ok(RuntimeHealth {
            kind: KIND,
            version: info.version,
            processes: info.processes,
            endpoint: client.socket().display().to_string(),
        })
    }

    async fn list(&self) -> Result<Vec<ObservedWorker>, RuntimeError> {
        let client = self.connection.client();
        let listed = self.connection.call(|| client.list(&[])).await;
        let views = listed.map_err(|problem| error(problem, ""))?;
        Ok(views.iter().filter(|view| conversion::is_worker(view)).map(observed).collect())
    }

    async fn get(&self, name: &str) -> Result<Option<ObservedWorker>, RuntimeError> {
        let client = self.connection.client();
        match self.connection.call(|| client.get(name, false)).await {
            Ok(view) => Ok(Some(observed(&view)).filter(|_| conversion::is_worker(&view))),
            Err(problem) => match error(problem, name) {
                RuntimeError::Unknown { .. } => Ok(None),
                other => Err(other),
            },
        }
    }

    async fn start(
        &self,
        launch: &WorkerLaunch,
        settle: Duration,
    ) -> Result<ObservedWorker, RuntimeError> {
        let request = CreateRequest { spec: spec(launch), settle_ms: settle_ms(settle) };
        let client = self.connection.client();
        let created = self.connection.call(|| client.create(&request)).await;
        created.map(|view| observed(&view)).map_err(|problem| error(problem, &launch.name))
    }

    async fn restart(
        &self,
        launch: &WorkerLaunch,
        mode: StopMode,
        settle: Duration,
    ) -> Result<ObservedWorker, RuntimeError> {
        let action = match mode {
            StopMode::Graceful => Action::Restart,
            StopMode::Force => Action::ForceRestart,
        };
        let request =
            ActionRequest { spec: Some(spec(launch)), settle_ms: settle_ms(settle), force: false };
        match self.act(&launch.name, action, &request).await {
            // There is nothing to end first.
            Err(RuntimeError::Unknown { .. }) => self.start(launch, settle).await,
            other => other,
        }
    }

    async fn stop(&self, name: &str, mode: StopMode) -> Result<ObservedWorker, RuntimeError> {
        let request = ActionRequest { force: mode == StopMode::Force, ..ActionRequest::default() };
        self.act(name, Action::Stop, &request).await
    }

    async fn forget(&self, name: &str) -> Result<(), RuntimeError> {
        let client = self.connection.client();
        match self.connection.call(|| client.delete(name)).await {
            Ok(_) => Ok(()),
            Err(supervisor::client::ClientError::Refused(body))
                if body.code == ErrorCode::UnknownProcess =>
            {
                Ok(())
            }
            Err(problem) => Err(error(problem, name)),
        }
    }

    async fn log_tail(&self, name: &str, lines: usize) -> Result<Vec<String>, RuntimeError> {
        let client = self.connection.client();
        let read = self.connection.call(|| client.logs(name, lines)).await;
        let lines = read.map_err(|problem| error(problem, name))?;
        Ok(lines.into_iter().map(|line| line.line).collect())
    }

    async fn log_follow(
        &self,
        name: &str,
        lines: usize,
    ) -> Result<BoxStream<'static, String>, RuntimeError> {
        let client = self.connection.client();
        let followed = self.connection.call(|| client.follow_logs(name, lines)).await;
        let lines = followed.map_err(|problem| error(problem, name))?;
        // The first error is the end of the connection, and so of the stream.
        let texts = lines.map(|line| line.ok().map(|line| line.line));
        Ok(texts.take_while(|text| ready(text.is_some())).filter_map(ready).boxed())
    }

    fn watch(&self) -> BoxStream<'static, RuntimeEvent> {
        watch::watch(self.connection.clone())
    }
}
