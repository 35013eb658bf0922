//! What happens on the simulated network, each event with the moment at which it was heard.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// A listener to the simulator's stream of events.
pub struct Watch(Receiver<(Instant, Heard)>);

/// What the stream brought.
#[derive(Debug, PartialEq)]
enum Heard {
    Event(Value),
    /// The simulator says that so many events were left out.
    Missed(String),
}

impl Watch {
    /// Listens from now on to the simulator at `base` (`http://address:port`).
    pub fn begin(base: &str) -> Result<Self> {
        let address = base.strip_prefix("http://").unwrap_or(base).trim_end_matches('/');
        let mut stream = TcpStream::connect(address).context("cannot reach the simulator")?;
        write!(stream, "GET /events HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        // The head of the answer ends with an empty line; then the simulator listens for us.
        while reader.read_line(&mut line)? > 0 && line != "\r\n" {
            line.clear();
        }
        let (sender, receiver) = channel();
        std::thread::spawn(move || {
            let mut missed = false;
            for line in reader.lines().map_while(Result::ok) {
                let heard = read(&line, &mut missed);
                if heard.is_some_and(|heard| sender.send((Instant::now(), heard)).is_err()) {
                    return;
                }
            }
        });
        Ok(Self(receiver))
    }

    /// The next event, or nothing until `deadline`.
    pub fn next(&self, deadline: Instant) -> Result<Option<(Instant, Value)>> {
        let patience = deadline.saturating_duration_since(Instant::now());
        match self.0.recv_timeout(patience) {
            Ok((at, Heard::Event(event))) => Ok(Some((at, event))),
            Ok((_, Heard::Missed(count))) => {
                bail!("{count} events of the simulator were missed: this machine is too busy")
            }
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => bail!("the simulator's events have ended"),
        }
    }

    /// Waits for an event of this name that concerns `phone`, and says when it was heard.
    pub fn until(&self, name: &str, phone: &str, patience: Duration) -> Result<Instant> {
        let deadline = Instant::now() + patience;
        while let Some((at, event)) = self.next(deadline)? {
            if event["event"] == name && event["phone"] == phone {
                return Ok(at);
            }
        }
        bail!("waited {} s in vain for {phone} to be {name}", patience.as_secs())
    }
}

/// Reads a line of the stream. `missed`: the next data is a number of lost events.
fn read(line: &str, missed: &mut bool) -> Option<Heard> {
    if line == "event: missed" {
        *missed = true;
        return None;
    }
    let data = line.strip_prefix("data:")?.trim();
    if std::mem::take(missed) {
        return Some(Heard::Missed(data.to_owned()));
    }
    serde_json::from_str(data).ok().map(Heard::Event)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Heard, read};

    #[test]
    fn events_are_read_and_losses_noticed() {
        let mut missed = false;
        let line = r#"data: {"event":"online","phone":"1"}"#;
        let online = Heard::Event(json!({"event": "online", "phone": "1"}));
        assert_eq!(read(line, &mut missed), Some(online));
        assert_eq!(read(":keep-alive", &mut missed), None);
        assert_eq!(read("event: missed", &mut missed), None);
        assert_eq!(read("data: 7", &mut missed), Some(Heard::Missed("7".to_owned())));
        assert!(!missed);
    }
}
