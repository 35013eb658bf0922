//! How a worker's signs of life come: one pure rule.

use std::time::Duration;

use api::fleet::HeartbeatHealth;
use api::worker::HeartbeatMode;
use runtime::ObservedState;

use crate::fleet::Snapshot;

/// How the signs of life of a tenant's worker come, where one is due in each `interval`.
#[must_use]
pub fn of(snapshot: &Snapshot, interval: Duration) -> HeartbeatHealth {
    let state = snapshot.process.as_ref().map(|process| &process.state);
    let runs = matches!(state, Some(ObservedState::Running { .. }));
    let mode = snapshot.record.config.heartbeat;
    let age = snapshot.live_link().map(|link| link.heard.elapsed());
    judge(runs, snapshot.stale.is_some(), mode, age, interval)
}

fn judge(
    runs: bool,
    stale: bool,
    mode: HeartbeatMode,
    age: Option<Duration>,
    interval: Duration,
) -> HeartbeatHealth {
    match (runs, mode, age) {
        (false, _, _) => HeartbeatHealth::None,
        (true, _, _) if stale => HeartbeatHealth::Stale,
        (true, HeartbeatMode::Process, _) => HeartbeatHealth::OnTime,
        (true, HeartbeatMode::Link, None) => HeartbeatHealth::None,
        (true, HeartbeatMode::Link, Some(age)) if age <= interval + interval / 2 => {
            HeartbeatHealth::OnTime
        }
        (true, HeartbeatMode::Link, Some(_)) => HeartbeatHealth::Late,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use api::fleet::HeartbeatHealth::{Late, None as Never, OnTime, Stale};
    use api::worker::HeartbeatMode::{Link, Process};

    use super::judge;

    #[test]
    fn a_heartbeat_is_late_after_one_and_a_half_intervals() {
        let seconds = Duration::from_secs;
        for (runs, stale, mode, age, wanted) in [
            (true, false, Link, Some(0), OnTime),
            (true, false, Link, Some(45), OnTime),
            (true, false, Link, Some(46), Late),
            (true, false, Link, None, Never),
            (true, true, Link, Some(0), Stale),
            (true, true, Link, None, Stale),
            (true, false, Process, None, OnTime),
            (false, true, Link, Some(0), Never),
            (false, false, Process, None, Never),
        ] {
            let told = judge(runs, stale, mode, age.map(seconds), seconds(30));
            assert_eq!(told, wanted, "{runs} {stale} {mode:?} {age:?}");
        }
    }
}
