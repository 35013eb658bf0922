//! Things that go wrong on a network, made to happen.

use crate::delivery;
use crate::error::SimError;
use crate::sim::Sim;
use crate::stanza::nodes;
use crate::world::Control;

impl Sim {
    /// Delivers a text that was sent before once more: the very same message id,
    /// freshly encrypted.
    ///
    /// # Errors
    /// When the contact never sent it or no device is linked.
    pub fn redeliver(&self, contact: &str, message: &str) -> Result<(), SimError> {
        delivery::redeliver(&mut self.network.world(), contact, message)
    }

    /// Damages the next ciphertext of this contact, so that the device has to ask again.
    ///
    /// # Errors
    /// When the contact is unknown.
    pub fn corrupt_next(&self, contact: &str) -> Result<(), SimError> {
        self.network.world().contact_mut(contact)?.corrupt_next = true;
        Ok(())
    }

    /// Drops the TCP connection of the account's device.
    ///
    /// # Errors
    /// When the account is unknown, not linked or not connected.
    pub fn cut(&self, phone: &str) -> Result<(), SimError> {
        self.order(phone, Control::Cut)
    }

    /// Keeps the socket of the account's device open and goes silent: nothing is
    /// read or written. It lasts until [`Sim::resume`], or until the device connects anew.
    ///
    /// # Errors
    /// When the account is unknown, not linked or not connected.
    pub fn stall(&self, phone: &str) -> Result<(), SimError> {
        self.order(phone, Control::Stalled)
    }

    /// Ends a stall.
    ///
    /// # Errors
    /// When the account is unknown, not linked or not connected.
    pub fn resume(&self, phone: &str) -> Result<(), SimError> {
        self.order(phone, Control::Running)
    }

    fn order(&self, phone: &str, control: Control) -> Result<(), SimError> {
        let world = self.network.world();
        world.control(world.connection_of(phone)?, control);
        Ok(())
    }

    /// Tells the account's device that another connection took its place.
    ///
    /// # Errors
    /// When the account is unknown, not linked or not connected.
    pub fn replace(&self, phone: &str) -> Result<(), SimError> {
        let world = self.network.world();
        world.end(world.connection_of(phone)?, &nodes::stream_error("", Some("replaced")));
        Ok(())
    }

    /// The account's phone unlinks the device. A connected one is told; any other
    /// is refused with 401 when it logs in the next time.
    ///
    /// # Errors
    /// When the account is unknown or not linked.
    pub fn logout(&self, phone: &str) -> Result<(), SimError> {
        let mut world = self.network.world();
        if world.account(phone)?.device.is_none() {
            return Err(SimError::NotLinked(phone.to_owned()));
        }
        if let Some(connection) = world.unlink(phone) {
            world.end(connection, &nodes::stream_error("401", Some("device_removed")));
        }
        Ok(())
    }

    /// Whether new connections are dropped as soon as they are accepted. Open ones stay.
    pub fn refuse_connections(&self, refuse: bool) {
        self.network.world().refusing = refuse;
    }
}
