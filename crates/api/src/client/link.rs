//! The worker's side of the worker link.

use std::time::Duration;

use futures::Stream;
use reqwest::Method;

use super::{ClientError, Connection, sse};
use crate::link::{Command, EventBatch, EventsAnswer, Heartbeat, HeartbeatAnswer};

/// A heartbeat that takes longer than this counts as lost.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// A worker's connection to the control plane.
#[derive(Clone)]
pub struct LinkClient(Connection);

impl LinkClient {
    /// A client for the link at `address` (`unix:/path` or `http://host:port`).
    ///
    /// # Errors
    /// [`ClientError::Address`] when the address is of neither form.
    pub fn new(address: &str, token: &str) -> Result<Self, ClientError> {
        Connection::new(address, token).map(Self)
    }

    /// Sends a heartbeat.
    ///
    /// # Errors
    /// See [`ClientError`]; the code `stale_generation` means that a newer worker has taken over.
    pub async fn heartbeat(&self, heartbeat: &Heartbeat) -> Result<HeartbeatAnswer, ClientError> {
        let request = self.0.request(Method::POST, "/link/v1/heartbeat").timeout(CALL_TIMEOUT);
        self.0.json(request.json(heartbeat)).await
    }

    /// Hands events over; those up to the answer's `accepted_through` may be forgotten.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn events(&self, batch: &EventBatch) -> Result<EventsAnswer, ClientError> {
        let request = self.0.request(Method::POST, "/link/v1/events").timeout(CALL_TIMEOUT);
        self.0.json(request.json(batch)).await
    }

    /// Listens for commands until the connection ends.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn commands(&self) -> Result<impl Stream<Item = Command> + Unpin, ClientError> {
        let answer = self.0.send(self.0.request(Method::GET, "/link/v1/commands")).await?;
        Ok(sse::values(answer))
    }
}
