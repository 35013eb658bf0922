//! What all tasks of a simulator share.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;
use wacore_libsignal::protocol::KeyPair;

use crate::world::World;

/// The state of the network and how to end it.
pub(crate) struct Network {
    world: Mutex<World>,
    pub(crate) static_key: KeyPair,
    pub(crate) stop: CancellationToken,
}

impl Network {
    pub(crate) fn new(world: World, static_key: KeyPair) -> Self {
        Self { world: Mutex::new(world), static_key, stop: CancellationToken::new() }
    }

    /// Locks the state. Never hold the guard while waiting for something.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        // A panic in one connection must not silence all others.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
