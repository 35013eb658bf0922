//! What the caller of the demo asked for.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

/// More tenants than this show nothing new and take minutes to make.
const MOST_TENANTS: usize = 10_000;

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Options {
    pub home: Option<PathBuf>,
    /// Go on with the tenants of an earlier run instead of beginning afresh.
    pub keep: bool,
    /// How many further tenants there are, stopped, so that the list can be seen at size.
    pub tenants: usize,
}

/// Reads the words behind `cargo xtask demo`.
pub fn options(arguments: &[String]) -> Result<Options> {
    let mut options = Options::default();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--keep" => options.keep = true,
            "--home" => {
                let home = words.next().context("--home needs a folder")?;
                options.home = Some(PathBuf::from(home));
            }
            "--tenants" => {
                let count = words.next().and_then(|count| count.parse().ok());
                let count = count.filter(|count| *count <= MOST_TENANTS);
                options.tenants = count
                    .with_context(|| format!("--tenants needs a number up to {MOST_TENANTS}"))?;
            }
            other => {
                bail!("`{other}` is not an option; there are --home DIR, --keep and --tenants N")
            }
        }
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::{Options, options};

    fn parsed(words: &[&str]) -> anyhow::Result<Options> {
        options(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn options_are_read_and_mistakes_named() {
        assert_eq!(parsed(&[]).unwrap(), Options { home: None, keep: false, tenants: 0 });
        let given = parsed(&["--home", "h", "--keep", "--tenants", "200"]).unwrap();
        assert_eq!(given, Options { home: Some("h".into()), keep: true, tenants: 200 });
        assert!(parsed(&["--home"]).is_err());
        assert!(parsed(&["--fresh"]).unwrap_err().to_string().contains("--fresh"));
        for wrong in [&["--tenants"][..], &["--tenants", "-1"], &["--tenants", "99999"]] {
            assert!(parsed(wrong).unwrap_err().to_string().contains("--tenants"));
        }
    }
}
