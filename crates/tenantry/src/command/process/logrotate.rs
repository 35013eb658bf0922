//! `logrotate`: a configuration for the system's logrotate.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;

use super::call::{Call, Output};

/// Where logrotate looks.
const FOLDER: &str = "/etc/logrotate.d";

#[derive(Debug, Args)]
pub struct LogrotateArgs {
    /// Whose logs they are [default: who calls]
    #[arg(long, short, value_name = "USER")]
    user: Option<String>,
    /// Print the configuration instead of installing it
    #[arg(long)]
    print: bool,
    #[command(flatten)]
    pub output: Output,
}

/// Writes the configuration.
///
/// # Errors
/// When the folder cannot be written to.
pub fn run(args: &LogrotateArgs, call: &mut Call<'_>) -> anyhow::Result<ExitCode> {
    let current = || uzers::get_current_username().map(|name| name.to_string_lossy().into_owned());
    let user = args.user.clone().or_else(current).context("give --user")?;
    let text = configuration(&call.place.logs(), &user);
    if args.print {
        call.screen.write(&text)?;
        return Ok(ExitCode::SUCCESS);
    }
    let path = Path::new(FOLDER).join(format!("{}-{user}", call.place.called().name()));
    fs::write(&path, text)
        .with_context(|| format!("cannot write {} (this needs root)", path.display()))?;
    call.say(&format!("{} is written", path.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// The supervisor alone writes to the files, and goes on at the end of what it finds there.
fn configuration(logs: &Path, user: &str) -> String {
    format!(
        "\"{}\"/*.log {{\n    weekly\n    rotate 12\n    missingok\n    notifempty\n    compress\n    \
         delaycompress\n    copytruncate\n    su {user}\n}}\n",
        logs.display()
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::configuration;

    #[test]
    fn a_folder_with_a_space_is_one_word() {
        let text = configuration(Path::new("/site/a b/logs"), "alice");
        assert!(text.starts_with("\"/site/a b/logs\"/*.log {\n    weekly\n"), "{text}");
        assert!(text.contains("    su alice\n"));
    }
}
