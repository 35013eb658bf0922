//! The layers that say who may: one for each audience.

use std::sync::Arc;

use api::TenantId;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::scope::{MessageScope, Operator, Scope, WorkerScope};
use crate::audit::Actor;
use crate::fleet::Member;
use crate::plane::ControlPlane;
use crate::problem::{ApiError, Kind};
use crate::token;

type Plane = State<Arc<ControlPlane>>;

/// Operators: the admin token as bearer, or the admin password (`x-admin-password`, or HTTP basic
/// authentication with the user `admin`) where one is set.
///
/// # Errors
/// [`Kind::Unauthorized`].
pub async fn admin(
    State(plane): Plane,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let actor = operator(&plane, request.headers()).ok_or_else(|| {
        let detail = "give the admin token as Authorization: Bearer …; it lies in admin.token in \
                      Tenantry's home";
        ApiError::new(Kind::Unauthorized, detail)
    })?;
    request.extensions_mut().insert(Operator(actor));
    Ok(next.run(request).await)
}

fn operator(plane: &ControlPlane, headers: &HeaderMap) -> Option<Actor> {
    if let Some(bearer) = bearer(headers) {
        return token::equal(&token::hash(bearer), &plane.admin_token_hash)
            .then_some(Actor::AdminToken);
    }
    let wanted = plane.settings.admin_password.as_ref()?;
    let given = match headers.get("x-admin-password") {
        Some(password) => password.to_str().ok()?.to_owned(),
        None => basic_password(headers)?,
    };
    token::equal(&given, wanted.expose()).then_some(Actor::AdminPassword)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    credential(headers, "bearer")
}

/// What follows the scheme's name, which is written as one likes (RFC 9110, 11.1).
fn credential<'h>(headers: &'h HeaderMap, scheme: &str) -> Option<&'h str> {
    let (named, rest) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    named.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}

fn basic_password(headers: &HeaderMap) -> Option<String> {
    let value = credential(headers, "basic")?;
    let pair = String::from_utf8(BASE64.decode(value).ok()?).ok()?;
    pair.strip_prefix("admin:").map(str::to_owned)
}

/// The tenant in an operator's path, by id or slug.
///
/// # Errors
/// [`Kind::UnknownTenant`].
pub async fn tenant_in_path(
    State(plane): Plane,
    params: Result<RawPathParams, RawPathParamsRejection>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let params = params.map_err(|_| unknown_tenant("which is no text"))?;
    let named = params.iter().find(|(name, _)| *name == "tenant").map_or("", |(_, value)| value);
    let member = plane.fleet.find(named).ok_or_else(|| unknown_tenant(named))?;
    request.extensions_mut().insert(Scope(member));
    Ok(next.run(request).await)
}

fn unknown_tenant(named: &str) -> ApiError {
    let named: String = named.chars().take(80).collect();
    let detail = format!("no tenant has the id or slug {named:?}; `tenantry tenants` lists all");
    ApiError::new(Kind::UnknownTenant, detail)
}

/// The message from outside in a path, and with it its tenant.
///
/// # Errors
/// [`Kind::UnknownMessage`].
pub async fn message_in_path(
    State(plane): Plane,
    params: Result<RawPathParams, RawPathParamsRejection>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let unknown = || {
        let detail = "no message has this id; give the id that POST /v1/tenants/…/messages answered (messages are kept until 30 days after their expires_at)";
        ApiError::new(Kind::UnknownMessage, detail)
    };
    let params = params.map_err(|_| unknown())?;
    let id = params.iter().find(|(name, _)| *name == "message").and_then(|(_, id)| id.parse().ok());
    let message = plane.store.sent_message(id.ok_or_else(unknown)?).await?.ok_or_else(unknown)?;
    let member = plane.fleet.get(message.tenant_id).ok_or_else(unknown)?;
    request.extensions_mut().insert(Scope(member));
    request.extensions_mut().insert(MessageScope(Box::new(message)));
    Ok(next.run(request).await)
}

/// A foreign portal: the portal key, and the tenant whose person it speaks for.
///
/// # Errors
/// [`Kind::PortalDisabled`], [`Kind::Unauthorized`], [`Kind::UnknownTenant`], [`Kind::TooManyRequests`].
pub async fn portal(
    State(plane): Plane,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let member = tenant_of_portal(&plane, request.headers())?;
    plane.limits.check_credential("portal")?;
    request.extensions_mut().insert(Scope(member));
    Ok(next.run(request).await)
}

fn tenant_of_portal(plane: &ControlPlane, headers: &HeaderMap) -> Result<Arc<Member>, ApiError> {
    let Some(wanted) = &plane.settings.portal_internal_key else {
        let detail = "set PORTAL_INTERNAL_KEY to let a portal in";
        return Err(ApiError::new(Kind::PortalDisabled, detail));
    };
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let key = text("x-portal-key").unwrap_or_default();
    if !token::equal(key, wanted.expose()) {
        let detail = "give the portal key as x-portal-key";
        return Err(ApiError::new(Kind::Unauthorized, detail));
    }
    let Some(named) = text("x-tenant-id") else {
        let detail = "name the tenant as x-tenant-id";
        return Err(ApiError::new(Kind::Unauthorized, detail));
    };
    // By id alone: an id cannot be guessed from a tenant's name as a slug can.
    let id = named.parse::<TenantId>().ok();
    id.and_then(|id| plane.fleet.get(id)).ok_or_else(|| {
        ApiError::new(Kind::UnknownTenant, "no tenant has the id given as x-tenant-id")
    })
}

/// A worker: its token says which tenant's, and which generation.
///
/// # Errors
/// [`Kind::Unauthorized`], [`Kind::StaleGeneration`].
pub async fn link(
    State(plane): Plane,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let detail = "give the content of TENANTRY_TOKEN_FILE as Authorization: Bearer …";
    let refused = || ApiError::new(Kind::Unauthorized, detail);
    let token = bearer(request.headers()).ok_or_else(refused)?;
    let bearer = plane.link_key.bearer(token).ok_or_else(refused)?;
    let member = plane.fleet.get(bearer.tenant).ok_or_else(refused)?;
    let current = member.read(|now| now.record.worker.generation);
    if bearer.generation != current {
        let detail = format!(
            "generation {} of this worker was superseded by {current}; this process must end",
            bearer.generation
        );
        return Err(ApiError::new(Kind::StaleGeneration, detail));
    }
    request.extensions_mut().insert(Scope(member));
    request.extensions_mut().insert(WorkerScope { generation: bearer.generation });
    Ok(next.run(request).await)
}
