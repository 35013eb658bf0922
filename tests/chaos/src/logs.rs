//! Whether a log is what its worker wrote. Pure.

use serde_json::Value;

use crate::counts::Counts;
use crate::script::{START, line};

/// What was found in a log that is right.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Found {
    /// Whole lines, each counted once.
    pub lines: u64,
    /// Lines that are there a second time, which only a log of JSON may have.
    pub repeated: u64,
}

/// What a log is checked against.
#[derive(Debug)]
pub struct Claim<'a> {
    /// Whose.
    pub name: &'a str,
    /// As in [`crate::script::Manner`].
    pub long_every: u64,
    /// Whether each line stands in a JSON object.
    pub json: bool,
    /// The counts before the log was read: all that was done by then must be there.
    pub before: &'a Counts,
    /// The counts after it was read: nothing that was not begun by then can be there.
    pub after: &'a Counts,
}

/// Where the reader is: the incarnation and the number of its next line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    incarnation: u64,
    number: u64,
}

impl Claim<'_> {
    /// Checks the log.
    ///
    /// # Errors
    /// What is wrong and where, in words.
    pub fn check(&self, log: &str) -> Result<Found, String> {
        let unwrapped;
        let text = if self.json {
            unwrapped = messages(log)?;
            &unwrapped
        } else {
            log
        };
        let mut pieces = text.split(START);
        if let Some(stray) = pieces.next().filter(|stray| !stray.is_empty()) {
            return Err(format!("{}: begins with {}", self.name, shown(stray)));
        }
        let mut found = Found::default();
        let mut place = Place { incarnation: 0, number: 1 };
        for (index, piece) in pieces.enumerate() {
            self.take(&format!("{START}{piece}"), &mut place, &mut found).map_err(|problem| {
                format!("{}: piece {}: {problem}: {}", self.name, index + 1, shown(piece))
            })?;
        }
        for (incarnation, count) in self.before.range(place.incarnation..) {
            let there = if *incarnation == place.incarnation { place.number - 1 } else { 0 };
            if there < count.done {
                let (name, done) = (self.name, count.done);
                return Err(format!("{name}: run {incarnation} wrote {done} lines, {there} there"));
            }
        }
        Ok(found)
    }

    /// Takes the next piece, from one beginning of a line to the next.
    fn take(&self, piece: &str, place: &mut Place, found: &mut Found) -> Result<(), String> {
        let text = piece.strip_suffix('\n');
        let mut here = *place;
        loop {
            let expected = self.line(here);
            let may_be = self.after.get(&here.incarnation).is_some_and(|n| here.number <= n.begun);
            if may_be && (text == Some(&expected) || self.json && piece == expected) {
                found.lines += 1;
                *place = Place { number: here.number + 1, ..here };
                return Ok(());
            }
            let must_be = self.before.get(&here.incarnation).is_some_and(|n| here.number <= n.done);
            if may_be && !must_be && expected.starts_with(text.unwrap_or(piece)) {
                // Its writer was killed in the middle, or is at it.
                *place = here;
                return Ok(());
            }
            let next = self.after.range(here.incarnation + 1..).next();
            let Some((incarnation, _)) = next.filter(|_| !must_be) else { break };
            here = Place { incarnation: *incarnation, number: 1 };
        }
        if self.json && self.is_repeated(text.unwrap_or(piece), *place) {
            found.repeated += 1;
            return Ok(());
        }
        Err(format!("line {} of run {} should be here", place.number, place.incarnation))
    }

    fn line(&self, place: Place) -> String {
        line(self.name, place.incarnation, place.number, self.long_every)
    }

    /// Whether this was read before.
    fn is_repeated(&self, text: &str, place: Place) -> bool {
        let mut words = text.split(' ').skip(1).map(str::parse);
        let (Some(Ok(incarnation)), Some(Ok(number))) = (words.next(), words.next()) else {
            return false;
        };
        let named = Place { incarnation, number };
        named <= place && self.line(named).starts_with(text)
    }
}

/// The messages of a log of JSON objects, a line each.
fn messages(log: &str) -> Result<String, String> {
    let mut text = String::new();
    for (index, object) in log.split_inclusive('\n').enumerate() {
        match serde_json::from_str::<Value>(object) {
            Ok(object) => {
                let message = object["message"].as_str();
                text.push_str(message.ok_or(format!("line {}: no message", index + 1))?);
                text.push('\n');
            }
            // A long line is written in pieces.
            Err(_) if !object.ends_with('\n') => {}
            Err(error) => {
                return Err(format!("line {}: {error}: {}", index + 1, shown(object)));
            }
        }
    }
    Ok(text)
}

/// A text's beginning and end.
fn shown(text: &str) -> String {
    let start: String = text.chars().take(80).collect();
    let end: String = text.chars().rev().take(80).collect();
    let end: String = end.chars().rev().collect();
    format!("{} bytes, {start:?} … {end:?}", text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counts::Count;

    fn check(json: bool, log: &str, runs: &[(u64, u64)]) -> Result<Found, String> {
        let counts: Counts = (1..)
            .zip(runs.iter().map(|(begun, done)| Count { begun: *begun, done: *done }))
            .collect();
        let claim = Claim { name: "a", long_every: 0, json, before: &counts, after: &counts };
        claim.check(log)
    }

    fn said(lines: &[(u64, u64)]) -> String {
        lines.iter().map(|(run, number)| format!("{}\n", line("a", *run, *number, 0))).collect()
    }

    fn wrapped(lines: &[(u64, u64)]) -> String {
        let object = |(run, n): &(u64, u64)| {
            format!("{}\n", serde_json::json!({"message": line("a", *run, *n, 0)}))
        };
        lines.iter().map(object).collect()
    }

    #[test]
    fn a_whole_log_passes() {
        let log = said(&[(1, 1), (1, 2), (2, 1)]);
        assert_eq!(check(false, &log, &[(2, 2), (1, 1)]), Ok(Found { lines: 3, repeated: 0 }));
        // The last line of a killed run may be there, in part, or not at all.
        assert!(check(false, &log, &[(2, 1), (1, 1)]).is_ok());
        assert!(check(false, &log, &[(3, 2), (1, 1)]).is_ok());
        let torn = log
            .replacen(&line("a", 1, 2, 0), &line("a", 1, 2, 0)[..9], 1)
            .replacen("1 2 x\n", "1 2 x", 1);
        assert!(check(false, &torn, &[(2, 1), (1, 1)]).is_ok(), "{torn}");
    }

    #[test]
    fn a_lost_doubled_or_torn_line_is_found() {
        let runs = [(3, 3), (1, 1)];
        assert!(check(false, &said(&[(1, 1), (1, 2), (1, 3), (2, 1)]), &runs).is_ok());
        for wrong in [
            said(&[(1, 1), (1, 3), (2, 1)]),
            said(&[(1, 1), (1, 2), (2, 1)]),
            said(&[(1, 1), (1, 2), (1, 3)]),
            said(&[(1, 1), (1, 2), (1, 2), (1, 3), (2, 1)]),
            said(&[(1, 1), (1, 2), (1, 3), (2, 1), (2, 2)]),
            said(&[(1, 1), (1, 2), (1, 3), (2, 1)]).replacen('x', "", 1),
            said(&[(1, 1), (1, 2), (1, 3), (2, 1)]).replacen('\n', "", 1),
            format!("stray {}", said(&[(1, 1), (1, 2), (1, 3), (2, 1)])),
        ] {
            assert!(check(false, &wrong, &runs).is_err(), "{wrong}");
        }
    }

    #[test]
    fn json_may_repeat_but_not_lose() {
        let runs = [(3, 3)];
        let repeated = wrapped(&[(1, 1), (1, 2), (1, 1), (1, 2), (1, 3)]);
        assert_eq!(check(true, &repeated, &runs), Ok(Found { lines: 3, repeated: 2 }));
        assert!(check(true, &wrapped(&[(1, 1), (1, 3)]), &runs).is_err());
        assert!(check(true, &wrapped(&[(1, 1), (1, 2)]), &runs).is_err());
        assert!(check(true, "{\"message\":\"@a 1 1\n", &runs).is_err());
    }
}
