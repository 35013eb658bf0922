//! One connection from its first byte to its end.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Instant;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use super::body::Answer;
use super::progress::{Progress, Timeouts};
use super::stream::Watched;

/// The most that is buffered of what comes in or goes out, in bytes. What a request's head may have is less,
/// so that most that is too large can still be told so in a problem document.
const BUFFER: usize = 64 * 1024;

/// Serves a connection until it ends, takes too long over something, or the server ends and nothing is
/// under way any more. Without `timeouts` it may take as long as it likes.
pub async fn serve<S, F>(
    stream: S,
    front: F,
    progress: Arc<Progress>,
    timeouts: Option<Timeouts>,
    shutdown: CancellationToken,
) where
    S: AsyncRead + AsyncWrite + Unpin,
    F: Service<Request<Incoming>, Response = Response<Answer>, Error = Infallible>,
{
    let io = TokioIo::new(Watched::new(stream, Arc::clone(&progress)));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // Ours tells a slow head from a pause between two requests.
        .header_read_timeout(None)
        .max_buf_size(BUFFER)
        .serve_connection(io, front);
    tokio::pin!(connection);
    let watchdog = overdue(&progress, timeouts);
    tokio::pin!(watchdog);
    let mut ending = false;
    loop {
        tokio::select! {
            biased;
            ended = &mut connection => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ended early");
                }
                return;
            }
            () = shutdown.cancelled(), if !ending => {
                if progress.is_between_requests() {
                    return;
                }
                ending = true;
                connection.as_mut().graceful_shutdown();
            }
            () = &mut watchdog => return,
        }
    }
}

/// Returns when something has taken too long.
async fn overdue(progress: &Progress, timeouts: Option<Timeouts>) {
    let Some(timeouts) = timeouts else { return std::future::pending().await };
    let mut look = tokio::time::interval(timeouts.look());
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        look.tick().await;
        if let Some(what) = progress.overdue(Instant::now(), &timeouts) {
            tracing::debug!(?what, "a connection took too long and was cut");
            return;
        }
    }
}
