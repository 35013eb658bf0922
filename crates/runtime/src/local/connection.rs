//! Reaching the supervisor, and starting one when there is none.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;

use supervisor::client::{Client, ClientError};
use supervisor::launcher::{SupervisorCommand, launch};
use tokio::sync::Mutex;

use super::KIND;
use crate::RuntimeError;

/// A client and what it takes to have somebody at the other end.
#[derive(Debug, Clone)]
pub(super) struct Connection {
    client: Client,
    command: Option<Arc<SupervisorCommand>>,
    /// One start at a time, however many find nobody answering.
    starting: Arc<Mutex<()>>,
}

impl Connection {
    pub(super) fn new(
        socket: &Path,
        command: Option<SupervisorCommand>,
    ) -> Result<Self, RuntimeError> {
        let client = Client::new(socket)
            .map_err(|error| RuntimeError::Invalid { message: error.to_string() })?;
        Ok(Self { client, command: command.map(Arc::new), starting: Arc::default() })
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Makes a call. When nobody answers, gets somebody to, and calls once more: a call that found nobody
    /// had no effect, and one whose connection broke may be repeated, as the verbs may.
    pub(super) async fn call<T, F>(&self, make: impl Fn() -> F) -> Result<T, ClientError>
    where
        F: Future<Output = Result<T, ClientError>>,
    {
        match make().await {
            Err(ClientError::Unreachable { .. }) if self.ensure().await.is_ok() => make().await,
            other => other,
        }
    }

    /// Returns once somebody answers.
    pub(super) async fn ensure(&self) -> Result<(), RuntimeError> {
        let _one = self.starting.lock().await;
        let Err(problem) = self.client.info().await else { return Ok(()) };
        let Some(command) = &self.command else {
            return Err(unreachable(problem.to_string()));
        };
        launch(command, &self.client).await.map_err(|error| unreachable(error.to_string()))
    }
}

fn unreachable(message: String) -> RuntimeError {
    RuntimeError::Unreachable { kind: KIND, message }
}
