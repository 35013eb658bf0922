//! The web UI in a browser: what its first load takes, how smoothly ten thousand tenants scroll, whether its memory
//! grows. The measuring itself is `web/tests/figures`.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use crate::cargo::build_programs;
use crate::web;
use crate::workspace::Workspace;

/// Minutes over which memory is watched when the caller names none.
const MINUTES: u32 = 3;

/// Measures and reports.
pub fn run(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    let (minutes, program) = options(arguments)?;
    web::build(workspace)?;
    let program = match program {
        Some(program) => program.canonicalize().context("cannot find the program")?,
        None => build_programs(workspace, &["tenantry", "whatsim"])?["tenantry"].clone(),
    };
    web::figures(workspace, &program, minutes)
}

/// The minutes and the program, beside which `whatsim` lies.
fn options(arguments: &[String]) -> Result<(u32, Option<PathBuf>)> {
    let (mut minutes, mut program) = (MINUTES, None);
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--minutes" => {
                let number = words.next().context("--minutes needs a number")?;
                minutes = number.parse().with_context(|| format!("`{number}` is no number"))?;
            }
            "--program" => program = Some(words.next().context("--program needs a file")?.into()),
            other => bail!("`{other}` is not an option; there are --minutes N and --program PATH"),
        }
    }
    Ok((minutes, program))
}

#[cfg(test)]
mod tests {
    use super::options;

    #[test]
    fn options_are_read_and_mistakes_named() {
        let read =
            |words: &[&str]| options(&words.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>());
        assert_eq!(read(&[]).unwrap(), (3, None));
        assert_eq!(read(&["--minutes", "60", "--program", "t"]).unwrap(), (60, Some("t".into())));
        assert!(read(&["--minutes", "many"]).unwrap_err().to_string().contains("many"));
        assert!(read(&["--hours"]).unwrap_err().to_string().contains("--hours"));
    }
}
