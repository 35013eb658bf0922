//! Words to the person at the terminal.

use std::fmt::Display;
use std::io::Write as _;

/// A line on stdout. A reader that went away is no error.
pub fn say(line: impl Display) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}");
    let _ = out.flush();
}

/// A line on stderr.
pub fn complain(line: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
