//! The few HTTP requests of the tasks: JSON to and from a loopback address.

use std::io::{Read as _, Write as _};
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
        let mut answer = String::new();
        stream
            .read_to_string(&mut answer)
            .with_context(|| format!("no answer from {address}{path}"))?;
        parse(&answer).with_context(|| format!("{method} {address}{path}"))
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
    use serde_json::{Value, json};

    use super::{Answer, Service, parse};

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
    fn an_address_needs_a_port() {
        assert!(Service::at("http://127.0.0.1:80/").is_ok());
        assert!(Service::at("http://127.0.0.1").is_err());
    }
}
