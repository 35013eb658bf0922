//! Places for those who follow something for as long as they like: so many in all, and so many of one tenant.

use std::collections::HashMap;
use std::sync::Arc;

use api::TenantId;
use parking_lot::Mutex;

/// The places, and how many are taken.
pub struct Places {
    most: usize,
    most_of_tenant: usize,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    all: usize,
    of_tenant: HashMap<TenantId, usize>,
}

impl Places {
    /// So many in all, and so many of one tenant.
    #[must_use]
    pub fn new(most: usize, most_of_tenant: usize) -> Arc<Self> {
        Arc::new(Self { most, most_of_tenant, counts: Mutex::default() })
    }

    /// How many are taken.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.counts.lock().all
    }

    /// Takes a place for one who follows a tenant, or all.
    ///
    /// # Errors
    /// How many there are, when all of them are taken.
    pub fn enter(self: &Arc<Self>, tenant: Option<TenantId>) -> Result<Place, usize> {
        let mut counts = self.counts.lock();
        if counts.all >= self.most {
            return Err(self.most);
        }
        if let Some(tenant) = tenant {
            let of_tenant = counts.of_tenant.entry(tenant).or_default();
            if *of_tenant >= self.most_of_tenant {
                return Err(self.most_of_tenant);
            }
            *of_tenant += 1;
        }
        counts.all += 1;
        Ok(Place { places: Arc::clone(self), tenant })
    }
}

/// A place. It is free again when this is dropped.
pub struct Place {
    places: Arc<Places>,
    tenant: Option<TenantId>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.places.counts.lock();
        counts.all -= 1;
        if let Some(tenant) = self.tenant
            && let Some(of_tenant) = counts.of_tenant.get_mut(&tenant)
        {
            *of_tenant -= 1;
            if *of_tenant == 0 {
                counts.of_tenant.remove(&tenant);
            }
        }
    }
}
