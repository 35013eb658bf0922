//! `/auth/…` for who is not signed in yet.

use std::sync::Arc;

use api::people::{AcceptLink, ForgotPassword, SessionInfo, SetUp, SignIn, SignInMethods};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use cookie::{Cookie, SameSite};
use store::LinkKind;

use crate::audit::{self, Actor};
use crate::http::body::Body;
use crate::http::credential::{COOKIE, csrf_token};
use crate::http::peer::Peer;
use crate::people::accounts;
use crate::people::mail::Letter;
use crate::people::sign_in::{Begun, Origin};
use crate::plane::ControlPlane;
use crate::problem::ApiError;

type Plane = State<Arc<ControlPlane>>;

/// How one may sign in.
#[utoipa::path(get, path = "", tag = "sign-in", responses((status = 200, description = "How one may sign in.", body = SignInMethods)))]
pub async fn methods(State(plane): Plane) -> Json<SignInMethods> {
    Json(SignInMethods {
        setup_needed: plane.people.needs_setup(),
        oidc: plane.people.oidc.as_ref().map(|provider| provider.name.clone()),
        mail: plane.people.mail.is_some(),
    })
}

/// Makes the first administrator, who is signed in then.
#[utoipa::path(post, path = "", tag = "sign-in", request_body = SetUp, responses((status = 200, description = "The administrator is made and signed in.", body = SessionInfo), (status = 410, description = "`link_not_good`", body = api::Problem), (status = 409, description = "`email_taken`", body = api::Problem)))]
pub async fn set_up(
    State(plane): Plane,
    from: Origin,
    peer: Option<axum::Extension<Peer>>,
    Body(wish): Body<SetUp>,
) -> Result<Response, ApiError> {
    let made = plane.people.set_up(wish).await;
    let outcome = made.as_ref().map(drop).map_err(Clone::clone);
    let actor = made.as_ref().map_or(Actor::Anonymous, |user| user.principal.actor.clone());
    audit::record(&plane, &actor, "user.set_up", None, &outcome, &place(&from)).await;
    let begun = plane.people.begin(made?.record.id, None, from).await?;
    Ok(signed_in(&plane, &begun, peer))
}

/// Signs a person in with a password, and a code where the account asks for one.
#[utoipa::path(post, path = "", tag = "sign-in", request_body = SignIn, responses((status = 200, description = "Signed in: the cookie is the credential from now on.", body = SessionInfo), (status = 401, description = "`sign_in_failed`, `code_required`", body = api::Problem)))]
pub async fn sign_in(
    State(plane): Plane,
    from: Origin,
    peer: Option<axum::Extension<Peer>>,
    Body(wish): Body<SignIn>,
) -> Result<Response, ApiError> {
    // What is no account's address may be a password that was typed into the wrong field.
    let email = accounts::email(&wish.email).unwrap_or_default();
    let known = plane.people.directory.read().user_by_email(&email);
    let actor = known.map_or(Actor::Anonymous, |user| user.principal.actor.clone());
    let begun = plane.people.sign_in(wish, from.clone()).await;
    let outcome = begun.as_ref().map(drop).map_err(Clone::clone);
    tell_sign_in(&plane, &actor, &outcome, &place(&from)).await;
    Ok(signed_in(&plane, &begun?, peer))
}

/// Uses an invitation or a link for a new password.
#[utoipa::path(post, path = "", tag = "sign-in", request_body = AcceptLink, responses((status = 204, description = "The password is set; sign in with it."), (status = 410, description = "`link_not_good`", body = api::Problem)))]
pub async fn accept(
    State(plane): Plane,
    from: Origin,
    Body(wish): Body<AcceptLink>,
) -> Result<StatusCode, ApiError> {
    let (user, kind) = plane.people.accept(wish).await?;
    let action = match kind {
        LinkKind::Invitation => "user.accept",
        LinkKind::Reset => "user.reset_password",
    };
    audit::record(&plane, &user.principal.actor, action, None, &Ok(()), &place(&from)).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Sends a link for a new password, if there is such an account and letters can be sent. The answer is
/// the same whether there is.
#[utoipa::path(post, path = "", tag = "sign-in", request_body = ForgotPassword, responses((status = 202, description = "If there is such an account, a letter is on its way.")))]
pub async fn forgot(
    State(plane): Plane,
    from: Origin,
    Body(wish): Body<ForgotPassword>,
) -> Result<StatusCode, ApiError> {
    let email = accounts::email(&wish.email).unwrap_or_default();
    plane.people.letter_attempt(&email, &from)?;
    let user = plane.people.directory.read().user_by_email(&email);
    if let Some(user) = user.filter(|user| !user.record.disabled) {
        // What it takes must not tell either.
        tokio::spawn(async move {
            let sent = async {
                let Some(mail) = &plane.people.mail else { return Ok(()) };
                let link = plane.people.link(&user.record, plane.base_url()).await?;
                mail.send(&user.record.email, Letter::Reset, &link.url).await
            };
            let outcome: Result<(), ApiError> = sent.await;
            let actor = Actor::Anonymous;
            let detail = format!("for {}, {}", user.record.email, place(&from));
            audit::record(&plane, &actor, "user.forgot", None, &outcome, &detail).await;
        });
    }
    Ok(StatusCode::ACCEPTED)
}

/// Writes an attempt to sign in into the audit log and the event log: that of the installation, and where it
/// succeeded those of the tenants whose person it is.
pub async fn tell_sign_in(
    plane: &ControlPlane,
    actor: &Actor,
    outcome: &Result<(), ApiError>,
    detail: &str,
) {
    audit::record(plane, actor, "session.sign_in", None, outcome, detail).await;
    let told = format!("{actor} {detail}");
    if let Err(error) = outcome {
        let told = format!("{told}: {}", error.kind().code());
        plane.recorder.fleet_event("person.sign_in_failed", told.trim());
        return;
    }
    plane.recorder.fleet_event("person.signed_in", told.trim());
    let Actor::User(email) = actor else { return };
    let user = plane.people.directory.read().user_by_email(email);
    for (tenant, _) in user.iter().flat_map(|user| &user.record.memberships) {
        plane.recorder.event(*tenant, "person.signed_in", told.trim());
    }
}

/// Where from, for the audit log.
pub fn place(from: &Origin) -> String {
    from.address.map_or_else(String::new, |address| format!("from {address}"))
}

/// The answer to who has signed in: the cookie, and what a page needs.
pub fn signed_in(
    plane: &ControlPlane,
    begun: &Begun,
    peer: Option<axum::Extension<Peer>>,
) -> Response {
    let cookie = session_cookie(plane, &begun.cookie, peer.map(|axum::Extension(peer)| peer));
    let info = SessionInfo {
        actor: begun.user.principal.actor.to_string(),
        user: Some(accounts::view(&begun.user.record, &plane.fleet)),
        grants: begun.user.principal.view(),
        csrf_token: Some(csrf_token(&begun.cookie)),
        expires_at: Some(begun.session.expires_at),
    };
    (with_cookie(&cookie), Json(info)).into_response()
}

/// The cookie of a session. It goes with requests from our own pages alone, and no script reads it.
fn session_cookie(plane: &ControlPlane, value: &str, peer: Option<Peer>) -> Cookie<'static> {
    let encrypted = peer.is_some_and(|peer| peer.tls)
        || plane.settings.public_url.as_ref().is_some_and(|url| url.starts_with("https:"));
    let seconds = i64::try_from(plane.people.lifetime.absolute.as_secs()).unwrap_or(i64::MAX);
    Cookie::build((COOKIE, value.to_owned()))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(encrypted)
        .max_age(cookie::time::Duration::seconds(seconds))
        .build()
}

/// The header that has a browser forget its cookie.
pub fn forget_cookie() -> impl axum::response::IntoResponseParts {
    let cookie = Cookie::build((COOKIE, ""))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Strict)
        .max_age(cookie::time::Duration::ZERO)
        .build();
    with_cookie(&cookie)
}

/// The header that sets a cookie.
pub fn with_cookie(cookie: &Cookie<'_>) -> AppendHeaders<Vec<(header::HeaderName, HeaderValue)>> {
    let value = HeaderValue::from_str(&cookie.to_string());
    AppendHeaders(value.into_iter().map(|value| (header::SET_COOKIE, value)).collect())
}
