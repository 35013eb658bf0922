//! `/auth/oidc`: signing in with an identity provider.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use cookie::{Cookie, SameSite};
use serde::Deserialize;

use super::sign_in::{place, signed_in, tell_sign_in, with_cookie};
use crate::audit::Actor;
use crate::http::body::Params;
use crate::http::credential::cookie_value;
use crate::http::peer::Peer;
use crate::people::accounts;
use crate::people::oidc::Oidc;
use crate::people::sign_in::{Begun, Origin};
use crate::plane::ControlPlane;
use crate::problem::{ApiError, Kind};

type Plane = State<Arc<ControlPlane>>;

/// What ties the answer of the provider to the browser that asked for it. It must come along from the
/// provider's page, so it is laxer than that of a session, and lives for minutes.
const COOKIE: &str = "tenantry_oidc";

/// A page that goes on to the start page. A redirect would still count as coming from the provider's page,
/// and the browser would keep the session's cookie back.
const GO_ON: &str = "<!doctype html><meta http-equiv=\"refresh\" content=\"0; url=/\"><title>Signed in</title><p><a href=\"/\">Go on</a></p>";

/// What the provider sends back.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Query {
    /// The code that the person's identity is asked for with.
    code: Option<String>,
    /// What belongs to the sign-in that was begun.
    state: Option<String>,
    /// Why there is no code.
    error: Option<String>,
}

/// Sends the browser to the identity provider.
#[utoipa::path(get, path = "", tag = "sign-in", responses((status = 303, description = "To the provider's page."), (status = 404, description = "`no_oidc`", body = api::Problem), (status = 502, description = "`oidc_failed`", body = api::Problem)))]
pub async fn start(State(plane): Plane) -> Result<Response, ApiError> {
    let departure = provider(&plane)?.depart(&callback(&plane)).await?;
    let cookie = Cookie::build((COOKIE, departure.cookie))
        .path("/auth/oidc")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(plane.base_url().starts_with("https:"))
        .max_age(cookie::time::Duration::minutes(10))
        .build();
    let to = HeaderValue::from_str(&departure.url)
        .map_err(|error| ApiError::new(Kind::OidcFailed, error.to_string()))?;
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, to)], with_cookie(&cookie)).into_response())
}

/// Where the identity provider sends the browser back to: the person is signed in, if there is an account.
#[utoipa::path(get, path = "", tag = "sign-in", params(Query), responses((status = 200, description = "Signed in; the page goes on to the start page.", body = String, content_type = "text/html"), (status = 401, description = "`sign_in_failed`: there is no such account", body = api::Problem), (status = 404, description = "`no_oidc`", body = api::Problem), (status = 502, description = "`oidc_failed`", body = api::Problem)))]
pub async fn arrive(
    State(plane): Plane,
    from: Origin,
    peer: Option<axum::Extension<Peer>>,
    headers: HeaderMap,
    Params(query): Params<Query>,
) -> Result<Response, ApiError> {
    let begun = sign_in(&plane, query, &headers, from.clone()).await;
    let outcome = begun.as_ref().map(drop).map_err(Clone::clone);
    let actor = begun.as_ref().map_or(Actor::Anonymous, |begun| begun.user.principal.actor.clone());
    let detail = format!("identity provider {}", place(&from));
    tell_sign_in(&plane, &actor, &outcome, detail.trim()).await;
    let mut answer = signed_in(&plane, &begun?, peer);
    let cookies = std::mem::take(answer.headers_mut());
    let mut page = Html(GO_ON).into_response();
    for cookie in cookies.get_all(header::SET_COOKIE) {
        page.headers_mut().append(header::SET_COOKIE, cookie.clone());
    }
    Ok(page)
}

async fn sign_in(
    plane: &ControlPlane,
    query: Query,
    headers: &HeaderMap,
    from: Origin,
) -> Result<Begun, ApiError> {
    let provider = provider(plane)?;
    let failed = |detail: &str| ApiError::new(Kind::OidcFailed, detail);
    if let Some(error) = query.error {
        let error: String = error.chars().filter(|c| !c.is_control()).take(200).collect();
        return Err(failed(&format!("the identity provider said: {error}")));
    }
    let (Some(code), Some(state)) = (query.code, query.state) else {
        return Err(failed("the identity provider's answer has no code; begin again"));
    };
    let cookie = cookie_value(headers, COOKIE).unwrap_or_default();
    let email = provider.arrive(&callback(plane), &state, code, &cookie).await?;
    let email = accounts::email(&email).map_err(|error| failed(&format!("the address {error}")))?;
    let user = plane.people.directory.read().user_by_email(&email);
    let user = user.ok_or_else(|| {
        let detail = format!("{email} has no account here; have an administrator invite you");
        ApiError::new(Kind::SignInFailed, detail)
    })?;
    plane.people.begin(user.record.id, None, from).await
}

fn provider(plane: &ControlPlane) -> Result<&Oidc, ApiError> {
    plane.people.oidc.as_ref().ok_or_else(|| {
        let detail = "no identity provider is configured; see OIDC_ISSUER in docs/configuration.md";
        ApiError::new(Kind::NoOidc, detail)
    })
}

fn callback(plane: &ControlPlane) -> String {
    format!("{}/auth/oidc/callback", plane.base_url())
}
