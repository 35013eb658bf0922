//! `/health`: is the process well. `/ready`: can it do its work.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use api::records::HealthView;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;

use crate::metrics::{Pulse, process};
use crate::plane::ControlPlane;

/// A part that takes longer than this to answer is ill.
const PATIENCE: Duration = Duration::from_secs(2);

/// Of the home's disk this much must be free: below it, a database cannot be written much longer.
const LEAST_FREE: u64 = 100 * 1024 * 1024;
/// How much longer than its interval a background task may take to come round.
const LATE: Duration = Duration::from_secs(60);
/// How often deadlines are looked at, and the runtimes at the least.
const ROUND: Duration = Duration::from_secs(30);

async fn look(plane: &ControlPlane) -> HealthView {
    let mut parts = BTreeMap::new();
    let mut say = |part: String, outcome: Result<(), String>| {
        parts.insert(part, outcome.err().unwrap_or_else(|| "ok".to_owned()));
    };
    say("store".to_owned(), store(plane).await);
    for kind in plane.runtimes.used() {
        let runtime = plane.runtimes.get(kind);
        let runtime = match tokio::time::timeout(PATIENCE, runtime.health()).await {
            Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
            Ok(Err(error)) => Err(error.to_string()),
            Ok(Ok(_)) if !plane.fleet.may_act(kind) => {
                Err("not all workers are known yet".to_owned())
            }
            Ok(Ok(_)) => Ok(()),
        };
        say(format!("runtime_{kind}"), runtime);
    }
    say("events".to_owned(), plane.recorder.log().health());
    say("disk".to_owned(), disk(process::free_bytes(plane.settings.home.root())));
    let pulses = &plane.metrics.pulses;
    let every = plane.settings.stale_check_interval;
    say("stale_detector".to_owned(), comes_round(&pulses.detector, every));
    say("reconciler".to_owned(), comes_round(&pulses.watch, ROUND));
    say("upkeep".to_owned(), comes_round(&pulses.upkeep, ROUND));
    let well = parts.values().all(|part| part == "ok");
    HealthView {
        status: if well { "ok" } else { "degraded" }.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        parts,
    }
}

async fn store(plane: &ControlPlane) -> Result<(), String> {
    match tokio::time::timeout(PATIENCE, plane.store.ping()).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}

/// A disk that cannot be looked at is no reason to say anything.
fn disk(free: Option<u64>) -> Result<(), String> {
    match free {
        Some(free) if free < LEAST_FREE => {
            let (free, least) = (free >> 20, LEAST_FREE >> 20);
            Err(format!("{free} MB are free where the home is, and {least} should be; make room"))
        }
        Some(_) | None => Ok(()),
    }
}

/// A task that has not begun is no ill one: the control plane is being started.
fn comes_round(pulse: &Pulse, every: Duration) -> Result<(), String> {
    match pulse.age() {
        Some(age) if age > every + LATE => {
            let (age, every) = (age.as_secs(), every.as_secs());
            Err(format!(
                "it last came round {age} s ago, and should every {every} s; see the log, and restart the server"
            ))
        }
        Some(_) | None => Ok(()),
    }
}

/// Answers 200 as long as the process can answer: a monitor that restarts the control plane because
/// its database is away would make things worse.
#[utoipa::path(get, path = "", tag = "health", responses((status = 200, description = "The process answers; the parts say how they are.", body = HealthView)))]
pub async fn health(State(plane): State<Arc<ControlPlane>>) -> impl IntoResponse {
    Json(look(&plane).await)
}

/// Answers 503 while a part is ill.
#[utoipa::path(get, path = "", tag = "health", responses((status = 200, description = "Everything works.", body = HealthView), (status = 503, description = "A part is ill; the body says which.", body = HealthView)))]
pub async fn ready(State(plane): State<Arc<ControlPlane>>) -> impl IntoResponse {
    let view = look(&plane).await;
    let status = if view.status == "ok" { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(view))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{LATE, LEAST_FREE, comes_round, disk};
    use crate::http::tests::stage::Stage;
    use crate::metrics::Pulse;

    #[test]
    fn a_part_is_ill_only_when_that_is_known() {
        assert!(disk(None).is_ok() && disk(Some(LEAST_FREE)).is_ok());
        assert!(disk(Some(LEAST_FREE - 1)).unwrap_err().contains("99 MB are free"));
        let pulse = Pulse::default();
        assert!(comes_round(&pulse, Duration::ZERO).is_ok(), "it has not begun");
        pulse.beat();
        assert!(comes_round(&pulse, Duration::ZERO).is_ok());
        let Some(earlier) = std::time::Instant::now().checked_sub(LATE * 2) else { return };
        pulse.beat_at(earlier);
        assert!(comes_round(&pulse, LATE).unwrap_err().contains("it last came round 1"));
    }

    #[tokio::test]
    async fn each_part_is_named() {
        let stage = Stage::new().await;
        let health = stage.get("/health").await;
        assert_eq!(health.status, 200);
        for part in ["store", "events", "disk", "stale_detector", "reconciler", "upkeep"] {
            assert_eq!(health.body["parts"][part], "ok", "{part}");
        }
    }
}
