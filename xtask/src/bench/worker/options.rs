//! What the caller of the worker benchmark asks for.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

/// Numbers of workers when the caller names none.
const SIZES: [usize; 3] = [1, 100, 500];

/// More than the numbers of the simulated network's phones allow for.
const LARGEST: usize = 5000;

/// How long each worker is written to once a minute.
const CHAT: Duration = Duration::from_secs(120);

/// The options.
#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    pub sizes: Vec<usize>,
    /// How long each worker is written to once a minute.
    pub chat: Duration,
    /// The `tenantry` to measure; built in the release profile where absent.
    pub program: Option<PathBuf>,
    /// The `whatsim` to measure against; built in the dev profile where absent.
    pub whatsim: Option<PathBuf>,
    /// Report as JSON instead of a table.
    pub json: bool,
}

impl Options {
    /// Reads the words after `bench worker`. An error names the word that was refused.
    pub fn read(arguments: &[String]) -> Result<Self> {
        let mut options =
            Self { sizes: SIZES.to_vec(), chat: CHAT, program: None, whatsim: None, json: false };
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().with_context(|| format!("{word} needs a value"));
            match word.as_str() {
                "--json" => options.json = true,
                "--sizes" => {
                    options.sizes = value()?.split(',').map(size).collect::<Result<_>>()?;
                }
                "--seconds" => options.chat = seconds(value()?)?,
                "--program" => options.program = Some(value()?.into()),
                "--whatsim" => options.whatsim = Some(value()?.into()),
                other => bail!(
                    "`{other}` is not an option; there are --sizes 1,100, --seconds N, --program \
                     PATH, --whatsim PATH and --json"
                ),
            }
        }
        Ok(options)
    }
}

fn size(text: &str) -> Result<usize> {
    match text.trim().parse() {
        Ok(size @ 1..=LARGEST) => Ok(size),
        _ => bail!("--sizes {text}: numbers from 1 to {LARGEST}, with commas between them"),
    }
}

fn seconds(text: &str) -> Result<Duration> {
    match text.parse() {
        Ok(seconds @ 1..=3600) => Ok(Duration::from_secs(seconds)),
        _ => bail!("--seconds {text}: a number from 1 to 3600"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Options;

    fn read(words: &[&str]) -> anyhow::Result<Options> {
        Options::read(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn all_options_are_read() {
        let words =
            ["--sizes", "1, 20", "--seconds", "9", "--program", "p", "--whatsim", "w", "--json"];
        let expected = Options {
            sizes: vec![1, 20],
            chat: Duration::from_secs(9),
            program: Some("p".into()),
            whatsim: Some("w".into()),
            json: true,
        };
        assert_eq!(read(&words).unwrap(), expected);
        assert_eq!(read(&[]).unwrap().sizes, [1, 100, 500]);
    }

    #[test]
    fn mistakes_are_named() {
        for words in [&["--sizes"][..], &["--sizes", "0"], &["--seconds", "0"], &["--program"]] {
            assert!(read(words).is_err(), "{words:?}");
        }
        assert!(read(&["--fast"]).unwrap_err().to_string().contains("--fast"));
    }
}
