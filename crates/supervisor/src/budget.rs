//! How many processes are started at once and how fast: a pure queue, without clock of its own.
//!
//! A thousand processes that fall together, or that a reboot left to be started, must not stampede. What
//! somebody asked for is bound only by the number of launches that are under way at the same time; restarts
//! that nobody waits for are bound by a rate (a token bucket) too, and stand behind.

use std::collections::{BTreeMap, HashMap};

/// How many starts are let through.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct BudgetSettings {
    /// So many launches are under way at the same time at most; at least 1.
    pub(crate) at_once: usize,
    /// So many automatic starts a second in the long run; what is not above 0 means 1.
    pub(crate) per_second: f64,
    /// So many automatic starts in one go after a quiet time; at least 1.
    pub(crate) burst: u32,
}

impl Default for BudgetSettings {
    /// 16 at once, 100 a second, 100 in one go.
    fn default() -> Self {
        Self { at_once: 16, per_second: 100.0, burst: 100 }
    }
}

/// Why a process is to be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Somebody asked for it, and may be waiting.
    Asked,
    /// By policy, cron, changed files, or because it ran before a reboot.
    Automatic,
}

/// What to do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Next {
    /// Start these now, in this order; each holds its slot until [`StartBudget::done`].
    Start(Vec<u32>),
    /// Nothing before this time, in the caller's milliseconds, unless something is requested or done.
    Wait {
        /// When to ask again.
        until_ms: u64,
    },
    /// Nothing until something is requested or done.
    Idle,
}

/// Who waits to be started, and who is being started.
#[derive(Debug)]
pub(crate) struct StartBudget {
    settings: BudgetSettings,
    /// By their turn.
    asked: BTreeMap<u64, u32>,
    automatic: BTreeMap<u64, u32>,
    /// Who waits, and at which turn.
    queued: HashMap<u32, (Class, u64)>,
    /// Whose launch is under way; and the class in which it was requested again meanwhile.
    under_way: HashMap<u32, Option<Class>>,
    next_turn: u64,
    tokens: f64,
    filled_at_ms: Option<u64>,
}

impl StartBudget {
    /// A full budget.
    pub(crate) fn new(settings: BudgetSettings) -> Self {
        let rate = settings.per_second;
        let settings = BudgetSettings {
            at_once: settings.at_once.max(1),
            per_second: if rate.is_finite() && rate > 0.0 { rate } else { 1.0 },
            burst: settings.burst.max(1),
        };
        Self {
            settings,
            asked: BTreeMap::new(),
            automatic: BTreeMap::new(),
            queued: HashMap::new(),
            under_way: HashMap::new(),
            next_turn: 0,
            tokens: f64::from(settings.burst),
            filled_at_ms: None,
        }
    }

    /// Queues a start. One that is queued already keeps its turn, or gets a better class. One whose launch is
    /// under way is queued when that is done.
    pub(crate) fn request(&mut self, id: u32, class: Class) {
        if let Some(again) = self.under_way.get_mut(&id) {
            if *again != Some(Class::Asked) {
                *again = Some(class);
            }
            return;
        }
        match self.queued.get(&id) {
            Some((Class::Asked, _)) => return,
            Some((Class::Automatic, _)) if class == Class::Automatic => return,
            Some((Class::Automatic, turn)) => {
                self.automatic.remove(turn);
            }
            None => {}
        }
        let turn = self.next_turn;
        self.next_turn += 1;
        self.queue_of(class).insert(turn, id);
        self.queued.insert(id, (class, turn));
    }

    /// Takes a start back that has not been let through. A launch that is under way still needs
    /// [`done`](Self::done).
    pub(crate) fn cancel(&mut self, id: u32) {
        if let Some((class, turn)) = self.queued.remove(&id) {
            self.queue_of(class).remove(&turn);
        }
        if let Some(again) = self.under_way.get_mut(&id) {
            *again = None;
        }
    }

    /// Frees the slot of a launch that is over: it runs, or it failed.
    pub(crate) fn done(&mut self, id: u32) {
        if let Some(Some(class)) = self.under_way.remove(&id) {
            self.request(id, class);
        }
    }

    /// Whether its launch was let through and is not done.
    #[cfg(test)]
    pub(crate) fn is_under_way(&self, id: u32) -> bool {
        self.under_way.contains_key(&id)
    }

    /// How many wait.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.queued.len()
    }

    /// Decides who starts now. `now_ms` may be of any clock; when it goes backwards, nothing is gained or lost.
    /// To be asked after each request, each [`done`](Self::done), and at the time that it names itself.
    pub(crate) fn next(&mut self, now_ms: u64) -> Next {
        self.fill(now_ms);
        let mut starts = Vec::new();
        while self.under_way.len() < self.settings.at_once {
            let found = self.asked.pop_first().or_else(|| self.pop_automatic());
            let Some((_, id)) = found else { break };
            self.queued.remove(&id);
            self.under_way.insert(id, None);
            starts.push(id);
        }
        if !starts.is_empty() {
            Next::Start(starts)
        } else if self.under_way.len() < self.settings.at_once && !self.automatic.is_empty() {
            Next::Wait { until_ms: now_ms.saturating_add(self.token_in_ms()) }
        } else {
            Next::Idle
        }
    }

    fn queue_of(&mut self, class: Class) -> &mut BTreeMap<u64, u32> {
        match class {
            Class::Asked => &mut self.asked,
            Class::Automatic => &mut self.automatic,
        }
    }

    fn pop_automatic(&mut self) -> Option<(u64, u32)> {
        if self.tokens < 1.0 {
            return None;
        }
        let first = self.automatic.pop_first()?;
        self.tokens -= 1.0;
        Some(first)
    }

    #[allow(clippy::cast_precision_loss)]
    fn fill(&mut self, now_ms: u64) {
        let passed_ms = now_ms.saturating_sub(self.filled_at_ms.unwrap_or(now_ms));
        self.filled_at_ms = Some(now_ms);
        let gained = passed_ms as f64 / 1000.0 * self.settings.per_second;
        self.tokens = (self.tokens + gained).min(f64::from(self.settings.burst));
    }

    /// Time until there is a whole token; at least 1 ms, so that rounding never makes a busy loop.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn token_in_ms(&self) -> u64 {
        let missing = (1.0 - self.tokens).max(0.0);
        let wait_ms = (missing / self.settings.per_second * 1000.0).ceil() as u64;
        wait_ms.max(1)
    }
}

#[cfg(test)]
mod tests;
