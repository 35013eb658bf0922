//! The command tree of the program when it is called `pm2`, or `pm2-runtime`.

use std::ffi::{OsStr, OsString};
use std::process::ExitCode;

use clap::{Args, CommandFactory as _, Parser, Subcommand};

use crate::called::Called;
use crate::command::process::call::{Call, Output};
use crate::command::process::logs::{self, LogOptions, Request};
use crate::command::process::start::StartArgs;
use crate::command::process::{ProcessCommand, foreground, input, list, reference, static_server};
use crate::command::{monit, supervisor};
use crate::connection::Environment;
use crate::reactor;
use crate::screen::Screen;

/// Keeps processes alive: PM2's commands on PM2's home, with a supervisor that a crash does not harm.
#[derive(Debug, Parser)]
#[command(
    name = "pm2",
    version,
    disable_version_flag = true,
    max_term_width = 100,
    arg_required_else_help = true
)]
pub struct Pm2Cli {
    /// Print the version
    #[arg(short = 'v', visible_short_alias = 'V', long, action = clap::ArgAction::Version)]
    version: Option<bool>,
    #[command(subcommand)]
    command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
enum Command {
    /// Show what processes write
    #[command(alias = "log")]
    Logs(LogsArgs),
    /// List all processes
    #[command(hide = true)]
    Status(list::ListArgs),
    /// Watch and steer the processes in the terminal
    #[command(visible_aliases = ["dashboard", "dash"], alias = "imonit")]
    Monit(monit::MonitArgs),
    /// Write a line to a process's standard input
    Send(input::SendArgs),
    /// Print what makes a shell complete the commands
    Completion(reference::CompletionArgs),
    /// Print or write the manual pages
    Man(reference::ManArgs),
    /// What keeps the processes alive
    #[command(hide = true)]
    Supervisor(supervisor::SupervisorArgs),
    /// What `serve` runs
    #[command(hide = true)]
    StaticServer,
    #[command(flatten)]
    Process(ProcessCommand),
}

#[derive(Debug, Args)]
struct LogsArgs {
    /// Names, ids, namespaces or `/patterns/` [default: all]
    targets: Vec<String>,
    #[command(flatten)]
    options: LogOptions,
    #[command(flatten)]
    output: Output,
}

/// Flags without a value that PM2 takes before the command, too.
const LEADING: [&str; 9] =
    ["-s", "--silent", "-m", "--mini-list", "--no-color", "-f", "--force", "-a", "--update-env"];

/// The arguments of `pm2` with the flags before the command behind it.
pub fn arranged(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let is_flag =
        |word: &&OsString| LEADING.iter().any(|flag| word.as_os_str() == OsStr::new(flag));
    let flags = arguments.iter().skip(1).take_while(is_flag).count();
    if flags > 0 && arguments.len() > flags + 1 {
        arguments[1..flags + 2].rotate_right(1);
    }
    arguments
}

/// The arguments of `pm2-runtime` without the word `start`, which may stand before the file.
pub fn without_start(mut arguments: Vec<OsString>) -> Vec<OsString> {
    if arguments.len() > 2 && arguments[1] == "start" {
        arguments.remove(1);
    }
    arguments
}

impl Pm2Cli {
    /// Carries the command out.
    ///
    /// # Errors
    /// Whatever the command fails with; [`crate::failure`] tells it.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let environment = Environment::of_process(None);
        let screen = &mut Screen::stdout();
        let call = |output, screen| Call::new(Called::Pm2, &environment, screen, output);
        match self.command {
            Command::Logs(args) => {
                let json = args.output.json;
                let mut call = call(args.output, screen)?;
                let request = Request { targets: &args.targets, options: &args.options, json };
                let shown = reactor::block_on(logs::run(&request, &mut call))?;
                shown
                    .ok_or_else(|| anyhow::anyhow!("process {} not found", args.targets.join(", ")))
            }
            Command::Status(args) => {
                let mut call = call(args.output.clone(), screen)?;
                reactor::block_on(list::run(&args, &mut call))
            }
            Command::Monit(args) => {
                let call = call(Output::default(), screen)?;
                monit::run(&args, &call.place.socket()).map(|()| ExitCode::SUCCESS)
            }
            Command::Send(args) => {
                let mut call = call(args.output.clone(), screen)?;
                reactor::block_on(input::send(&args, &mut call))
            }
            Command::Completion(args) => reference::completion(&args, Self::command(), screen),
            Command::Man(args) => reference::man(&args, Self::command(), screen),
            Command::Supervisor(args) => {
                supervisor::run(args, &environment).map(|()| ExitCode::SUCCESS)
            }
            Command::StaticServer => static_server::run().map(|()| ExitCode::SUCCESS),
            Command::Process(command) => {
                let mut call = call(command.output(), screen)?;
                reactor::block_on(command.run(&mut call))
            }
        }
    }
}

/// Runs one application, or a file of them, in the foreground: for containers.
#[derive(Debug, Parser)]
#[command(name = "pm2-runtime", version, max_term_width = 100)]
pub struct RuntimeCli {
    #[command(flatten)]
    start: StartArgs,
    /// Stay when no application runs any more
    #[arg(long)]
    no_auto_exit: bool,
    /// Print the log lines as they are
    #[arg(long)]
    raw: bool,
}

impl RuntimeCli {
    /// Runs until it is asked to end, or nothing runs any more.
    ///
    /// # Errors
    /// Whatever cannot be started.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let environment = Environment::of_process(None);
        let screen = &mut Screen::stdout();
        let json = self.start.output.json;
        // Only the lines are to be JSON.
        let mut output = self.start.output.clone();
        output.json = false;
        let mut call = Call::new(Called::Pm2Runtime, &environment, screen, output)?;
        let mut logs = LogOptions::beginning_with(1000);
        logs.raw = self.raw;
        let manner = foreground::Manner { leave_when_idle: !self.no_auto_exit, logs, json };
        reactor::block_on(foreground::run(&self.start, manner, &mut call))
    }
}

#[cfg(test)]
mod tests;
