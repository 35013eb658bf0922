//! What is stored of a message that came to the end of its way.

use chrono::Utc;

use super::Answers;
use super::way::{Arrived, Sent};
use crate::pacing::Pacer;
use crate::store::{Outgoing, StoreError};

/// How often a message is tried on a working connection before it is given up.
const TRIES: u32 = 5;

/// The wait after the first failed try; it doubles with each.
const FIRST_RETRY: chrono::Duration = chrono::Duration::seconds(2);

impl Answers {
    /// Stores what came of a message.
    pub(super) fn arrived(&self, arrived: Arrived, pacer: &mut Pacer) {
        let Arrived { outgoing, sent, guard } = arrived;
        if let Err(error) = self.settle(&outgoing, sent, pacer) {
            // Its row says that it waits: it goes out again under its id.
            tracing::error!(%error, id = outgoing.message_id, "cannot store what became of it");
        }
        drop(guard);
    }

    fn settle(&self, outgoing: &Outgoing, sent: Sent, pacer: &mut Pacer) -> Result<(), StoreError> {
        let now = Utc::now();
        let id = &outgoing.message_id;
        match sent {
            Sent::Taken => {
                tracing::info!(%id, "answered");
                self.store.sent(outgoing, now)
            }
            Sent::Withheld => Ok(()),
            Sent::Interrupted => {
                tracing::info!(%id, "the connection went while answering; it goes out again");
                self.store.postpone(outgoing.seq, now + chrono::Duration::seconds(1))
            }
            Sent::TooMuch(code) => {
                let pace = self.settings.borrow().pace.clone();
                if let Some((slowdown, told)) = pacer.struck(&code, now, &pace) {
                    tracing::error!(%id, told, "slower from now on");
                    self.store.slow_down(slowdown, &told, now)?;
                }
                self.again(outgoing, &format!("WhatsApp answers {code}"))
            }
            Sent::Failed(why) => self.again(outgoing, &why),
            Sent::Refused(why) => {
                tracing::error!(%id, why, "an answer is given up");
                self.store.give_up(outgoing, &why, now)
            }
        }
    }

    /// Another try, or none any more.
    fn again(&self, outgoing: &Outgoing, why: &str) -> Result<(), StoreError> {
        let (now, id) = (Utc::now(), &outgoing.message_id);
        if outgoing.tries + 1 < TRIES {
            tracing::warn!(%id, why, "an answer was not sent; it is tried again");
            return self.store.retry(outgoing, now + FIRST_RETRY * (1 << outgoing.tries.min(8)));
        }
        tracing::error!(%id, why, "an answer is given up");
        self.store.give_up(outgoing, why, now)
    }
}
