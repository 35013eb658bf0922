//! Accepts connections.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

use crate::connection;
use crate::network::Network;

/// Pause after a failed accept, such as when file descriptors run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves clients until the network stops.
pub(crate) async fn listen(network: Arc<Network>, listener: TcpListener, tasks: TaskTracker) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = network.stop.cancelled() => return,
        };
        match accepted {
            // Dropping the stream is the refusal.
            Ok(_) if network.world().refusing => {}
            Ok((stream, _)) => {
                tasks.spawn(connection::serve(Arc::clone(&network), stream));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection cannot be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
