//! How the client reaches WhatsApp: a WebSocket whose frames are noted, and whose failures are kept
//! so that the status can tell them. (The client only logs them.)

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::net::TcpStream;
use tokio_websockets::ClientBuilder;
use whatsapp_rust::anyhow::{self, Context};
use whatsapp_rust::async_channel;
use whatsapp_rust::http::{HttpClient, HttpRequest, HttpResponse, UreqHttpClient};
use whatsapp_rust::transport::{
    TokioWebSocketTransportFactory, Transport, TransportEvent, TransportFactory, from_websocket,
};

use crate::session::LastFrame;

/// Frames that may wait between the socket and the client.
const FRAMES: usize = 8;

/// How long a request may take, to look up a version or to move a file.
const REQUEST: Duration = Duration::from_secs(60);

/// How long a host may take to take a request's connection.
const CONNECT: Duration = Duration::from_secs(15);

/// Bytes of each of the two buffers of a request; the HTTP client's own default is eight times as much.
const BUFFER: usize = 16 * 1024;

/// Connections that are kept for the next request.
const IDLE: usize = 2;

type Connected = (Arc<dyn Transport>, async_channel::Receiver<TransportEvent>);

/// Why the last attempt did not get as far as a connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Trouble(Arc<Mutex<Option<String>>>);

impl Trouble {
    fn keep(&self, what: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(what);
    }

    /// Takes the trouble out.
    pub(super) fn take(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Makes connections to one address.
pub(super) struct Dialer {
    pub(super) url: String,
    pub(super) last_frame: LastFrame,
    pub(super) trouble: Trouble,
}

#[async_trait]
impl TransportFactory for Dialer {
    async fn create_transport(&self) -> Result<Connected, anyhow::Error> {
        let dialed = if self.url.starts_with("ws://") {
            dial_plain(&self.url).await
        } else {
            TokioWebSocketTransportFactory::new().with_url(&self.url).create_transport().await
        };
        match dialed {
            Ok((transport, frames)) => Ok((transport, noted(frames, self.last_frame.clone()))),
            Err(error) => {
                self.trouble.keep(format!("cannot reach WhatsApp at {}: {error:#}", self.url));
                Err(error)
            }
        }
    }
}

/// A connection without TLS. Small writes go out at once: with Nagle's algorithm each pair of them
/// would wait for the other side's delayed acknowledgement, some 40 ms.
async fn dial_plain(url: &str) -> Result<Connected, anyhow::Error> {
    let authority = url
        .strip_prefix("ws://")
        .and_then(|rest| rest.split('/').next())
        .context("the address has no host")?;
    let address =
        if authority.contains(':') { authority.to_owned() } else { format!("{authority}:80") };
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (socket, _) = ClientBuilder::new().uri(url)?.connect_on(stream).await?;
    Ok(from_websocket(socket))
}

/// Passes frames on, noting when each came.
fn noted(
    frames: async_channel::Receiver<TransportEvent>,
    last_frame: LastFrame,
) -> async_channel::Receiver<TransportEvent> {
    let (sender, receiver) = async_channel::bounded(FRAMES);
    tokio::spawn(async move {
        while let Ok(event) = frames.recv().await {
            if matches!(event, TransportEvent::DataReceived(_)) {
                last_frame.mark();
            }
            if sender.send(event).await.is_err() {
                break;
            }
        }
    });
    receiver
}

/// The HTTP client that looks up WhatsApp's present version, and uploads and fetches files.
pub(super) struct Lookup {
    inner: UreqHttpClient,
    trouble: Trouble,
    /// Whether files of this machine's own addresses go without TLS, as the WebSocket does: the library
    /// always writes `https`, for which a simulated WhatsApp has no certificate.
    plain_loopback: bool,
}

impl Lookup {
    /// A client that keeps its failures in `trouble`.
    pub(super) fn new(trouble: Trouble, plain_loopback: bool) -> Self {
        Self { inner: UreqHttpClient::with_agent(agent(REQUEST)), trouble, plain_loopback }
    }
}

/// What makes the requests. Each blocks a thread, which a server that says nothing must not hold for ever.
fn agent(longest: Duration) -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .timeout_connect(Some(CONNECT.min(longest)))
        .timeout_global(Some(longest))
        .input_buffer_size(BUFFER)
        .output_buffer_size(BUFFER)
        .max_idle_connections(IDLE)
        .max_idle_connections_per_host(IDLE);
    config.build().into()
}

/// The address without TLS, when it is one of this machine itself.
fn plain(url: &str) -> Option<String> {
    let rest = url.strip_prefix("https://")?;
    let authority = rest.split(['/', '?']).next()?;
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    let is_loopback = match host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host == "localhost",
    };
    is_loopback.then(|| format!("http://{rest}"))
}

#[async_trait]
impl HttpClient for Lookup {
    async fn execute(&self, mut request: HttpRequest) -> Result<HttpResponse, anyhow::Error> {
        if let Some(plain) = self.plain_loopback.then(|| plain(&request.url)).flatten() {
            request.url = plain;
        }
        if request.method != "GET" {
            // An upload says itself how it failed, and is not what a connection fails for.
            return self.inner.execute(request).await;
        }
        let url = request.url.clone();
        let answer = self.inner.execute(request).await;
        match &answer {
            Err(error) => self.trouble.keep(format!("cannot reach WhatsApp at {url}: {error:#}")),
            Ok(answer) if answer.status_code >= 300 => self.trouble.keep(format!(
                "cannot look up WhatsApp's version: {url} answers {}",
                answer.status_code
            )),
            Ok(_) => {}
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_version_look_up_that_fails_is_told_as_an_unreachable_whatsapp() {
        let trouble = Trouble::default();
        let lookup = Lookup::new(trouble.clone(), false);
        let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let url = format!("http://{unused}/sw.js");
        assert!(lookup.execute(HttpRequest::get(&url)).await.is_err());
        let told = trouble.take().unwrap();
        assert!(told.starts_with(&format!("cannot reach WhatsApp at {url}: ")), "{told}");
        assert_eq!(trouble.take(), None);
    }

    #[tokio::test]
    async fn a_server_that_takes_a_request_and_says_nothing_is_left() {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/sw.js", silent.local_addr().unwrap());
        let client = UreqHttpClient::with_agent(agent(Duration::from_millis(100)));
        let asked =
            tokio::time::timeout(Duration::from_secs(60), client.execute(HttpRequest::get(&url)));
        assert!(asked.await.unwrap().is_err());
    }

    #[test]
    fn only_addresses_of_this_machine_go_without_tls() {
        for (url, wanted) in [
            ("https://127.0.0.1:80/mms/image", Some("http://127.0.0.1:80/mms/image")),
            ("https://[::1]:80/a", Some("http://[::1]:80/a")),
            ("https://localhost/a?b", Some("http://localhost/a?b")),
            ("https://mmg.whatsapp.net/a", None),
            ("https://127.0.0.1.example.com/a", None),
            ("https://example.com/127.0.0.1", None),
            ("http://127.0.0.1/a", None),
        ] {
            assert_eq!(plain(url).as_deref(), wanted, "{url}");
        }
    }

    #[tokio::test]
    async fn a_dial_that_fails_says_where_to_and_why() {
        let trouble = Trouble::default();
        let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        for url in [format!("ws://{unused}/ws/chat"), format!("wss://{unused}/ws/chat")] {
            let dialer =
                Dialer { url: url.clone(), last_frame: LastFrame::new(), trouble: trouble.clone() };
            assert!(dialer.create_transport().await.is_err());
            let told = trouble.take().unwrap();
            assert!(told.contains(&url) && told.contains("refused"), "{told}");
        }
    }
}
