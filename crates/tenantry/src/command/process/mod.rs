//! PM2's verbs on the processes of a supervisor.

pub mod act;
mod apps;
mod batch;
pub mod call;
mod daemon;
mod describe;
mod durable;
mod export;
pub mod foreground;
pub mod how;
pub mod import;
mod init;
pub mod input;
mod key_store;
pub mod list;
mod logrotate;
pub mod logs;
mod options;
mod place;
pub mod reference;
mod report;
mod resolve;
mod restart;
mod scale;
mod serve;
pub mod start;
mod startup;
pub mod static_server;
mod target;
mod unit;
mod unsupported;

use std::process::ExitCode;

use clap::Subcommand;
use supervisor::wire::BatchAction;

use self::call::{Call, Output};

/// What to do with processes.
#[derive(Debug, Subcommand)]
pub enum ProcessCommand {
    /// Start scripts, files of applications, or what is known already
    Start(Box<start::StartArgs>),
    /// Stop processes; they stay in the list
    Stop(act::TargetArgs),
    /// Restart processes; flags change them
    Restart(Box<act::RestartArgs>),
    /// Restart processes one after the other, the next when the one before has come to rest
    Reload(Box<act::RestartArgs>),
    /// Stop processes and forget them
    #[command(visible_alias = "del")]
    Delete(act::TargetArgs),
    /// List all processes
    #[command(visible_aliases = ["ls", "l", "ps"])]
    List(list::ListArgs),
    /// Print the list as PM2's JSON
    Jlist(export::ExportArgs),
    /// Print the list as PM2's prettylist
    Prettylist(export::ExportArgs),
    /// Show everything about a process
    #[command(visible_aliases = ["desc", "info", "show"])]
    Describe(describe::DescribeArgs),
    /// Show a process's environment
    Env(describe::DescribeArgs),
    /// Print pids
    Pid(describe::PidArgs),
    /// Print the ids of a name
    Id(describe::DescribeArgs),
    /// Empty log files
    Flush(act::SomeArgs),
    /// Open log files anew, after another program moved them away
    #[command(name = "reloadLogs", alias = "reload-logs")]
    ReloadLogs(act::SomeArgs),
    /// Have logrotate rotate the logs, which the supervisor does by itself
    Logrotate(logrotate::LogrotateArgs),
    /// Write the list to dump.pm2; nothing is lost without it, since the supervisor keeps every change
    #[command(visible_alias = "dump")]
    Save(export::SaveArgs),
    /// Start what `save` wrote down and is not there
    Resurrect(export::SaveArgs),
    /// Remove what `save` wrote
    Cleardump(export::ExportArgs),
    /// End all processes and the supervisor
    Kill(daemon::KillArgs),
    /// Say whether a supervisor runs
    Ping(daemon::DaemonArgs),
    /// Have the supervisor become this program, without any process noticing
    #[command(visible_alias = "updatePM2")]
    Update(daemon::DaemonArgs),
    /// Start the supervisor with the machine
    Startup(startup::StartupArgs),
    /// Do not start the supervisor with the machine any more
    Unstartup(startup::StartupArgs),
    /// Set the counters of restarts to 0
    Reset(act::SomeArgs),
    /// Send a signal to the main processes
    #[command(name = "sendSignal", alias = "send-signal")]
    SendSignal(input::SignalArgs),
    /// Show what a process writes, and give it what is typed
    Attach(input::AttachArgs),
    /// Have more or fewer processes of a name
    Scale(scale::ScaleArgs),
    /// Restart a file's applications; start those that do not exist
    #[command(name = "startOrRestart", alias = "start-or-restart")]
    StartOrRestart(Box<start::FileArgs>),
    /// Reload a file's applications; start those that do not exist
    #[command(name = "startOrReload", aliases = ["start-or-reload", "startOrGracefulReload"])]
    StartOrReload(Box<start::FileArgs>),
    /// Serve a folder's files over HTTP
    #[command(visible_alias = "expose")]
    Serve(serve::ServeArgs),
    /// Write a file of applications to begin with
    #[command(visible_alias = "ecosystem")]
    Init(init::InitArgs),
    /// Show what somebody who helps needs to know
    Report(report::ReportArgs),
    /// Show what is known of the machine
    #[command(alias = "slist")]
    Sysinfos(report::ReportArgs),
    /// Set a key of the key store; `APP.KEY` restarts the application with it as a variable
    Set(key_store::SetArgs),
    /// Set several keys
    Multiset(key_store::MultisetArgs),
    /// Show a key, or all of them
    Get(key_store::GetArgs),
    /// Set or show a key
    Conf(key_store::SetArgs),
    /// Remove a key
    Unset(key_store::UnsetArgs),
    /// PM2's cloud
    #[command(name = "link", hide = true, aliases = [
        "unlink", "plus", "register", "login", "logout", "monitor", "unmonitor", "open",
    ])]
    Cloud(unsupported::Anything),
    /// PM2's modules
    #[command(name = "install", hide = true, aliases = [
        "uninstall", "module:install", "module:uninstall", "module:update", "module:generate", "package",
        "publish", "module:publish", "autoinstall", "create", "deepUpdate",
    ])]
    Modules(unsupported::Anything),
    /// PM2's instrumentation of Node
    #[command(name = "trigger", hide = true, aliases = [
        "inspect", "profile:cpu", "profile:mem", "install-otel", "uninstall-otel",
    ])]
    NodeOnly(unsupported::Anything),
    /// PM2's deployment
    #[command(name = "deploy", hide = true, aliases = ["pull", "forward", "backward"])]
    Sources(unsupported::Anything),
}

impl ProcessCommand {
    /// How its output is wanted.
    pub fn output(&self) -> Output {
        match self {
            Self::Start(args) => args.output.clone(),
            Self::Stop(args) | Self::Delete(args) => args.output.clone(),
            Self::Restart(args) | Self::Reload(args) => args.output.clone(),
            Self::List(args) => args.output.clone(),
            Self::Jlist(args) | Self::Prettylist(args) | Self::Cleardump(args) => {
                args.output.clone()
            }
            Self::Describe(args) | Self::Env(args) | Self::Id(args) => args.output.clone(),
            Self::Pid(args) => args.output.clone(),
            Self::Flush(args) | Self::ReloadLogs(args) | Self::Reset(args) => args.output.clone(),
            Self::Logrotate(args) => args.output.clone(),
            Self::Save(args) | Self::Resurrect(args) => args.output.clone(),
            Self::Kill(args) => args.output.clone(),
            Self::Ping(args) | Self::Update(args) => args.output.clone(),
            Self::Startup(args) | Self::Unstartup(args) => args.output.clone(),
            Self::SendSignal(args) => args.output.clone(),
            Self::Attach(args) => args.output.clone(),
            Self::Scale(args) => args.output.clone(),
            Self::StartOrRestart(args) | Self::StartOrReload(args) => args.output.clone(),
            Self::Serve(args) => args.output.clone(),
            Self::Init(args) => args.output.clone(),
            Self::Report(args) | Self::Sysinfos(args) => args.output.clone(),
            Self::Set(args) | Self::Conf(args) => args.output.clone(),
            Self::Multiset(args) => args.output.clone(),
            Self::Get(args) => args.output.clone(),
            Self::Unset(args) => args.output.clone(),
            Self::Cloud(_) | Self::Modules(_) | Self::NodeOnly(_) | Self::Sources(_) => {
                Output::default()
            }
        }
    }

    /// Carries the command out.
    ///
    /// # Errors
    /// Whatever goes wrong.
    pub async fn run(self, call: &mut Call<'_>) -> anyhow::Result<ExitCode> {
        match self {
            Self::Start(args) => start::run(&args, call).await,
            Self::Stop(args) => act::end(&args, BatchAction::Stop, call).await,
            Self::Restart(args) => act::restart(&args, false, call).await,
            Self::Reload(args) => act::restart(&args, true, call).await,
            Self::Delete(args) => act::end(&args, BatchAction::Delete, call).await,
            Self::List(args) => list::run(&args, call).await,
            Self::Jlist(_) => export::jlist(false, call).await,
            Self::Prettylist(_) => export::jlist(true, call).await,
            Self::Describe(args) => describe::describe(&args, call).await,
            Self::Env(args) => describe::env(&args, call).await,
            Self::Pid(args) => describe::pid(&args, call).await,
            Self::Id(args) => describe::id(&args, call).await,
            Self::Flush(args) => act::touch(&args, BatchAction::FlushLogs, call).await,
            Self::ReloadLogs(args) => act::touch(&args, BatchAction::ReopenLogs, call).await,
            Self::Logrotate(args) => logrotate::run(&args, call),
            Self::Save(args) => export::save(&args, call).await,
            Self::Resurrect(args) => export::resurrect(&args, call).await,
            Self::Cleardump(_) => export::clear(call),
            Self::Kill(args) => daemon::kill(&args, call).await,
            Self::Ping(args) => daemon::ping(&args, call).await,
            Self::Update(args) => daemon::update(&args, call).await,
            Self::Startup(args) => startup::startup(&args, call),
            Self::Unstartup(args) => startup::unstartup(&args, call),
            Self::Reset(args) => act::touch(&args, BatchAction::Reset, call).await,
            Self::SendSignal(args) => input::signal(&args, call).await,
            Self::Attach(args) => input::attach(&args, call).await,
            Self::Scale(args) => scale::run(&args, call).await,
            Self::StartOrRestart(args) => start::of_file(&args, false, call).await,
            Self::StartOrReload(args) => start::of_file(&args, true, call).await,
            Self::Serve(args) => serve::run(&args, call).await,
            Self::Init(args) => init::run(&args, call),
            Self::Report(args) => report::run(&args, call).await,
            Self::Sysinfos(args) => report::machine_only(&args, call),
            Self::Set(args) | Self::Conf(args) => key_store::set(&args, call).await,
            Self::Multiset(args) => key_store::multiset(&args, call).await,
            Self::Get(args) => key_store::get(&args, call),
            Self::Unset(args) => key_store::unset(&args, call),
            Self::Cloud(_) => unsupported::refuse(unsupported::CLOUD),
            Self::Modules(_) => unsupported::refuse(unsupported::MODULES),
            Self::NodeOnly(_) => unsupported::refuse(unsupported::NODE),
            Self::Sources(_) => unsupported::refuse(unsupported::SOURCES),
        }
    }
}
