//! Which tenants changed since somebody last looked.

use std::sync::atomic::{AtomicBool, Ordering};

use api::TenantId;
use parking_lot::Mutex;

/// The tenants that changed, each once.
#[derive(Debug, Default)]
pub struct Changes(Mutex<Vec<TenantId>>);

/// Whether one tenant is among them.
#[derive(Debug, Default)]
pub struct Mark(AtomicBool);

impl Changes {
    /// Notes a change of a tenant.
    pub fn note(&self, tenant: TenantId, mark: &Mark) {
        if !mark.0.swap(true, Ordering::AcqRel) {
            self.0.lock().push(tenant);
        }
    }

    /// Notes that a tenant is no more.
    pub fn note_gone(&self, tenant: TenantId) {
        self.0.lock().push(tenant);
    }

    /// Those that changed since the last call. What is read of one after its mark was
    /// [cleared](Mark::clear) holds every change that was noted before.
    pub fn take(&self) -> Vec<TenantId> {
        std::mem::take(&mut self.0.lock())
    }
}

impl Mark {
    /// From now on a change is noted again.
    pub fn clear(&self) {
        self.0.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use api::TenantId;

    use super::{Changes, Mark};

    #[test]
    fn a_tenant_is_noted_once_until_it_was_looked_at() {
        let (changes, mark, tenant) = (Changes::default(), Mark::default(), TenantId::generate());
        changes.note(tenant, &mark);
        changes.note(tenant, &mark);
        assert_eq!(changes.take(), [tenant]);
        changes.note(tenant, &mark);
        assert_eq!(changes.take(), [], "the look is still to come");
        mark.clear();
        changes.note(tenant, &mark);
        assert_eq!(changes.take(), [tenant]);
        assert_eq!(changes.take(), []);
    }
}
