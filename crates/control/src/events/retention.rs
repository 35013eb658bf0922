//! Old events go, in steps so small that nobody waits for them.

use chrono::{TimeDelta, Utc};
use store::StoreError;

use crate::plane::ControlPlane;

/// Deletes what is older than the settings want, and what is more than they want of one tenant.
///
/// # Errors
/// [`StoreError`]; the next time goes on.
pub async fn prune(plane: &ControlPlane) -> Result<u64, StoreError> {
    let settings = &plane.settings;
    let days = TimeDelta::days(i64::from(settings.event_retention_days));
    let before = Utc::now() - days;
    let mut gone = 0;
    loop {
        match plane.store.prune_events_before(before).await? {
            0 => break,
            some => gone += some,
        }
        // Others may write between two steps.
        tokio::task::yield_now().await;
    }
    let tenants = plane.fleet.all().into_iter().map(|member| Some(member.id));
    for tenant in tenants.chain([None]) {
        loop {
            let some = plane.store.prune_events_of(tenant, settings.event_retention_count).await?;
            if some == 0 {
                break;
            }
            gone += some;
            tokio::task::yield_now().await;
        }
    }
    Ok(gone)
}
