//! Where WhatsApp's acknowledgements of sent messages meet those who wait for them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedRwLockReadGuard, RwLock, RwLockWriteGuard, oneshot};

/// WhatsApp's answer to a sent message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ack {
    /// It has the message.
    Taken,
    /// It refuses the message, with this code.
    Refused(String),
}

/// Who waits for which message.
#[derive(Debug, Default)]
pub struct AckDesk {
    waiters: Mutex<HashMap<String, oneshot::Sender<Ack>>>,
    sending: Arc<RwLock<()>>,
}

impl AckDesk {
    /// Held from before a message is sent until what came of it is stored.
    pub async fn begin(&self) -> OwnedRwLockReadGuard<()> {
        Arc::clone(&self.sending).read_owned().await
    }

    /// Waits until no message is under way. A worker that ends does so for a moment, so that a message
    /// that WhatsApp took is not sent again at the next start.
    pub async fn under_way(&self) -> RwLockWriteGuard<'_, ()> {
        self.sending.write().await
    }

    /// Waits for the message of this id, from before it is sent.
    #[must_use]
    pub fn expect(&self, message_id: &str) -> oneshot::Receiver<Ack> {
        let (answer, receiver) = oneshot::channel();
        let mut waiters = self.waiters();
        // Whoever gave up is forgotten, so that there are never more than are under way.
        waiters.retain(|_, waiter| !waiter.is_closed());
        waiters.insert(message_id.to_owned(), answer);
        receiver
    }

    /// WhatsApp answered, or a receipt shows that it has the message.
    pub fn acknowledged(&self, message_id: &str, error: Option<String>) {
        let waiter = self.waiters().remove(message_id);
        if let Some(waiter) = waiter {
            // Whoever waited may have given up; the message is then sent again under its id.
            let _ = waiter.send(error.map_or(Ack::Taken, Ack::Refused));
        }
    }

    fn waiters(&self) -> MutexGuard<'_, HashMap<String, oneshot::Sender<Ack>>> {
        self.waiters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_acknowledgement_reaches_only_the_one_who_waits_for_its_id() {
        let desk = AckDesk::default();
        let mut first = desk.expect("A");
        let mut second = desk.expect("C");
        desk.acknowledged("B", None);
        assert!(first.try_recv().is_err());
        desk.acknowledged("A", None);
        assert_eq!(first.try_recv(), Ok(Ack::Taken));
        desk.acknowledged("C", Some("479".to_owned()));
        assert_eq!(second.try_recv(), Ok(Ack::Refused("479".to_owned())));
    }

    #[tokio::test]
    async fn the_end_waits_for_all_that_are_under_way() {
        let desk = AckDesk::default();
        let (first, second) = (desk.begin().await, desk.begin().await);
        drop(first);
        assert!(desk.sending.try_write().is_err());
        drop(second);
        drop(desk.under_way().await);
    }
}
