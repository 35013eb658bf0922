//! The control plane's life: start, serve, end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use api::worker::RuntimeKind;
use axum::Router;
use axum::serve::ListenerExt as _;
use futures::{FutureExt as _, future};
use store::{Deletion, Store};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::Settings;
use crate::deletion;
use crate::fleet::Fleet;
use crate::http;
use crate::metrics::Metrics;
use crate::plane::ControlPlane;
use crate::reconcile;
use crate::reconcile::driver::Reconciler;
use crate::recorder::{self, Backlog};
use crate::sending::upkeep;
use crate::stale::detector;
use crate::startup::{self, StartError};
use crate::token::LinkKey;

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
    let operators = startup::listen(&settings).await?;
    let workers = startup::listen_for_workers(&home)?;
    let (plane, backlog, erased) = assemble(settings).await?;
    let finishing = deletion::finish(plane.clone(), erased);

    let address = operators
        .local_addr()
        .map_err(|source| StartError::File { path: home.server_file(), source })?;
    let beginning = future::join(announce(plane.clone(), address), finishing);
    serve(&plane, backlog, operators, workers, shutdown, beginning.map(drop)).await;
    startup::withdraw(&home.server_file());
    tracing::info!("ended; workers go on");
    Ok(())
}

/// Says where we are once the workers that run are known, or the supervisor takes its time.
async fn announce(plane: Arc<ControlPlane>, address: SocketAddr) {
    let home = &plane.settings.home;
    if !plane.fleet.is_synced_within(FIRST_SYNC).await {
        tracing::warn!("not all runtimes have told what runs in them");
    }
    if let Err(error) = startup::announce(home, address) {
        tracing::error!(%error, "the command line will not find this server by itself");
    }
    tracing::info!(url = format!("http://{address}"), home = %home.root().display(), "ready");
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
        admin_token_hash,
    };
    Ok((Arc::new(plane), backlog, erased))
}

async fn serve(
    plane: &Arc<ControlPlane>,
    backlog: Backlog,
    operators: TcpListener,
    workers: UnixListener,
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
    tasks.spawn(upkeep::run(plane.clone(), shutdown.clone()));
    // Small answers must not wait for the acknowledgement of the one before.
    let operators = operators.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY could not be set");
        }
    });
    tasks.spawn(listen(operators, http::router(plane), shutdown.clone()));
    tasks.spawn(listen(workers, http::link_router(plane), shutdown.clone()));
    tasks.spawn(beginning);

    shutdown.cancelled().await;
    let all_ended = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, all_ended).await.is_err() {
        // Followed logs and command streams never end by themselves.
        tracing::debug!("open streams were cut");
        tasks.shutdown().await;
    }
    last.cancel();
    if let Err(error) = recording.await {
        tracing::error!(%error, "the recorder failed");
    }
}

async fn listen<L>(listener: L, routes: Router, shutdown: CancellationToken)
where
    L: axum::serve::Listener,
    L::Addr: std::fmt::Debug,
{
    let served =
        axum::serve(listener, routes).with_graceful_shutdown(shutdown.cancelled_owned()).await;
    if let Err(error) = served {
        tracing::error!(%error, "a listener failed");
    }
}
