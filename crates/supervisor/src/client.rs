//! A typed client of the supervisor's socket.

use std::path::{Path, PathBuf};
use std::time::Duration;

use eventsource_stream::Eventsource;
use futures::stream::{BoxStream, StreamExt};
use reqwest::{Method, RequestBuilder, Response};
use serde::de::DeserializeOwned;

use crate::daemon::check_socket_path;
use crate::wire::{
    ActBatch, ActionRequest, BatchAnswer, CreateRequest, ErrorBody, Event, GoneView, Info,
    KillSignal, ListRow, LogLine, LogLines, ProcessLine, ProcessSpec, ProcessView, ShutdownRequest,
    SignalRequest, StartBatch, UpgradeRequest,
};

/// What is larger is understood apart from the threads that serve others, in bytes.
const LARGE: usize = 256 * 1024;

/// How long a question may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a deed may take: the longest kill timeout and settle time, and some more.
const LONG_PATIENCE: Duration = Duration::from_secs(3600 + 90);
/// The host in the URLs; the socket makes it meaningless.
const BASE: &str = "http://supervisor";

/// Talks to one supervisor. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    socket: PathBuf,
}

/// Why a request did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The socket's path cannot be one.
    #[error("{0}")]
    BadSocket(String),
    /// Nobody answers on the socket, or the connection broke.
    #[error("no supervisor answers on {}: {reason}", socket.display())]
    Unreachable {
        /// The socket.
        socket: PathBuf,
        /// The chain of causes.
        reason: String,
    },
    /// The supervisor refused.
    #[error("{}", .0.message)]
    Refused(ErrorBody),
    /// What answers is no supervisor, or one of another version.
    #[error("the supervisor's answer makes no sense: {0}")]
    Nonsense(String),
}

/// A request for a start, restart or forced restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Run it.
    Start,
    /// End it.
    Stop,
    /// End it, then run it.
    Restart,
    /// End it after a short grace, then run it.
    ForceRestart,
}

impl Action {
    fn path(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
            Self::ForceRestart => "force-restart",
        }
    }
}

impl Client {
    /// A client of the supervisor that listens on `socket`. Does not connect yet.
    ///
    /// # Errors
    /// [`ClientError::BadSocket`] when the path is too long for a socket.
    pub fn new(socket: &Path) -> Result<Self, ClientError> {
        check_socket_path(socket).map_err(|error| ClientError::BadSocket(error.to_string()))?;
        let http = reqwest::Client::builder()
            .unix_socket(socket)
            .no_proxy()
            .connect_timeout(Duration::from_secs(5))
            // A connection that is kept may be closed by a supervisor that leaves just when a request is sent, which then may
            // or may not have been heard. A new one waits for the next supervisor; on this machine it costs next to nothing.
            .pool_max_idle_per_host(0)
            .build()
            .map_err(|error| ClientError::BadSocket(chain(&error)))?;
        Ok(Self { http, socket: socket.to_owned() })
    }

    /// The socket.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Who answers.
    ///
    /// # Errors
    /// As every request: [`ClientError::Unreachable`], [`ClientError::Refused`] or [`ClientError::Nonsense`].
    pub async fn info(&self) -> Result<Info, ClientError> {
        self.json(self.request(Method::GET, "/v1/info")).await
    }

    /// All processes that bear all these labels, with what they use.
    ///
    /// # Errors
    /// As [`Client::info`].
    pub async fn list(&self, labels: &[(&str, &str)]) -> Result<Vec<ProcessView>, ClientError> {
        let labels: Vec<(&str, String)> =
            labels.iter().map(|(key, value)| ("label", format!("{key}={value}"))).collect();
        self.json(self.request(Method::GET, "/v1/processes").query(&labels)).await
    }

    /// One process by name or id. With `env` its environment too, secret values masked.
    ///
    /// # Errors
    /// As [`Client::info`].
    pub async fn get(&self, target: &str, env: bool) -> Result<ProcessView, ClientError> {
        let request = self.request(Method::GET, &process_path(target, None));
        self.json(request.query(&[("env", env)])).await
    }

    /// Creates a process (or gives one of the same name that does not run a new description) and starts it.
    ///
    /// # Errors
    /// As [`Client::info`].
    pub async fn create(&self, request: &CreateRequest) -> Result<ProcessView, ClientError> {
        self.json(self.request(Method::POST, "/v1/processes").json(request)).await
    }

    /// Starts, stops or restarts a process, by name or id.
    ///
    /// # Errors
    /// As [`Client::info`].
    pub async fn act(
        &self,
        target: &str,
        action: Action,
        request: &ActionRequest,
    ) -> Result<ProcessView, ClientError> {
        let path = process_path(target, Some(action.path()));
        self.json(self.request(Method::POST, &path).json(request)).await
    }

    /// Stops a process.
    ///
    /// # Errors
    /// As [`Client::info`].
    pub async fn stop(&self, target: &str) -> Result<ProcessView, ClientError> {
        self.act(target, Action::Stop, &ActionRequest::default()).await
    }

    /// Stops a process and forgets it.
    ///
    /// # Errors
    /// As [`Client::info`].
    pub async fn delete(&self, target: &str) -> Result<ProcessView, ClientError> {
        self.json(self.request(Method::DELETE, &process_path(target, None))).await
    }

    /// The last `tail` lines of a process's output.
    ///
    /// # Errors
    /// As [`Client::info`].
    pub async fn logs(&self, target: &str, tail: usize) -> Result<Vec<LogLine>, ClientError> {
        let request = self.request(Method::GET, &process_path(target, Some("logs")));
        let lines: LogLines = self.json(request.query(&[("tail", tail)])).await?;
        Ok(lines.lines)
    }

    /// The last `tail` lines, then each that is added. Ends when the connection does.
    ///
    /// # Errors
    /// As [`Client::info`], also in the stream.
    pub async fn follow_logs(
        &self,
        target: &str,
        tail: usize,
    ) -> Result<BoxStream<'static, Result<LogLine, ClientError>>, ClientError> {
        let request = self.stream_request(&process_path(target, Some("logs")));
        let request = request.query(&[("tail", tail.to_string()), ("follow", "true".to_owned())]);
        let response = self.checked(request).await?;
        let socket = self.socket.clone();
        let lines = response.bytes_stream().eventsource().map(move |event| match event {
            Ok(event) => decode(event.data.as_bytes()),
            Err(error) => Err(broken(&socket, error.to_string())),
        });
        Ok(lines.boxed())
    }

    /// Every change, after the whole list. Ends when the connection does or the listener lagged too far
    /// behind; the caller then connects anew, and gets the whole list again.
    ///
    /// # Errors
    /// As [`Client::info`], also in the stream.
    pub async fn events(
        &self,
    ) -> Result<BoxStream<'static, Result<Event, ClientError>>, ClientError> {
        let response = self.checked(self.stream_request("/v1/events")).await?;
        let socket = self.socket.clone();
        let events = response.bytes_stream().eventsource().map(move |event| match event {
            Ok(event) => decode_event(&event.event, event.data.as_bytes()),
            Err(error) => Err(broken(&socket, error.to_string())),
        });
        Ok(events.boxed())
    }

    /// The short list of all processes. What they use is at most some seconds old.
    ///
    /// # Errors
    /// As [`Client::info`].
    pub async fn rows(&self) -> Result<Vec<ListRow>, ClientError> {
        self.json(self.request(Method::GET, "/v1/list")).await
    }

    /// A process's whole description; values of secret variables are `***`, and stay what they were when the
    /// description is sent back.
    ///
    /// # Errors
    /// As [`Client::info`].
    pub async fn spec(&self, target: &str) -> Result<ProcessSpec, ClientError> {
        self.json(self.request(Method::GET, &process_path(target, Some("spec")))).await
    }

    /// The descriptions of all processes in the order of their ids, as [`Client::spec`] gives each.
    ///
    /// # Errors
    /// As [`Client::info`].
    pub async fn specs(&self) -> Result<Vec<(u32, ProcessSpec)>, ClientError> {
        self.json(self.request(Method::GET, "/v1/specs")).await
    }

    /// Starts many processes.
    ///
    /// # Errors
    /// As [`Client::info`]; what became of each process is in the answer.
    pub async fn start_batch(&self, request: &StartBatch) -> Result<BatchAnswer, ClientError> {
        self.json(self.request(Method::POST, "/v1/batch/start").json(request)).await
    }

    /// Does one thing to many processes.
    ///
    /// # Errors
    /// As [`Client::info`]; what became of each process is in the answer.
    pub async fn act_batch(&self, request: &ActBatch) -> Result<BatchAnswer, ClientError> {
        self.json(self.request(Method::POST, "/v1/batch/act").json(request)).await
    }

    /// Sends a signal to a process's main process.
    ///
    /// # Errors
    /// As [`Client::info`].
    pub async fn signal(&self, target: &str, signal: KillSignal) -> Result<(), ClientError> {
        let request = self.request(Method::POST, &process_path(target, Some("signal")));
        self.checked(request.json(&SignalRequest { signal })).await?;
        Ok(())
    }

    /// Writes to a process's standard input.
    ///
    /// # Errors
    /// As [`Client::info`].
    pub async fn send(&self, target: &str, input: Vec<u8>) -> Result<(), ClientError> {
        let request = self.request(Method::POST, &process_path(target, Some("stdin")));
        self.checked(request.body(input)).await?;
        Ok(())
    }

    /// The last `tail` lines of each of these processes, and then each that is added. Ends when the connection does.
    ///
    /// # Errors
    /// As [`Client::info`], also in the stream.
    pub async fn follow_many(
        &self,
        ids: &[u32],
        tail: usize,
    ) -> Result<BoxStream<'static, Result<ProcessLine, ClientError>>, ClientError> {
        let ids: Vec<(&str, u32)> = ids.iter().map(|id| ("id", *id)).collect();
        let request = self.stream_request("/v1/logs").query(&ids);
        let request = request.query(&[("tail", tail.to_string()), ("follow", "true".to_owned())]);
        let response = self.checked(request).await?;
        let socket = self.socket.clone();
        let lines = response.bytes_stream().eventsource().map(move |event| match event {
            Ok(event) => decode(event.data.as_bytes()),
            Err(error) => Err(broken(&socket, error.to_string())),
        });
        Ok(lines.boxed())
    }

    /// Has the supervisor become another program, with the same pid, children and socket.
    ///
    /// # Errors
    /// As [`Client::info`]; the old one goes on then.
    pub async fn upgrade(&self, request: &UpgradeRequest) -> Result<(), ClientError> {
        self.checked(self.request(Method::POST, "/v1/upgrade").json(request)).await?;
        Ok(())
    }

    /// Asks the supervisor to leave.
    ///
    /// # Errors
    /// As [`Client::info`].
    pub async fn shutdown(&self, request: &ShutdownRequest) -> Result<(), ClientError> {
        self.checked(self.request(Method::POST, "/v1/shutdown").json(request)).await?;
        Ok(())
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let patience = if method == Method::GET { PATIENCE } else { LONG_PATIENCE };
        self.http.request(method, format!("{BASE}{path}")).timeout(patience)
    }

    /// Streams last as long as they last.
    fn stream_request(&self, path: &str) -> RequestBuilder {
        self.http.get(format!("{BASE}{path}"))
    }

    async fn json<T>(&self, request: RequestBuilder) -> Result<T, ClientError>
    where
        T: DeserializeOwned + Send + 'static,
    {
        let response = self.checked(request).await?;
        let bytes = response.bytes().await.map_err(|error| broken(&self.socket, chain(&error)))?;
        if bytes.len() < LARGE {
            return decode(&bytes);
        }
        // The list of ten thousand processes takes a tenth of a second, for which nothing else must wait.
        let decoding = tokio::task::spawn_blocking(move || decode(&bytes));
        decoding.await.map_err(|error| ClientError::Nonsense(error.to_string()))?
    }

    async fn checked(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        let sent = request.send().await;
        let response = sent.map_err(|error| broken(&self.socket, chain(&error)))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let bytes = response.bytes().await.map_err(|error| broken(&self.socket, chain(&error)))?;
        Err(ClientError::Refused(decode(&bytes)?))
    }
}

/// Names have no characters that a path would have to escape; what has some is no process, and must not
/// become another path.
fn process_path(target: &str, action: Option<&str>) -> String {
    let target: String = target
        .bytes()
        .map(|byte| match byte {
            byte if byte.is_ascii_alphanumeric() || b"._-".contains(&byte) => {
                char::from(byte).to_string()
            }
            byte => format!("%{byte:02X}"),
        })
        .collect();
    match action {
        Some(action) => format!("/v1/processes/{target}/{action}"),
        None => format!("/v1/processes/{target}"),
    }
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ClientError> {
    serde_json::from_slice(bytes).map_err(|error| ClientError::Nonsense(error.to_string()))
}

fn decode_event(name: &str, data: &[u8]) -> Result<Event, ClientError> {
    match name {
        "sync" => Ok(Event::Sync(decode(data)?)),
        "process" => Ok(Event::Process(Box::new(decode(data)?))),
        "gone" => Ok(Event::Gone(decode::<GoneView>(data)?)),
        other => Err(ClientError::Nonsense(format!("an event named {other:?}"))),
    }
}

fn broken(socket: &Path, reason: String) -> ClientError {
    ClientError::Unreachable { socket: socket.to_owned(), reason }
}

/// An error with its causes; the outermost alone rarely says what happened.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
