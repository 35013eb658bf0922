//! Things that go wrong on a network, made to happen.

use crate::delivery;
use crate::error::SimError;
use crate::event::SimEvent;
use crate::fault::{ArmedFault, Fault, FaultKind, strike};
use crate::pairing;
use crate::sim::Sim;
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

    /// Whether a contact publishes keys whose signature is wrong, so that no bot should
    /// write to it.
    ///
    /// # Errors
    /// When the contact is unknown.
    pub fn spoil_keys(&self, contact: &str, spoil: bool) -> Result<(), SimError> {
        self.network.world().contact_mut(contact)?.spoils_keys = spoil;
        Ok(())
    }

    /// Arms a fault for an account, to happen as often as it usually does
    /// ([`Fault::usual_uses`]). One that concerns the connection strikes at once if
    /// there is one. A fault of the same kind that is still armed is replaced.
    ///
    /// # Errors
    /// When the account is unknown, or a phone is to log out a device that it does not have.
    pub fn inject(&self, phone: &str, fault: Fault) -> Result<(), SimError> {
        strike::inject(&mut self.network.world(), phone, fault, fault.usual_uses())
    }

    /// Arms a fault for an account, to happen so many times.
    ///
    /// # Errors
    /// As [`Sim::inject`].
    pub fn inject_times(&self, phone: &str, fault: Fault, times: u32) -> Result<(), SimError> {
        strike::inject(&mut self.network.world(), phone, fault, Some(times))
    }

    /// Arms a fault for an account, to happen until [`Sim::end_fault`].
    ///
    /// # Errors
    /// As [`Sim::inject`].
    pub fn inject_until_ended(&self, phone: &str, fault: Fault) -> Result<(), SimError> {
        strike::inject(&mut self.network.world(), phone, fault, None)
    }

    /// Ends a fault, armed or under way; what waited because of it goes on.
    ///
    /// # Errors
    /// When the account is unknown.
    pub fn end_fault(&self, phone: &str, kind: FaultKind) -> Result<(), SimError> {
        strike::end(&mut self.network.world(), phone, kind)
    }

    /// Ends all faults of an account, armed or under way.
    ///
    /// # Errors
    /// When the account is unknown.
    pub fn end_faults(&self, phone: &str) -> Result<(), SimError> {
        let mut world = self.network.world();
        FaultKind::ALL.into_iter().try_for_each(|kind| strike::end(&mut world, phone, kind))
    }

    /// The faults that are armed for an account.
    ///
    /// # Errors
    /// When the account is unknown.
    pub fn faults(&self, phone: &str) -> Result<Vec<ArmedFault>, SimError> {
        Ok(self.network.world().account(phone)?.faults.armed())
    }

    /// Drops the TCP connection of the account's device: [`Fault::Cut`], now.
    ///
    /// # Errors
    /// When the account is unknown, not linked or not connected.
    pub fn cut(&self, phone: &str) -> Result<(), SimError> {
        self.strike_now(phone, Fault::Cut)
    }

    /// Keeps the socket of the account's device open and goes silent: nothing is
    /// read or written. It lasts until [`Sim::resume`], or until the device connects anew.
    ///
    /// # Errors
    /// When the account is unknown, not linked or not connected.
    pub fn stall(&self, phone: &str) -> Result<(), SimError> {
        self.strike_now(phone, Fault::Stall)
    }

    /// Ends a stall.
    ///
    /// # Errors
    /// When the account is unknown, not linked or not connected.
    pub fn resume(&self, phone: &str) -> Result<(), SimError> {
        self.network.world().connection_of(phone)?;
        self.end_fault(phone, FaultKind::Stall)
    }

    /// Tells the account's device that another connection took its place.
    ///
    /// # Errors
    /// When the account is unknown, not linked or not connected.
    pub fn replace(&self, phone: &str) -> Result<(), SimError> {
        self.strike_now(phone, Fault::Replace)
    }

    /// The account's phone unlinks the device. A connected one is told; any other
    /// is refused with 401 when it logs in the next time.
    ///
    /// # Errors
    /// When the account is unknown or not linked.
    pub fn logout(&self, phone: &str) -> Result<(), SimError> {
        self.inject(phone, Fault::Logout)
    }

    fn strike_now(&self, phone: &str, fault: Fault) -> Result<(), SimError> {
        let mut world = self.network.world();
        world.connection_of(phone)?;
        strike::inject(&mut world, phone, fault, Some(1))
    }

    /// Whether pairing codes, those shown and those to come, are expired.
    pub fn expire_codes(&self, expire: bool) {
        let mut world = self.network.world();
        world.codes_expire = expire;
        if expire {
            pairing::expire_codes(&mut world);
        }
    }

    /// Whether clients that want to be paired are left without an answer: they are
    /// connected, but get no code. What was withheld comes when it ends.
    pub fn ignore_unlinked(&self, ignore: bool) {
        let mut world = self.network.world();
        world.ignores_unlinked = ignore;
        for id in world.unlinked() {
            world.adjust(id, |manner| manner.mute = ignore);
        }
    }

    /// Drops the connections of all clients that want to be paired; gives how many.
    #[must_use]
    pub fn cut_unlinked(&self) -> usize {
        let world = self.network.world();
        world.unlinked().inspect(|id| world.control(*id, Control::Cut)).count()
    }

    /// Whether new connections are dropped as soon as they are accepted. Open ones stay.
    pub fn refuse_connections(&self, refuse: bool) {
        let mut world = self.network.world();
        world.refusing = refuse;
        world.emit(SimEvent::Refusing { refusing: refuse });
    }

    /// Drops the connections of all linked devices; gives how many.
    #[must_use]
    pub fn cut_linked(&self) -> usize {
        let world = self.network.world();
        world.linked().inspect(|id| world.control(*id, Control::Cut)).count()
    }
}
