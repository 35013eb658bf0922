//! Restarts at times that a cron pattern names.
//!
//! [`CronSchedule`] decides from the times that it is shown, so clocks that jump can be tried out; its
//! [`until_due`](CronSchedule::until_due) only looks at the clock every minute at the latest, so that a clock that was set,
//! or a machine that slept, delays a restart by a minute at most.

use std::time::Duration;

use chrono::{DateTime, Local, SubsecRound, TimeDelta, TimeZone, Utc};
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

/// The longest time between two looks at the clock.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);
/// A clock that goes back by less than this was put right: what fired does not fire again. One that goes
/// back further was wrong before, and is followed. (Cron daemons draw the line there too.)
const CORRECTION: TimeDelta = TimeDelta::hours(3);

/// A cron pattern that is valid and comes to pass some day.
#[derive(Debug, Clone)]
pub(crate) struct CronPattern(Cron);

impl CronPattern {
    /// Reads a pattern of 5 fields, or 6 with seconds first, or a name such as `@daily`.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let parser = CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed);
        let cron = parser.build().parse(text).map_err(|error| {
            format!(
                "{text:?} is no cron pattern ({error}); give minute, hour, day, month and weekday, with seconds before them if need be, as in \"0 3 * * *\""
            )
        })?;
        let pattern = Self(cron);
        match pattern.next_after(&DateTime::<Utc>::UNIX_EPOCH) {
            Some(_) => Ok(pattern),
            None => Err(format!("{text:?} names a time that never comes")),
        }
    }

    /// The first time after `now` that it names. `None`: there is none.
    pub(crate) fn next_after<Z: TimeZone>(&self, now: &DateTime<Z>) -> Option<DateTime<Z>> {
        // The search keeps fractions of a second, which no pattern means.
        let mut from = now.clone().trunc_subsecs(0);
        // In the hour that is there twice when summer time ends, the times found may be those of its first pass
        // although the second has begun.
        loop {
            let found = self.0.find_next_occurrence(&from, false).ok()?;
            if found > *now {
                return Some(found);
            }
            let later = found.timezone().from_local_datetime(&found.naive_local()).latest()?;
            if later > *now && self.0.determine_job_type() == croner::JobType::IntervalWildcard {
                return Some(later);
            }
            from = later;
        }
    }
}

/// What to do at a time that was shown to a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It is due now.
    Due,
    /// Look at the clock again after this time.
    Wait(Duration),
}

/// A pattern with its next due time.
#[derive(Debug)]
pub(crate) struct CronSchedule {
    pattern: CronPattern,
    due: Option<DateTime<Local>>,
    /// The last time shown.
    seen: DateTime<Local>,
}

impl CronSchedule {
    /// The schedule after `now`.
    pub(crate) fn new(pattern: CronPattern, now: DateTime<Local>) -> Self {
        let due = pattern.next_after(&now);
        Self { pattern, due, seen: now }
    }

    /// The next due time, for people.
    #[cfg(test)]
    pub(crate) fn due(&self) -> Option<DateTime<Local>> {
        self.due
    }

    /// Decides whether it is due. Due times that were missed (the machine slept, the clock was set forward) count as one; a
    /// due time counts once, also when the clock goes back over it.
    pub(crate) fn look(&mut self, now: DateTime<Local>) -> Turn {
        if now + CORRECTION < self.seen {
            self.due = self.pattern.next_after(&now);
        }
        self.seen = now;
        let Some(due) = self.due else { return Turn::Wait(LONGEST_SLEEP) };
        // `to_std` refuses what is negative: then the time is past.
        match (due - now).to_std() {
            Ok(left) if !left.is_zero() => Turn::Wait(left.min(LONGEST_SLEEP)),
            Ok(_) | Err(_) => {
                self.due = self.pattern.next_after(&now);
                Turn::Due
            }
        }
    }

    /// Waits until it is due by `clock`. May be dropped and called again at any time.
    pub(crate) async fn until_due(&mut self, clock: impl Fn() -> DateTime<Local>) {
        while let Turn::Wait(time) = self.look(clock()) {
            tokio::time::sleep(time).await;
        }
    }
}

#[cfg(test)]
mod tests;
