//! Asking a process from outside whether it is ready, or still alive.
//!
//! What answers at a port need not be the process that is meant: another program that has the port cannot be told
//! apart from here. A probe says that the service is there, not who gives it.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::spec::Probe;

/// The pause after the first answer that is no; it grows up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// How long one question of a start may take: a program may take the connection before it can answer.
const LONGEST_QUESTION: Duration = Duration::from_secs(1);
/// A status line is read up to here.
const MAX_STATUS_LINE: usize = 1024;

/// Asks once.
///
/// # Errors
/// What went wrong, for people.
pub(crate) async fn ask(probe: &Probe, within: Duration) -> Result<(), String> {
    let question = async {
        match probe {
            Probe::Port(port) => connect(*port).await.map(drop),
            Probe::Http { port, path } => get(*port, path).await,
        }
    };
    let late = |_| format!("{} did not answer within {} ms", name(probe), within.as_millis());
    timeout(within, question).await.map_err(late)?
}

/// Asks again and again until the answer is yes.
///
/// # Errors
/// After `limit`; with the last answer.
pub(crate) async fn until_ready(probe: &Probe, limit: Duration) -> Result<(), String> {
    let end = Instant::now() + limit;
    let mut pause = FIRST_PAUSE;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let Err(problem) = ask(probe, LONGEST_QUESTION.min(left)).await else { return Ok(()) };
        if timeout_at(end, sleep(pause)).await.is_err() {
            return Err(format!("not ready within {} ms: {problem}", limit.as_millis()));
        }
        pause = (pause * 3 / 2).min(LONGEST_PAUSE);
    }
}

fn name(probe: &Probe) -> String {
    match probe {
        Probe::Port(port) => format!("port {port}"),
        Probe::Http { port, path } => format!("http://127.0.0.1:{port}{path}"),
    }
}

/// Many programs listen on one of the two loopback addresses alone.
async fn connect(port: u16) -> Result<TcpStream, String> {
    let error = match TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await {
        Ok(stream) => return Ok(stream),
        Err(error) => error,
    };
    let second = TcpStream::connect((Ipv6Addr::LOCALHOST, port)).await;
    second.map_err(|_| format!("port {port} of 127.0.0.1 and ::1 takes no connection: {error}"))
}

async fn get(port: u16, path: &str) -> Result<(), String> {
    let mut stream = connect(port).await?;
    let url = format!("http://127.0.0.1:{port}{path}");
    let line = exchange(&mut stream, port, path);
    let line = line.await.map_err(|error| format!("{url} broke off: {error}"))?;
    match status(&line) {
        Some(200..=399) => Ok(()),
        Some(status) => Err(format!("{url} answered {status}")),
        None => Err(format!("{url} did not answer in HTTP")),
    }
}

/// Sends the question and reads the status line of the answer, or what there is of it.
async fn exchange(stream: &mut TcpStream, port: u16, path: &str) -> io::Result<Vec<u8>> {
    let question = format!(
        "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: tenantry\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(question.as_bytes()).await?;
    let mut line = Vec::with_capacity(MAX_STATUS_LINE);
    while line.len() < MAX_STATUS_LINE && !line.contains(&b'\n') {
        let room = (MAX_STATUS_LINE - line.len()) as u64;
        if (&mut *stream).take(room).read_buf(&mut line).await? == 0 {
            break;
        }
    }
    Ok(line)
}

/// The status of an answer that begins like HTTP/1.
fn status(answer: &[u8]) -> Option<u16> {
    let line = answer.split(|byte| *byte == b'\n').next()?;
    let after = line.strip_prefix(b"HTTP/1.1 ").or_else(|| line.strip_prefix(b"HTTP/1.0 "))?;
    let (digits, rest) = after.split_at_checked(3)?;
    let ends = rest.first().is_none_or(u8::is_ascii_whitespace);
    let digits =
        std::str::from_utf8(digits).ok().filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
    digits.filter(|_| ends)?.parse().ok()
}

#[cfg(test)]
mod tests;
