//! When a program that says nothing of itself counts as started: when it has come to rest.
//!
//! A program that fails to start (a missing module, a wrong setting) computes until it ends; one that
//! has started waits for something to do. So a start is watched until the main process has slept
//! through [`LOOKS`] looks in a row, or the settle time is over, whichever comes first: tens of
//! milliseconds for a small program, as long as it needs for a large one. Nothing is polled later.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::process_table::ProcessStat;

/// Time between two looks.
const PAUSE: Duration = Duration::from_millis(5);
/// Looks in a row that must find the process asleep, with no processor time used between them.
const LOOKS: u32 = 4;

/// Waits until the process rests, has ended, or `limit` is over.
pub(crate) async fn until_at_rest(pid: i32, limit: Duration) {
    let end = Instant::now() + limit;
    let (mut asleep, mut used) = (0, None);
    while asleep < LOOKS && Instant::now() < end {
        sleep(PAUSE).await;
        let Ok(Some(stat)) = ProcessStat::read(pid) else { return };
        let rests = stat.state == 'S' && used.is_none_or(|used| used == stat.cpu_ticks);
        asleep = if rests { asleep + 1 } else { 0 };
        used = Some(stat.cpu_ticks);
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::{Duration, Instant};

    use super::until_at_rest;

    async fn time_to_rest(program: &str, args: &[&str], limit: Duration) -> Duration {
        let mut child = Command::new(program).args(args).spawn().unwrap();
        let begun = Instant::now();
        until_at_rest(i32::try_from(child.id()).unwrap(), limit).await;
        let taken = begun.elapsed();
        child.kill().unwrap();
        child.wait().unwrap();
        taken
    }

    #[tokio::test]
    async fn a_program_that_waits_has_started_before_the_limit() {
        let limit = Duration::from_secs(30);
        assert!(time_to_rest("sleep", &["100"], limit).await < limit);
    }

    #[tokio::test]
    async fn a_program_that_computes_is_watched_to_the_limit() {
        let limit = Duration::from_millis(100);
        assert!(time_to_rest("sh", &["-c", "while :; do :; done"], limit).await >= limit);
    }
}
