//! When it is started again.

use supervisor::wire::RestartPolicy;

use super::Wrong;
use super::context::Context;
use crate::app::App;

/// PM2's policy, plus an end for slow crash loops.
pub(super) fn policy(app: &App, context: &Context) -> Result<RestartPolicy, Wrong> {
    let defaults = RestartPolicy::default();
    let min_uptime_ms = app.min_uptime.map_or(defaults.min_uptime_ms, |time| time.0);
    if min_uptime_ms < 100 {
        return Err(("min_uptime", format!("must be at least 100 ms, not {min_uptime_ms}")));
    }
    // PM2's 0 means errored at the first exit, which is what 1 means here.
    let max_restarts = app.max_restarts.unwrap_or(defaults.max_restarts).max(1);
    let backoff_initial_ms = app.exp_backoff_restart_delay.map_or(0, |time| time.0);
    Ok(RestartPolicy {
        autorestart: app.autorestart.unwrap_or(true),
        max_restarts,
        min_uptime_ms,
        restart_window_ms: min_uptime_ms.saturating_mul(u64::from(max_restarts)),
        max_crashes: app.max_crashes.unwrap_or(defaults.max_crashes),
        crash_window_ms: defaults.crash_window_ms,
        restart_delay_ms: app.restart_delay.map_or(0, |time| time.0),
        backoff_initial_ms,
        backoff_cap_ms: defaults.backoff_cap_ms.max(backoff_initial_ms),
        backoff_jitter_percent: 0,
        healthy_uptime_ms: context.millis(
            None,
            "EXP_BACKOFF_RESET_TIMER",
            defaults.healthy_uptime_ms,
        ),
        stop_exit_codes: app.stop_exit_codes.clone().unwrap_or_default().0,
    })
}
