//! A listener with a few routes of its own, and a client that says exactly what it is told to.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::response::sse::{Event, Sse};
use axum::routing::{get, post};
use axum::{Extension, Router};
use futures::{StreamExt as _, stream};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::http::peer::Peer;
use crate::serving::{Connections, Front, Hosts, Limits, Networks, Rate, Serving, Timeouts};

/// Nothing in these tests takes as long.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// How the listener is set up.
pub struct Setup {
    pub timeouts: Timeouts,
    pub most: usize,
    pub hosts: Option<Hosts>,
    pub proxies: Networks,
    pub of_address: Rate,
    pub tls: Option<TlsAcceptor>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            timeouts: Timeouts::default(),
            most: 100,
            hosts: None,
            proxies: Networks::default(),
            of_address: Rate::NONE,
            tls: None,
        }
    }
}

/// A listener that serves.
pub struct Served {
    pub address: SocketAddr,
    pub shutdown: CancellationToken,
    /// Rung when the slow route has been reached.
    pub reached: Arc<Notify>,
    /// Lets the slow route answer.
    pub release: Arc<Notify>,
    pub task: JoinHandle<()>,
}

impl Setup {
    pub async fn serve(self) -> Served {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (shutdown, reached, release) =
            (CancellationToken::new(), Arc::<Notify>::default(), Arc::<Notify>::default());
        let front = Front {
            routes: routes(&reached, &release),
            proxies: self.proxies,
            hosts: self.hosts,
            limits: Arc::new(Limits::new(self.of_address, Rate::NONE)),
            shutdown: shutdown.clone(),
        };
        let serving = Serving {
            front: Arc::new(front),
            tls: self.tls,
            connections: Connections::new(self.most, 1),
            timeouts: self.timeouts,
        };
        let task = tokio::spawn(serving.run(listener, shutdown.clone()));
        Served { address, shutdown, reached, release, task }
    }
}

fn routes(reached: &Arc<Notify>, release: &Arc<Notify>) -> Router {
    let (reached, release) = (Arc::clone(reached), Arc::clone(release));
    let slow = move || {
        let (reached, release) = (Arc::clone(&reached), Arc::clone(&release));
        async move {
            reached.notify_one();
            release.notified().await;
            "done"
        }
    };
    let endless = || async {
        let first = stream::iter([Ok::<_, Infallible>(Event::default().data("first"))]);
        Sse::new(first.chain(stream::pending()))
    };
    Router::new()
        .route("/", get(async || "hello"))
        .route("/peer", get(async |Extension(peer): Extension<Peer>| format!("{peer:?}")))
        .route("/size", post(async |body: Bytes| body.len().to_string()))
        .route("/slow", get(slow))
        .route("/endless", get(endless))
        .route("/large", get(async || vec![b'x'; 64 * 1024 * 1024]))
}

/// One connection.
pub struct Client<S>(pub S);

impl Client<TcpStream> {
    pub async fn connect(served: &Served) -> Self {
        Self(TcpStream::connect(served.address).await.unwrap())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    pub async fn say(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// Asks for a path, with more header lines, and gives head and body of the answer.
    pub async fn get(&mut self, path: &str, headers: &str) -> String {
        self.say(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n")).await;
        self.answer().await
    }

    /// An answer that says its length, or what came until the other end closed.
    pub async fn answer(&mut self) -> String {
        let mut text = String::new();
        let mut buffer = vec![0; 4096];
        let whole = |text: &str| {
            let (head, body) = text.split_once("\r\n\r\n")?;
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?;
            (body.len() >= length.parse::<usize>().ok()?).then_some(())
        };
        let read = async {
            while whole(&text).is_none() {
                let Ok(length @ 1..) = self.0.read(&mut buffer).await else { break };
                text.push_str(std::str::from_utf8(&buffer[..length]).unwrap());
            }
        };
        tokio::time::timeout(PATIENCE, read).await.unwrap();
        text
    }

    /// Everything until the other end closes; a reset is an end too.
    pub async fn rest(&mut self) -> String {
        let mut bytes = Vec::new();
        let mut buffer = vec![0; 64 * 1024];
        let read = async {
            while let Ok(length @ 1..) = self.0.read(&mut buffer).await {
                bytes.extend_from_slice(&buffer[..length]);
            }
        };
        tokio::time::timeout(PATIENCE, read).await.unwrap();
        String::from_utf8(bytes).unwrap()
    }
}
