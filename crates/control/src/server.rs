//! The control plane's life: start, serve, end.

use std::net::Ipv4Addr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use api::worker::RuntimeKind;
use axum::Router;
use axum::http::Uri;
use chrono::Utc;
use futures::{FutureExt as _, future};
use store::{Deletion, Store};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::audit::Actor;
use crate::backup::Kept;
use crate::brand::Brands;
use crate::config::Settings;
use crate::dashboard::{self, Dashboard};
use crate::deletion;
use crate::doctor::Doctor;
use crate::fleet::Fleet;
use crate::http::{self, credential, peer::Peer};
use crate::metrics::Metrics;
use crate::people::{self, People};
use crate::plane::ControlPlane;
use crate::reconcile;
use crate::reconcile::driver::Reconciler;
use crate::recorder::{self, Backlog};
use crate::sending::upkeep;
use crate::serving::{
    self, Certificate, Connections, Front, Hosts, Limits, Rate, Serving, Timeouts,
};
use crate::stale::detector;
use crate::startup::{self, StartError};
use crate::token::{KeyError, LinkKey};
use crate::usage::Figures;

/// How long requests that are under way at shutdown may take to finish.
const GRACE: Duration = Duration::from_secs(3);

/// How long to wait until the runtimes have told what runs, before operators are let in all the same.
const FIRST_SYNC: Duration = Duration::from_secs(5);

/// Runs the control plane until `shutdown`. Workers and supervisor go on without it.
///
/// # Errors
/// [`StartError`], each with its remedy; nothing was changed then.
pub async fn run(settings: Settings, shutdown: CancellationToken) -> Result<(), StartError> {
    startup::directories(&settings)?;
    let home = settings.home.clone();
    let _lock = startup::lock(&home)?;
    startup::raise_open_files();
    let doors = Doors::open(&settings).await?;
    let (plane, backlog, erased) = assemble(settings).await?;
    let finishing = deletion::finish(plane.clone(), erased);

    let _ = plane.listening.set(doors.urls.shown.clone());
    offer_set_up(&plane)?;
    let beginning = future::join(announce(plane.clone(), doors.urls.clone()), finishing);
    serve(&plane, backlog, doors, shutdown, beginning.map(drop)).await;
    startup::withdraw(&home.server_file());
    tracing::info!("ended; workers go on");
    Ok(())
}

/// Where nobody is an administrator yet, the console says how to become one.
fn offer_set_up(plane: &ControlPlane) -> Result<(), StartError> {
    if let Some(token) = plane.people.setup_token().map_err(KeyError::Random)? {
        let link = format!("{}/setup#{token}", plane.base_url());
        startup::show_on_console(&format!(
            "Nobody is an administrator yet. Open this link to become one; it is good until it is used or \
             this server ends:\n\n    {link}\n"
        ));
    }
    Ok(())
}

/// Where the control plane is reached.
struct Doors {
    /// By everybody.
    operators: TcpListener,
    certificate: Option<Arc<Certificate>>,
    tls: Option<TlsAcceptor>,
    /// By the command line of this machine, where the port speaks TLS with a name that is not this machine's.
    command_line: Option<UnixListener>,
    /// By the workers of this machine.
    workers: UnixListener,
    urls: Urls,
}

/// How the doors are called.
#[derive(Clone)]
struct Urls {
    /// By people.
    shown: String,
    /// By the command line on this machine.
    local: String,
}

impl Doors {
    async fn open(settings: &Settings) -> Result<Self, StartError> {
        let home = &settings.home;
        let certificate = match (&settings.tls_cert, &settings.tls_key) {
            (Some(certificate), Some(key)) => {
                Some(Certificate::load(certificate.clone(), key.clone())?)
            }
            _ => None,
        };
        let tls = certificate.as_ref().map(Certificate::acceptor).transpose()?;
        let operators = startup::listen(settings).await?;
        let address = operators
            .local_addr()
            .map_err(|source| StartError::File { path: home.server_file(), source })?;
        let socket = home.server_socket();
        let (command_line, urls) = if tls.is_some() {
            let urls = Urls {
                shown: format!("https://{address}"),
                local: format!("unix:{}", socket.display()),
            };
            (Some(startup::listen_locally(&socket)?), urls)
        } else {
            let url = format!("http://{address}");
            (None, Urls { shown: url.clone(), local: url })
        };
        let workers = startup::listen_locally(&home.link_socket())?;
        Ok(Self { operators, certificate, tls, command_line, workers, urls })
    }
}

/// Says where we are once the workers that run are known, or the supervisor takes its time.
async fn announce(plane: Arc<ControlPlane>, urls: Urls) {
    let home = &plane.settings.home;
    if !plane.fleet.is_synced_within(FIRST_SYNC).await {
        tracing::warn!("not all runtimes have told what runs in them");
    }
    if let Err(error) = startup::announce(home, &urls.local) {
        tracing::error!(%error, "the command line will not find this server by itself");
    }
    tracing::info!(url = urls.shown, home = %home.root().display(), "ready");
}

/// Opens what is durable, finds what runs, and puts the parts together. Gives also the deletions that are to be
/// finished.
async fn assemble(
    settings: Settings,
) -> Result<(Arc<ControlPlane>, Backlog, Vec<Deletion>), StartError> {
    let home = &settings.home;
    let mut store = Store::open(settings.database_url.expose()).await?;
    let metrics = Metrics::default();
    metrics.store.observe(&mut store);
    let admin_token_hash = startup::admin_token(&store, home).await?;
    let people = People::open(store.clone(), &settings).await?;
    let brand = Brands::open(store.clone()).await?;
    let doctor = Doctor::new(startup::own_program()?);
    let link_key = LinkKey::load(&home.root().join("link.key"))?;
    let erased = deletion::go_on(&store, &settings).await?;
    let tenants = store.tenants().await?;
    let runtimes = startup::runtimes(&settings, &tenants).await?;
    let fleet = Fleet::default();
    for kind in runtimes.used() {
        fleet.expect(kind);
    }
    for record in tenants {
        fleet.insert(record);
    }
    let (recorder, backlog) = recorder::channel();
    let limits = Arc::new(limits(&settings));
    let plane = ControlPlane {
        settings,
        store,
        fleet,
        runtimes,
        reconciler: Reconciler::default(),
        recorder,
        metrics,
        settled: Notify::new(),
        link_key,
        people,
        admin: credential::administrator(Actor::AdminToken),
        brand,
        doctor,
        backups: Kept::default(),
        started_at: Utc::now(),
        listening: OnceLock::new(),
        admin_token_hash,
        figures: Figures::default(),
        dashboard: Dashboard::default(),
        heavy: Arc::default(),
        limits,
    };
    Ok((Arc::new(plane), backlog, erased))
}

async fn serve(
    plane: &Arc<ControlPlane>,
    backlog: Backlog,
    doors: Doors,
    shutdown: CancellationToken,
    beginning: impl Future<Output = ()> + Send + 'static,
) {
    // The recorder goes last: it writes down what the others still had to say.
    let last = CancellationToken::new();
    let recording = tokio::spawn(recorder::run(plane.clone(), backlog, last.clone()));
    let mut tasks = JoinSet::new();
    for kind in RuntimeKind::ALL {
        tasks.spawn(reconcile::watch::run(plane.clone(), kind, shutdown.clone()));
    }
    tasks.spawn(detector::run(plane.clone(), shutdown.clone()));
    tasks.spawn(dashboard::run(plane.clone(), shutdown.clone()));
    tasks.spawn(upkeep::run(plane.clone(), shutdown.clone()));
    tasks.spawn(people::upkeep::run(plane.clone(), shutdown.clone()));
    tasks.spawn(tidy(plane.clone(), shutdown.clone()));
    let routes = http::router(plane);
    if let Some(certificate) = doors.certificate {
        tasks.spawn(certificate.follow(serving::LOOK, shutdown.clone()));
    }
    if let Some(listener) = doors.command_line {
        // What goes through it never leaves the machine.
        let peer = Peer { address: Ipv4Addr::LOCALHOST.into(), tls: true };
        tasks.spawn(serving::local(listener, routes.clone(), Some(peer), shutdown.clone()));
    }
    let operators = Serving {
        front: Arc::new(front(plane, routes, &shutdown)),
        tls: doors.tls,
        connections: Connections::new(
            plane.settings.max_connections,
            plane.settings.max_connections_per_address,
        ),
        timeouts: Timeouts::default(),
    };
    tasks.spawn(operators.run(doors.operators, shutdown.clone()));
    let link = http::link_router(plane);
    tasks.spawn(serving::local(doors.workers, link, None, shutdown.clone()));
    tasks.spawn(beginning);

    shutdown.cancelled().await;
    let all_ended = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, all_ended).await.is_err() {
        tracing::debug!("requests that took too long were cut");
        tasks.shutdown().await;
    }
    last.cancel();
    if let Err(error) = recording.await {
        tracing::error!(%error, "the recorder failed");
    }
}

/// What requests over TCP go through.
fn front(plane: &ControlPlane, routes: Router, shutdown: &CancellationToken) -> Front {
    let settings = &plane.settings;
    let public = settings.public_url.as_deref().and_then(|url| url.parse::<Uri>().ok());
    let hosts = settings
        .bind
        .to_canonical()
        .is_loopback()
        .then(|| Hosts::new(public.as_ref().and_then(Uri::host)));
    Front {
        routes,
        proxies: settings.trusted_proxies.clone(),
        hosts,
        limits: Arc::clone(&plane.limits),
        shutdown: shutdown.clone(),
    }
}

/// Forgets every so often who has not asked for a while.
async fn tidy(plane: Arc<ControlPlane>, shutdown: CancellationToken) {
    let mut timer = tokio::time::interval(serving::TIDY);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = timer.tick() => plane.limits.tidy(),
        }
    }
}

/// The limits by the settings.
fn limits(settings: &Settings) -> Limits {
    let of_address = Rate {
        per_second: settings.rate_limit_per_address,
        burst: settings.rate_limit_per_address_burst,
    };
    let per_second = settings.rate_limit_per_credential;
    Limits::new(of_address, Rate { per_second, burst: per_second.saturating_mul(4) })
}
