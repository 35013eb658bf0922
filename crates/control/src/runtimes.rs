//! The places where workers run, side by side: tenants move from one to another one by one.

use std::collections::BTreeSet;
use std::sync::Arc;

use api::worker::RuntimeKind;
use runtime::Runtime;
use tokio::sync::watch;

/// All runtimes. None of them is spoken to before it is used: by the settings, by a tenant whose worker
/// runs there, or by a migration.
pub struct Runtimes {
    local: Arc<dyn Runtime>,
    pm2: Arc<dyn Runtime>,
    used: watch::Sender<BTreeSet<RuntimeKind>>,
}

impl Runtimes {
    /// Runtimes of which `used` are in use from the beginning.
    #[must_use]
    pub fn new(
        local: Arc<dyn Runtime>,
        pm2: Arc<dyn Runtime>,
        used: BTreeSet<RuntimeKind>,
    ) -> Self {
        Self { local, pm2, used: watch::Sender::new(used) }
    }

    /// The runtime of a kind.
    #[must_use]
    pub fn get(&self, kind: RuntimeKind) -> &dyn Runtime {
        match kind {
            RuntimeKind::Local => &*self.local,
            RuntimeKind::Pm2 => &*self.pm2,
        }
    }

    /// Those in use.
    #[must_use]
    pub fn used(&self) -> BTreeSet<RuntimeKind> {
        self.used.borrow().clone()
    }

    /// Uses a runtime from now on. Gives whether it was not in use before.
    pub fn take_into_use(&self, kind: RuntimeKind) -> bool {
        self.used.send_if_modified(|used| used.insert(kind))
    }

    /// Waits until a runtime is in use.
    pub async fn in_use(&self, kind: RuntimeKind) {
        // The sender lives as long as we are borrowed, so the wait cannot fail.
        let _ = self.used.subscribe().wait_for(|used| used.contains(&kind)).await;
    }
}
