//! Which files are watched.

use std::path::Path;

use supervisor::wire::WatchFiles;

use crate::app::App;
use crate::value::Watch;

/// PM2's default: hidden files and `node_modules`.
const USUAL_IGNORE: &str = r"[/\\]\.|node_modules";

/// What an app has watched; `None` for nothing.
pub(super) fn files(app: &App, cwd: &Path) -> Option<WatchFiles> {
    let paths = match app.watch.as_ref()? {
        Watch::Off => return None,
        Watch::All => vec![cwd.to_owned()],
        Watch::Paths(paths) => paths.iter().map(|path| cwd.join(path)).collect(),
    };
    let ignore = match &app.ignore_watch {
        Some(patterns) => patterns.0.iter().map(|pattern| pattern_of(pattern)).collect(),
        None => vec![USUAL_IGNORE.to_owned()],
    };
    let delay_ms = app.watch_delay.map_or(200, |time| time.0);
    Some(WatchFiles { paths, ignore, delay_ms })
}

/// An author's pattern as a regular expression. PM2 says that it is one, but its watcher takes texts for paths and
/// globs, so all three are in use.
pub(crate) fn pattern_of(pattern: &str) -> String {
    let plain = pattern.strip_prefix("./").unwrap_or(pattern);
    if is_glob(plain) {
        return glob(plain);
    }
    let special = |c: char| "\\^$[](){}|+?*".contains(c);
    if plain.contains(special) {
        return pattern.to_owned();
    }
    escape(plain)
}

/// Whether a star has nothing before it that it could repeat, or stands for a part of a path.
fn is_glob(pattern: &str) -> bool {
    let mut before = '/';
    for c in pattern.chars() {
        if "\\^$(|+".contains(c) {
            return false;
        }
        if c == '*' && matches!(before, '/' | '*' | '-' | '_') {
            return true;
        }
        before = c;
    }
    false
}

/// A glob as a regular expression that is found in a path: `**` is any number of folders, `*` and `?` stay within one.
fn glob(pattern: &str) -> String {
    let mut expression = String::from("(^|/)");
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        let (piece, taken) = if rest.starts_with("**/") {
            ("(.*/)?".to_owned(), 3)
        } else if rest.starts_with("**") {
            (".*".to_owned(), 2)
        } else {
            match c {
                '*' => ("[^/]*".to_owned(), 1),
                '?' => ("[^/]".to_owned(), 1),
                '{' => ("(".to_owned(), 1),
                '}' => (")".to_owned(), 1),
                ',' if pattern.contains('{') => ("|".to_owned(), 1),
                '[' | ']' => (c.to_string(), 1),
                other => (escape(&other.to_string()), other.len_utf8()),
            }
        };
        expression.push_str(&piece);
        rest = rest.get(taken..).unwrap_or_default();
    }
    expression.push_str("(/|$)");
    expression
}

fn escape(text: &str) -> String {
    let special = |c: char| "\\.+*?()|[]{}^$#&-~".contains(c);
    text.chars().fold(String::new(), |mut escaped, c| {
        if special(c) {
            escaped.push('\\');
        }
        escaped.push(c);
        escaped
    })
}
