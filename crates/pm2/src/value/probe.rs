//! How a process shows that it is ready and alive, in one line of text.

use serde_json::{Value, json};
use supervisor::wire::{Liveness, Probe, Readiness};

use super::{FieldValue, Millis, unexpected};

/// When a process counts as online: `"spawned"`, `"notify"`, `"port:8080"`, `"http://:8080/health"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready(pub Readiness);

/// What must go on answering: `"port:8080"`, `"http://:8080/health"`, or `"notify"` for systemd's watchdog messages.
/// As an object it can have `probe`, `interval`, `timeout` and `failures`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alive(pub Liveness);

const PROBE_PATTERN: &str = "port:\\d+|http://.*";

/// `port:8080` or `http://:8080/health`. The host can only be this one.
fn probe(text: &str) -> Option<Probe> {
    if let Some(port) = text.strip_prefix("port:") {
        return port.parse().ok().filter(|port| *port > 0).map(Probe::Port);
    }
    let rest = text.strip_prefix("http://")?;
    let (host, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    };
    let (host, port) = host.split_once(':').unwrap_or((host, "80"));
    let here = matches!(host, "" | "localhost" | "127.0.0.1");
    let port = port.parse().ok().filter(|port| here && *port > 0)?;
    Some(Probe::Http { port, path: path.to_owned() })
}

fn probe_text(probe: &Probe) -> String {
    match probe {
        Probe::Port(port) => format!("port:{port}"),
        Probe::Http { port, path } => format!("http://:{port}{path}"),
    }
}

impl FieldValue for Ready {
    const EXPECTS: &'static str =
        "\"spawned\", \"notify\", \"port:8080\" or \"http://:8080/health\" (of this machine)";
    const KIND: &'static str = "text";

    fn read(value: &Value) -> Result<Self, String> {
        let readiness = value.as_str().and_then(|text| match text {
            "spawned" => Some(Readiness::Spawned),
            "notify" => Some(Readiness::Notify),
            other => probe(other).map(Readiness::Probe),
        });
        readiness.map(Self).ok_or_else(|| unexpected::<Self>(value))
    }

    fn write(&self) -> Value {
        json!(match &self.0 {
            Readiness::Spawned => "spawned".to_owned(),
            Readiness::Notify => "notify".to_owned(),
            Readiness::Probe(probe) => probe_text(probe),
        })
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": format!("^(spawned|notify|{PROBE_PATTERN})$") })
    }
}

impl FieldValue for Alive {
    const EXPECTS: &'static str = "\"notify\", \"port:8080\", \"http://:8080/health\" (of this machine), or an object of probe, interval, timeout and failures";
    const KIND: &'static str = "text or object";

    fn read(value: &Value) -> Result<Self, String> {
        let wrong = || unexpected::<Self>(value);
        let mut liveness =
            Liveness { probe: None, interval_ms: 10_000, timeout_ms: 2000, failures: 3 };
        let asked = match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    match name.as_str() {
                        "probe" => {}
                        "interval" => liveness.interval_ms = part::<Millis>(name, value)?.0,
                        "timeout" => liveness.timeout_ms = part::<Millis>(name, value)?.0,
                        "failures" => liveness.failures = part(name, value)?,
                        _ => return Err(wrong()),
                    }
                }
                fields.get("probe").ok_or_else(wrong)?
            }
            text => text,
        };
        let asked = asked.as_str().ok_or_else(wrong)?;
        if asked != "notify" {
            liveness.probe = Some(probe(asked).ok_or_else(wrong)?);
        }
        Ok(Self(liveness))
    }

    fn write(&self) -> Value {
        let probe = self.0.probe.as_ref().map_or_else(|| "notify".to_owned(), probe_text);
        json!({
            "probe": probe,
            "interval": self.0.interval_ms,
            "timeout": self.0.timeout_ms,
            "failures": self.0.failures,
        })
    }

    fn schema() -> Value {
        let probe = json!({ "type": "string", "pattern": format!("^(notify|{PROBE_PATTERN})$") });
        json!({ "anyOf": [probe, {
            "type": "object",
            "properties": {
                "probe": probe,
                "interval": Millis::schema(),
                "timeout": Millis::schema(),
                "failures": u32::schema(),
            },
            "required": ["probe"],
            "additionalProperties": false,
        }] })
    }
}

fn part<T: FieldValue>(name: &str, value: &Value) -> Result<T, String> {
    T::read(value).map_err(|wrong| format!("has {name}, which {wrong}"))
}
