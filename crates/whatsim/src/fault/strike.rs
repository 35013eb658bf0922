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
/// Faults that end a connection once its device is online.
const ENDING: [FaultKind; 4] =
    [FaultKind::Cut, FaultKind::StreamError, FaultKind::Replace, FaultKind::Logout];

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
    if ENDING.contains(&fault.kind()) && connected {
        strike_end(world, phone, fault.kind());
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
    world.changed();
    Ok(())
}

/// A device logged in on this connection.
pub(crate) fn at_login(world: &mut World, phone: &str, connection: ConnectionId) {
    for kind in WIRE {
        strike_wire(world, phone, connection, kind);
    }
}

/// A device is online: one of the faults that end a connection may strike.
pub(crate) fn at_online(world: &mut World, phone: &str) {
    let Some(account) = world.accounts.get(phone) else {
        return;
    };
    if let Some(kind) = ENDING.into_iter().find(|kind| account.faults.has(*kind)) {
        strike_end(world, phone, kind);
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

fn strike_end(world: &mut World, phone: &str, kind: FaultKind) {
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
