//! `/admin/tenants/{tenant}/session/{pairing-code|qr|pairing|reconnect}`.

use std::sync::Arc;

use api::link::PairingCode;
use api::problem::FieldError;
use api::session::{AskPairingCode, QrView, SessionView};
use axum::Json;
use axum::extract::State;

use crate::audit::audited;
use crate::fleet::{Member, view};
use crate::http::body::Body;
use crate::http::qr::waiting;
use crate::http::scope::{By, Scope};
use crate::pairing::{self, Wanted};
use crate::plane::ControlPlane;
use crate::problem::ApiError;

type Plane = State<Arc<ControlPlane>>;

/// A code to type into the phone.
#[utoipa::path(post, path = "", tag = "session", request_body = AskPairingCode, responses((status = 200, description = "The code to type into the phone.", body = PairingCode), (status = 409, description = "`worker_not_running`, `already_paired`", body = api::Problem), (status = 502, description = "`pairing_failed`", body = api::Problem)))]
pub async fn code(
    State(plane): Plane,
    By(actor): By,
    Scope(member): Scope,
    Body(body): Body<AskPairingCode>,
) -> Result<Json<PairingCode>, ApiError> {
    let id = member.id;
    let of_tenant = || member.snapshot().record.phone.clone();
    let phone = body.phone.or_else(of_tenant).ok_or_else(|| {
        let message = "the tenant has no number; give the phone's, as in +254700000001".to_owned();
        ApiError::fields(vec![FieldError { field: "phone".to_owned(), message }])
    })?;
    let work = {
        let plane = Arc::clone(&plane);
        async move { pairing::code(&plane, &member, phone).await }
    };
    audited(&plane, actor, "session.pairing_code", move |_| Some(id), work).await.map(Json)
}

/// QR codes.
#[utoipa::path(post, path = "", tag = "session", responses((status = 200, description = "The code to scan.", body = QrView), (status = 409, description = "`worker_not_running`, `already_paired`", body = api::Problem), (status = 502, description = "`pairing_failed`", body = api::Problem)))]
pub async fn qr(
    State(plane): Plane,
    By(actor): By,
    Scope(member): Scope,
) -> Result<Json<QrView>, ApiError> {
    let now = wish(&plane, actor, member, "session.qr", Wanted::Qr).await?;
    Ok(Json(waiting(&now.snapshot())))
}

/// No codes.
#[utoipa::path(delete, path = "", tag = "session", responses((status = 200, description = "No codes are shown any more.", body = SessionView), (status = 409, description = "`worker_not_running`", body = api::Problem), (status = 502, description = "`pairing_failed`", body = api::Problem)))]
pub async fn cancel(
    State(plane): Plane,
    By(actor): By,
    Scope(member): Scope,
) -> Result<Json<SessionView>, ApiError> {
    let now = wish(&plane, actor, member, "session.pairing_cancel", Wanted::Nothing).await?;
    Ok(Json(view::session(&now.snapshot())))
}

/// A connection now.
#[utoipa::path(post, path = "", tag = "session", responses((status = 200, description = "The worker tries now.", body = SessionView), (status = 409, description = "`worker_not_running`", body = api::Problem)))]
pub async fn reconnect(
    State(plane): Plane,
    By(actor): By,
    Scope(member): Scope,
) -> Result<Json<SessionView>, ApiError> {
    let (id, now) = (member.id, Arc::clone(&member));
    let work = {
        let plane = Arc::clone(&plane);
        async move { pairing::reconnect(&plane, &member).await }
    };
    audited(&plane, actor, "session.reconnect", move |_| Some(id), work).await?;
    Ok(Json(view::session(&now.snapshot())))
}

async fn wish(
    plane: &Arc<ControlPlane>,
    actor: crate::audit::Actor,
    member: Arc<Member>,
    action: &'static str,
    wanted: Wanted,
) -> Result<Arc<Member>, ApiError> {
    let (id, now) = (member.id, Arc::clone(&member));
    let work = {
        let plane = Arc::clone(plane);
        async move { pairing::want(&plane, &member, wanted).await }
    };
    audited(plane, actor, action, move |_| Some(id), work).await?;
    Ok(now)
}
