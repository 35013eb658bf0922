//! `/auth/…` for who is signed in: what one may do, one's sessions, password and authenticator.

use std::sync::Arc;

use api::people::{
    ChangePassword, ConfirmTotp, ProvePassword, SessionInfo, SignedInView, TotpSecret,
};
use api::records::Page;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use uuid::Uuid;

use super::sign_in::forget_cookie;
use crate::audit;
use crate::http::body::Body;
use crate::http::scope::{Caller, Person};
use crate::people::accounts;
use crate::people::sign_in::Origin;
use crate::plane::ControlPlane;
use crate::problem::{ApiError, Kind};

type Plane = State<Arc<ControlPlane>>;

/// Who asks, and what they may do.
#[utoipa::path(get, path = "", tag = "own account", responses((status = 200, description = "Who asks, and what is granted.", body = SessionInfo)))]
pub async fn session(State(plane): Plane, caller: Caller) -> Json<SessionInfo> {
    let person = caller.person.as_ref();
    Json(SessionInfo {
        actor: caller.principal.actor.to_string(),
        user: person.map(|person| accounts::view(&person.user.record, &plane.fleet)),
        grants: caller.principal.view(),
        csrf_token: person.map(|person| person.csrf_token.clone()),
        expires_at: person.map(|person| person.browser.record.expires_at),
    })
}

/// Ends the session that asks.
#[utoipa::path(post, path = "", tag = "own account", responses((status = 204, description = "Signed out.")))]
pub async fn sign_out(State(plane): Plane, person: Person) -> Result<impl IntoResponse, ApiError> {
    let own = person.browser.record.id;
    let outcome = plane.people.end_sessions(|it| it.record.id == own).await.map(drop);
    let actor = &person.user.principal.actor;
    audit::record(&plane, actor, "session.sign_out", None, &outcome, "").await;
    Ok((forget_cookie(), StatusCode::NO_CONTENT))
}

/// Ends all sessions of the account, this one too.
#[utoipa::path(post, path = "", tag = "own account", responses((status = 204, description = "Signed out everywhere.")))]
pub async fn sign_out_everywhere(
    State(plane): Plane,
    person: Person,
) -> Result<impl IntoResponse, ApiError> {
    let user = person.user.record.id;
    let ended = plane.people.end_sessions(|it| it.record.user == user).await;
    let outcome = ended.map(drop);
    let actor = &person.user.principal.actor;
    audit::record(&plane, actor, "session.sign_out_everywhere", None, &outcome, "").await;
    Ok((forget_cookie(), StatusCode::NO_CONTENT))
}

/// The account's sessions, the newest first.
#[utoipa::path(get, path = "", tag = "own account", responses((status = 200, description = "The account's sessions.", body = Page<SignedInView>)))]
pub async fn sessions(State(plane): Plane, person: Person) -> Json<Page<SignedInView>> {
    let (user, current) = (person.user.record.id, person.browser.record.id);
    Json(Page { items: plane.people.sessions(user, Some(current)), next: None })
}

/// Ends one of the account's sessions.
#[utoipa::path(delete, path = "", tag = "own account", responses((status = 204, description = "It has ended."), (status = 404, description = "`unknown_session`", body = api::Problem)))]
pub async fn end_session(
    State(plane): Plane,
    person: Person,
    Path(named): Path<String>,
) -> Result<StatusCode, ApiError> {
    let user = person.user.record.id;
    let id = named.parse::<Uuid>().ok();
    let own =
        |it: &crate::people::directory::Browser| Some(it.record.id) == id && it.record.user == user;
    if plane.people.end_sessions(own).await? == 0 {
        let detail =
            "the account has no such session, or not any more; GET /auth/sessions lists all";
        return Err(ApiError::new(Kind::UnknownSession, detail));
    }
    let actor = &person.user.principal.actor;
    audit::record(&plane, actor, "session.end", None, &Ok(()), &named).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives the account another password; all its other sessions end.
#[utoipa::path(post, path = "", tag = "own account", request_body = ChangePassword, responses((status = 204, description = "The password is changed."), (status = 401, description = "`sign_in_failed`", body = api::Problem)))]
pub async fn change_password(
    State(plane): Plane,
    person: Person,
    from: Origin,
    Body(wish): Body<ChangePassword>,
) -> Result<StatusCode, ApiError> {
    let keep = Some(person.browser.record.id);
    let change = plane.people.change_password(&person.user, wish.current, wish.new, &from, keep);
    let outcome = change.await;
    let actor = &person.user.principal.actor;
    audit::record(&plane, actor, "user.change_password", None, &outcome, "").await;
    outcome.map(|()| StatusCode::NO_CONTENT)
}

/// Makes a secret for an authenticator. It counts once it is confirmed.
#[utoipa::path(post, path = "", tag = "own account", request_body = ProvePassword, responses((status = 200, description = "The secret, to be confirmed.", body = TotpSecret), (status = 401, description = "`sign_in_failed`", body = api::Problem)))]
pub async fn offer_totp(
    State(plane): Plane,
    person: Person,
    from: Origin,
    Body(wish): Body<ProvePassword>,
) -> Result<Json<TotpSecret>, ApiError> {
    plane.people.prove(&person.user, wish.password, &from).await?;
    plane.people.offer_totp(&person.user).map(Json)
}

/// Shows that the authenticator has the secret: signing in asks for its codes from now on.
#[utoipa::path(post, path = "", tag = "own account", request_body = ConfirmTotp, responses((status = 204, description = "Codes are asked for from now on.")))]
pub async fn confirm_totp(
    State(plane): Plane,
    person: Person,
    Body(wish): Body<ConfirmTotp>,
) -> Result<StatusCode, ApiError> {
    let outcome = plane.people.confirm_totp(&person.user, &wish.code).await;
    let actor = &person.user.principal.actor;
    audit::record(&plane, actor, "user.totp", None, &outcome, "").await;
    outcome.map(|()| StatusCode::NO_CONTENT)
}

/// Signing in asks for no codes any more.
#[utoipa::path(post, path = "", tag = "own account", request_body = ProvePassword, responses((status = 204, description = "No codes are asked for any more."), (status = 401, description = "`sign_in_failed`", body = api::Problem)))]
pub async fn remove_totp(
    State(plane): Plane,
    person: Person,
    from: Origin,
    Body(wish): Body<ProvePassword>,
) -> Result<StatusCode, ApiError> {
    plane.people.prove(&person.user, wish.password, &from).await?;
    let outcome = plane.people.remove_totp(person.user.record.id).await;
    let actor = &person.user.principal.actor;
    audit::record(&plane, actor, "user.totp_removed", None, &outcome, "").await;
    outcome.map(|()| StatusCode::NO_CONTENT)
}
