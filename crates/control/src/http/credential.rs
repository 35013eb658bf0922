//! Who asks: what a request shows, and whose that is.
//!
//! A request shows one credential, the first of these that is there; it is never tried whether another one
//! would do: `Authorization: Bearer` (a key, a
//! link to connect a tenant's WhatsApp, or the admin token), `Authorization: Basic` (the admin
//! password), `x-api-key`, `x-admin-password`, the cookie of a browser that is signed in.

use std::sync::Arc;

use api::people::CSRF_HEADER;
use axum::http::{HeaderMap, Method, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::Utc;
use cookie::Cookie;
use sha2::{Digest as _, Sha256};

use super::scope::{Caller, Person, Shown};
use crate::audit::Actor;
use crate::grant::{Place, Principal};
use crate::people::directory::Stranger;
use crate::people::pair_links::{self, GoodLink};
use crate::plane::ControlPlane;
use crate::problem::{ApiError, Kind};
use crate::token;
use api::access::Permission;

/// The cookie of a browser that is signed in.
pub const COOKIE: &str = "tenantry_session";

/// What may be done with the admin token or password.
pub fn administrator(actor: Actor) -> Arc<Principal> {
    Principal::with(actor, Place::Fleet, &[Permission::Admin])
}

/// Who asks.
///
/// # Errors
/// [`Kind::Unauthorized`], [`Kind::CsrfToken`], [`Kind::TooManyRequests`].
pub fn caller(
    plane: &ControlPlane,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Caller, ApiError> {
    if let Some(secret) = bearer(headers).or_else(|| text(headers, "x-api-key")) {
        return program(plane, secret);
    }
    if let Some(password) = admin_password(headers) {
        return with_password(plane, &password);
    }
    match session_cookie(headers) {
        Some(cookie) => browser(plane, method, headers, &cookie),
        None => {
            let detail = "sign in, or give an API key or the admin token (admin.token in Tenantry's home) as Authorization: Bearer …";
            Err(ApiError::new(Kind::Unauthorized, detail))
        }
    }
}

/// A program with a key, or whoever has the admin token.
fn program(plane: &ControlPlane, secret: &str) -> Result<Caller, ApiError> {
    if secret.starts_with(pair_links::PREFIX) {
        return with_pair_link(plane, secret);
    }
    let hash = token::hash(secret);
    if token::equal(&hash, &plane.admin_token_hash) {
        return Ok(Caller { principal: Arc::clone(&plane.admin), person: None, shown: None });
    }
    let found = plane.people.directory.read().by_key(&hash, Utc::now());
    match found {
        Ok(key) => {
            plane.limits.check_credential(&key.record.prefix)?;
            let principal = Arc::clone(&key.principal);
            Ok(Caller { principal, person: None, shown: Some(Shown::Key(hash)) })
        }
        Err(stranger) => Err(refused(stranger, "key", "ask for another one")),
    }
}

/// What is said of a link that is good for nothing, whatever the reason.
pub const LINK_NOT_GOOD: &str = "this link is no longer good; ask for a new one";

/// Somebody with a link to connect a tenant's WhatsApp.
fn with_pair_link(plane: &ControlPlane, token: &str) -> Result<Caller, ApiError> {
    let link = plane.people.good_link(&plane.fleet, token, Utc::now());
    let link = link.ok_or_else(|| ApiError::new(Kind::Unauthorized, LINK_NOT_GOOD))?;
    plane.limits.check_credential(&name_of_link(&link))?;
    let shown = Some(Shown::PairLink(token.into()));
    Ok(Caller { principal: link.principal(), person: None, shown })
}

/// What the requests with a tenant's links are counted by, all together.
pub fn name_of_link(link: &GoodLink) -> String {
    format!("pair-link {}", link.member.id)
}

fn with_password(plane: &ControlPlane, given: &str) -> Result<Caller, ApiError> {
    let wanted = plane.settings.admin_password.as_ref();
    let right = wanted.is_some_and(|wanted| token::equal(given, wanted.expose()));
    if wanted.is_some() {
        plane.people.password_shown(right)?;
    }
    if right {
        let principal = administrator(Actor::AdminPassword);
        return Ok(Caller { principal, person: None, shown: None });
    }
    Err(ApiError::new(Kind::Unauthorized, "the admin password is not the right one"))
}

fn browser(
    plane: &ControlPlane,
    method: &Method,
    headers: &HeaderMap,
    cookie: &str,
) -> Result<Caller, ApiError> {
    let hash = token::hash(cookie);
    let lifetime = plane.people.lifetime;
    let found = plane.people.directory.read().by_cookie(&hash, Utc::now(), lifetime);
    let (user, browser) = found.map_err(|why| refused(why, "session", "sign in again"))?;
    plane.limits.check_credential(&user.record.email)?;
    let csrf_token = csrf_token(cookie);
    if !method.is_safe()
        && !text(headers, CSRF_HEADER).is_some_and(|given| token::equal(given, &csrf_token))
    {
        let detail = format!(
            "a browser's request that changes something gives the csrf_token of GET /auth/session as {CSRF_HEADER}"
        );
        return Err(ApiError::new(Kind::CsrfToken, detail));
    }
    let principal = Arc::clone(&user.principal);
    let person = Some(Person { user, browser, csrf_token });
    Ok(Caller { principal, person, shown: Some(Shown::Cookie(hash)) })
}

fn refused(stranger: Stranger, what: &str, remedy: &str) -> ApiError {
    let why = match stranger {
        Stranger::Unknown => format!("the {what} is not known, or not any more"),
        Stranger::Expired => format!("the {what} has expired"),
        Stranger::Locked => "the account is locked".to_owned(),
    };
    ApiError::new(Kind::Unauthorized, format!("{why}; {remedy}"))
}

/// What proves that a request comes from a page of ours: it cannot be read from another site, and the
/// cookie cannot be had from it.
#[must_use]
pub fn csrf_token(cookie: &str) -> String {
    hex::encode(Sha256::digest(format!("tenantry csrf {cookie}")))
}

fn session_cookie(headers: &HeaderMap) -> Option<String> {
    cookie_value(headers, COOKIE)
}

/// The value of a cookie.
pub fn cookie_value(headers: &HeaderMap, name: &str) -> Option<String> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let found = all.flat_map(Cookie::split_parse).filter_map(Result::ok);
    found.filter(|cookie| cookie.name() == name).map(|cookie| cookie.value().to_owned()).next()
}

/// A header's text.
pub fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The token of `Authorization: Bearer …`.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    authorization(headers, "bearer")
}

/// What follows the scheme's name, which is written as one likes (RFC 9110, 11.1).
fn authorization<'h>(headers: &'h HeaderMap, scheme: &str) -> Option<&'h str> {
    let (named, rest) = text(headers, "authorization")?.split_once(' ')?;
    named.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}

/// The admin password. Basic authentication that is not understood is a wrong one, not none.
fn admin_password(headers: &HeaderMap) -> Option<String> {
    if let Some(password) = headers.get("x-admin-password") {
        return Some(password.to_str().unwrap_or_default().to_owned());
    }
    let value = text(headers, "authorization")?;
    let pair = authorization(headers, "basic")
        .and_then(|value| String::from_utf8(BASE64.decode(value).ok()?).ok());
    let password = pair.as_deref().and_then(|pair| pair.strip_prefix("admin:"));
    (!value.is_empty()).then(|| password.unwrap_or_default().to_owned())
}
