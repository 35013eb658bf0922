//! The loops that accept connections.

use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::Service;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::body::{Answer, Received, UnderWay};
use super::connection;
use super::connections::Connections;
use super::front::{Front, Way, end_with};
use super::progress::{Progress, Timeouts};
use crate::http::peer::Peer;

/// How long to wait when the system has no file descriptors left to accept with.
const PAUSE: Duration = Duration::from_millis(100);

/// The least time between two warnings about refused connections.
const WARNING: Duration = Duration::from_secs(60);

/// What a TCP listener needs.
pub struct Serving {
    /// What every request goes through.
    pub front: Arc<Front>,
    /// TLS, unless what is spoken is plain HTTP.
    pub tls: Option<TlsAcceptor>,
    /// The counts and bounds of connections.
    pub connections: Arc<Connections>,
    /// How long connections may take.
    pub timeouts: Timeouts,
}

impl Serving {
    /// Accepts until `shutdown`, then returns when all requests under way are answered. Dropped, it cuts them.
    pub async fn run(self, listener: TcpListener, shutdown: CancellationToken) {
        let serving = Arc::new(self);
        let mut tasks = JoinSet::new();
        let mut warned: Option<Instant> = None;
        loop {
            let accepted = tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                accepted = listener.accept() => accepted,
                Some(_) = tasks.join_next() => continue,
            };
            let (stream, address) = match accepted {
                Ok((stream, address)) => (stream, address.ip().to_canonical()),
                Err(error) => {
                    pause_after(&error).await;
                    continue;
                }
            };
            let counts = !address.is_loopback() && !serving.front.proxies.contains(address);
            let Ok(place) = serving.connections.enter(address, counts) else {
                if warned.is_none_or(|at| at.elapsed() > WARNING) {
                    warned = Some(Instant::now());
                    let refused = serving.connections.take_refused();
                    tracing::warn!(refused, %address, "too many connections; new ones are closed at once");
                }
                continue;
            };
            let (serving, shutdown) = (Arc::clone(&serving), shutdown.clone());
            tasks.spawn(async move {
                serving.connection(stream, address, shutdown).await;
                drop(place);
            });
        }
        drop(listener);
        while tasks.join_next().await.is_some() {}
    }

    async fn connection(&self, stream: TcpStream, address: IpAddr, shutdown: CancellationToken) {
        // Small answers must not wait for the acknowledgement of the one before.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY could not be set");
        }
        let Some(tls) = &self.tls else {
            return self.speak(stream, Peer { address, tls: false }, shutdown).await;
        };
        let handshake = tokio::time::timeout(self.timeouts.handshake, tls.accept(stream));
        tokio::select! {
            () = shutdown.cancelled() => {}
            outcome = handshake => match outcome {
                Ok(Ok(stream)) => {
                    self.speak(stream, Peer { address, tls: true }, shutdown.clone()).await;
                }
                Ok(Err(error)) => tracing::debug!(%address, %error, "no TLS"),
                Err(_) => tracing::debug!(%address, "the TLS handshake took too long"),
            }
        }
    }

    async fn speak<S>(&self, stream: S, peer: Peer, shutdown: CancellationToken)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let progress = Arc::new(Progress::new(Instant::now()));
        let way = Way { front: Arc::clone(&self.front), peer, progress: Arc::clone(&progress) };
        connection::serve(stream, way, progress, Some(self.timeouts), shutdown).await;
    }
}

/// Serves a socket that only this user can reach: no limits but those of the routes. Ends like
/// [`Serving::run`].
pub async fn local(
    listener: UnixListener,
    routes: Router,
    peer: Option<Peer>,
    shutdown: CancellationToken,
) {
    let mut tasks = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => accepted,
            Some(_) = tasks.join_next() => continue,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                pause_after(&error).await;
                continue;
            }
        };
        let progress = Arc::new(Progress::new(Instant::now()));
        let way = LocalWay {
            routes: routes.clone(),
            peer,
            progress: Arc::clone(&progress),
            shutdown: shutdown.clone(),
        };
        tasks.spawn(connection::serve(stream, way, progress, None, shutdown.clone()));
    }
    drop(listener);
    while tasks.join_next().await.is_some() {}
}

/// The way to the routes over a socket of this machine.
struct LocalWay {
    routes: Router,
    peer: Option<Peer>,
    progress: Arc<Progress>,
    shutdown: CancellationToken,
}

impl Service<Request<Incoming>> for LocalWay {
    type Response = hyper::Response<Answer>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let under_way = UnderWay::begin(&self.progress);
        let mut request = request.map(|body| Received::wrap(body, &self.progress));
        if let Some(peer) = self.peer {
            request.extensions_mut().insert(peer);
        }
        let (routes, shutdown) = (self.routes.clone(), self.shutdown.clone());
        Box::pin(async move {
            let answer = routes.oneshot(request).await?;
            Ok(end_with(answer, under_way, &shutdown))
        })
    }
}

/// A connection that went before it was accepted is nothing; all else (no file descriptors left) may pass.
async fn pause_after(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        return;
    }
    tracing::error!(%error, "no connection can be accepted");
    tokio::time::sleep(PAUSE).await;
}
