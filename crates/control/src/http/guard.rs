//! The one layer that says who may: each route stands behind it, with what the table says of the route
//! (`routes.rs`). It finds out who asks and which tenant it is about, and lets nothing else through. No
//! handler looks a tenant up by what the caller says.

use std::sync::Arc;

use api::TenantId;
use api::access::Permission;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, Request, State};
use axum::middleware::Next;
use axum::response::Response;

use super::credential::{self, text};
use super::pair_links;
use super::peer::Peer;
use super::revocation;
use super::scope::{Caller, MessageScope, Scope, Shown, WorkerScope};
use crate::audit::Actor;
use crate::fleet::Member;
use crate::grant::{Place, Principal, Verdict};
use crate::plane::ControlPlane;
use crate::problem::{ApiError, Kind};
use crate::token;

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Anybody,
    /// Whoever has any valid credential.
    Known,
    /// A person at a browser, about their own account.
    Person,
    /// Who may do this with the whole fleet.
    Fleet(Permission),
    /// Who may do this with the tenant in the path.
    Tenant(Permission),
    /// Who may do this with the tenant of the message in the path.
    Message(Permission),
    /// Who may do this with the tenant that the credential is for. A foreign portal may only see.
    Current(Permission),
    /// The present generation of a tenant's worker.
    Worker,
}

/// What the guard of a route needs.
#[derive(Clone)]
pub struct Guard {
    /// The control plane.
    pub plane: Arc<ControlPlane>,
    /// What the table says.
    pub access: Access,
}

type Params = Result<RawPathParams, RawPathParamsRejection>;

/// See the module.
///
/// # Errors
/// Why the request is not let through.
pub async fn guard(
    State(Guard { plane, access }): State<Guard>,
    params: Params,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let caller =
        |request: &Request| credential::caller(&plane, request.method(), request.headers());
    match access {
        Access::Anybody => {}
        Access::Known => {
            let caller = caller(&request)?;
            request.extensions_mut().insert(caller);
        }
        Access::Person => {
            let caller = caller(&request)?;
            if caller.person.is_none() {
                let detail = "this is for a person who is signed in, not for a key or a token";
                return Err(ApiError::new(Kind::Forbidden, detail));
            }
            request.extensions_mut().insert(caller);
        }
        Access::Fleet(permission) => {
            let caller = caller(&request)?;
            permit(&caller.principal, caller.principal.may_with_fleet(permission), permission)?;
            request.extensions_mut().insert(caller);
        }
        Access::Tenant(permission) => {
            let caller = caller(&request)?;
            let member = tenant_in_path(&plane, params, &caller, permission)?;
            request.extensions_mut().insert(Scope(member));
            request.extensions_mut().insert(caller);
        }
        Access::Message(permission) => {
            let caller = caller(&request)?;
            let (member, message) = message_in_path(&plane, params, &caller, permission).await?;
            request.extensions_mut().insert(Scope(member));
            request.extensions_mut().insert(message);
            request.extensions_mut().insert(caller);
        }
        Access::Current(permission) => {
            let (member, caller) = current_tenant(&plane, &request, permission)?;
            if matches!(caller.shown, Some(Shown::PairLink(_))) {
                pair_links::note_use(&plane, &member).await;
            }
            request.extensions_mut().insert(Scope(member));
            request.extensions_mut().insert(caller);
        }
        Access::Worker => {
            let (member, scope) = worker(&plane, &request)?;
            request.extensions_mut().insert(Scope(member));
            request.extensions_mut().insert(scope);
        }
    }
    let caller = request.extensions().get::<Caller>().cloned();
    let tenant = request.extensions().get::<Scope>().map(|Scope(member)| member.id);
    let answer = next.run(request).await;
    Ok(revocation::while_good(plane, access, caller, tenant, answer))
}

fn permit(who: &Principal, verdict: Verdict, permission: Permission) -> Result<(), ApiError> {
    if verdict == Verdict::Granted {
        return Ok(());
    }
    let detail = format!(
        "{} may not do this: it needs the permission {permission:?} here; `GET /auth/session` says what is granted",
        who.actor,
        permission = permission.as_str(),
    );
    Err(ApiError::new(Kind::Forbidden, detail))
}

/// The tenant in a path, by id or slug. One that the caller may know nothing of is as one that is not.
fn tenant_in_path(
    plane: &ControlPlane,
    params: Params,
    caller: &Caller,
    permission: Permission,
) -> Result<Arc<Member>, ApiError> {
    let params = params.map_err(|_| unknown_tenant("which is no text"))?;
    let named = params.iter().find(|(name, _)| *name == "tenant").map_or("", |(_, value)| value);
    let member = plane.fleet.find(named).ok_or_else(|| unknown_tenant(named))?;
    match caller.principal.may_with(member.id, permission) {
        Verdict::Hidden => Err(unknown_tenant(named)),
        verdict => permit(&caller.principal, verdict, permission).map(|()| member),
    }
}

fn unknown_tenant(named: &str) -> ApiError {
    let named: String = named.chars().take(80).collect();
    let detail = format!("no tenant has the id or slug {named:?}; `tenantry tenants` lists all");
    ApiError::new(Kind::UnknownTenant, detail)
}

/// The message from outside in a path, and with it its tenant.
async fn message_in_path(
    plane: &ControlPlane,
    params: Params,
    caller: &Caller,
    permission: Permission,
) -> Result<(Arc<Member>, MessageScope), ApiError> {
    let unknown = || {
        let detail = "no message has this id; give the id that POST /v1/tenants/…/messages answered (messages are kept until 30 days after their expires_at)";
        ApiError::new(Kind::UnknownMessage, detail)
    };
    let params = params.map_err(|_| unknown())?;
    let id = params.iter().find(|(name, _)| *name == "message").and_then(|(_, id)| id.parse().ok());
    let message = plane.store.sent_message(id.ok_or_else(unknown)?).await?.ok_or_else(unknown)?;
    let member = plane.fleet.get(message.tenant_id).ok_or_else(unknown)?;
    match caller.principal.may_with(member.id, permission) {
        Verdict::Hidden => Err(unknown()),
        verdict => {
            permit(&caller.principal, verdict, permission)?;
            Ok((member, MessageScope(Box::new(message))))
        }
    }
}

/// The tenant of a portal's request, and who asks: somebody of the tenant's own people, a program with
/// a key, or a foreign portal that speaks for one of them.
fn current_tenant(
    plane: &ControlPlane,
    request: &Request,
    permission: Permission,
) -> Result<(Arc<Member>, Caller), ApiError> {
    let headers = request.headers();
    let named = text(headers, "x-tenant-id").or_else(|| tenant_in_query(request));
    if let Some(key) = text(headers, "x-portal-key") {
        let member = tenant_of_portal(plane, key, named, request.extensions().get())?;
        if !request.method().is_safe() {
            let detail =
                "a foreign portal may only see; give an API key, or have the person sign in";
            return Err(ApiError::new(Kind::Forbidden, detail));
        }
        plane.limits.check_credential("portal")?;
        let may = [Permission::Read, Permission::Control];
        let principal = Principal::with(Actor::Portal, Place::Tenant(member.id), &may);
        permit(&principal, principal.may_with(member.id, permission), permission)?;
        return Ok((member, Caller { principal, person: None, shown: None }));
    }
    let caller = credential::caller(plane, request.method(), headers)?;
    // By id alone: an id cannot be guessed from a tenant's name as a slug can.
    let tenant = match named {
        Some(named) => named.parse().map_err(|_| no_such_id())?,
        None => caller.principal.only_tenant().ok_or_else(|| {
            let detail = "you belong to several tenants, or to none; name one by its id as x-tenant-id (or ?tenant=)";
            ApiError::new(Kind::TenantNotNamed, detail)
        })?,
    };
    match caller.principal.may_with(tenant, permission) {
        Verdict::Hidden => Err(no_such_id()),
        verdict => {
            permit(&caller.principal, verdict, permission)?;
            Ok((plane.fleet.get(tenant).ok_or_else(no_such_id)?, caller))
        }
    }
}

/// Event sources of browsers cannot send headers.
fn tenant_in_query(request: &Request) -> Option<&str> {
    let mut pairs = request.uri().query()?.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(name, _)| *name == "tenant").map(|(_, value)| value)
}

fn tenant_of_portal(
    plane: &ControlPlane,
    key: &str,
    named: Option<&str>,
    peer: Option<&Peer>,
) -> Result<Arc<Member>, ApiError> {
    let Some(wanted) = &plane.settings.portal_internal_key else {
        let detail = "set PORTAL_INTERNAL_KEY to let a portal in";
        return Err(ApiError::new(Kind::PortalDisabled, detail));
    };
    if !token::equal(key, wanted.expose()) {
        return Err(ApiError::new(Kind::Unauthorized, "give the portal key as x-portal-key"));
    }
    let allowed = &plane.settings.portal_addresses;
    let within = |peer: &Peer| allowed.contains(peer.address);
    if !allowed.is_empty() && !peer.is_some_and(within) {
        let detail = "PORTAL_ADDRESSES does not have the address that this request comes from";
        return Err(ApiError::new(Kind::PortalAddress, detail));
    }
    let Some(named) = named else {
        return Err(ApiError::new(Kind::Unauthorized, "name the tenant as x-tenant-id"));
    };
    let id = named.parse::<TenantId>().ok();
    id.and_then(|id| plane.fleet.get(id)).ok_or_else(no_such_id)
}

fn no_such_id() -> ApiError {
    ApiError::new(Kind::UnknownTenant, "no tenant has the id given as x-tenant-id")
}

/// A worker: its token says which tenant's, and which generation.
fn worker(plane: &ControlPlane, request: &Request) -> Result<(Arc<Member>, WorkerScope), ApiError> {
    let detail = "give the content of TENANTRY_TOKEN_FILE as Authorization: Bearer …";
    let refused = || ApiError::new(Kind::Unauthorized, detail);
    let token = credential::bearer(request.headers()).ok_or_else(refused)?;
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
    Ok((member, WorkerScope { generation: bearer.generation }))
}
