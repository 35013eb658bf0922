//! Going on with a log after the supervisor was away, without lines that were shown already.

use std::collections::VecDeque;

/// So many of the last lines are remembered.
const REMEMBERED: usize = 50;

/// The lines of one log that were shown last.
#[derive(Debug, Default)]
pub struct Shown(VecDeque<String>);

impl Shown {
    /// Remembers a line.
    pub fn add(&mut self, line: &str) {
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back(line.to_owned());
    }

    /// How many of these lines were shown already: those up to the place where the lines that are remembered stand,
    /// as many of them as there are. Without any such place all are new.
    pub fn count_in(&self, lines: &[String]) -> usize {
        let ends_here = |end: &usize| {
            let known = self.0.iter().rev();
            known.zip(lines[..*end].iter().rev()).all(|(shown, line)| shown == line)
        };
        if self.0.is_empty() {
            return 0;
        }
        (1..=lines.len()).rev().find(ends_here).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Shown;

    fn shown(lines: &[String]) -> Shown {
        let mut shown = Shown::default();
        lines.iter().for_each(|line| shown.add(line));
        shown
    }

    #[test]
    fn a_log_of_which_nothing_was_shown_is_new() {
        assert_eq!(shown(&[]).count_in(&["a".to_owned()]), 0);
        assert_eq!(shown(&["x".to_owned()]).count_in(&["a".to_owned(), "b".to_owned()]), 0);
        assert_eq!(shown(&["x".to_owned()]).count_in(&[]), 0);
    }

    proptest! {
        /// Whatever was shown before the break, and however much of it the log still tells: what is new is shown once.
        #[test]
        fn nothing_is_shown_twice_or_left_out(
            before in 1_usize..120,
            new in 0_usize..40,
            told in 0_usize..160,
        ) {
            let log: Vec<String> = (0..before + new).map(|number| number.to_string()).collect();
            let shown = shown(&log[..before]);
            let tail = &log[log.len().saturating_sub(told)..];
            let count = shown.count_in(tail);
            let expected = &tail[tail.len().saturating_sub(new)..];
            prop_assert_eq!(&tail[count..], expected);
        }
    }
}
