//! When faults strike: at once, at a login, when a device is online, or when it
//! gets a message.

use std::time::Duration;

use wacore_binary::Node;

use crate::account::Link;
use crate::error::SimError;
use crate::event::SimEvent;
use crate::fault::{Fault, FaultKind};
use crate::stanza::nodes;
use crate::world::{ConnectionId, Control, World};

/// Faults of a connection as a whole, from its login to its end.
const WIRE: [FaultKind; 4] = [FaultKind::Stall, FaultKind::Deaf, FaultKind::Mute, FaultKind::Slow];
/// Faults that strike a device once it is online; all but the first end its connection.
const SUDDEN: [FaultKind; 5] = [
    FaultKind::Malformed,
    FaultKind::Cut,
    FaultKind::StreamError,
    FaultKind::Replace,
    FaultKind::Logout,
];

/// Arms a fault; one that concerns the connection strikes at once if there is one.
pub(crate) fn inject(
    world: &mut World,
    phone: &str,
    fault: Fault,
    uses: Option<u32>,
) -> Result<(), SimError> {
    if let Fault::Slow { delay_ms } = fault
        && delay_ms > Fault::SLOWEST_MS
    {
        return Err(SimError::InvalidFault("a frame is delayed by 60000 ms at most"));
    }
    let account = world.account_mut(phone)?;
    if fault == Fault::Logout {
        account.device.as_ref().ok_or_else(|| SimError::NotLinked(phone.to_owned()))?;
    }
    account.faults.arm(fault, uses);
    let link = account.device.as_ref().map_or(Link::Offline, |device| device.link);
    let connected = link.connection().is_some() || fault == Fault::Logout;
    if SUDDEN.contains(&fault.kind()) && connected {
        strike_suddenly(world, phone, fault.kind());
    } else if let Some(connection) = link.connection() {
        strike_wire(world, phone, connection, fault.kind());
    }
    world.changed();
    Ok(())
}

/// Ends a fault: it is disarmed, and a connection under it behaves again.
pub(crate) fn end(world: &mut World, phone: &str, kind: FaultKind) -> Result<(), SimError> {
    let account = world.account_mut(phone)?;
    account.faults.end(kind);
    let connection = account.device.as_ref().and_then(|device| device.link.connection());
    if let Some(connection) = connection {
        if kind == FaultKind::Reorder {
            overtaken(world, phone).iter().for_each(|stanza| world.push(connection, stanza));
        }
        world.adjust(connection, |manner| match kind {
            FaultKind::Stall => manner.stalled = false,
            FaultKind::Deaf => manner.deaf = false,
            FaultKind::Mute => manner.mute = false,
            FaultKind::Slow => manner.delay = Duration::ZERO,
            _ => {}
        });
    }
    world.emit(SimEvent::FaultEnded { phone: phone.to_owned(), kind });
    Ok(())
}

/// A device logged in on this connection.
pub(crate) fn at_login(world: &mut World, phone: &str, connection: ConnectionId) {
    for kind in WIRE {
        strike_wire(world, phone, connection, kind);
    }
}

/// A device is online: a malformed stanza and one of the faults that end a connection
/// may strike.
pub(crate) fn at_online(world: &mut World, phone: &str) {
    let Some(account) = world.accounts.get(phone) else {
        return;
    };
    if account.faults.has(FaultKind::Malformed) {
        strike_suddenly(world, phone, FaultKind::Malformed);
    }
    let account = world.accounts.get(phone);
    let ending = SUDDEN.into_iter().skip(1);
    let armed = |kind: &FaultKind| account.is_some_and(|account| account.faults.has(*kind));
    if let Some(kind) = ending.into_iter().find(armed) {
        strike_suddenly(world, phone, kind);
    }
}

/// Uses a fault of the account once, if it is armed.
pub(crate) fn spend(world: &mut World, phone: &str, kind: FaultKind) -> Option<Fault> {
    let fault = world.accounts.get_mut(phone)?.faults.spend(kind)?;
    world.emit(SimEvent::FaultStruck { phone: phone.to_owned(), fault });
    Some(fault)
}

fn strike_wire(world: &mut World, phone: &str, connection: ConnectionId, kind: FaultKind) {
    let Some(fault) = WIRE.contains(&kind).then(|| spend(world, phone, kind)).flatten() else {
        return;
    };
    world.adjust(connection, |manner| match fault {
        Fault::Stall => manner.stalled = true,
        Fault::Deaf => manner.deaf = true,
        Fault::Mute => manner.mute = true,
        Fault::Slow { delay_ms } => manner.delay = Duration::from_millis(delay_ms),
        _ => {}
    });
}

fn strike_suddenly(world: &mut World, phone: &str, kind: FaultKind) {
    let Some(fault) = spend(world, phone, kind) else {
        return;
    };
    if fault == Fault::Logout {
        if let Some(connection) = world.unlink(phone) {
            world.end(connection, &nodes::stream_error("401", Some("device_removed")));
        }
        return;
    }
    let Ok(connection) = world.connection_of(phone) else {
        return;
    };
    match fault {
        Fault::Malformed { stanza } => {
            let id = world.stanza_id();
            let sender = wacore_binary::Jid::pn("15550000000");
            if let Some(bytes) = stanza.bytes(&id, sender) {
                world.push_bytes(connection, bytes);
            }
        }
        Fault::Cut => world.control(connection, Control::Cut),
        Fault::StreamError { code } => {
            world.end(connection, &nodes::stream_error(&code.to_string(), None));
        }
        Fault::Replace => world.end(connection, &nodes::stream_error("", Some("replaced"))),
        _ => {}
    }
}

/// What goes to a device in place of one message, repeated and in another order if
/// such faults are armed.
pub(crate) fn disturbed(world: &mut World, phone: &str, stanza: Node) -> Vec<Node> {
    let mut out = vec![stanza];
    if spend(world, phone, FaultKind::Duplicate).is_some() {
        out.extend_from_within(..);
    }
    let Some(account) = world.accounts.get_mut(phone) else {
        return out;
    };
    let Some(device) = account.device.as_mut().filter(|_| account.faults.has(FaultKind::Reorder))
    else {
        return out;
    };
    if device.overtaken.is_empty() {
        device.overtaken = out;
        return Vec::new();
    }
    out.append(&mut device.overtaken);
    spend(world, phone, FaultKind::Reorder);
    out
}

/// The message that waits to be overtaken, if there is one.
pub(crate) fn overtaken(world: &mut World, phone: &str) -> Vec<Node> {
    let device = world.accounts.get_mut(phone).and_then(|account| account.device.as_mut());
    device.map(|device| std::mem::take(&mut device.overtaken)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wacore_binary::builder::NodeBuilder;

    use super::*;
    use crate::account::Device;
    use crate::config::Config;

    const PHONE: &str = "4915550001";

    fn world() -> World {
        let mut world = World::new(Config::default(), String::new());
        world.add_account(PHONE, "Account").unwrap();
        let device = Device::new(1, [0; 32], Vec::new());
        world.account_mut(PHONE).unwrap().device = Some(device);
        world
    }

    fn number(stanza: &Node) -> usize {
        stanza.attrs.get("id").unwrap().as_str().parse().unwrap()
    }

    proptest! {
        /// However many messages are swapped and repeated: none is lost, none comes more than
        /// twice, and none is overtaken by more than its neighbour.
        #[test]
        fn disturbed_messages_all_arrive(
            count in 0usize..30, swaps in 0u32..20, repeats in 0u32..20,
        ) {
            let mut world = world();
            world.account_mut(PHONE).unwrap().faults.arm(Fault::Reorder, Some(swaps));
            world.account_mut(PHONE).unwrap().faults.arm(Fault::Duplicate, Some(repeats));
            let mut arrived = Vec::new();
            for id in 0..count {
                let stanza = NodeBuilder::new("message").attr("id", id.to_string()).build();
                arrived.extend(disturbed(&mut world, PHONE, stanza));
            }
            arrived.extend(overtaken(&mut world, PHONE));
            let order: Vec<usize> = arrived.iter().map(number).collect();
            for id in 0..count {
                let copies = order.iter().filter(|seen| **seen == id).count();
                prop_assert_eq!(copies, if (id as u32) < repeats { 2 } else { 1 });
            }
            let mut firsts = order.clone();
            firsts.dedup();
            for (place, id) in firsts.iter().enumerate() {
                prop_assert!(place.abs_diff(*id) <= 1, "{order:?}");
            }
        }
    }
}
