//! Deleting a tenant: what was begun is finished, by the next control plane if need be.
//!
//! ```text
//! worker stopped ─► written down ─► key ─► rows ─► the runtime forgets, files ─► struck off
//!                        │  a failure: called off │  a failure: the next start goes on
//!                        └────────────────────────┴─ a crash: the next start goes on
//! ```
//! Only what is written down is ever cleared away. A session whose tenant this database does not know may be
//! another database's: that of a backup which was restored, or of a wrong `DATABASE_URL`.

use std::sync::Arc;

use api::TenantId;
use store::{Deletion, Store, StoreError};

use crate::audit::{self, Actor};
use crate::config::Settings;
use crate::fleet::Member;
use crate::plane::ControlPlane;
use crate::problem::{ApiError, Kind};
use crate::{launch, lifecycle};

/// Deletes a tenant, its worker, its session and its files.
///
/// # Errors
/// Those of [`lifecycle::halt`], of the store, and of a key that cannot be destroyed: the tenant stays then.
pub async fn delete(plane: &Arc<ControlPlane>, member: &Arc<Member>) -> Result<(), ApiError> {
    let _guard = lifecycle::halt(plane, member).await?;
    let deletion = Deletion {
        tenant: member.id,
        worker_name: member.worker_name.clone(),
        runtime: member.runtime(),
    };
    plane.store.begin_deletion(&deletion).await?;
    erase(&plane.store, &plane.settings, member.id).await?;
    plane.people.forget_tenant(member.id);
    plane.fleet.remove(member.id);
    let (id, slug) = (member.id, member.snapshot().record.slug.clone());
    plane.recorder.fleet_event("tenant.deleted", format!("{slug} ({id})"));
    clear_away(plane, &deletion).await;
    Ok(())
}

/// Goes on with the deletions that an earlier control plane began, as far as the database knows the tenants:
/// they are not to come to life again. Gives those of which the rest is to be [cleared away](finish).
///
/// # Errors
/// [`StoreError`]. A key that cannot be destroyed is said, and its tenant stays.
pub async fn go_on(store: &Store, settings: &Settings) -> Result<Vec<Deletion>, StoreError> {
    let mut erased = Vec::new();
    for deletion in store.deletions().await? {
        let tenant = deletion.tenant;
        match erase(store, settings, tenant).await {
            Ok(()) => erased.push(deletion),
            Err(error) => {
                let reason = error.detail();
                tracing::error!(%tenant, reason, "a deletion that was cut off cannot be finished");
            }
        }
    }
    Ok(erased)
}

/// Clears away what deletions of an earlier control plane have left.
pub async fn finish(plane: Arc<ControlPlane>, erased: Vec<Deletion>) {
    for deletion in erased {
        if clear_away(&plane, &deletion).await {
            let (tenant, detail) = (Some(deletion.tenant), "finished; it had been cut off");
            audit::record(&plane, &Actor::System, "tenant.delete", tenant, &Ok(()), detail).await;
        }
    }
}

/// Destroys the key and deletes the rows. What fails is called off while the tenant is there, so that no later
/// start deletes one whose deletion was refused.
async fn erase(store: &Store, settings: &Settings, tenant: TenantId) -> Result<(), ApiError> {
    // First: whatever else may be left of the session, and every backup of it, is worth nothing without it.
    let destroyed = launch::destroy_key(settings, tenant)
        .map_err(|error| ApiError::new(Kind::Internal, error.to_string()));
    let erased = match destroyed {
        Ok(()) => store.delete(tenant).await.map_err(ApiError::from),
        Err(error) => Err(error),
    };
    if erased.is_err()
        && store.tenant(tenant).await.is_ok()
        && let Err(error) = store.end_deletion(tenant).await
    {
        tracing::error!(%tenant, %error, "a deletion that failed was not called off; the next start tries it again");
    }
    erased
}

/// Clears away what is left of a tenant without rows. Gives whether nothing is left; else the next start tries
/// it again.
async fn clear_away(plane: &ControlPlane, deletion: &Deletion) -> bool {
    let tenant = deletion.tenant;
    let forgotten = plane.runtimes.get(deletion.runtime).forget(&deletion.worker_name).await;
    if let Err(error) = &forgotten {
        tracing::warn!(%tenant, %error, "the runtime could not forget the worker; the next start tries again");
    }
    let removed = launch::remove_files(&plane.settings, tenant);
    if forgotten.is_err() || !removed {
        return false;
    }
    if let Err(error) = plane.store.end_deletion(tenant).await {
        tracing::warn!(%tenant, %error, "a finished deletion could not be struck off");
    }
    true
}
