//! `tenantry`: the control plane, the supervisor, the worker, and the commands of their operator, in
//! one program. One module per command; what they do lies in the crates below.

mod cli;
mod command;
mod connection;
mod failure;
mod log_line;
mod reactor;
mod screen;
mod shutdown;
mod text;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match cli::Cli::parse().run() {
        Ok(code) => code,
        Err(error) => failure::report(&error),
    }
}
