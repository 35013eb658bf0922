//! `tenantry`: the control plane, the supervisor, the worker, and the commands of their operator, in
//! one program. One module per command; what they do lies in the crates below.

mod called;
mod cli;
mod command;
mod connection;
mod failure;
mod log_line;
mod pm2_cli;
mod reactor;
mod screen;
mod shutdown;
mod text;

use std::ffi::OsString;
use std::process::ExitCode;

use called::Called;
use clap::Parser;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let done = match Called::by(arguments.first().map(OsString::as_os_str)) {
        Called::Tenantry => cli::Cli::parse().run(),
        Called::Pm2 => match pm2_cli::Pm2Cli::try_parse_from(pm2_cli::arranged(arguments)) {
            Ok(cli) => cli.run(),
            Err(refused) => return told(&refused),
        },
        Called::Pm2Runtime => {
            pm2_cli::RuntimeCli::parse_from(pm2_cli::without_start(arguments)).run()
        }
    };
    match done {
        Ok(code) => code,
        Err(error) => failure::report(&error),
    }
}

/// Prints help or what is wrong with a command. PM2 knows no exit code but 0 and 1.
fn told(refused: &clap::Error) -> ExitCode {
    // Nobody can be told that the output is gone.
    let _ = refused.print();
    if refused.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
