//! A bar on the terminal for work that takes long; nothing where there is none.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// How often the bar moves where nothing is counted.
const TICK: Duration = Duration::from_millis(100);

/// The bar, on stderr.
pub struct Bar(ProgressBar);

impl Bar {
    /// None yet.
    pub fn new() -> Self {
        Self(ProgressBar::hidden())
    }

    /// Begins another part, of so many steps where that is known.
    pub fn part(&mut self, what: &str, steps: Option<u64>) {
        self.0.finish_and_clear();
        let (bar, template) = match steps {
            Some(steps) => (ProgressBar::new(steps), "{msg} {wide_bar} {human_pos}/{human_len}"),
            None => (ProgressBar::new_spinner(), "{spinner} {msg} {human_pos}"),
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        if !bar.is_hidden() {
            bar.enable_steady_tick(TICK);
        }
        self.0 = bar;
    }

    /// So many steps are done.
    pub fn done(&self, steps: u64) {
        self.0.inc(steps);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
