//! Ending on request.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// A token that is cancelled when the process is asked to end: by SIGTERM, by Ctrl-C, or because its
/// terminal was closed. Needs a running runtime.
///
/// # Errors
/// When the signals cannot be listened to.
pub fn on_signal() -> anyhow::Result<CancellationToken> {
    let token = CancellationToken::new();
    for kind in [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()] {
        let mut arrivals = signal(kind)?;
        let token = token.clone();
        tokio::spawn(async move {
            arrivals.recv().await;
            token.cancel();
        });
    }
    Ok(token)
}
