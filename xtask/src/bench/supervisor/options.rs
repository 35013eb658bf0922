//! What the caller of the supervisor benchmark asks for.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

/// How many processes, when the caller names no sizes.
const SIZES: [usize; 3] = [100, 1000, 5000];

/// The sizes of a quick run.
const QUICK_SIZES: [usize; 2] = [100, 1000];

/// More than a machine can have, by the kernel's own limit of process ids.
const LARGEST: usize = 100_000;

/// The options.
#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    pub sizes: Vec<usize>,
    /// Measure the slow contenders at every size too.
    pub full: bool,
    /// Few repetitions.
    pub quick: bool,
    /// The `tenantry` to measure; built in the release profile where absent.
    pub program: Option<PathBuf>,
    /// The contenders to measure; empty for all.
    pub only: Vec<String>,
    /// Report as JSON instead of tables.
    pub json: bool,
}

/// How often something is measured and how long it is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// Starts and stops of all processes, at most.
    pub starts: usize,
    /// Listings, at most.
    pub lists: usize,
    /// Kills, at most.
    pub respawns: usize,
    /// How long one kind of figure is repeated for.
    pub enough: Duration,
    /// How long one idle supervisor is watched.
    pub idle: Duration,
    /// The largest number of processes whose stop is measured where stopping is slow.
    pub slow_stops: usize,
    /// Bursts of log lines.
    pub logs: usize,
    /// With how many idle processes beside the one that logs.
    pub beside: &'static [usize],
}

impl Options {
    /// Reads the words after `bench supervisor`. An error names the word that was refused.
    pub fn read(arguments: &[String]) -> Result<Self> {
        let mut sizes = None;
        let mut options = Self {
            sizes: Vec::new(),
            full: false,
            quick: false,
            program: None,
            only: Vec::new(),
            json: false,
        };
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--full" => options.full = true,
                "--quick" => options.quick = true,
                "--json" => options.json = true,
                "--sizes" => {
                    let list = words.next().context("--sizes needs numbers, as in 100,1000")?;
                    sizes = Some(list.split(',').map(size).collect::<Result<Vec<_>>>()?);
                }
                "--program" => {
                    let program = words.next().context("--program needs a file")?;
                    options.program = Some(PathBuf::from(program));
                }
                "--only" => {
                    let names = words.next().context("--only needs names, as in tenantry,pm2")?;
                    options.only = names.split(',').map(str::to_owned).collect();
                }
                other => bail!(
                    "`{other}` is not an option; there are --sizes N,N, --quick, --full, --only \
                     NAME,NAME, --program PATH and --json"
                ),
            }
        }
        let usual = if options.quick { QUICK_SIZES.to_vec() } else { SIZES.to_vec() };
        options.sizes = sizes.unwrap_or(usual);
        Ok(options)
    }

    /// How much is measured.
    pub fn effort(&self) -> Effort {
        if self.quick {
            Effort {
                starts: 3,
                lists: 3,
                respawns: 11,
                enough: Duration::from_secs(5),
                idle: Duration::from_secs(3),
                slow_stops: 100,
                logs: 1,
                beside: &[0],
            }
        } else {
            Effort {
                starts: 3,
                lists: 9,
                respawns: 31,
                enough: Duration::from_secs(30),
                idle: Duration::from_secs(10),
                slow_stops: usize::MAX,
                logs: 3,
                beside: &[0, 1000],
            }
        }
    }
}

fn size(word: &str) -> Result<usize> {
    match word.trim().parse() {
        Ok(size) if (1..=LARGEST).contains(&size) => Ok(size),
        _ => bail!("--sizes: `{word}` is not a number from 1 to {LARGEST}"),
    }
}

#[cfg(test)]
mod tests {
    use super::Options;

    fn read(words: &[&str]) -> anyhow::Result<Options> {
        Options::read(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn sizes_depend_on_the_kind_of_run_unless_named() {
        assert_eq!(read(&[]).unwrap().sizes, [100, 1000, 5000]);
        assert_eq!(read(&["--quick"]).unwrap().sizes, [100, 1000]);
        assert_eq!(read(&["--sizes", "7, 8", "--quick"]).unwrap().sizes, [7, 8]);
    }

    #[test]
    fn all_options_are_read() {
        let options = read(&["--full", "--json", "--program", "p", "--only", "pm2,s6"]).unwrap();
        assert!(options.full && options.json && !options.quick);
        assert_eq!(options.program, Some("p".into()));
        assert_eq!(options.only, ["pm2", "s6"]);
        assert!(read(&["--quick"]).unwrap().effort().lists < options.effort().lists);
    }

    #[test]
    fn mistakes_are_named() {
        for words in
            [&["--sizes"][..], &["--sizes", "0"], &["--sizes", "1,x"], &["--program"], &["--only"]]
        {
            assert!(read(words).is_err(), "{words:?}");
        }
        assert!(read(&["--fast"]).unwrap_err().to_string().contains("--fast"));
    }
}
