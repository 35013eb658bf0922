//! Pacing against bans: when a message may go out. Pure but for the dice; the caller brings the time,
//! and what is remembered comes from rows of the store, so that a restart is no way round a limit.
//!
//! - [`window`]: at most so many in a span of time: for the tenant, for each contact, for strangers;
//! - [`typing`]: how long a person would type;
//! - [`warm_up`]: how many strangers a number of this age may write to;
//! - [`slowdown`]: what follows when WhatsApp says that it is too much.

mod slowdown;
mod typing;
mod warm_up;
mod window;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::time::Duration;

use api::pacing::Pacing;
use chrono::{DateTime, Utc};
use rules::Mistake;
use rules::hours::Daily;

pub use slowdown::Slowdown;
use window::Window;

use crate::store::Tried;

/// The span of the tenant's limit.
const MINUTE_MS: i64 = 60_000;

/// The span of the allowance for strangers, and the longest that is looked back.
pub const DAY_MS: i64 = 24 * 3_600_000;

/// Beyond so many contacts those are forgotten that got nothing of late.
const CONTACTS: usize = 256;

/// A tenant's pacing, ready to be used.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    set: Pacing,
    quiet: Option<Daily>,
    /// The tenant's messages in a minute.
    max: u32,
}

impl Pace {
    /// Makes a pacing ready; `max` is the tenant's limit for a minute.
    ///
    /// # Errors
    /// Quiet hours that are none.
    pub fn new(set: &Pacing, max: u32) -> Result<Self, Vec<Mistake>> {
        let quiet = set.quiet.as_ref();
        let quiet = quiet.map(|it| Daily::new(&it.from, &it.to, it.time_zone.as_deref()));
        Ok(Self { set: set.clone(), quiet: quiet.transpose()?, max: max.max(1) })
    }

    /// How long to type a text before it is sent.
    #[must_use]
    pub fn typing(&self, text: &str) -> Duration {
        if self.set.off {
            return Duration::ZERO;
        }
        typing::time(text.chars().count(), &self.set.typing, rand::random())
    }

    /// Whether an answer beyond a contact's limit is left out.
    #[must_use]
    pub fn suppresses(&self) -> bool {
        self.set.contact.beyond == api::pacing::Beyond::Suppress
    }

    fn quiet_ms(&self, now: DateTime<Utc>) -> u64 {
        let left = self.quiet.as_ref().filter(|_| !self.set.off).and_then(|quiet| quiet.left(now));
        left.map_or(0, |left| u64::try_from(left.num_milliseconds()).unwrap_or(0))
    }
}

/// What went out, and when the next may.
#[derive(Debug, Default)]
pub struct Pacer {
    tenant: Window,
    contacts: HashMap<String, Window>,
    cold: Window,
    slowdown: Slowdown,
    /// When it was told of a contact, or (by the empty name) of the strangers, that a limit is reached.
    told: HashMap<String, i64>,
}

impl Pacer {
    /// A pacer that remembers what an earlier process tried.
    #[must_use]
    pub fn with_history(tried: Vec<Tried>, slowdown: Slowdown) -> Self {
        let mut pacer = Self { slowdown, ..Self::default() };
        for one in tried {
            pacer.tenant.note(one.at_ms);
            pacer.contacts.entry(one.chat).or_default().note(one.at_ms);
            if one.cold {
                pacer.cold.note(one.at_ms);
            }
        }
        pacer
    }

    /// How many milliseconds nothing goes out yet, to whomever.
    #[must_use]
    pub fn gate_ms(&mut self, now: DateTime<Utc>, pace: &Pace) -> u64 {
        let now_ms = now.timestamp_millis();
        let set = &pace.set.slowdown;
        let rate = self.slowdown.rate(pace.max, now_ms, set);
        let pause = self.slowdown.wait_ms(now_ms, set);
        pause.max(self.tenant.wait_ms(now_ms, rate, MINUTE_MS))
    }

    /// How many milliseconds a contact gets nothing yet.
    #[must_use]
    pub fn contact_ms(&mut self, chat: &str, now: DateTime<Utc>, pace: &Pace) -> u64 {
        if pace.set.off {
            return 0;
        }
        let limit = &pace.set.contact;
        let span = i64::from(limit.minutes) * MINUTE_MS;
        let window = self.contacts.get_mut(chat);
        window.map_or(0, |window| window.wait_ms(now.timestamp_millis(), limit.max, span))
    }

    /// How many milliseconds answers wait yet for the end of quiet hours.
    #[must_use]
    pub fn reply_ms(&self, now: DateTime<Utc>, pace: &Pace) -> u64 {
        let replies = pace.set.quiet.as_ref().is_some_and(|quiet| quiet.replies);
        if replies { pace.quiet_ms(now) } else { 0 }
    }

    /// How many milliseconds nobody is written to yet who never wrote.
    #[must_use]
    pub fn cold_ms(
        &mut self,
        now: DateTime<Utc>,
        paired_at: Option<DateTime<Utc>>,
        pace: &Pace,
    ) -> u64 {
        if pace.set.off {
            return 0;
        }
        // Without a known day the number is taken for new.
        let days = paired_at.map_or(0, |at| (now - at).num_days().max(0));
        let days = u32::try_from(days).unwrap_or(u32::MAX);
        let max = warm_up::allowance(days, &pace.set.warm_up);
        let allowed = self.cold.wait_ms(now.timestamp_millis(), max, DAY_MS);
        allowed.max(pace.quiet_ms(now))
    }

    /// Notes that a message goes out.
    pub fn note(&mut self, chat: &str, cold: bool, now: DateTime<Utc>) {
        let now_ms = now.timestamp_millis();
        self.tenant.note(now_ms);
        if cold {
            self.cold.note(now_ms);
        }
        if self.contacts.len() >= CONTACTS && !self.contacts.contains_key(chat) {
            self.contacts.retain(|_, window| {
                window.prune(now_ms, DAY_MS);
                !window.is_empty()
            });
            self.told.retain(|_, at| *at > now_ms - DAY_MS);
        }
        self.contacts.entry(chat.to_owned()).or_default().note(now_ms);
    }

    /// WhatsApp answered that it is too much: what is to be kept, and in words, if that changes anything.
    #[must_use]
    pub fn struck(
        &mut self,
        code: &str,
        now: DateTime<Utc>,
        pace: &Pace,
    ) -> Option<(Slowdown, String)> {
        let set = &pace.set.slowdown;
        self.slowdown = self.slowdown.struck(now.timestamp_millis(), set)?;
        Some((self.slowdown, self.slowdown.told(code, pace.max, set)))
    }

    /// What to tell of a contact that is beyond its limit; once in the limit's span.
    #[must_use]
    pub fn tell_contact(&mut self, chat: &str, now: DateTime<Utc>, pace: &Pace) -> Option<String> {
        let limit = &pace.set.contact;
        let (max, minutes) = (limit.max, limit.minutes);
        let fate = if pace.suppresses() { "get no answer" } else { "wait for their answers" };
        self.tell(chat, now, i64::from(minutes) * MINUTE_MS).then(|| {
            format!("{chat} got {max} messages in {minutes} min (pacing: contact); its further ones {fate} until that is past")
        })
    }

    /// What to tell when strangers are not written to; once a day.
    #[must_use]
    pub fn tell_cold(&mut self, wait_ms: u64, now: DateTime<Utc>) -> Option<String> {
        self.tell("", now, DAY_MS).then(|| {
            let minutes = wait_ms.div_ceil(60_000);
            format!("messages to contacts who never wrote wait, the next for {minutes} min (pacing: warm_up, quiet); one whose deadline passes meanwhile fails")
        })
    }

    fn tell(&mut self, what: &str, now: DateTime<Utc>, span_ms: i64) -> bool {
        let now_ms = now.timestamp_millis();
        let fresh = |at: &i64| *at > now_ms - span_ms && *at <= now_ms;
        if self.told.get(what).is_some_and(fresh) {
            return false;
        }
        self.told.insert(what.to_owned(), now_ms);
        true
    }
}
