//! Workers' heartbeats.

use std::io::{BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use sha2::Sha256;

use super::http;

/// Beats that are under way at once.
const THREADS: usize = 8;

/// The token of the first generation of a tenant's worker, as the control plane makes it of `link.key`
/// (`crates/control/src/token.rs`).
pub fn token(key: &str, tenant: &str) -> Result<String> {
    let open = format!("{tenant}.1");
    let key = hex::decode(key.trim()).context("link.key holds no key")?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key)?;
    mac.update(open.as_bytes());
    Ok(format!("{open}.{}", hex::encode(mac.finalize().into_bytes())))
}

/// Has each worker beat once, evenly spread over some time, on connections that are kept, as each worker keeps
/// its own, and gives how long each beat took. The number of a worker's process is its place among the tokens, from 1.
pub fn beat(link: &Path, tokens: &[String], over: Duration) -> Result<Vec<Duration>> {
    let begun = Instant::now();
    let count = tokens.len() as f64;
    let lane = |lane: usize| -> Result<Vec<Duration>> {
        let mut times = Vec::new();
        let stream = UnixStream::connect(link).context("nobody listens to beats")?;
        let mut connection = BufReader::new(stream);
        for (number, token) in tokens.iter().enumerate().skip(lane).step_by(THREADS) {
            let due = over.mul_f64(number as f64 / count);
            std::thread::sleep(due.saturating_sub(begun.elapsed()));
            times.push(one(&mut connection, token, number + 1)?);
        }
        Ok(times)
    };
    std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..THREADS).map(|number| scope.spawn(move || lane(number))).collect();
        let mut times = Vec::with_capacity(tokens.len());
        for lane in lanes {
            match lane.join() {
                Ok(of_lane) => times.extend(of_lane?),
                Err(_) => bail!("a thread that beats has failed"),
            }
        }
        Ok(times)
    })
}

fn one(connection: &mut BufReader<UnixStream>, token: &str, process: usize) -> Result<Duration> {
    let session = json!({
        "state": "CONNECTED",
        "paired": true,
        "jid": format!("2547{process:08}@s.whatsapp.net"),
        "last_frame_age_ms": 1200,
    });
    let health = json!({
        "ping_ms": 80, "decrypt_failures": 0, "reconnects": 1, "inbox_pending": 0,
        "outbox_pending": 0, "events_pending": 0, "rss_kb": 15000, "pss_kb": 6000,
    });
    let beat = json!({
        "generation": 1, "incarnation": process, "pid": 1_000_000 + process,
        "session": session, "config_version": 1, "health": health,
    });
    let body = beat.to_string();
    let request = format!(
        "POST /link/v1/heartbeat HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let begun = Instant::now();
    connection.get_mut().write_all(request.as_bytes())?;
    let head = http::head(connection)?.context("no answer to a beat")?;
    if !head.first.contains(" 200 ") {
        bail!("a beat was answered with {}", head.first);
    }
    http::drain(connection, head.length)?;
    Ok(begun.elapsed())
}
