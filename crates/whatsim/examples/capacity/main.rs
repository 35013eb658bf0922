//! How many connected clients a simulated network holds, and what each costs it.
//!
//! ```console
//! $ cargo build --release -p whatsim --bin whatsim
//! $ cargo run --release -p whatsim --example capacity -- --program target/release/whatsim --clients 2000
//! ```
//!
//! The network runs as a program of its own, so that its memory and its processor time are its own.
//! The clients are bare: a handshake, a pairing, a login and receipts, without end-to-end
//! decryption. One JSON object with the figures is printed at the end.

mod client;
mod meter;
mod wire;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::client::Client;
use crate::meter::Meter;

/// The contact who writes to everybody.
const WRITER: &str = "4915559999";
/// Clients that are being paired at the same time.
const AT_ONCE: usize = 16;

/// Longest wait for the delivery of all messages.
const PATIENCE: Duration = Duration::from_secs(120);

/// Measures a simulated network under many clients.
#[derive(Parser)]
struct Options {
    /// The `whatsim` program to measure.
    #[arg(long)]
    program: PathBuf,
    /// How many clients connect.
    #[arg(long, default_value_t = 100)]
    clients: u32,
    /// How many messages each client gets.
    #[arg(long, default_value_t = 3)]
    messages: u32,
    /// How long the connected clients are idle, in seconds.
    #[arg(long, default_value_t = 10)]
    idle: u64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let options = Options::parse();
    let (network, child) = Network::start(&options.program).await?;
    let meter = Meter::new(child.id().context("the network has no pid")?);
    let report = measure(&options, &network, &meter).await;
    drop(child);
    writeln!(std::io::stdout(), "{}", serde_json::to_string_pretty(&report?)?)?;
    Ok(())
}

async fn measure(options: &Options, network: &Network, meter: &Meter) -> Result<Value> {
    let empty = meter.reading()?;
    network.post("/contacts", json!({ "name": "Writer", "phone": WRITER })).await?;
    let started = Instant::now();
    let clients = pair_all(options.clients, network).await?;
    let paired = meter.reading()?;
    let pairing_seconds = started.elapsed().as_secs_f64();

    tokio::time::sleep(Duration::from_secs(options.idle)).await;
    let idle = meter.reading()?;

    let started = Instant::now();
    for _ in 0..options.messages {
        for client in &clients {
            let text = json!({ "to": client.phone, "text": "a message as people write it" });
            network.post(&format!("/contacts/{WRITER}/messages"), text).await?;
        }
    }
    network.wait_until_delivered().await?;
    let delivery_seconds = started.elapsed().as_secs_f64();
    let busy = meter.reading()?;

    let count = f64::from(options.clients);
    let delivered = count * f64::from(options.messages);
    Ok(json!({
        "clients": options.clients,
        "resident_mib": { "empty": empty.mib(), "paired": paired.mib(), "idle": idle.mib(), "busy": busy.mib() },
        "kib_per_client": (idle.mib() - empty.mib()) * 1024.0 / count,
        "pairing": {
            "seconds": pairing_seconds,
            "cpu_ms_per_client": paired.cpu_ms_since(&empty) / count,
        },
        "idle_cpu_share": idle.cpu_ms_since(&paired) / 1000.0 / options.idle.max(1) as f64,
        "delivery": {
            "messages_per_second": delivered / delivery_seconds,
            "cpu_ms_per_message": busy.cpu_ms_since(&idle) / delivered.max(1.0),
        },
    }))
}

/// Pairs and connects so many clients, some at a time.
async fn pair_all(count: u32, network: &Network) -> Result<Vec<Client>> {
    let mut clients = Vec::new();
    let mut pairing = tokio::task::JoinSet::new();
    for number in 0..count {
        if pairing.len() == AT_ONCE
            && let Some(client) = pairing.join_next().await
        {
            clients.push(client??);
        }
        let network = network.clone();
        pairing.spawn(async move {
            let phone = format!("44{number:010}");
            network.post("/accounts", json!({ "phone": phone })).await?;
            Client::connect(&network, phone).await
        });
    }
    while let Some(client) = pairing.join_next().await {
        clients.push(client??);
    }
    Ok(clients)
}

/// A running network.
#[derive(Clone)]
pub struct Network {
    http: reqwest::Client,
    /// Where its HTTP interface is.
    http_url: String,
    /// Where clients connect.
    pub address: String,
}

impl Network {
    async fn start(program: &std::path::Path) -> Result<(Self, Child)> {
        let mut command = Command::new(program);
        command.arg("serve").stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().context("the network does not start")?;
        let out = child.stdout.take().context("the network has no output")?;
        let line = BufReader::new(out).lines().next_line().await?;
        let ready: Value = serde_json::from_str(&line.context("the network has ended")?)?;
        let url = |name: &str| ready[name].as_str().unwrap_or_default().to_owned();
        let (http_url, address) = (url("http_url"), url("ws_url"));
        Ok((Self { http: reqwest::Client::new(), http_url, address }, child))
    }

    /// Asks the network to do something.
    pub async fn post(&self, path: &str, body: Value) -> Result<Value> {
        let url = format!("{}{path}", self.http_url);
        let answer = self.http.post(url).json(&body).send().await?;
        let status = answer.status();
        let body: Value = answer.json().await?;
        ensure!(status.is_success(), "{path}: {body}");
        Ok(body)
    }

    /// Waits until every client has confirmed what it got.
    async fn wait_until_delivered(&self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            ensure!(Instant::now() < deadline, "not everything was delivered in {PATIENCE:?}");
            let state: Value =
                self.http.get(format!("{}/state", self.http_url)).send().await?.json().await?;
            let waiting = state["accounts"]
                .as_array()
                .is_some_and(|accounts| accounts.iter().any(|account| account["undelivered"] != 0));
            if !waiting {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
