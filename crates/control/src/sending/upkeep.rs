//! What has to be done in time: deadlines, files of no more use, and forgetting.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use tokio_util::sync::CancellationToken;

use super::uploads;
use crate::events::retention;
use crate::plane::ControlPlane;

/// How often deadlines are looked at.
const LOOK: Duration = Duration::from_secs(5);
/// The least time between two looks.
const PAUSE: Duration = Duration::from_secs(1);
/// How much longer than its deadline a message may wait for its worker to tell what became of it.
const GRACE: chrono::Duration = chrono::Duration::seconds(3);
/// How often what is old is looked for.
const SWEEP: Duration = Duration::from_secs(3600);
/// How long a message is kept after its deadline, and the key of its request with it.
const KEPT: chrono::Duration = chrono::Duration::days(30);
/// How long an upload waits for its message.
pub const UNUSED: chrono::Duration = chrono::Duration::hours(24);

/// Runs until `shutdown`.
pub async fn run(plane: Arc<ControlPlane>, shutdown: CancellationToken) {
    let mut timer = tokio::time::interval(LOOK);
    timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut swept: Option<Instant> = None;
    let mut looked: Option<Instant> = None;
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = timer.tick() => {}
            () = plane.settled.notified() => {}
        }
        // A campaign rings with every message: the looks are not to follow one upon the other.
        if let Some(next) = looked.map(|at: Instant| at + PAUSE) {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep_until(next.into()) => {}
            }
        }
        looked = Some(Instant::now());
        plane.metrics.pulses.upkeep.beat();
        if let Err(error) = look(&plane).await {
            tracing::error!(%error, "messages that wait could not be looked at");
        }
        if swept.is_none_or(|at| at.elapsed() >= SWEEP) {
            swept = Some(Instant::now());
            if let Err(error) = uploads::remove_orphans(&plane).await {
                tracing::error!(%error, "files that were left behind could not be removed");
            }
            if let Err(error) = plane.store.forget_outgoing(Utc::now() - KEPT).await {
                tracing::error!(%error, "old messages could not be forgotten");
            }
            match retention::prune(&plane).await {
                Ok(0) => {}
                Ok(gone) => tracing::info!(gone, "old events were deleted"),
                Err(error) => tracing::error!(%error, "old events could not be deleted"),
            }
        }
    }
}

async fn look(plane: &ControlPlane) -> Result<(), store::StoreError> {
    let now = Utc::now();
    let expired = plane.store.expire_outgoing(now - GRACE).await?;
    if expired > 0 {
        tracing::warn!(expired, "messages were not sent before their deadline");
    }
    for (tenant, id) in plane.store.useless_uploads(now - UNUSED).await? {
        match uploads::remove(&plane.settings.home, tenant, id).await {
            Ok(()) => plane.store.upload_deleted(id).await?,
            Err(error) => tracing::error!(%tenant, %id, %error, "an upload could not be deleted"),
        }
    }
    Ok(())
}
