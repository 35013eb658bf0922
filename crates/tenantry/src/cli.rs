//! The command tree.

use std::process::ExitCode;

use clap::{Args, CommandFactory as _, Parser, Subcommand};

use crate::called::Called;
use crate::command::process::call::Call;
use crate::command::process::{ProcessCommand, import, reference};
use crate::command::{
    audit, backup, config, db, doctor, events, health, key, logs, message, migrate, monit, pacing,
    pair, process, qr, records, restore, rules, send, server, session, status, supervisor, tenant,
    tenants, user, worker,
};
use crate::connection::{Environment, Reach};
use crate::reactor;
use crate::screen::Screen;

/// Runs one isolated WhatsApp bot per tenant, and keeps every one of them alive and observable.
#[derive(Debug, Parser)]
#[command(name = "tenantry", version, max_term_width = 100, arg_required_else_help = true)]
pub struct Cli {
    /// The folder of the store, the sessions, the logs and the sockets [env: TENANTRY_HOME]
    /// [default: ~/.tenantry]
    #[arg(long, global = true, value_name = "DIR")]
    home: Option<String>,
    #[command(subcommand)]
    command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
enum Command {
    /// Run the control plane
    Server(server::ServerArgs),
    /// Run the supervisor, which keeps processes alive (the server starts it by itself)
    Supervisor(supervisor::SupervisorArgs),
    /// Start, stop and restart workers
    #[command(subcommand)]
    Worker(worker::WorkerCommand),
    /// Show the effective settings and where each comes from
    Config(config::ConfigArgs),
    /// Add, show, change and delete tenants
    #[command(subcommand)]
    Tenant(tenant::TenantCommand),
    /// List all tenants with their workers and sessions
    Tenants(ReadArgs),
    /// Show how a tenant, its worker and its session are; without a tenant, list all processes
    Status(status::StatusArgs),
    /// Draw a tenant's QR code in the terminal, to be scanned with WhatsApp
    Qr(qr::QrArgs),
    /// Link a tenant's WhatsApp by a code that is typed into the phone, or by QR code
    Pair(pair::PairArgs),
    /// Show what processes, or a tenant's worker, write
    Logs(logs::LogsArgs),
    /// Send a message by a tenant's number; or, with a process and a line alone, write the line to the
    /// process's standard input
    Send(send::SendArgs),
    /// Show what became of a message that was sent
    Message(message::MessageArgs),
    /// Show a tenant's newest messages
    Messages(records::MessagesArgs),
    /// Show what happened to a tenant, or to all
    Events(events::EventsArgs),
    /// Show who did what, export it, and verify that nothing of it was changed
    Audit(audit::AuditArgs),
    /// Show, set and try a tenant's reply rules
    #[command(subcommand)]
    Rules(rules::RulesCommand),
    /// Show and set how a tenant's bot paces itself
    #[command(subcommand)]
    Pacing(pacing::PacingCommand),
    /// Reset a tenant's WhatsApp session
    #[command(subcommand)]
    Session(session::SessionCommand),
    /// Invite people, and say what each may do
    User(user::UserArgs),
    /// Make and delete keys for programs
    Key(key::KeyArgs),
    /// Move what runs to another place
    #[command(subcommand)]
    Migrate(migrate::MigrateCommand),
    /// Write the whole installation into one file, while everything runs
    Backup(backup::BackupArgs),
    /// Bring an installation back from a backup
    Restore(restore::RestoreArgs),
    /// Look at the database, bring it up to date, copy it into another
    #[command(subcommand)]
    Db(db::DbCommand),
    /// Show how the control plane is
    Health(ReadArgs),
    /// Watch and steer the supervisor's processes in the terminal
    #[command(visible_aliases = ["dashboard", "dash"])]
    Monit(monit::MonitArgs),
    /// Check what this machine can enforce and whether the installation is sound
    Doctor(doctor::DoctorArgs),
    /// Take over what another program runs
    #[command(subcommand)]
    Import(ImportCommand),
    /// Print what makes a shell complete the commands
    Completion(reference::CompletionArgs),
    /// Print or write the manual pages
    Man(reference::ManArgs),
    /// Print the OpenAPI document of the HTTP API
    Openapi,
    /// Print the JSON Schema of files of applications
    Schema,
    /// What `serve` runs
    #[command(hide = true)]
    StaticServer,
    #[command(flatten)]
    Process(ProcessCommand),
}

/// Whose processes are taken over.
#[derive(Debug, Subcommand)]
enum ImportCommand {
    /// Take over the processes of PM2's daemon, or what it saved
    Pm2(import::ImportArgs),
}

/// The arguments of a command that reads something of the control plane.
#[derive(Debug, Args)]
pub struct ReadArgs {
    #[command(flatten)]
    pub reach: Reach,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The arguments of a command that reads something of one tenant.
#[derive(Debug, Args)]
pub struct TenantReadArgs {
    /// The tenant's slug or id
    pub tenant: String,
    #[command(flatten)]
    pub read: ReadArgs,
}

impl Cli {
    /// Carries the command out.
    ///
    /// # Errors
    /// Whatever the command fails with; [`crate::failure`] tells it.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let environment = Environment::of_process(self.home);
        let screen = &mut Screen::stdout();
        let done = |()| ExitCode::SUCCESS;
        match self.command {
            Command::Server(args) => server::run(args, &environment).map(done),
            Command::Supervisor(args) => supervisor::run(args, &environment).map(done),
            Command::Worker(command) => worker::run(command, &environment, screen),
            Command::Config(args) => config::run(&args, &environment, screen).map(done),
            Command::Tenant(command) => tenant::run(command, &environment, screen).map(done),
            Command::Tenants(args) => tenants::run(&args, &environment, screen).map(done),
            Command::Status(args) => status::run(&args, &environment, screen).map(done),
            Command::Qr(args) => qr::run(&args, &environment, screen).map(done),
            Command::Pair(args) => pair::run(&args, &environment, screen).map(done),
            Command::Logs(args) => logs::run(&args, &environment, screen),
            Command::Send(args) => send::run(&args, &environment, screen),
            Command::Message(args) => message::run(&args, &environment, screen).map(done),
            Command::Messages(args) => records::messages(&args, &environment, screen).map(done),
            Command::Events(args) => events::run(&args, &environment, screen).map(done),
            Command::Audit(args) => audit::run(&args, &environment, screen),
            Command::Pacing(command) => pacing::run(command, &environment, screen).map(done),
            Command::Rules(command) => rules::run(command, &environment, screen).map(done),
            Command::Session(command) => session::run(&command, &environment, screen).map(done),
            Command::Migrate(command) => migrate::run(&command, &environment, screen),
            Command::Backup(args) => backup::run(args, &environment, screen).map(done),
            Command::Restore(args) => restore::run(&args, &environment, screen).map(done),
            Command::Db(command) => db::run(&command, &environment, screen).map(done),
            Command::Health(args) => health::run(&args, &environment, screen),
            Command::Monit(args) => {
                monit::run(&args, &environment.home()?.supervisor_socket()).map(done)
            }
            Command::Doctor(args) => doctor::run(&args, &environment, screen),
            Command::Import(ImportCommand::Pm2(args)) => {
                let output = args.output.clone();
                let mut call = Call::new(Called::Tenantry, &environment, screen, output)?;
                reactor::block_on(import::pm2(&args, &mut call))
            }
            Command::Completion(args) => reference::completion(&args, Self::command(), screen),
            Command::Man(args) => reference::man(&args, Self::command(), screen),
            Command::User(args) => user::run(args, &environment, screen).map(done),
            Command::Key(args) => key::run(args, &environment, screen).map(done),
            Command::Openapi => screen.write(&control::openapi()?).map(done).map_err(Into::into),
            Command::Schema => screen.json(&pm2::schema::json_schema()).map(done),
            Command::StaticServer => process::static_server::run().map(done),
            Command::Process(command) => {
                let output = command.output();
                let mut call = Call::new(Called::Tenantry, &environment, screen, output)?;
                reactor::block_on(command.run(&mut call))
            }
        }
    }
}

#[cfg(test)]
mod tests;
