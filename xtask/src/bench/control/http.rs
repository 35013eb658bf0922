//! HTTP over a Unix socket, as far as this benchmark needs it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// The head of a request or an answer: its first line, and the length of the body that follows.
pub struct Head {
    pub first: String,
    pub length: usize,
}

/// Reads a head; nothing at the end of a connection.
pub fn head(reader: &mut BufReader<UnixStream>) -> Result<Option<Head>> {
    let mut first = String::new();
    if reader.read_line(&mut first)? == 0 {
        return Ok(None);
    }
    let mut length = 0;
    let mut line = String::new();
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim().split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse()?;
        }
    }
    Ok(Some(Head { first: first.trim().to_owned(), length }))
}

/// Reads a body and drops it.
pub fn drain(reader: &mut BufReader<UnixStream>, length: usize) -> Result<()> {
    std::io::copy(&mut reader.take(length as u64), &mut std::io::sink())?;
    Ok(())
}

/// Asks for a JSON document on a connection of its own.
pub fn get(socket: &Path, path: &str) -> Result<Value> {
    let stream = UnixStream::connect(socket)
        .with_context(|| format!("nobody listens at {}", socket.display()))?;
    let mut reader = BufReader::new(stream);
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    reader.get_mut().write_all(request.as_bytes())?;
    let head = head(&mut reader)?.context("no answer")?;
    if !head.first.contains(" 200 ") {
        bail!("{path} was answered with {}", head.first);
    }
    let mut body = vec![0; head.length];
    reader.read_exact(&mut body)?;
    serde_json::from_slice(&body).with_context(|| format!("{path} is no JSON of a known length"))
}
