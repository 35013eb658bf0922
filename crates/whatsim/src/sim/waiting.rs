//! Waiting for something to happen on the network, never longer than asked.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::account::LinkState;
use crate::contact::{Delivery, ReceivedText};
use crate::error::SimError;
use crate::sim::Sim;
use crate::world::World;

impl Sim {
    /// Waits until the contact has received more than `after` texts since it was
    /// added and gives the one that follows: `0` waits for the first.
    ///
    /// # Errors
    /// When the contact is unknown or nothing arrives in time.
    pub async fn wait_for_reply(
        &self,
        contact: &str,
        after: u64,
        timeout: Duration,
    ) -> Result<ReceivedText, SimError> {
        let deadline = Instant::now() + timeout;
        let mut arrivals = self.network.world().contact(contact)?.arrivals();
        loop {
            arrivals.borrow_and_update();
            if let Some(text) = self.network.world().contact(contact)?.received_from(after) {
                return Ok(text.clone());
            }
            wait_for_change(&mut arrivals, deadline, "a reply").await?;
        }
    }

    /// Waits until the account's device is ready for messages.
    ///
    /// # Errors
    /// When the account is unknown or it does not happen in time.
    pub async fn wait_online(&self, phone: &str, timeout: Duration) -> Result<(), SimError> {
        self.wait_link(phone, LinkState::Online, timeout).await
    }

    /// Waits until the account's device is in this state.
    ///
    /// # Errors
    /// When the account is unknown or it does not happen in time.
    pub async fn wait_link(
        &self,
        phone: &str,
        link: LinkState,
        timeout: Duration,
    ) -> Result<(), SimError> {
        self.wait_until("the state of a device", timeout, |world| {
            Ok(world.account_state(world.account(phone)?).link == link)
        })
        .await
    }

    /// Waits until a bot has confirmed that it has this text (or read it).
    ///
    /// # Errors
    /// When the contact never sent it or no receipt arrives in time.
    pub async fn wait_confirmed(
        &self,
        contact: &str,
        message: &str,
        timeout: Duration,
    ) -> Result<Delivery, SimError> {
        let delivery = |world: &World| {
            let sent = world.contact(contact)?.sent(message);
            sent.map(|sent| sent.delivery)
                .ok_or_else(|| SimError::UnknownMessage(message.to_owned()))
        };
        self.wait_until("a receipt", timeout, |world| Ok(delivery(world)? >= Delivery::Delivered))
            .await?;
        delivery(&self.network.world())
    }

    pub(crate) async fn wait_until(
        &self,
        what: &'static str,
        timeout: Duration,
        reached: impl Fn(&World) -> Result<bool, SimError>,
    ) -> Result<(), SimError> {
        let deadline = Instant::now() + timeout;
        let mut changes = self.network.world().changes();
        loop {
            changes.borrow_and_update();
            if reached(&self.network.world())? {
                return Ok(());
            }
            wait_for_change(&mut changes, deadline, what).await?;
        }
    }
}

async fn wait_for_change(
    changes: &mut tokio::sync::watch::Receiver<u64>,
    deadline: Instant,
    what: &'static str,
) -> Result<(), SimError> {
    match timeout_at(deadline, changes.changed()).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(SimError::TimedOut(what)),
    }
}
