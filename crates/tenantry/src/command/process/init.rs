//! `init`: a file of applications to begin with.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;

use super::call::{Call, Output};

#[derive(Debug, Args)]
pub struct InitArgs {
    /// `simple` for the shortest file
    #[arg(value_name = "simple")]
    mode: Option<String>,
    /// Write apps.toml, which needs no Node to be read
    #[arg(long)]
    toml: bool,
    #[command(flatten)]
    pub output: Output,
}

const FULL: &str = r#"module.exports = {
  apps: [{
    name: 'web',
    script: './web.js',
    instances: 2,
    env: { NODE_ENV: 'development' },
    env_production: { NODE_ENV: 'production' }
  }, {
    name: 'worker',
    script: './worker.py',
    max_memory_restart: '300M',
    kill_timeout: '5s'
  }]
}
"#;

const SIMPLE: &str = r#"module.exports = {
  apps: [{
    name: 'app1',
    script: './app.js'
  }]
}
"#;

const TOML: &str = r#"[[apps]]
name = "web"
script = "./web.js"
instances = 2
ready = "http://:3000/health"
env = { NODE_ENV = "development" }
env_production = { NODE_ENV = "production" }

[[apps]]
name = "worker"
script = "./worker.py"
max_memory_restart = "300M"
kill_timeout = "5s"
"#;

/// Writes the file; one that exists is left alone.
///
/// # Errors
/// When it exists, or the folder cannot be written to.
pub fn run(args: &InitArgs, call: &mut Call<'_>) -> anyhow::Result<ExitCode> {
    let (name, text) = match (args.toml, args.mode.as_deref()) {
        (true, _) => ("apps.toml", TOML),
        (false, Some("simple")) => ("ecosystem.config.js", SIMPLE),
        (false, _) => ("ecosystem.config.js", FULL),
    };
    let file = OpenOptions::new().write(true).create_new(true).open(name);
    let mut file = match file {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            bail!("{name} exists already; remove it first")
        }
        file => file.with_context(|| format!("cannot write {name}"))?,
    };
    file.write_all(text.as_bytes()).with_context(|| format!("cannot write {name}"))?;
    let program = call.place.called().name();
    call.say(&format!("{name} is written; change it, then `{program} start {name}`"))?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use pm2::file::{Evaluate, Source, read};

    #[test]
    fn the_files_can_be_read_without_a_warning() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text, count) in [
            ("a.toml", super::TOML, 2),
            ("a.config.js", super::FULL, 2),
            ("b.config.js", super::SIMPLE, 1),
        ] {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            match read(Source::File(&path), &Evaluate::default()) {
                Ok(found) => {
                    assert_eq!(found.apps.len(), count, "{name}");
                    assert_eq!(found.warnings, Vec::<String>::new(), "{name}");
                }
                // Only JavaScript needs Node, which a machine may lack.
                Err(pm2::file::FileError::NoNode { .. }) => assert!(name.ends_with(".js")),
                Err(error) => panic!("{name}: {error}"),
            }
        }
    }
}
