//! Which tenants changed since somebody last looked.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use api::TenantId;
use parking_lot::Mutex;

/// The tenants that changed, each once.
#[derive(Debug, Default)]
pub struct Changes {
    changed: Mutex<Vec<TenantId>>,
    /// How many workers have given up to reach WhatsApp, or were deleted in that state: so that nobody has
    /// to look at all of them for those.
    out_of_reach: AtomicUsize,
}

/// Whether one tenant is among them.
#[derive(Debug, Default)]
pub struct Mark {
    noted: AtomicBool,
    out_of_reach: AtomicBool,
}

impl Changes {
    /// Notes a change of a tenant.
    pub fn note(&self, tenant: TenantId, mark: &Mark) {
        if !mark.noted.swap(true, Ordering::AcqRel) {
            self.changed.lock().push(tenant);
        }
    }

    /// Notes that a tenant is no more.
    pub fn note_gone(&self, tenant: TenantId) {
        self.changed.lock().push(tenant);
    }

    /// Notes whether a worker has given up to reach WhatsApp; to be called with its state locked.
    pub fn note_reach(&self, mark: &Mark, is_out: bool) {
        match (mark.out_of_reach.swap(is_out, Ordering::AcqRel), is_out) {
            (false, true) => self.out_of_reach.fetch_add(1, Ordering::AcqRel),
            (true, false) => self.out_of_reach.fetch_sub(1, Ordering::AcqRel),
            (true, true) | (false, false) => return,
        };
    }

    /// Whether some worker may have given up to reach WhatsApp.
    pub fn is_any_out_of_reach(&self) -> bool {
        self.out_of_reach.load(Ordering::Acquire) > 0
    }

    /// Those that changed since the last call. What is read of one after its mark was
    /// [cleared](Mark::clear) holds every change that was noted before.
    pub fn take(&self) -> Vec<TenantId> {
        std::mem::take(&mut self.changed.lock())
    }
}

impl Mark {
    /// From now on a change is noted again.
    pub fn clear(&self) {
        self.noted.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use api::TenantId;

    use super::{Changes, Mark};

    #[test]
    fn who_is_out_of_reach_is_counted_once() {
        let (changes, one, two) = (Changes::default(), Mark::default(), Mark::default());
        for (mark, is_out, any) in [
            (&one, false, false),
            (&one, true, true),
            (&one, true, true),
            (&two, true, true),
            (&one, false, true),
            (&one, false, true),
            (&two, false, false),
        ] {
            changes.note_reach(mark, is_out);
            assert_eq!(changes.is_any_out_of_reach(), any);
        }
    }

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
