//! A client has finished its handshake: is it to be paired, or may it log in?

use waproto::whatsapp as wa;

use crate::account::Link;
use crate::event::SimEvent;
use crate::fault::{Fault, FaultKind, strike};
use crate::pairing;
use crate::server_key::KEY_BYTES;
use crate::stanza::{Reaction, nodes};
use crate::world::{ConnectionId, Role, World};

/// The reason why a device that is not linked is refused.
const NOT_LINKED: u16 = 401;

/// What a client says about itself in the handshake.
pub(crate) struct Credentials {
    pub(crate) phone: String,
    pub(crate) device: u16,
}

impl Credentials {
    /// The login in a handshake payload, or `None` from a client that wants to be
    /// paired: it registers, or logs in with the number 0 that a prepared session has.
    pub(crate) fn from_payload(payload: &wa::ClientPayload) -> Option<Self> {
        let username = payload.username.filter(|number| *number != 0)?;
        if payload.device_pairing_data.is_set() {
            return None;
        }
        let device = payload.device.unwrap_or(0).try_into().unwrap_or(u16::MAX);
        Some(Self { phone: username.to_string(), device })
    }
}

/// Greets a client whose connection was just registered.
pub(crate) fn greet(
    world: &mut World,
    id: ConnectionId,
    credentials: Option<&Credentials>,
) -> Reaction {
    let Some(credentials) = credentials else {
        set_role(world, id, Role::Pairing);
        if world.ignores_unlinked {
            world.adjust(id, |manner| manner.mute = true);
        }
        return Reaction::reply(pairing::offer(world, id));
    };
    let Some(client_key) = world.connections.get(&id).map(|connection| connection.client_key)
    else {
        return Reaction::close();
    };
    let refusal = if is_linked(world, credentials, &client_key) {
        match strike::spend(world, &credentials.phone, FaultKind::RefuseLogin) {
            Some(Fault::RefuseLogin { reason }) => reason,
            _ => return accept(world, id, credentials),
        }
    } else {
        NOT_LINKED
    };
    world.emit(SimEvent::LoginRefused { phone: credentials.phone.clone() });
    Reaction::last(nodes::failure(refusal))
}

fn is_linked(world: &World, credentials: &Credentials, client_key: &[u8; KEY_BYTES]) -> bool {
    let device = world.accounts.get(&credentials.phone).and_then(|account| account.device.as_ref());
    device.is_some_and(|device| {
        device.number == credentials.device && device.noise_key == *client_key
    })
}

fn accept(world: &mut World, id: ConnectionId, credentials: &Credentials) -> Reaction {
    set_role(world, id, Role::Device(credentials.phone.clone()));
    let Some(account) = world.accounts.get_mut(&credentials.phone) else {
        return Reaction::close();
    };
    account.logins += 1;
    let former = account.device.as_mut().and_then(|device| {
        let former = device.link.connection();
        device.link = Link::Connecting(id);
        device.overtaken.clear();
        former
    });
    let success = nodes::success(account, credentials.device);
    if let Some(former) = former {
        // A device has one connection; the newer one wins.
        world.end(former, &nodes::stream_error("", Some("replaced")));
    }
    strike::at_login(world, &credentials.phone, id);
    world.changed();
    Reaction::reply(success)
}

fn set_role(world: &mut World, id: ConnectionId, role: Role) {
    if let Some(connection) = world.connections.get_mut(&id) {
        connection.role = role;
    }
}
