//! Where WhatsApp's acknowledgement of a sent message meets the one who waits for it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{self, oneshot};

/// WhatsApp's answer to a sent message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ack {
    /// It has the message.
    Taken,
    /// It refuses the message, with this code.
    Refused(String),
}

/// One message at a time is under way, so there is one place to wait at.
#[derive(Debug, Default)]
pub struct AckDesk {
    waiter: Mutex<Option<Waiter>>,
    sending: sync::Mutex<()>,
}

#[derive(Debug)]
struct Waiter {
    message_id: String,
    answer: oneshot::Sender<Ack>,
}

impl AckDesk {
    /// Held from before a message is sent until what came of it is stored. A worker that ends waits
    /// a moment for it, so that a message WhatsApp took is not sent again at the next start.
    pub async fn under_way(&self) -> sync::MutexGuard<'_, ()> {
        self.sending.lock().await
    }

    /// Waits for the message of this id, from before it is sent; whoever waited before is let go.
    #[must_use]
    pub fn expect(&self, message_id: &str) -> oneshot::Receiver<Ack> {
        let (answer, receiver) = oneshot::channel();
        *self.waiter() = Some(Waiter { message_id: message_id.to_owned(), answer });
        receiver
    }

    /// WhatsApp answered.
    pub fn acknowledged(&self, message_id: &str, error: Option<String>) {
        let mut waiter = self.waiter();
        if waiter.as_ref().is_some_and(|waiter| waiter.message_id == message_id)
            && let Some(waiter) = waiter.take()
        {
            // Whoever waited may have given up; the message is then sent again under its id.
            let _ = waiter.answer.send(error.map_or(Ack::Taken, Ack::Refused));
        }
    }

    fn waiter(&self) -> MutexGuard<'_, Option<Waiter>> {
        self.waiter.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_acknowledgement_reaches_only_the_one_who_waits_for_its_id() {
        let desk = AckDesk::default();
        let mut first = desk.expect("A");
        desk.acknowledged("B", None);
        assert!(first.try_recv().is_err());
        desk.acknowledged("A", None);
        assert_eq!(first.try_recv(), Ok(Ack::Taken));
        let mut second = desk.expect("C");
        desk.acknowledged("C", Some("479".to_owned()));
        assert_eq!(second.try_recv(), Ok(Ack::Refused("479".to_owned())));
    }
}
