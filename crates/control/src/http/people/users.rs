//! `/admin/users`: accounts.

use std::sync::Arc;

use api::people::{Invitation, InviteUser, UpdateUser, UserView};
use api::records::Page;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;

use super::{hand_over_link, places};
use crate::admission::Mistakes;
use crate::audit::{self, Actor};
use crate::http::body::Body;
use crate::http::scope::By;
use crate::people::accounts::{self, NewUser};
use crate::people::directory::User;
use crate::plane::ControlPlane;
use crate::problem::ApiError;

type Plane = State<Arc<ControlPlane>>;

/// All accounts, oldest first.
#[utoipa::path(get, path = "", tag = "people", responses((status = 200, description = "All accounts, oldest first.", body = Page<UserView>)))]
pub async fn list(State(plane): Plane) -> Json<Page<UserView>> {
    let users = plane.people.directory.read().users();
    let items = users.iter().map(|user| accounts::view(&user.record, &plane.fleet)).collect();
    Json(Page { items, next: None })
}

/// An account, by its id or address.
#[utoipa::path(get, path = "", tag = "people", responses((status = 200, description = "The account.", body = UserView), (status = 404, description = "`unknown_user`", body = api::Problem)))]
pub async fn show(
    State(plane): Plane,
    Path(named): Path<String>,
) -> Result<Json<UserView>, ApiError> {
    let user = plane.people.find(&named)?;
    Ok(Json(accounts::view(&user.record, &plane.fleet)))
}

/// Makes an account and invites its person: by e-mail, or with the link in the answer.
#[utoipa::path(post, path = "", tag = "people", request_body = InviteUser, responses((status = 201, description = "The account, and its invitation.", body = Invitation), (status = 409, description = "`email_taken`", body = api::Problem)))]
pub async fn invite(
    State(plane): Plane,
    By(actor): By,
    Body(wish): Body<InviteUser>,
) -> Result<(StatusCode, Json<Invitation>), ApiError> {
    let mut mistakes = Mistakes::default();
    let email = mistakes.email(&wish.email);
    let name = mistakes.name(wish.name.as_deref().unwrap_or(&wish.email));
    if wish.role.is_none() && wish.tenants.is_empty() {
        mistakes.add("role", "give a role, or tenants that the person belongs to, or both");
    }
    mistakes.none_or(()).map_err(ApiError::fields)?;
    let memberships = places(&plane, &wish.tenants)?;
    let detail = format!("{email}, {}", may(wish.role, memberships.len()));
    let new = NewUser { email, name, role: wish.role, memberships, password_hash: None };
    let made = plane.people.create(new).await;
    note(&plane, &actor, "user.invite", &made, &detail).await;
    let invitation = hand_over_link(&plane, &*made?).await?;
    Ok((StatusCode::CREATED, Json(invitation)))
}

/// Changes an account.
#[utoipa::path(patch, path = "", tag = "people", request_body = UpdateUser, responses((status = 200, description = "The account as it is now.", body = UserView), (status = 404, description = "`unknown_user`", body = api::Problem), (status = 409, description = "`last_admin`", body = api::Problem)))]
pub async fn update(
    State(plane): Plane,
    By(actor): By,
    Path(named): Path<String>,
    Body(wish): Body<UpdateUser>,
) -> Result<Json<UserView>, ApiError> {
    let id = plane.people.find(&named)?.record.id;
    let mut mistakes = Mistakes::default();
    let name = wish.name.as_deref().map(|name| mistakes.name(name));
    mistakes.none_or(()).map_err(ApiError::fields)?;
    let memberships = wish.tenants.as_deref().map(|given| places(&plane, given)).transpose()?;
    let changed = plane.people.change(id, |user| {
        user.name = name.unwrap_or_else(|| user.name.clone());
        user.role = wish.role.map_or(user.role, |change| change.role());
        user.memberships = memberships.unwrap_or_else(|| user.memberships.clone());
        user.disabled = wish.disabled.unwrap_or(user.disabled);
        Ok(())
    });
    let changed = changed.await;
    let detail = changed.as_ref().map_or_else(|_| named, |user| described(user));
    note(&plane, &actor, "user.update", &changed, &detail).await;
    Ok(Json(accounts::view(&changed?.record, &plane.fleet)))
}

/// Deletes an account; its sessions end.
#[utoipa::path(delete, path = "", tag = "people", responses((status = 204, description = "It is deleted."), (status = 404, description = "`unknown_user`", body = api::Problem), (status = 409, description = "`last_admin`", body = api::Problem)))]
pub async fn delete(
    State(plane): Plane,
    By(actor): By,
    Path(named): Path<String>,
) -> Result<StatusCode, ApiError> {
    let user = plane.people.find(&named)?;
    let deleted = plane.people.delete(user.record.id).await;
    note(&plane, &actor, "user.delete", &deleted, &user.record.email).await;
    deleted.map(|()| StatusCode::NO_CONTENT)
}

/// A link with which the person chooses a password: by e-mail, or in the answer.
#[utoipa::path(post, path = "", tag = "people", responses((status = 200, description = "The account, and its link.", body = Invitation), (status = 404, description = "`unknown_user`", body = api::Problem)))]
pub async fn reset(
    State(plane): Plane,
    By(actor): By,
    Path(named): Path<String>,
) -> Result<Json<Invitation>, ApiError> {
    let user = plane.people.find(&named)?;
    let link = hand_over_link(&plane, &user).await;
    note(&plane, &actor, "user.reset", &link, &user.record.email).await;
    link.map(Json)
}

/// Ends all sessions of an account.
#[utoipa::path(post, path = "", tag = "people", responses((status = 204, description = "They have ended."), (status = 404, description = "`unknown_user`", body = api::Problem)))]
pub async fn sign_out(
    State(plane): Plane,
    By(actor): By,
    Path(named): Path<String>,
) -> Result<StatusCode, ApiError> {
    let user = plane.people.find(&named)?;
    let id = user.record.id;
    let ended = plane.people.end_sessions(|browser| browser.record.user == id).await;
    note(&plane, &actor, "user.sign_out", &ended, &user.record.email).await;
    ended.map(|_| StatusCode::NO_CONTENT)
}

/// Has signing in to an account ask for no codes any more, for who has lost the authenticator.
#[utoipa::path(delete, path = "", tag = "people", responses((status = 204, description = "No codes are asked for any more."), (status = 404, description = "`unknown_user`", body = api::Problem)))]
pub async fn remove_totp(
    State(plane): Plane,
    By(actor): By,
    Path(named): Path<String>,
) -> Result<StatusCode, ApiError> {
    let user = plane.people.find(&named)?;
    let removed = plane.people.remove_totp(user.record.id).await;
    note(&plane, &actor, "user.totp_removed", &removed, &user.record.email).await;
    removed.map(|()| StatusCode::NO_CONTENT)
}

async fn note<T>(
    plane: &ControlPlane,
    actor: &Actor,
    action: &str,
    outcome: &Result<T, ApiError>,
    detail: &str,
) {
    let outcome = outcome.as_ref().map(drop).map_err(Clone::clone);
    audit::record(plane, actor, action, None, &outcome, detail).await;
}

fn described(user: &User) -> String {
    let record = &user.record;
    let locked = if record.disabled { ", locked" } else { "" };
    format!("{}, {}{locked}", record.email, may(record.role, record.memberships.len()))
}

fn may(role: Option<api::access::OperatorRole>, tenants: usize) -> String {
    let role = role.map_or_else(|| "no role".to_owned(), |role| format!("role {role:?}"));
    format!("{role}, {tenants} tenants")
}
