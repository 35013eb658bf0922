//! What a tenant did lately, beside its state: nothing of it is stored, and nobody waits for it.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use api::fleet::AttentionKind;
use api::live::TenantSeries;
use chrono::{DateTime, Utc};
use parking_lot::Mutex;

use super::series::{self, Fact, Series};

/// What is done at most once a minute waits so long.
const MINUTE_MS: i64 = 60_000;

/// What a tenant did lately.
#[derive(Debug, Default)]
pub struct Activity {
    /// When a limit was last run into, in milliseconds since 1970; 0: never.
    limit_hit: AtomicI64,
    /// What it needs attention for, and since when: see [`Activity::attention_since`].
    attention: AtomicU64,
    /// When the use of a re-pair link was last written down, in milliseconds since 1970; 0: never.
    link_use: AtomicI64,
    /// When it was last started for somebody who asked for a code, in milliseconds since 1970; 0: never.
    roused: AtomicI64,
    /// None until there is something: of a large fleet most tenants are quiet.
    series: Mutex<Option<Box<Series>>>,
}

impl Activity {
    /// A limit was run into.
    pub fn note_limit_hit(&self, at: DateTime<Utc>) {
        self.limit_hit.fetch_max(at.timestamp_millis(), Ordering::Relaxed);
    }

    /// When a limit was last run into.
    #[must_use]
    pub fn limit_hit(&self) -> Option<DateTime<Utc>> {
        match self.limit_hit.load(Ordering::Relaxed) {
            0 => None,
            milliseconds => DateTime::from_timestamp_millis(milliseconds),
        }
    }

    /// Whether the use of a re-pair link is to be written down: at most once a minute.
    pub fn is_link_use_news(&self, now: DateTime<Utc>) -> bool {
        is_news(&self.link_use, now)
    }

    /// Whether the worker may be started for somebody who asks for a code: at most once a minute, or whoever has
    /// a link would start one that cannot run again and again.
    pub fn may_be_roused(&self, now: DateTime<Utc>) -> bool {
        is_news(&self.roused, now)
    }

    /// Takes in an event of the tenant as it is counted.
    pub fn note_event(&self, kind: &str, at: DateTime<Utc>) {
        match kind {
            // By the time of the counting: what a worker tells late belongs to no other minute of a chart.
            "message.in" => self.note(Utc::now(), Fact::Received),
            "message.out" => self.note(Utc::now(), Fact::Sent),
            "limit.hit" => self.note_limit_hit(at),
            _ => {}
        }
    }

    /// Takes in a fact for the curves.
    pub fn note(&self, at: DateTime<Utc>, fact: Fact) {
        let seconds = at.timestamp();
        let mut series = self.series.lock();
        series.get_or_insert_with(|| Box::new(Series::new(seconds))).note(seconds, fact);
    }

    /// The curves.
    #[must_use]
    pub fn series(&self, now: DateTime<Utc>) -> TenantSeries {
        let series = self.series.lock();
        series.as_ref().map_or_else(series::nothing, |series| series.view(now.timestamp()))
    }

    /// Gives the room of curves back of which nothing is left to tell.
    pub fn tidy(&self, now: DateTime<Utc>) {
        let mut series = self.series.lock();
        if series.as_ref().is_some_and(|series| series.is_over(now.timestamp())) {
            *series = None;
        }
    }

    /// Takes in what the tenant needs attention for now, and gives since when that is so.
    pub fn attention_since(
        &self,
        kind: Option<AttentionKind>,
        now: DateTime<Utc>,
    ) -> DateTime<Utc> {
        // The kind in the lowest byte, the milliseconds above it.
        let word = kind.map_or(0, |kind| kind as u64 + 1);
        let milliseconds = now.timestamp_millis().max(0).cast_unsigned();
        let before = self.attention.load(Ordering::Relaxed);
        if before & 0xff == word {
            let since = i64::try_from(before >> 8).ok().and_then(DateTime::from_timestamp_millis);
            return since.unwrap_or(now);
        }
        self.attention.store(milliseconds << 8 | word, Ordering::Relaxed);
        now
    }
}

/// Whether the last time is a minute ago or never was; then it is now. Of several at once one is told so.
fn is_news(last: &AtomicI64, now: DateTime<Utc>) -> bool {
    let now = now.timestamp_millis();
    let is_old = |last: i64| last == 0 || now.saturating_sub(last) >= MINUTE_MS;
    last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| is_old(last).then_some(now))
        .is_ok()
}

#[cfg(test)]
mod tests {
    use api::fleet::AttentionKind;
    use chrono::{DateTime, TimeDelta, Utc};

    use super::Activity;

    #[test]
    fn attention_lasts_from_its_beginning_until_it_is_another() {
        let activity = Activity::default();
        let at = |seconds| DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds);
        for (kind, now, since) in [
            (Some(AttentionKind::Stale), 10, 10),
            (Some(AttentionKind::Stale), 20, 10),
            (Some(AttentionKind::Failed), 30, 30),
            (None, 40, 40),
            (Some(AttentionKind::Failed), 50, 50),
            (Some(AttentionKind::Failed), 60, 50),
        ] {
            assert_eq!(activity.attention_since(kind, at(now)), at(since), "{kind:?} at {now}");
        }
    }

    #[test]
    fn only_what_happened_takes_room() {
        let (activity, now) = (Activity::default(), Utc::now());
        activity.note_event("worker.started", now);
        assert!(activity.series.lock().is_none() && activity.limit_hit().is_none());
        activity.note_event("limit.hit", now);
        activity.note_event("message.in", now);
        assert_eq!(activity.limit_hit().map(|at| at.timestamp()), Some(now.timestamp()));
        assert_eq!(activity.series(now).points.iter().map(|point| point.received).sum::<u64>(), 1);
        activity.tidy(now);
        assert!(activity.series.lock().is_some());
        activity.tidy(now + TimeDelta::hours(3));
        assert!(activity.series.lock().is_none());
    }

    #[test]
    fn what_is_done_once_a_minute_is_done_then() {
        let (activity, now) = (Activity::default(), Utc::now());
        assert!(activity.may_be_roused(now));
        assert!(!activity.may_be_roused(now + TimeDelta::seconds(59)));
        assert!(activity.may_be_roused(now + TimeDelta::seconds(60)));
        assert!(activity.is_link_use_news(now), "each has its own minute");
    }
}
