//! Keeps a library that complains about every message from filling a tenant's log: of each of its
//! modules a few warnings a minute are written, and then how many were left out.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::{Event, Level, Subscriber};
use tracing_log::NormalizeEvent;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use crate::filter::TALKATIVE;

/// Lines of one module in a [`SPAN`].
const LINES: u32 = 20;

const SPAN: Duration = Duration::from_mins(1);

/// Modules that are counted; their names come from the program, so there are no more than a few.
const MODULES: usize = 256;

/// Leaves out what one module of a library says beyond [`LINES`].
#[derive(Default)]
pub(crate) struct Floodgate {
    modules: Mutex<HashMap<String, Count>>,
}

struct Count {
    since: Instant,
    lines: u32,
}

/// What becomes of a line.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    Written,
    LeftOut,
    /// It is written, after word of those that were left out in the span before.
    WrittenAfter {
        left_out: u32,
    },
}

impl Floodgate {
    fn fate(&self, module: &str, now: Instant) -> Fate {
        let mut modules = self.modules.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(count) = modules.get_mut(module) else {
            if modules.len() < MODULES {
                modules.insert(module.to_owned(), Count { since: now, lines: 1 });
            }
            return Fate::Written;
        };
        if now.duration_since(count.since) >= SPAN {
            let left_out = count.lines.saturating_sub(LINES);
            *count = Count { since: now, lines: 1 };
            return if left_out > 0 { Fate::WrittenAfter { left_out } } else { Fate::Written };
        }
        count.lines = count.lines.saturating_add(1);
        if count.lines > LINES { Fate::LeftOut } else { Fate::Written }
    }
}

impl<S: Subscriber> Layer<S> for Floodgate {
    fn event_enabled(&self, event: &Event<'_>, _context: Context<'_, S>) -> bool {
        let normalized = event.normalized_metadata();
        let metadata = normalized.as_ref().unwrap_or_else(|| event.metadata());
        // Whoever asks for more than warnings wants all of it.
        if *metadata.level() > Level::WARN {
            return true;
        }
        let module = metadata.target();
        if !TALKATIVE.iter().any(|library| module.starts_with(library)) {
            return true;
        }
        match self.fate(module, Instant::now()) {
            Fate::Written => true,
            Fate::LeftOut => false,
            Fate::WrittenAfter { left_out } => {
                tracing::warn!(module, left_out, "lines of this part were too many and left out");
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_that_floods_is_cut_off_for_the_rest_of_the_minute_and_that_is_told() {
        let (gate, start) = (Floodgate::default(), Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        for line in 0..50 {
            let fate = if line < LINES { Fate::Written } else { Fate::LeftOut };
            assert_eq!(gate.fate("wacore::a", after(1)), fate, "{line}");
        }
        assert_eq!(gate.fate("wacore::b", after(1)), Fate::Written);
        assert_eq!(gate.fate("wacore::a", after(62)), Fate::WrittenAfter { left_out: 30 });
        assert_eq!(gate.fate("wacore::a", after(123)), Fate::Written);
    }

    #[test]
    fn libraries_alone_are_held_back_and_only_what_is_written_unasked() {
        use std::io;
        use std::sync::Arc;

        use tracing_subscriber::layer::SubscriberExt;

        #[derive(Clone, Default)]
        struct Lines(Arc<Mutex<Vec<u8>>>);
        impl io::Write for Lines {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.lock().unwrap().extend_from_slice(bytes);
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::registry()
            .with(crate::json::JsonLines::new(move || writer.clone()))
            .with(Floodgate::default());
        tracing::subscriber::with_default(subscriber, || {
            for _ in 0..30 {
                tracing::warn!(target: "whatsapp_rust::message", "no key");
                tracing::debug!(target: "whatsapp_rust::message", "a detail");
                tracing::warn!(target: "worker", "ours");
            }
        });
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let count = |what: &str| text.lines().filter(|line| line.contains(what)).count();
        assert_eq!((count("no key"), count("a detail"), count("ours")), (20, 30, 30));
    }
}
