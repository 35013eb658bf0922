//! Puts the parts together and waits for the first that ends.

use std::sync::Arc;
use std::time::Duration;

use api::link::WorkerConfig;
use chrono::Utc;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::answers::{AckDesk, Answers};
use crate::connection::{self, Connection};
use crate::contract::Contract;
use crate::error::{Ended, WorkerError};
use crate::link::{Ends, Link};
use crate::outside::Outside;
use crate::safekeeping::{self, Keeper};
use crate::sends::Sends;
use crate::session::Session;
use crate::session_dir::SessionDir;
use crate::settings::Settings;
use crate::store::BotStore;
use crate::vitals::Vitals;
use crate::webhook::Webhook;

/// How long the start waits for the first heartbeat to be heard before it turns to WhatsApp: the
/// control plane's operator waits for that heartbeat.
const FIRST_HEARTBEAT: Duration = Duration::from_millis(250);

/// How long the connection may take to end; it bounds its own goodbye a little tighter.
const CONNECTION_ENDS: Duration = Duration::from_millis(750);

/// How long the last words to the control plane may take.
const LAST_WORDS: Duration = Duration::from_millis(150);

/// Orders that may wait.
const ORDERS: usize = 4;

/// What a part of the worker came to.
enum Part {
    Connection(Result<(), WorkerError>),
    Link(Result<(), WorkerError>),
    Answers,
    Webhook,
    Keeper,
    Sends,
}

/// Runs one tenant's worker until it is told to stop (within a second from then), or until it must
/// end by itself.
///
/// # Errors
/// See [`WorkerError`]; [`WorkerError::exit_code`] is the process's exit code.
pub async fn run(contract: Contract, shutdown: CancellationToken) -> Result<Ended, WorkerError> {
    let dir = SessionDir::hold(&contract.sessions, contract.tenant)?;
    let store = Arc::new(open_store(&dir, &contract)?);
    let session = Session::new(store.login()?);
    let vitals = Vitals::default();
    let acks = Arc::new(AckDesk::default());
    let settings = watch::Sender::new(known_settings(&store, &contract)?);
    let outside = Arc::new(Outside::new(contract.webhook.allow_private));
    let (order, orders) = mpsc::channel(ORDERS);
    let stop = shutdown.child_token();
    tell_start(&contract, &dir);

    let mut parts: JoinSet<Part> = JoinSet::new();
    let ends = Ends {
        interval: contract.heartbeat_interval,
        store: Arc::clone(&store),
        session: session.clone(),
        vitals: vitals.clone(),
        settings: settings.clone(),
        orders: order,
    };
    let link = contract.link.as_ref().map(|address| Link::new(address, ends)).transpose()?;
    if let Some(link) = &link {
        talk(&mut parts, link).await;
    }
    let client = watch::Sender::new(None);
    let answers = Answers {
        store: Arc::clone(&store),
        settings: settings.subscribe(),
        awaits_settings: link.is_some(),
        outside: Arc::clone(&outside),
        media_dir: dir.path().join("media"),
        session: session.subscribe(),
        client: client.subscribe(),
        acks: Arc::clone(&acks),
        stop: stop.clone(),
    };
    let webhook = Webhook {
        tenant: contract.tenant,
        store: Arc::clone(&store),
        settings: settings.subscribe(),
        outside,
        first_retry: contract.webhook.first_retry,
    };
    let keeper = Keeper {
        dir: dir.path().to_owned(),
        session: session.subscribe(),
        interval: contract.copy_interval,
    };
    parts.spawn(keep(keeper));
    let sends = sends(&answers, link.as_ref(), &dir);
    answer(&mut parts, answers, webhook, sends);
    let connection = Connection::new(connection::Ends {
        whatsapp: contract.whatsapp,
        reconnect: contract.reconnect,
        liveness: contract.liveness,
        pairing_timeout: contract.pairing_timeout,
        dir,
        store,
        settings: settings.subscribe(),
        session,
        vitals,
        acks,
        client,
        orders,
        stop: stop.clone(),
    });
    parts.spawn(async { Part::Connection(connection.run().await) });

    let ended = first_end(&mut parts).await;
    stop.cancel();
    let ended = wind_up(ended, &mut parts).await;
    if let Some(link) = &link {
        let replaced = matches!(ended, Err(WorkerError::Replaced));
        let _ = timeout(LAST_WORDS, link.last_words(replaced)).await;
    }
    parts.abort_all();
    tracing::info!("the worker ends");
    ended.map(|()| Ended::Stopped)
}

/// Spawns what talks with the control plane, and gives it a moment to hear of this worker.
async fn talk(parts: &mut JoinSet<Part>, link: &Link) {
    let heartbeats = link.clone().heartbeats();
    parts.spawn(async { Part::Link(heartbeats.await) });
    // Heard or not, the session comes next.
    let _ = timeout(FIRST_HEARTBEAT, link.first_heartbeat()).await;
    let (events, commands) = (link.clone().events(), link.clone().commands());
    parts.spawn(async { Part::Link(events.await) });
    parts.spawn(async { Part::Link(commands.await) });
}

fn tell_start(contract: &Contract, dir: &SessionDir) {
    tracing::info!(
        tenant = %contract.tenant,
        pid = std::process::id(),
        session = %dir.path().display(),
        whatsapp = contract.whatsapp.url,
        "the worker starts"
    );
}

/// Makes the session's databases fit for use and opens the worker's own.
fn open_store(dir: &SessionDir, contract: &Contract) -> Result<BotStore, WorkerError> {
    let findings = safekeeping::open(dir, contract.session_key.as_deref())?;
    let store = BotStore::open(&dir.private_file("bot.db")?)?;
    for (name, detail) in &findings {
        store.note(name, detail, Utc::now())?;
    }
    Ok(store)
}

async fn keep(keeper: Keeper) -> Part {
    keeper.run().await;
    Part::Keeper
}

/// What takes messages from outside: beside what answers, with the same session and client.
fn sends(answers: &Answers, link: Option<&Link>, dir: &SessionDir) -> Sends {
    Sends {
        store: Arc::clone(&answers.store),
        session: answers.session.clone(),
        client: answers.client.clone(),
        link: link.map(Link::client),
        folder: dir.path().join("outgoing"),
        next_look_up: None,
        failures: 0,
    }
}

/// Spawns what answers messages, and what takes those from outside.
fn answer(parts: &mut JoinSet<Part>, answers: Answers, webhook: Webhook, sends: Sends) {
    parts.spawn(async {
        sends.run().await;
        Part::Sends
    });
    parts.spawn(async {
        answers.run().await;
        Part::Answers
    });
    parts.spawn(async {
        webhook.run().await;
        Part::Webhook
    });
}

/// The settings of the last start, or those of the environment.
fn known_settings(store: &BotStore, contract: &Contract) -> Result<Settings, WorkerError> {
    let config = store.config()?.unwrap_or_else(|| WorkerConfig {
        rate_limit_max_per_minute: contract.rate_limit_max_per_minute,
        ..WorkerConfig::default()
    });
    let (settings, problem) = Settings::new(config, None);
    if let Some(problem) = problem {
        tracing::error!(problem, "the rules of the last start are not understood");
    }
    Ok(settings)
}

/// Waits for the first part that ends.
async fn first_end(parts: &mut JoinSet<Part>) -> Part {
    match parts.join_next().await {
        Some(Ok(part)) => part,
        Some(Err(error)) => {
            tracing::error!(%error, "a part of the worker failed");
            Part::Answers
        }
        None => Part::Answers,
    }
}

/// Leaves WhatsApp in order, whichever part ended first, and says why the worker ends.
async fn wind_up(first: Part, parts: &mut JoinSet<Part>) -> Result<(), WorkerError> {
    match first {
        Part::Connection(ended) => ended,
        Part::Link(ended) => {
            connection_ends(parts).await;
            ended.and(Err(WorkerError::Part("link")))
        }
        Part::Answers => {
            connection_ends(parts).await;
            Err(WorkerError::Part("task that answers"))
        }
        Part::Sends => {
            connection_ends(parts).await;
            Err(WorkerError::Part("task that takes messages from outside"))
        }
        Part::Webhook => {
            connection_ends(parts).await;
            Err(WorkerError::Part("task that asks the webhook"))
        }
        Part::Keeper => {
            connection_ends(parts).await;
            Err(WorkerError::Part("task that copies the login"))
        }
    }
}

/// Waits for the connection's end, so that the session is left in order.
async fn connection_ends(parts: &mut JoinSet<Part>) {
    let ends = async {
        while let Some(part) = parts.join_next().await {
            if matches!(part, Ok(Part::Connection(_))) {
                break;
            }
        }
    };
    if timeout(CONNECTION_ENDS, ends).await.is_err() {
        tracing::warn!("the connection to WhatsApp did not end in time");
    }
}
