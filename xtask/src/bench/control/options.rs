//! What the caller of the control plane's benchmark asks for.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

/// The options.
#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    pub tenants: usize,
    /// How long requests are made, and how long nothing is done, in seconds.
    pub seconds: u64,
    /// Connections of `wrk`.
    pub connections: usize,
    /// How often the start is measured.
    pub starts: usize,
    /// How many looks for stale workers are measured.
    pub looks: usize,
    /// The `tenantry` to measure; built in the release profile where absent.
    pub program: Option<PathBuf>,
    /// An empty PostgreSQL database to use in the place of SQLite.
    pub database_url: Option<String>,
    /// Report as JSON instead of a table.
    pub json: bool,
}

impl Options {
    /// Reads the words after `bench control`. An error names the word that was refused.
    pub fn read(arguments: &[String]) -> Result<Self> {
        let mut options = Self {
            tenants: 10_000,
            seconds: 15,
            connections: 64,
            starts: 5,
            looks: 10,
            program: None,
            database_url: None,
            json: false,
        };
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().with_context(|| format!("{word} needs a value"));
            match word.as_str() {
                "--json" => options.json = true,
                "--tenants" => options.tenants = number(word, value()?)?,
                "--seconds" => options.seconds = number(word, value()?)? as u64,
                "--connections" => options.connections = number(word, value()?)?,
                "--starts" => options.starts = number(word, value()?)?,
                "--program" => options.program = Some(value()?.into()),
                "--database-url" => options.database_url = Some(value()?.clone()),
                other => bail!(
                    "`{other}` is not an option; there are --tenants N, --seconds N, --connections N, \
                     --starts N, --program PATH, --database-url URL and --json"
                ),
            }
        }
        Ok(options)
    }

    /// The kind of database.
    pub fn database(&self) -> &'static str {
        if self.database_url.is_some() { "PostgreSQL" } else { "SQLite" }
    }
}

fn number(word: &str, text: &str) -> Result<usize> {
    match text.replace('_', "").parse() {
        Ok(number @ 1..=1_000_000) => Ok(number),
        _ => bail!("{word} {text}: a number from 1 to 1,000,000"),
    }
}

#[cfg(test)]
mod tests {
    use super::Options;

    fn read(words: &[&str]) -> anyhow::Result<Options> {
        Options::read(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn all_options_are_read() {
        let options = read(&[
            "--tenants",
            "100_000",
            "--seconds",
            "3",
            "--connections",
            "9",
            "--starts",
            "2",
            "--program",
            "p",
            "--database-url",
            "postgres:///bench",
            "--json",
        ])
        .unwrap();
        assert_eq!((options.tenants, options.seconds, options.starts), (100_000, 3, 2));
        assert_eq!((options.connections, options.json), (9, true));
        assert_eq!(options.program, Some("p".into()));
        assert_eq!(options.database(), "PostgreSQL");
        assert_eq!(read(&[]).unwrap().database(), "SQLite");
    }

    #[test]
    fn mistakes_are_named() {
        for words in [&["--tenants"][..], &["--tenants", "0"], &["--seconds", "many"]] {
            assert!(read(words).is_err(), "{words:?}");
        }
        assert!(read(&["--fast"]).unwrap_err().to_string().contains("--fast"));
    }
}
