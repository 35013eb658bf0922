//! `cargo xtask chaos`: the chaos and crash tests of the supervisor, or the story of the messages, for as long as one likes.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::cargo::{build_programs, cargo, without_own_variables};
use crate::workspace::Workspace;

/// Builds the programs and becomes `chaos`, which explains its arguments itself; with `--messages` first, the test
/// that kills everything while contacts write.
pub fn chaos(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    if let Some((first, rest)) = arguments.split_first()
        && first == "--messages"
    {
        return messages(workspace, &Messages::read(rest)?);
    }
    let programs = build_programs(workspace, &["chaos"])?;
    let program = &programs["chaos"];
    let mut command = Command::new(program);
    without_own_variables(&mut command).args(arguments);
    Err(command.exec()).with_context(|| format!("cannot run {}", program.display()))
}

/// How long, and with which seed.
#[derive(Debug, PartialEq, Eq)]
struct Messages {
    minutes: u64,
    seed: Option<u64>,
}

impl Messages {
    fn read(arguments: &[String]) -> Result<Self> {
        let (mut minutes, mut seed) = (None, None);
        for pair in arguments.chunks(2) {
            let number = pair.get(1).and_then(|value| value.parse().ok());
            let place = match pair.first().map(String::as_str) {
                Some("--minutes") => &mut minutes,
                Some("--seed") => &mut seed,
                other => bail!("{other:?} is not an option; there are --minutes N and --seed S"),
            };
            *place = Some(number.with_context(|| format!("{} takes a number", pair.join(" ")))?);
        }
        Ok(Self { minutes: minutes.context("--minutes is missing")?, seed })
    }
}

fn messages(workspace: &Workspace, wish: &Messages) -> Result<()> {
    build_programs(workspace, &["tenantry"])?;
    let mut command = cargo(workspace);
    command.args(["test", "--workspace", "--test", "nothing_lost", "--", "--nocapture"]);
    command.env("TENANTRY_CHAOS_SECONDS", (wish.minutes * 60).to_string());
    if let Some(seed) = wish.seed {
        command.env("TENANTRY_CHAOS_SEED", seed.to_string());
    }
    Err(command.exec()).context("cannot run cargo")
}

#[cfg(test)]
mod tests {
    use super::Messages;

    fn read(words: &[&str]) -> anyhow::Result<Messages> {
        Messages::read(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn length_and_seed_are_read_and_mistakes_named() {
        let all = read(&["--minutes", "3", "--seed", "9"]).unwrap();
        assert_eq!(all, Messages { minutes: 3, seed: Some(9) });
        for words in [&[][..], &["--minutes"], &["--minutes", "x"], &["--hours", "1"]] {
            assert!(read(words).is_err(), "{words:?}");
        }
    }
}
