//! The few HTTP requests of the demo: JSON to and from a loopback address.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// An answer: its status, and its body as JSON (null where it is not JSON).
#[derive(Debug, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

/// Sends a request to `base` (`http://address:port`) and reads the answer.
pub fn request(method: &str, base: &str, path: &str, body: Option<&Value>) -> Result<Answer> {
    let place = base.strip_prefix("http://").unwrap_or(base).trim_end_matches('/');
    let address: SocketAddr =
        place.parse().with_context(|| format!("`{base}` is not http://address:port"))?;
    let body = body.map(Value::to_string).unwrap_or_default();
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)
        .with_context(|| format!("cannot reach {base}"))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    // HTTP/1.0: the answer is never in chunks and ends with the connection.
    let head = format!(
        "{method} {path} HTTP/1.0\r\nHost: {place}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).with_context(|| format!("no answer from {base}{path}"))?;
    parse(&answer).with_context(|| format!("{method} {base}{path}"))
}

/// Like [`request`], but any status other than a success is an error with the server's words.
pub fn demand(method: &str, base: &str, path: &str, body: Option<&Value>) -> Result<Value> {
    let answer = request(method, base, path, body)?;
    if !(200..300).contains(&answer.status) {
        bail!("{method} {path} was answered with {}: {}", answer.status, answer.body);
    }
    Ok(answer.body)
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

    use super::{Answer, parse};

    #[test]
    fn status_and_body_are_read() {
        let answer = parse("HTTP/1.0 200 OK\r\ncontent-type: x\r\n\r\n{\"a\":1}").unwrap();
        assert_eq!(answer, Answer { status: 200, body: json!({"a": 1}) });
        let answer = parse("HTTP/1.1 503 Service Unavailable\r\n\r\nnot json").unwrap();
        assert_eq!(answer, Answer { status: 503, body: Value::Null });
        assert!(parse("").is_err());
        assert!(parse("HTTP/1.0\r\n\r\n").is_err());
    }
}
