//! The worker's side of the worker link.

use std::time::Duration;

use futures::Stream;
use reqwest::Method;
use uuid::Uuid;

use super::{ClientError, Connection, sse};
use crate::link::{Command, EventBatch, EventsAnswer, Heartbeat, HeartbeatAnswer};
use crate::messages::MAX_MEDIA;

/// A heartbeat that takes longer than this counts as lost.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// A file that takes longer than this is asked for again.
const MEDIA: Duration = Duration::from_secs(60);

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

    /// Fetches the file of a message from outside.
    ///
    /// # Errors
    /// See [`ClientError`]; the status 404 means that it is gone.
    pub async fn media(&self, id: Uuid) -> Result<Vec<u8>, ClientError> {
        let path = format!("/link/v1/media/{id}");
        let mut answer = self.0.send(self.0.request(Method::GET, &path).timeout(MEDIA)).await?;
        let broken = |source| self.0.unreachable(source);
        let mut file = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(broken)? {
            if file.len() + chunk.len() > MAX_MEDIA {
                return Err(self.0.foreign(200, b"a file that is too large"));
            }
            file.extend_from_slice(&chunk);
        }
        Ok(file)
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
