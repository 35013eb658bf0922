//! The few HTTP requests of the tasks: JSON to and from a loopback address.

use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whom requests go to, and as whom. Every request opens a connection of its own.
pub struct Service {
    address: SocketAddr,
    /// The header line with the credential, or nothing.
    authorization: String,
}

/// An answer: its status, and its body as JSON (null where it is not JSON).
#[derive(Debug, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Service {
    /// The service at `base` (`http://address:port`), spoken to without a credential.
    pub fn at(base: &str) -> Result<Self> {
        let place = base.strip_prefix("http://").unwrap_or(base).trim_end_matches('/');
        let address =
            place.parse().with_context(|| format!("`{base}` is not http://address:port"))?;
        Ok(Self { address, authorization: String::new() })
    }

    /// The same service, spoken to with a bearer token.
    pub fn with_bearer(self, token: &str) -> Self {
        Self { authorization: format!("Authorization: Bearer {token}\r\n"), ..self }
    }

    /// Sends a request and reads the answer.
    pub fn request(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Answer> {
        let address = self.address;
        let mut answer = String::new();
        self.send(method, path, body)?
            .read_to_string(&mut answer)
            .with_context(|| format!("no answer from {address}{path}"))?;
        parse(&answer).with_context(|| format!("{method} {address}{path}"))
    }

    /// Opens a stream of server-sent events, each of which is JSON.
    pub fn follow(&self, path: &str) -> Result<Events> {
        let mut reader = BufReader::new(self.send("GET", path, None)?);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head)? == 0 {
                bail!("{path} was not answered");
            }
        }
        let status = parse(&head)?.status;
        if status != 200 {
            bail!("{path} was answered with {status}");
        }
        Ok(Events { reader, line: Vec::new() })
    }

    /// Sends a request; the answer is to be read from what it gives.
    fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Result<TcpStream> {
        let Self { address, authorization } = self;
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut stream = TcpStream::connect_timeout(address, PATIENCE)
            .with_context(|| format!("cannot reach {address}"))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        // HTTP/1.0: the answer is never in chunks and ends with the connection.
        let head = format!(
            "{method} {path} HTTP/1.0\r\nHost: {address}\r\n{authorization}\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all((head + &body).as_bytes())?;
        Ok(stream)
    }

    /// Like [`Service::request`], but any status other than a success is an error with the server's
    /// words.
    pub fn demand(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let answer = self.request(method, path, body)?;
        if !(200..300).contains(&answer.status) {
            bail!("{method} {path} was answered with {}: {}", answer.status, answer.body);
        }
        Ok(answer.body)
    }
}

/// A stream of server-sent events.
pub struct Events {
    reader: BufReader<TcpStream>,
    /// The beginning of a line whose end has not come yet.
    line: Vec<u8>,
}

impl Events {
    /// The next event, waited for so long; none if nothing came. The end of the stream is an error.
    pub fn next(&mut self, patience: Duration) -> Result<Option<Value>> {
        self.reader.get_ref().set_read_timeout(Some(patience))?;
        loop {
            match self.reader.read_until(b'\n', &mut self.line) {
                Ok(_) if self.line.ends_with(b"\n") => {
                    let line = std::mem::take(&mut self.line);
                    if let Some(event) = event(&line)? {
                        return Ok(Some(event));
                    }
                }
                Ok(_) => bail!("the stream of events has ended"),
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    return Ok(None);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error).context("the stream of events broke"),
            }
        }
    }
}

/// What a line of a stream holds; names, numbers and signs of life hold nothing.
fn event(line: &[u8]) -> Result<Option<Value>> {
    let Some(data) = line.strip_prefix(b"data:") else {
        return Ok(None);
    };
    serde_json::from_slice(data).map(Some).context("an event is not JSON")
}

fn parse(answer: &str) -> Result<Answer> {
    let (head, body) = answer.split_once("\r\n\r\n").context("the answer has no body")?;
    let status = head
        .split_whitespace()
        .nth(1)
        .and_then(|status| status.parse().ok())
        .context("the answer has no status")?;
    Ok(Answer { status, body: serde_json::from_str(body).unwrap_or(Value::Null) })
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::{Answer, Service, event, parse};

    #[test]
    fn status_and_body_are_read() {
        let answer = parse("HTTP/1.0 200 OK\r\ncontent-type: x\r\n\r\n{\"a\":1}").unwrap();
        assert_eq!(answer, Answer { status: 200, body: json!({"a": 1}) });
        let answer = parse("HTTP/1.1 503 Service Unavailable\r\n\r\nnot json").unwrap();
        assert_eq!(answer, Answer { status: 503, body: Value::Null });
        assert!(parse("").is_err());
        assert!(parse("HTTP/1.0\r\n\r\n").is_err());
    }

    #[test]
    fn only_lines_of_data_are_events() {
        assert_eq!(event(b"data: {\"a\":1}\n").unwrap(), Some(json!({"a": 1})));
        for line in [&b"id: 7\n"[..], b"\r\n", b": still here\n", b"event: missed\n"] {
            assert_eq!(event(line).unwrap(), None);
        }
        assert!(event(b"data: {\n").is_err());
    }

    #[test]
    fn a_stream_gives_each_event_once_however_it_is_cut() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            let mut peer = listener.accept().unwrap().0;
            let mut request = [0; 1024];
            assert!(peer.read(&mut request).unwrap() > 0);
            peer.write_all(b"HTTP/1.0 200 OK\r\nx: y\r\n\r\n: hello\n\nid: 1\ndata: [1").unwrap();
            peer
        });
        let mut events = Service::at(&base).unwrap().follow("/events").unwrap();
        let mut peer = server.join().unwrap();
        assert_eq!(events.next(Duration::from_millis(1)).unwrap(), None);
        peer.write_all(b"]\n\ndata: [2]\n\n").unwrap();
        assert_eq!(events.next(Duration::from_secs(60)).unwrap(), Some(json!([1])));
        assert_eq!(events.next(Duration::from_secs(60)).unwrap(), Some(json!([2])));
        drop(peer);
        assert!(events.next(Duration::from_secs(60)).is_err());
    }

    #[test]
    fn an_address_needs_a_port() {
        assert!(Service::at("http://127.0.0.1:80/").is_ok());
        assert!(Service::at("http://127.0.0.1").is_err());
    }
}
