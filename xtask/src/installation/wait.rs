//! Waiting with a deadline, until Ctrl-C.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// The time between two looks at a condition: short to a person, long to a machine.
pub const PACE: Duration = Duration::from_millis(100);

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl-C (and TERM, HUP) no longer ends this program at once but [`interrupted`] says
/// so, that everything started may be ended first.
pub fn catch_interrupts() -> Result<()> {
    ctrlc::set_handler(|| INTERRUPTED.store(true, Ordering::Relaxed)).context("cannot catch Ctrl-C")
}

/// Whether the person at the terminal wants to leave.
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// Looks until `look` has found something. Errors name `what` was waited for.
pub fn until<T>(
    what: &str,
    patience: Duration,
    look: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    until_with_pace(what, patience, PACE, look)
}

/// The same with another time between two looks.
pub fn until_with_pace<T>(
    what: &str,
    patience: Duration,
    pace: Duration,
    mut look: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let deadline = Instant::now() + patience;
    loop {
        if interrupted() {
            bail!("interrupted while waiting for {what}");
        }
        if let Some(found) = look().with_context(|| format!("while waiting for {what}"))? {
            return Ok(found);
        }
        if Instant::now() >= deadline {
            bail!("waited {} s in vain for {what}", patience.as_secs());
        }
        std::thread::sleep(pace);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::until;

    #[test]
    fn the_first_find_ends_the_wait() {
        let mut looks = 0;
        let found = until("a second look", Duration::from_secs(5), || {
            looks += 1;
            Ok((looks == 2).then_some(looks))
        });
        assert_eq!(found.unwrap(), 2);
    }

    #[test]
    fn a_wait_in_vain_names_what_was_missing() {
        let error = until::<()>("godot", Duration::ZERO, || Ok(None)).unwrap_err();
        assert!(error.to_string().contains("godot"));
    }
}
