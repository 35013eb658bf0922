//! Tells those who follow a process's output that there is more of it. (tokio's `watch` could, but takes ten times the memory,
//! and every process has one.)

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::Notify;

/// Where new output is told of. Clones tell the same listeners.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pulse {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    beats: AtomicU64,
    ended: AtomicBool,
    beaten: Notify,
}

/// Hears of new output.
#[derive(Debug, Clone)]
pub(crate) struct Listener {
    shared: Arc<Shared>,
    heard: u64,
}

impl Pulse {
    /// There is more.
    pub(crate) fn beat(&self) {
        self.shared.beats.fetch_add(1, Ordering::Release);
        self.shared.beaten.notify_waiters();
    }

    /// There will be no more: the process is forgotten.
    pub(crate) fn end(&self) {
        self.shared.ended.store(true, Ordering::Release);
        self.shared.beaten.notify_waiters();
    }

    /// Hears of what comes from now on.
    pub(crate) fn listen(&self) -> Listener {
        let heard = self.shared.beats.load(Ordering::Acquire);
        Listener { shared: Arc::clone(&self.shared), heard }
    }
}

impl Listener {
    /// Waits until there is more than at the last call. `None`: there will be no more.
    pub(crate) async fn more(&mut self) -> Option<()> {
        loop {
            // Whoever is told of the next beat must be so before he looks whether it was there already.
            let beaten = self.shared.beaten.notified();
            tokio::pin!(beaten);
            beaten.as_mut().enable();
            let ended = self.shared.ended.load(Ordering::Acquire);
            let beats = self.shared.beats.load(Ordering::Acquire);
            if beats != self.heard {
                self.heard = beats;
                return Some(());
            }
            if ended {
                return None;
            }
            beaten.await;
        }
    }

    /// What has been is no news any more.
    pub(crate) fn forget(&mut self) {
        self.heard = self.shared.beats.load(Ordering::Acquire);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn each_listener_hears_of_all_that_is_new_to_him() {
        let pulse = Pulse::default();
        pulse.beat();
        let mut first = pulse.listen();
        assert!(first.more().now_or_never().is_none(), "that was before");
        pulse.clone().beat();
        pulse.beat();
        let mut second = first.clone();
        assert!(first.more().now_or_never().is_some());
        assert!(first.more().now_or_never().is_none(), "two beats are one piece of news");
        second.forget();
        let waiting = tokio::spawn(async move { second.more().await });
        while !waiting.is_finished() {
            pulse.beat();
            tokio::task::yield_now().await;
        }
        waiting.await.unwrap();
        assert!(first.more().now_or_never().is_some());
        pulse.beat();
        pulse.end();
        assert_eq!(
            first.more().now_or_never(),
            Some(Some(())),
            "what came before the end is heard"
        );
        assert_eq!(first.more().now_or_never(), Some(None));
    }
}
