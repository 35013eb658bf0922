//! How far a connection has come with what it is at, and when it has taken too long.
//!
//! ```text
//!  accepted ─► Fresh ──── head complete ───► Request ── answer sent ─► Idle
//!                                               ▲                       │ first byte
//!                                               └──── head complete ─── Head
//! ```
//!
//! Each state has a time that it may last. The clock of a body runs only while somebody waits for it,
//! that of an answer only while the other end takes none of it.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// How long a connection may take over what.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// For the TLS handshake.
    pub handshake: Duration,
    /// For a request's head, from its first byte (of the first request: from the connection's begin).
    pub head: Duration,
    /// Between two requests.
    pub idle: Duration,
    /// For a request's body, besides the time that it takes at [`Timeouts::body_rate`].
    pub body: Duration,
    /// Bytes in a second that a body must come with.
    pub body_rate: u64,
    /// How long the other end may take nothing of an answer.
    pub write: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            head: Duration::from_secs(10),
            // Longer than the pauses of a page that looks again every minute.
            idle: Duration::from_secs(75),
            body: Duration::from_secs(15),
            // A phone's upload in a bad cell is ten times as fast.
            body_rate: 1000,
            write: Duration::from_secs(30),
        }
    }
}

impl Timeouts {
    /// How often to look: a cut comes late by no more than this.
    #[must_use]
    pub fn look(&self) -> Duration {
        let shortest = self.head.min(self.idle).min(self.body).min(self.write);
        (shortest / 4).max(Duration::from_millis(5))
    }
}

/// What took too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overdue {
    /// The head of a request.
    Head,
    /// The next request.
    Idle,
    /// The body of a request.
    Body,
    /// The other end, with taking an answer.
    Write,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Fresh,
    Idle,
    Head,
    Request,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    since: Instant,
    body: BodyClock,
    /// Since when the other end takes nothing of what is to be written.
    blocked: Option<Instant>,
}

/// The clock of a request's body.
#[derive(Debug, Default)]
struct BodyClock {
    /// Since when somebody waits for more of it.
    waiting: Option<Instant>,
    /// How long somebody has waited before that.
    waited: Duration,
    /// What has come.
    bytes: u64,
}

/// One connection's progress, told by its stream and its requests, looked at by its watchdog.
#[derive(Debug)]
pub struct Progress(Mutex<State>);

impl Progress {
    /// The progress of a connection that was accepted at `now`.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        let body = BodyClock::default();
        Self(Mutex::new(State { phase: Phase::Fresh, since: now, body, blocked: None }))
    }

    /// Bytes came in.
    pub fn read(&self) {
        let mut state = self.0.lock();
        if state.phase == Phase::Idle {
            state.phase = Phase::Head;
            state.since = Instant::now();
        }
    }

    /// The other end took something, or nothing is left to be taken.
    pub fn written(&self) {
        self.0.lock().blocked = None;
    }

    /// The other end takes nothing.
    pub fn blocked(&self) {
        self.0.lock().blocked.get_or_insert_with(Instant::now);
    }

    /// A request's head is complete.
    pub fn request(&self) {
        let mut state = self.0.lock();
        state.phase = Phase::Request;
        state.body = BodyClock::default();
    }

    /// The answer was given.
    pub fn answered(&self) {
        let mut state = self.0.lock();
        state.phase = Phase::Idle;
        state.since = Instant::now();
        state.body = BodyClock::default();
    }

    /// Somebody waits for more of the body.
    pub fn body_awaited(&self) {
        self.0.lock().body.waiting.get_or_insert_with(Instant::now);
    }

    /// So many bytes of the body were handed on, or none because nobody waits any more.
    pub fn body_came(&self, bytes: usize) {
        let body = &mut self.0.lock().body;
        if let Some(since) = body.waiting.take() {
            body.waited += since.elapsed();
        }
        body.bytes = body.bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    /// Whether no request is under way, and nothing of an answer waits to be taken.
    #[must_use]
    pub fn is_between_requests(&self) -> bool {
        let state = self.0.lock();
        state.phase != Phase::Request && state.blocked.is_none()
    }

    /// What has taken too long at `now`.
    #[must_use]
    pub fn overdue(&self, now: Instant, timeouts: &Timeouts) -> Option<Overdue> {
        let state = self.0.lock();
        let age = |since: Instant| now.saturating_duration_since(since);
        if state.blocked.is_some_and(|since| age(since) > timeouts.write) {
            return Some(Overdue::Write);
        }
        match state.phase {
            Phase::Fresh | Phase::Head => {
                (age(state.since) > timeouts.head).then_some(Overdue::Head)
            }
            Phase::Idle => (age(state.since) > timeouts.idle).then_some(Overdue::Idle),
            Phase::Request => {
                let waited = state.body.waiting.map(age)? + state.body.waited;
                let earned = Duration::from_secs(state.body.bytes / timeouts.body_rate.max(1));
                (waited > timeouts.body.saturating_add(earned)).then_some(Overdue::Body)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Overdue, Progress, Timeouts};

    const SECOND: Duration = Duration::from_secs(1);

    /// What is overdue after so many seconds.
    fn after(progress: &Progress, seconds: u32) -> Option<Overdue> {
        progress.overdue(Instant::now() + SECOND * seconds, &Timeouts::default())
    }

    #[test]
    fn a_head_has_its_time_from_the_first_byte() {
        let progress = Progress::new(Instant::now());
        assert_eq!(after(&progress, 9), None);
        assert_eq!(after(&progress, 11), Some(Overdue::Head));
        progress.request();
        assert!(!progress.is_between_requests());
        assert_eq!(after(&progress, 1000), None, "an answer may take its time");
        progress.answered();
        assert_eq!(after(&progress, 70), None);
        assert_eq!(after(&progress, 76), Some(Overdue::Idle));
        progress.read();
        assert_eq!(after(&progress, 11), Some(Overdue::Head), "bytes do not extend the time");
    }

    #[test]
    fn a_body_must_come_at_a_rate_while_somebody_waits() {
        let progress = Progress::new(Instant::now());
        progress.request();
        progress.body_awaited();
        assert_eq!(after(&progress, 14), None);
        assert_eq!(after(&progress, 16), Some(Overdue::Body));
        progress.body_came(10_000);
        assert_eq!(after(&progress, 1000), None, "nobody waits");
        progress.body_awaited();
        assert_eq!(after(&progress, 24), None);
        assert_eq!(after(&progress, 26), Some(Overdue::Body));
    }

    #[test]
    fn who_takes_nothing_of_an_answer_is_cut() {
        let progress = Progress::new(Instant::now());
        progress.request();
        progress.blocked();
        assert_eq!(after(&progress, 29), None);
        assert_eq!(after(&progress, 31), Some(Overdue::Write));
        progress.written();
        assert_eq!(after(&progress, 31), None);
    }
}
