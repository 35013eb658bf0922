//! What a worker says. Pure, so that whoever reads a log knows what has to be in it.

/// Begins every line and is nowhere else in it.
pub const START: char = '@';

/// How a worker talks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manner {
    /// Milliseconds between two bursts.
    pub pause_ms: u64,
    /// Lines in a burst.
    pub burst: u64,
    /// Each line whose number is a multiple of this is longer than a pipe holds; 0 for none.
    pub long_every: u64,
    /// Whether it has a child, which does nothing.
    pub child: bool,
}

impl Manner {
    /// As arguments of the talker.
    #[must_use]
    pub fn arguments(&self) -> [String; 4] {
        [self.pause_ms, self.burst, self.long_every, self.child.into()].map(|n| n.to_string())
    }

    /// Reads [`Manner::arguments`]; `None` when they make no sense.
    #[must_use]
    pub fn from_arguments(arguments: &[String]) -> Option<Self> {
        let numbers: Option<Vec<u64>> = arguments.iter().map(|text| text.parse().ok()).collect();
        let &[pause_ms, burst, long_every, child] = numbers?.as_slice() else { return None };
        Some(Self { pause_ms, burst, long_every, child: child != 0 })
    }
}

/// A line without its end. `number` counts from 1 in each incarnation.
#[must_use]
pub fn line(name: &str, incarnation: u64, number: u64, long_every: u64) -> String {
    let long = long_every > 0 && number.is_multiple_of(long_every);
    let length = if long { 70_000 + number % 7 * 4_000 } else { number * 37 % 120 };
    let filler = "x".repeat(usize::try_from(length).unwrap_or(0));
    format!("{START}{name} {incarnation} {number} {filler}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manner_reads_back() {
        let manner = Manner { pause_ms: 5, burst: 2, long_every: 40, child: true };
        assert_eq!(Manner::from_arguments(&manner.arguments()), Some(manner));
        assert_eq!(Manner::from_arguments(&["1".to_owned()]), None);
    }

    #[test]
    fn some_lines_are_longer_than_a_pipe() {
        assert_eq!(line("a", 2, 1, 0), format!("@a 2 1 {}", "x".repeat(37)));
        assert!(line("a", 2, 10, 10).len() > 65_536);
        assert!(line("a", 2, 11, 10).len() < 4096);
    }
}
