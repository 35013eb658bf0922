//! Typed clients: [`AdminClient`] for the admin routes, [`LinkClient`] for the worker link.

mod admin;
mod audit;
mod events;
mod fleet;
mod link;
mod messages;
mod pacing;
mod pair_links;
mod people;
mod rules;
mod sse;

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response};
use serde::de::DeserializeOwned;

pub use admin::AdminClient;
pub use audit::AuditQuery;
pub use events::EventQuery;
pub use link::LinkClient;

use crate::problem::Problem;

/// How long to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Why a call did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The address is neither `unix:/path` nor `http://host:port`.
    #[error("the address {0:?} is neither unix:/path nor http://host:port")]
    Address(String),
    /// The server said no, and why.
    #[error("{}", .0.detail)]
    Problem(Box<Problem>),
    /// Nobody answers at the address.
    #[error("nothing answers at {address}: {source}")]
    Unreachable {
        /// Where the call went.
        address: String,
        /// What went wrong below.
        source: reqwest::Error,
    },
    /// The answer is not what this client understands.
    #[error("{address} answered {status} with something that is not Tenantry's: {excerpt}")]
    Foreign {
        /// Where the call went.
        address: String,
        /// The HTTP status.
        status: u16,
        /// The start of the body.
        excerpt: String,
    },
}

impl ClientError {
    /// The problem's stable code, when the server answered with a problem.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Problem(problem) => Some(&problem.code),
            Self::Address(_) | Self::Unreachable { .. } | Self::Foreign { .. } => None,
        }
    }

    /// The HTTP status, when there was an answer.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Problem(problem) => Some(problem.status),
            Self::Foreign { status, .. } => Some(*status),
            Self::Address(_) | Self::Unreachable { .. } => None,
        }
    }
}

/// An HTTP connection to one address with one bearer token.
#[derive(Clone)]
struct Connection {
    http: reqwest::Client,
    /// What stands before the path in a request.
    base: String,
    /// The address as the user wrote it, for messages.
    address: String,
    token: String,
}

impl Connection {
    fn new(address: &str, token: &str) -> Result<Self, ClientError> {
        let builder = reqwest::Client::builder().connect_timeout(CONNECT_TIMEOUT).no_proxy();
        let bad = || ClientError::Address(address.to_owned());
        let (builder, base) = if let Some(path) = address.strip_prefix("unix:") {
            (builder.unix_socket(path), "http://localhost".to_owned())
        } else if address.starts_with("http://") {
            (builder, address.trim_end_matches('/').to_owned())
        } else {
            return Err(bad());
        };
        let http = builder.build().map_err(|_| bad())?;
        Ok(Self { http, base, address: address.to_owned(), token: token.trim().to_owned() })
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base)).bearer_auth(&self.token)
    }

    /// Sends, and turns every answer outside 2xx into an error.
    async fn send(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        let answer = request.send().await.map_err(|source| self.unreachable(source))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status().as_u16();
        let body = answer.bytes().await.map_err(|source| self.unreachable(source))?;
        Err(match serde_json::from_slice::<Problem>(&body) {
            Ok(problem) => ClientError::Problem(Box::new(problem)),
            Err(_) => self.foreign(status, &body),
        })
    }

    async fn json<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, ClientError> {
        let answer = self.send(request).await?;
        let status = answer.status().as_u16();
        let body = answer.bytes().await.map_err(|source| self.unreachable(source))?;
        serde_json::from_slice(&body).map_err(|_| self.foreign(status, &body))
    }

    fn unreachable(&self, source: reqwest::Error) -> ClientError {
        ClientError::Unreachable { address: self.address.clone(), source: source.without_url() }
    }

    fn foreign(&self, status: u16, body: &[u8]) -> ClientError {
        let excerpt = String::from_utf8_lossy(body).chars().take(200).collect();
        ClientError::Foreign { address: self.address.clone(), status, excerpt }
    }
}
