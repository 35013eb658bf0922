//! Requests to addresses that a tenant chose: its webhook, its files. A tenant must not reach through
//! its worker what only this machine or its network may reach, so the addresses behind a name are
//! checked, and connected to as they were checked.

mod address;
mod tls;

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Method, Request, Uri};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

pub use address::is_public;

/// How long a request may take, from the look-up of the name to the last byte of the answer.
const REQUEST: Duration = Duration::from_secs(10);

/// The same for a file, which may be large.
pub const FILE: Duration = Duration::from_secs(60);

/// Why there is no answer.
#[derive(Debug, PartialEq, Eq)]
pub enum OutsideError {
    /// The request is not made, or its answer not taken; another try would come out the same.
    Refused(String),
    /// It failed; another try may not.
    Failed(String),
}

/// Makes requests.
pub struct Outside {
    /// Whether private addresses may be reached: the operator allows it.
    allow_private: bool,
    /// Made at the first request that needs it, for it takes memory.
    tls: OnceLock<TlsConnector>,
}

impl Outside {
    /// Makes requests to public addresses alone, unless the operator allows others.
    #[must_use]
    pub fn new(allow_private: bool) -> Self {
        Self { allow_private, tls: OnceLock::new() }
    }

    /// Fetches a file of at most `most` bytes.
    ///
    /// # Errors
    /// See [`OutsideError`].
    pub async fn get(&self, url: &str, most: usize) -> Result<Vec<u8>, OutsideError> {
        let request = Request::builder().method(Method::GET);
        self.within(FILE, url, request, Bytes::new(), most).await
    }

    /// Sends JSON and takes an answer of at most `most` bytes.
    ///
    /// # Errors
    /// See [`OutsideError`].
    pub async fn post(
        &self,
        url: &str,
        headers: &[(&'static str, String)],
        body: String,
        most: usize,
    ) -> Result<Vec<u8>, OutsideError> {
        let mut request = Request::builder()
            .method(Method::POST)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in headers {
            request = request.header(HeaderName::from_static(name), value);
        }
        self.within(REQUEST, url, request, Bytes::from(body), most).await
    }

    async fn within(
        &self,
        limit: Duration,
        url: &str,
        request: hyper::http::request::Builder,
        body: Bytes,
        most: usize,
    ) -> Result<Vec<u8>, OutsideError> {
        match timeout(limit, self.call(url, request, body, most)).await {
            Ok(answer) => answer,
            Err(_) => Err(failed(format!("no answer within {} seconds", limit.as_secs()))),
        }
    }

    async fn call(
        &self,
        url: &str,
        request: hyper::http::request::Builder,
        body: Bytes,
        most: usize,
    ) -> Result<Vec<u8>, OutsideError> {
        let target = Target::read(url)?;
        let stream = self.connect(&target).await?;
        let request = request
            .uri(&target.path)
            .header(HOST, &target.authority)
            .header(USER_AGENT, HeaderValue::from_static("tenantry"))
            .body(Full::new(body))
            .map_err(|error| refused(error.to_string()))?;
        if target.is_tls {
            let stream = tls::wrap(self.tls()?, &target.host, stream).await?;
            exchange(stream, request, most).await
        } else {
            exchange(stream, request, most).await
        }
    }

    fn tls(&self) -> Result<&TlsConnector, OutsideError> {
        if let Some(tls) = self.tls.get() {
            return Ok(tls);
        }
        let tls = tls::connector(tls::public_roots())?;
        Ok(self.tls.get_or_init(|| tls))
    }

    /// Connects to the first address behind the name that may be reached and answers.
    async fn connect(&self, target: &Target) -> Result<TcpStream, OutsideError> {
        let host = target.host.trim_start_matches('[').trim_end_matches(']');
        let found = lookup_host((host, target.port)).await;
        let found = found.map_err(|error| failed(format!("cannot find {host}: {error}")))?;
        let allowed: Vec<SocketAddr> =
            found.filter(|address| self.allow_private || is_public(address.ip())).collect();
        if allowed.is_empty() {
            return Err(refused(format!(
                "{host} is an address of this machine or of a private network, which the operator does not allow (setting webhook_allow_private)"
            )));
        }
        let mut last = None;
        for address in allowed {
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = Some(error),
            }
        }
        let why = last.map(|error| error.to_string()).unwrap_or_default();
        Err(failed(format!("cannot connect to {host}: {why}")))
    }
}

/// Where a request goes.
struct Target {
    is_tls: bool,
    host: String,
    authority: String,
    port: u16,
    path: String,
}

impl Target {
    fn read(url: &str) -> Result<Self, OutsideError> {
        let uri: Uri = url.parse().map_err(|_| refused(format!("{url:?} is no address")))?;
        let is_tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => {
                return Err(refused("the address begins neither with https:// nor http://".into()));
            }
        };
        let host = uri.host().unwrap_or_default().to_owned();
        let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let authority = match uri.port_u16() {
            Some(port) => format!("{host}:{port}"),
            None => host.clone(),
        };
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Ok(Self { is_tls, host, authority, port, path })
    }
}

async fn exchange<S>(
    stream: S,
    request: Request<Full<Bytes>>,
    most: usize,
) -> Result<Vec<u8>, OutsideError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let broken = |error: hyper::Error| failed(format!("the connection broke: {error}"));
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    // Ends with this call, however it ends.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let answer = sender.send_request(request).await.map_err(broken)?;
    let status = answer.status();
    if status.is_redirection() {
        return Err(refused(format!(
            "it answers {status}, but redirects are not followed; give the address that it redirects to"
        )));
    }
    if !status.is_success() {
        return Err(failed(format!("it answers {status}")));
    }
    match Limited::new(answer.into_body(), most).collect().await {
        Ok(body) => Ok(body.to_bytes().to_vec()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            Err(refused(format!("its answer is larger than {most} bytes")))
        }
        Err(error) => Err(failed(format!("its answer broke off: {error}"))),
    }
}

fn refused(why: String) -> OutsideError {
    OutsideError::Refused(why)
}

fn failed(why: String) -> OutsideError {
    OutsideError::Failed(why)
}

#[cfg(test)]
mod tests;
