//! Which log lines are wanted: `LOG_LEVEL`.

use std::fmt;
use std::str::FromStr;

use tracing_subscriber::filter::{LevelFilter, Targets};

/// The words that are levels, from the most to the fewest lines.
const LEVELS: [(&str, LevelFilter); 9] = [
    ("trace", LevelFilter::TRACE),
    ("debug", LevelFilter::DEBUG),
    ("info", LevelFilter::INFO),
    ("warn", LevelFilter::WARN),
    ("error", LevelFilter::ERROR),
    ("off", LevelFilter::OFF),
    // Words of pino and of other loggers, so that an existing LOG_LEVEL keeps its meaning.
    ("warning", LevelFilter::WARN),
    ("fatal", LevelFilter::ERROR),
    ("silent", LevelFilter::OFF),
];

/// Libraries that tell at `info` what only their developers want to know. At that level they are held
/// at `warn`, unless the filter names them.
pub(crate) const TALKATIVE: [&str; 4] = ["whatsapp_rust", "wacore", "Client", "sea_orm_migration"];

/// Which log lines are wanted: a level, and levels for single targets besides, separated by commas:
/// `info`, `warn,control=debug`. Case does not matter in levels.
///
/// The levels are `trace`, `debug`, `info`, `warn`, `error` and `off`; pino's `fatal` counts as
/// `error` and its `silent` as `off`.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    text: String,
    targets: Targets,
}

/// A text that is no [`Filter`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "LOG_LEVEL: {0:?} is no log level; use trace, debug, info, warn, error or off, \
     and target=level after a comma for a part of the program, as in info,control=debug"
)]
pub struct BadLevel(pub String);

impl Filter {
    pub(crate) fn into_targets(self) -> Targets {
        self.targets
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Filter {
    type Err = BadLevel;

    fn from_str(text: &str) -> Result<Self, BadLevel> {
        let text = text.trim();
        if text.is_empty() {
            return Err(BadLevel(text.to_owned()));
        }
        // Without a bare level, only the named targets differ from the usual.
        let mut usual = LevelFilter::INFO;
        let mut named = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            match part.split_once('=') {
                None => usual = level(part)?,
                Some((target, word)) if is_target(target.trim()) => {
                    named.push((target.trim(), level(word.trim())?));
                }
                Some(_) => return Err(BadLevel(part.to_owned())),
            }
        }
        let talkative = TALKATIVE.iter().filter(|_| usual == LevelFilter::INFO);
        let targets = Targets::new()
            .with_default(usual)
            .with_targets(talkative.map(|target| (*target, LevelFilter::WARN)))
            .with_targets(named);
        Ok(Self { text: text.to_owned(), targets })
    }
}

fn level(word: &str) -> Result<LevelFilter, BadLevel> {
    LEVELS
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(word))
        .map(|(_, level)| *level)
        .ok_or_else(|| BadLevel(word.to_owned()))
}

/// Whether a text can be the path of a module.
fn is_target(text: &str) -> bool {
    !text.is_empty()
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ':'))
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::Filter;

    fn enabled(filter: &str, target: &str, level: Level) -> bool {
        filter.parse::<Filter>().unwrap().into_targets().would_enable(target, &level)
    }

    #[test]
    fn a_bare_level_is_for_everything() {
        assert!(enabled("debug", "control", Level::DEBUG));
        assert!(!enabled("info", "control", Level::DEBUG));
        assert!(!enabled("off", "control", Level::ERROR));
        assert!(enabled(" WARN ", "control", Level::WARN));
    }

    #[test]
    fn a_target_has_its_own_level() {
        assert!(enabled("warn,control=debug", "control::http", Level::DEBUG));
        assert!(!enabled("debug,hyper=warn", "hyper::proto", Level::INFO));
        assert!(enabled("hyper=warn", "control", Level::INFO));
    }

    #[test]
    fn talkative_libraries_are_held_back_at_info_alone() {
        assert!(!enabled("info", "whatsapp_rust::client", Level::INFO));
        assert!(!enabled("info", "Client/AppState", Level::INFO));
        assert!(enabled("info", "whatsapp_rust::client", Level::WARN));
        assert!(enabled("debug", "whatsapp_rust::client", Level::DEBUG));
        assert!(enabled("info,whatsapp_rust=debug", "whatsapp_rust::client", Level::DEBUG));
    }

    #[test]
    fn words_of_pino_keep_their_meaning() {
        assert!(!enabled("silent", "control", Level::ERROR));
        assert!(enabled("fatal", "control", Level::ERROR));
        assert!(!enabled("fatal", "control", Level::WARN));
    }

    #[test]
    fn anything_else_is_refused_with_the_allowed_words() {
        for bad in ["verbose", "", "info,hyper=loud", "=info", "in fo", "a b=info", "info=="] {
            let message = bad.parse::<Filter>().unwrap_err().to_string();
            assert!(message.starts_with("LOG_LEVEL"), "{message}");
            assert!(message.contains("trace, debug, info, warn, error or off"), "{message}");
        }
    }
}
