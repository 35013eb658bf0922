//! `chaos --minutes N [--seed S] [--workers N]`: chapters of chaos, and a crash test, for so long.
//!
//! It is also the supervisor that it kills: `chaos supervise RUN_DIR` and `chaos hold RUN_DIR`.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use chaos::chaos::chapter;
use chaos::crash::{Crash, crash};
use chaos::stage::Programs;
use supervisor::daemon::{DaemonConfig, Ending, holder_socket_path, run};
use tokio_util::sync::CancellationToken;

const USAGE: &str = "usage: chaos --minutes N [--seed S] [--workers N]";

fn main() -> Result<()> {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match arguments.as_slice() {
        [verb, run_dir] if verb == "supervise" => runtime.block_on(supervise(run_dir.into())),
        [verb, run_dir] if verb == "hold" => {
            Ok(supervisor::holder::run(&holder_socket_path(Path::new(run_dir)))?)
        }
        options => runtime.block_on(play(Options::parse(options)?)),
    }
}

async fn supervise(run_dir: PathBuf) -> Result<()> {
    let mut config = DaemonConfig::new(run_dir.clone());
    config.holder = vec![std::env::current_exe()?.into(), "hold".into(), run_dir.into()];
    match run(config, CancellationToken::new()).await? {
        Ending::Left => Ok(()),
        Ending::Upgrade { .. } => bail!("nobody has asked for an upgrade"),
    }
}

#[derive(Debug)]
struct Options {
    length: Duration,
    seed: u64,
    workers: u32,
}

impl Options {
    fn parse(arguments: &[OsString]) -> Result<Self> {
        let mut options = Self { length: Duration::ZERO, seed: rand::random(), workers: 200 };
        for pair in arguments.chunks(2) {
            let [name, value] = pair else { bail!(USAGE) };
            let number = || -> Result<u64> {
                let number = value.to_str().and_then(|value| value.parse().ok());
                number.with_context(|| format!("{} takes a number\n{USAGE}", name.display()))
            };
            match name.to_str() {
                Some("--minutes") => options.length = Duration::from_secs(number()? * 60),
                Some("--seed") => options.seed = number()?,
                Some("--workers") => options.workers = u32::try_from(number()?)?,
                _ => bail!(USAGE),
            }
        }
        if options.length.is_zero() {
            bail!("--minutes is missing\n{USAGE}");
        }
        Ok(options)
    }
}

/// Turns between the two tests until the time is over; each has a seed of its own, made from the first.
async fn play(options: Options) -> Result<()> {
    let programs = Programs {
        supervisor: std::env::current_exe()?,
        talker: std::env::current_exe()?.with_file_name("talker"),
    };
    let began = Instant::now();
    for seed in options.seed.. {
        let bursts = 12;
        say(&format!("seed {seed}: {}", chapter(&programs, seed, bursts).await?))?;
        let test = Crash { workers: options.workers, kills: 100, seed };
        say(&format!("seed {seed}: {}", crash(&programs, &test).await?))?;
        if began.elapsed() >= options.length {
            break;
        }
    }
    Ok(())
}

fn say(line: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
