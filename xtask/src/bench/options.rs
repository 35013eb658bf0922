//! What the caller of the lifecycle benchmark asks for.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

/// Rounds left out of the figures: in them the files that are used come into the caches.
pub const WARM_UP: usize = 3;

/// Rounds when the caller names no number.
const ROUNDS: usize = 50;

/// The program to measure.
#[derive(Debug, PartialEq, Eq)]
pub enum Subject {
    /// Built in the dev profile.
    Dev,
    /// Built in the release profile.
    Release,
    /// This one, as it is.
    Given(PathBuf),
}

impl Subject {
    /// The word for it in a report.
    pub fn profile(&self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Release => "release",
            Self::Given(_) => "given",
        }
    }
}

/// The options.
#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    /// Rounds with the warm-up; more than [`WARM_UP`].
    pub rounds: usize,
    pub subject: Subject,
    /// Report as JSON instead of a table.
    pub json: bool,
}

impl Options {
    /// Reads the words after `bench lifecycle`. An error names the word that was refused.
    pub fn read(arguments: &[String]) -> Result<Self> {
        let mut options = Self { rounds: ROUNDS, subject: Subject::Dev, json: false };
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--json" => options.json = true,
                "--release" => options.choose(Subject::Release)?,
                "--program" => {
                    let program = words.next().context("--program needs a file")?;
                    options.choose(Subject::Given(PathBuf::from(program)))?;
                }
                "--rounds" => {
                    let rounds = words.next().context("--rounds needs a number")?;
                    options.rounds = counted(rounds)?;
                }
                other => bail!(
                    "`{other}` is not an option; there are --rounds N, --release, --program PATH \
                     and --json"
                ),
            }
        }
        Ok(options)
    }

    fn choose(&mut self, subject: Subject) -> Result<()> {
        if self.subject != Subject::Dev {
            bail!("--release and --program PATH each name the program; give one of them, once");
        }
        self.subject = subject;
        Ok(())
    }
}

fn counted(rounds: &str) -> Result<usize> {
    match rounds.parse() {
        Ok(rounds) if rounds > WARM_UP => Ok(rounds),
        _ => bail!("--rounds {rounds}: a number above {WARM_UP}, which are the warm-up"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Options, Subject};

    fn read(words: &[&str]) -> anyhow::Result<Options> {
        Options::read(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn without_words_the_dev_profile_is_measured() {
        let options = read(&[]).unwrap();
        assert_eq!(options, Options { rounds: 50, subject: Subject::Dev, json: false });
    }

    #[test]
    fn all_options_are_read() {
        let options = read(&["--rounds", "4", "--program", "p", "--json"]).unwrap();
        assert_eq!(options, Options { rounds: 4, subject: Subject::Given("p".into()), json: true });
        assert_eq!(read(&["--release"]).unwrap().subject, Subject::Release);
    }

    #[test]
    fn mistakes_are_named() {
        for words in [
            &["--rounds"][..],
            &["--rounds", "3"],
            &["--rounds", "many"],
            &["--program"],
            &["--release", "--program", "p"],
        ] {
            assert!(read(words).is_err(), "{words:?}");
        }
        assert!(read(&["--fast"]).unwrap_err().to_string().contains("--fast"));
    }
}
