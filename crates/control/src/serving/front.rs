//! What every request over TCP goes through before the routes, and every answer after them.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::http::{Uri, header};
use axum::response::{IntoResponse as _, Response};
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::Service;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::body::{Answer, Received, UnderWay};
use super::headers::harden;
use super::hosts::Hosts;
use super::origin::{Networks, origin};
use super::progress::Progress;
use super::rates::Limits;
use crate::http::peer::Peer;
use crate::problem::{ApiError, Kind};

/// The longest address of a request, in bytes.
pub const MAX_URI: usize = 8 * 1024;
/// The largest head of a request, in bytes: names and values of its headers.
pub const MAX_HEAD: usize = 32 * 1024;
/// The most headers of a request.
pub const MAX_HEADERS: usize = 80;

/// What is the same for all connections of a listener.
pub struct Front {
    /// The routes.
    pub routes: Router,
    /// Who is believed about where a request comes from.
    pub proxies: Networks,
    /// Which hosts this server is; `None`: any.
    pub hosts: Option<Hosts>,
    /// How often somebody may ask.
    pub limits: Arc<Limits>,
    /// Ends streams that have no end.
    pub shutdown: CancellationToken,
}

/// One connection's way to the routes.
pub struct Way {
    /// What is the same for all.
    pub front: Arc<Front>,
    /// The other end.
    pub peer: Peer,
    /// How far the connection has come.
    pub progress: Arc<Progress>,
}

impl Service<Request<Incoming>> for Way {
    type Response = hyper::Response<Answer>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let under_way = UnderWay::begin(&self.progress);
        let mut request = request.map(|body| Received::wrap(body, &self.progress));
        let front = Arc::clone(&self.front);
        let admitted = front.admit(&request, self.peer);
        let peer = *admitted.as_ref().unwrap_or(&self.peer);
        Box::pin(async move {
            let mut answer = match admitted {
                Ok(peer) => {
                    request.extensions_mut().insert(peer);
                    match front.routes.clone().oneshot(request).await {
                        Ok(answer) => answer,
                        Err(never) => match never {},
                    }
                }
                Err(refused) => refused.into_response(),
            };
            harden(answer.headers_mut(), peer.tls);
            Ok(end_with(answer, under_way, &front.shutdown))
        })
    }
}

/// The answer with a body that ends with the server where it is a stream of events, which has no end.
pub fn end_with(
    answer: Response,
    under_way: UnderWay,
    shutdown: &CancellationToken,
) -> hyper::Response<Answer> {
    let kind = answer.headers().get(header::CONTENT_TYPE);
    let endless = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
    answer.map(|body| {
        if endless {
            Answer::endless(body, under_way, shutdown.clone())
        } else {
            Answer::whole(body, under_way)
        }
    })
}

impl Front {
    /// Whether a request may go on, and who asks.
    fn admit<B>(&self, request: &Request<B>, connection: Peer) -> Result<Peer, ApiError> {
        let headers = request.headers();
        let origin = origin(connection, headers, &self.proxies).map_err(|_| {
            let detail = "Forwarded and X-Forwarded-For name different clients; let the proxy set one of them and remove the other";
            ApiError::new(Kind::ForwardedContradiction, detail)
        })?;
        // Who works on this machine itself has better means to harm it than requests.
        if origin.forwarded || !origin.peer.address.is_loopback() {
            self.limits.check_address(origin.peer.address)?;
        }
        if length(request.uri()) > MAX_URI {
            let detail = format!("the address may have at most {MAX_URI} bytes");
            return Err(ApiError::new(Kind::UriTooLong, detail));
        }
        let size: usize =
            headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        if size > MAX_HEAD || headers.len() > MAX_HEADERS {
            let detail = format!(
                "a request may have at most {MAX_HEADERS} headers, and {MAX_HEAD} bytes of them"
            );
            return Err(ApiError::new(Kind::HeadersTooLarge, detail));
        }
        if let Some(hosts) = &self.hosts {
            hosts.check(request.uri(), headers)?;
        }
        Ok(origin.peer)
    }
}

fn length(uri: &Uri) -> usize {
    uri.path_and_query().map_or(0, |text| text.as_str().len())
        + uri.authority().map_or(0, |text| text.as_str().len())
}
