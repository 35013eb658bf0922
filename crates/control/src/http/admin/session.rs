//! `/admin/tenants/{tenant}/session/reset`.

use std::sync::Arc;

use api::records::StatusView;
use api::worker::DesiredState;
use axum::Json;
use axum::extract::State;

use crate::audit::audited;
use crate::fleet::{Member, view};
use crate::http::scope::{By, Scope};
use crate::plane::ControlPlane;
use crate::problem::{ApiError, Kind};
use crate::{launch, lifecycle};

/// Deletes the tenant's login, keys and all, with the worker stopped meanwhile; a worker that was
/// wanted is started again and shows a QR code. The login stays listed on the phone until its owner
/// removes it there.
#[utoipa::path(post, path = "", tag = "session", responses((status = 200, description = "The login is deleted.", body = StatusView), (status = 409, description = "`lifecycle_busy`", body = api::Problem), (status = 502, description = "`worker_stop_failed`", body = api::Problem)))]
pub async fn reset(
    State(plane): State<Arc<ControlPlane>>,
    By(actor): By,
    Scope(member): Scope,
) -> Result<Json<StatusView>, ApiError> {
    let (id, now) = (member.id, Arc::clone(&member));
    let work = {
        let plane = Arc::clone(&plane);
        async move { reset_session(&plane, &member).await }
    };
    audited(&plane, actor, "session.reset", move |_| Some(id), work).await?;
    Ok(Json(view::status(&now.snapshot())))
}

async fn reset_session(plane: &Arc<ControlPlane>, member: &Arc<Member>) -> Result<(), ApiError> {
    let record = member.snapshot().record.clone();
    let was_wanted = record.worker.desired == DesiredState::Running;
    let _guard = lifecycle::halt(plane, member).await?;
    let dir = launch::session_dir(&plane.settings, member.id);
    if let Err(error) = launch::delete_login(&plane.settings, &record) {
        let detail = format!("the login in {} could not be deleted: {error}", dir.display());
        return Err(ApiError::new(Kind::Internal, detail));
    }
    plane.store.forget_session(member.id).await?;
    member.forget_session();
    plane.recorder.event(member.id, "session.reset", "");
    if was_wanted {
        lifecycle::resume(plane, member).await?;
    }
    Ok(())
}
