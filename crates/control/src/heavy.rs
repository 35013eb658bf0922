//! Reads that may take long: so many at a time, and one of a tenant, so that those who look at one tenant's messages
//! leave the database's connections to the others.
//!
//! A read goes on when whoever asked has gone away, as the database's work does: its turn lasts as long as that, and
//! nobody gets more of the database by asking and leaving.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use api::TenantId;
use parking_lot::Mutex;
use tokio::sync::{Mutex as Turn, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};

use crate::problem::{ApiError, Kind};

/// How many run at once. SQLite has four connections, PostgreSQL eight.
const AT_ONCE: usize = 2;

/// How long somebody waits for their turn.
const PATIENCE: Duration = Duration::from_secs(5);

/// When to come again.
const AGAIN: Duration = Duration::from_secs(5);

/// Lets reads that may take long have their turn.
pub struct HeavyReads {
    patience: Duration,
    room: Arc<Semaphore>,
    /// The tenants that somebody reads from, or waits to.
    turns: Mutex<HashMap<TenantId, Arc<Turn<()>>>>,
}

impl Default for HeavyReads {
    fn default() -> Self {
        Self::with_patience(PATIENCE)
    }
}

impl HeavyReads {
    fn with_patience(patience: Duration) -> Self {
        Self { patience, room: Arc::new(Semaphore::new(AT_ONCE)), turns: Mutex::default() }
    }

    /// Reads from a tenant when its turn has come.
    ///
    /// # Errors
    /// [`Kind::Busy`] when that is not within five seconds; those of the read.
    pub async fn read<T, E>(
        self: &Arc<Self>,
        tenant: TenantId,
        read: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> Result<T, ApiError>
    where
        T: Send + 'static,
        E: Into<ApiError> + Send + 'static,
    {
        let turn = self.enter(tenant).await?;
        let done = tokio::spawn(async move {
            let done = read.await;
            drop(turn);
            done
        });
        let done = done.await.map_err(|error| ApiError::new(Kind::Internal, error.to_string()))?;
        done.map_err(Into::into)
    }

    async fn enter(self: &Arc<Self>, tenant: TenantId) -> Result<HeavyRead, ApiError> {
        let mut read = HeavyRead { reads: Arc::clone(self), tenant, turn: None, room: None };
        let wait = async {
            let turn = Arc::clone(self.turns.lock().entry(tenant).or_default());
            // The tenant's turn first: whoever waits for it takes no room.
            read.turn = Some(turn.lock_owned().await);
            read.room = Arc::clone(&self.room).acquire_owned().await.ok();
        };
        if tokio::time::timeout(self.patience, wait).await.is_ok() {
            return Ok(read);
        }
        let detail = "too many searches and lists of chats are under way; try again in a moment";
        Err(ApiError::new(Kind::Busy, detail).with_retry_after(AGAIN))
    }
}

/// A turn. It is over when this is dropped.
struct HeavyRead {
    reads: Arc<HeavyReads>,
    tenant: TenantId,
    turn: Option<OwnedMutexGuard<()>>,
    room: Option<OwnedSemaphorePermit>,
}

impl Drop for HeavyRead {
    fn drop(&mut self) {
        (self.room, self.turn) = (None, None);
        // Others who wait hold it as well; it is only cloned under this lock.
        let mut turns = self.reads.turns.lock();
        if turns.get(&self.tenant).is_some_and(|turn| Arc::strong_count(turn) == 1) {
            turns.remove(&self.tenant);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail")]

    use axum::response::IntoResponse as _;
    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn one_of_a_tenant_and_two_of_all_are_read_at_once() {
        let reads = Arc::new(HeavyReads::with_patience(Duration::from_millis(20)));
        let [one, two, three] = [(); 3].map(|()| TenantId::generate());
        let first = reads.enter(one).await.unwrap();
        let refused = reads.enter(one).await.err().unwrap();
        assert_eq!(refused.kind(), Kind::Busy);
        assert_eq!(refused.into_response().headers()["retry-after"], "5");
        let second = reads.enter(two).await.unwrap();
        assert_eq!(reads.enter(three).await.err().unwrap().kind(), Kind::Busy);
        drop(first);
        assert!(reads.enter(two).now_or_never().is_none(), "its own is under way yet");
        let third = reads.enter(three).now_or_never().unwrap().unwrap();
        drop((second, third));
        assert_eq!(reads.turns.lock().len(), 0, "nobody is remembered");
    }

    #[tokio::test]
    async fn who_waits_gets_the_next_turn() {
        let reads = Arc::new(HeavyReads::default());
        let one = TenantId::generate();
        let first = reads.enter(one).await.unwrap();
        let (second, ()) = tokio::join!(reads.enter(one), async {
            tokio::task::yield_now().await;
            drop(first);
        });
        assert!(reads.enter(one).now_or_never().is_none());
        drop(second.unwrap());
        assert_eq!(reads.turns.lock().len(), 0);
    }

    #[tokio::test]
    async fn a_read_keeps_its_turn_when_whoever_asked_has_gone() {
        let reads = Arc::new(HeavyReads::with_patience(Duration::from_millis(20)));
        let one = TenantId::generate();
        let (finish, finished) = tokio::sync::oneshot::channel::<()>();
        let slow = async { finished.await.map_err(|_| ApiError::new(Kind::Internal, "gone")) };
        assert!(reads.read(one, slow).now_or_never().is_none(), "asked, and left");
        let fast = || async { Ok::<_, ApiError>(7) };
        assert_eq!(reads.read(one, fast()).await.err().unwrap().kind(), Kind::Busy);
        finish.send(()).unwrap();
        while reads.enter(one).await.is_err() {}
        assert_eq!(reads.read(one, fast()).await.unwrap(), 7);
    }
}
