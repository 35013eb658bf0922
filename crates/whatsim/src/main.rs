//! The simulated WhatsApp network as a program.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;
use whatsim::{Addressing, Config, Sim, from_hex, prepare_session, to_hex};

/// A simulated WhatsApp network for tests, demonstrations and load.
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the network until SIGINT or SIGTERM. Prints one line of JSON when ready.
    Serve(Serve),
    /// Make a bot's session folder trust a network, before the bot's first start.
    Prepare(Prepare),
}

#[derive(Args)]
struct Serve {
    /// Loopback port for bots; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    ws_port: u16,
    /// Loopback port for the HTTP interface; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    http_port: u16,
    /// Loopback port where bots upload and download files; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    media_port: u16,
    /// Address contacts by hidden identity (LID) instead of phone number.
    #[arg(long)]
    lid: bool,
    /// Say at pairing that the accounts' chats moved to hidden identities.
    #[arg(long)]
    lid_migrated: bool,
    /// Folder that keeps the server's key, so that prepared sessions stay valid
    /// over a restart. Accounts and contacts are not kept.
    #[arg(long)]
    state_dir: Option<PathBuf>,
}

#[derive(Args)]
struct Prepare {
    #[command(flatten)]
    key: KeySource,
    /// The session folder; the database in it is `whatsapp.db`.
    dir: PathBuf,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct KeySource {
    /// The network's static public key, 64 hexadecimal digits.
    #[arg(long)]
    server_key: Option<String>,
    /// The HTTP interface of a running network, to ask for its key.
    #[arg(long)]
    http_url: Option<String>,
}

/// The line printed when the network is ready.
#[derive(serde::Serialize)]
struct Ready {
    ws_url: String,
    http_url: Option<String>,
    server_key: String,
}

/// The part of the network's state that is of interest here.
#[derive(serde::Deserialize)]
struct NetworkKey {
    server_key: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("whatsim=info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match Cli::parse().command {
        Command::Serve(options) => serve(options).await,
        Command::Prepare(options) => prepare(options).await,
    }
}

async fn serve(options: Serve) -> anyhow::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let sim = Sim::start(Config {
        ws_port: options.ws_port,
        http_port: Some(options.http_port),
        media_port: options.media_port,
        addressing: if options.lid { Addressing::Lid } else { Addressing::PhoneNumber },
        lid_migrated: options.lid_migrated,
        static_key_file: options.state_dir.map(|folder| folder.join("static.key")),
        ..Config::default()
    })
    .await?;
    let ready = Ready {
        ws_url: sim.ws_url(),
        http_url: sim.http_url(),
        server_key: to_hex(&sim.server_key()),
    };
    let mut out = std::io::stdout();
    writeln!(out, "{}", serde_json::to_string(&ready)?)?;
    out.flush()?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    sim.shutdown().await;
    Ok(())
}

async fn prepare(options: Prepare) -> anyhow::Result<()> {
    let key = match (options.key.server_key, options.key.http_url) {
        (Some(key), _) => key,
        (None, Some(url)) => network_key(&url).await?,
        (None, None) => anyhow::bail!("either --server-key or --http-url is needed"),
    };
    let file = prepare_session(&options.dir, from_hex(&key)?).await?;
    writeln!(std::io::stdout(), "{}", serde_json::json!({ "session": file }))?;
    Ok(())
}

async fn network_key(url: &str) -> anyhow::Result<String> {
    let url = format!("{}/state", url.trim_end_matches('/'));
    let state: NetworkKey = reqwest::get(&url)
        .await
        .and_then(reqwest::Response::error_for_status)
        .context("asking the network for its key")?
        .json()
        .await
        .context("reading the network's key")?;
    Ok(state.server_key)
}
