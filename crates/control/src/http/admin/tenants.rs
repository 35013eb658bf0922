//! `/admin/tenants`: make, list, show, change and delete tenants.

use std::sync::Arc;

use api::access::Permission;
use api::records::Page;
use api::tenant::{CreateTenant, TenantConfig, TenantId, TenantView, UpdateTenant};
use api::worker::HeartbeatMode;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use store::{NewTenant, TenantChange, TenantRecord};

use crate::admission::Mistakes;
use crate::audit::audited;
use crate::fleet::{Member, view};
use crate::grant::Verdict;
use crate::http::body::Body;
use crate::http::link::worker_config;
use crate::http::scope::{By, Caller, Scope};
use crate::plane::ControlPlane;
use crate::problem::{ApiError, Kind};
use crate::{deletion, launch, naming, usage};

/// What a new tenant's bot answers until somebody writes something better.
const GREETING: &str = "Hello! Thank you for your message. We will get back to you soon.";

type Plane = State<Arc<ControlPlane>>;

/// All tenants, oldest first.
#[utoipa::path(get, path = "", tag = "tenants", responses((status = 200, description = "All tenants, oldest first.", body = Page<TenantView>)))]
pub async fn list(State(plane): Plane) -> Json<Page<TenantView>> {
    usage::refresh(&plane).await;
    let items = plane.fleet.all().iter().map(|member| member.read(view::tenant)).collect();
    Json(Page { items, next: None })
}

/// The tenant.
#[utoipa::path(get, path = "", tag = "tenants", responses((status = 200, description = "The tenant.", body = TenantView)))]
pub async fn show(State(plane): Plane, Scope(member): Scope) -> Json<TenantView> {
    usage::refresh(&plane).await;
    Json(member.read(view::tenant))
}

/// Makes a tenant.
#[utoipa::path(post, path = "", tag = "tenants", request_body = CreateTenant, responses((status = 201, description = "The tenant is made; its worker does not run yet.", body = TenantView), (status = 409, description = "`phone_taken`", body = api::Problem)))]
pub async fn create(
    State(plane): Plane,
    By(actor): By,
    caller: Caller,
    Body(wish): Body<CreateTenant>,
) -> Result<(StatusCode, Json<TenantView>), ApiError> {
    let of_machine = wish.command.is_some()
        || wish.cwd.is_some()
        || !wish.env.is_empty()
        || wish.heartbeat.is_some();
    may_say_what_runs(&caller, of_machine)?;
    let work = {
        let plane = Arc::clone(&plane);
        async move { create_tenant(&plane, &wish).await }
    };
    let about = |made: &Result<TenantView, ApiError>| made.as_ref().ok().map(|tenant| tenant.id);
    let made = audited(&plane, actor, "tenant.create", about, work).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// What program runs for a tenant, where and with what, is said by who may do everything: it runs on this
/// machine as the user that we are.
fn may_say_what_runs(caller: &Caller, of_machine: bool) -> Result<(), ApiError> {
    if !of_machine || caller.principal.may_with_fleet(Permission::Admin) == Verdict::Granted {
        return Ok(());
    }
    let detail = "command, cwd, env and heartbeat say what runs on this machine; they need the permission admin";
    Err(ApiError::new(Kind::Forbidden, detail))
}

async fn create_tenant(plane: &ControlPlane, wish: &CreateTenant) -> Result<TenantView, ApiError> {
    let mut mistakes = Mistakes::default();
    let name = mistakes.name(&wish.name);
    let phone = wish.phone.as_deref().and_then(|phone| mistakes.phone(phone));
    let cwd = wish.cwd.as_deref().map(|cwd| mistakes.cwd(cwd));
    let command = wish
        .command
        .as_deref()
        .map(|command| mistakes.command(command, cwd.as_deref(), &launch::search_path()));
    let default_heartbeat =
        if command.is_some() { HeartbeatMode::Process } else { HeartbeatMode::Link };
    let config = TenantConfig {
        greeting: mistakes.greeting(wish.greeting.as_deref().unwrap_or(GREETING)),
        rate_limit_max_per_minute: mistakes.rate_limit(
            wish.rate_limit_max_per_minute.unwrap_or(plane.settings.rate_limit_max_per_minute),
        ),
        command,
        cwd,
        env: mistakes.env(&wish.env),
        heartbeat: mistakes
            .heartbeat(wish.heartbeat.unwrap_or(default_heartbeat), wish.command.is_some()),
    };
    mistakes.none_or(()).map_err(ApiError::fields)?;
    let id = TenantId::generate();
    let new = NewTenant {
        id,
        slug_base: naming::slug(&name),
        worker_name: naming::worker_name(&name, id),
        runtime: plane.settings.runtime,
        name,
        phone,
        config,
    };
    let member = plane.fleet.insert(plane.store.create(new).await?);
    plane.recorder.event(id, "tenant.created", "");
    Ok(view::tenant(&member.snapshot()))
}

/// Changes a tenant; what is absent stays.
#[utoipa::path(patch, path = "", tag = "tenants", request_body = UpdateTenant, responses((status = 200, description = "The tenant as it is now.", body = TenantView), (status = 409, description = "`phone_taken`", body = api::Problem)))]
pub async fn update(
    State(plane): Plane,
    By(actor): By,
    caller: Caller,
    Scope(member): Scope,
    Body(wish): Body<UpdateTenant>,
) -> Result<Json<TenantView>, ApiError> {
    let of_machine = wish.command.is_some()
        || wish.cwd.is_some()
        || wish.env.is_some()
        || wish.heartbeat.is_some();
    may_say_what_runs(&caller, of_machine)?;
    let id = member.id;
    let work = {
        let plane = Arc::clone(&plane);
        async move { update_tenant(&plane, &member, &wish).await }
    };
    audited(&plane, actor, "tenant.update", move |_| Some(id), work).await.map(Json)
}

async fn update_tenant(
    plane: &ControlPlane,
    member: &Member,
    wish: &UpdateTenant,
) -> Result<TenantView, ApiError> {
    let _one_at_a_time = member.settings.lock().await;
    let change = admit_change(&member.snapshot().record, wish)?;
    let stored = plane.store.update(member.id, change).await?;
    let config = worker_config(&stored);
    member.set_tenant(stored);
    // Nobody listens while the worker is down; its next heartbeat brings the settings.
    let _ = member.commands.send(api::link::Command::Config(config));
    Ok(view::tenant(&member.snapshot()))
}

/// Checks a change against what the tenant is. An empty text or vector takes the value away.
fn admit_change(now: &TenantRecord, wish: &UpdateTenant) -> Result<TenantChange, ApiError> {
    let mut mistakes = Mistakes::default();
    let mut config = now.config.clone();
    if let Some(greeting) = &wish.greeting {
        config.greeting = mistakes.greeting(greeting);
    }
    if let Some(limit) = wish.rate_limit_max_per_minute {
        config.rate_limit_max_per_minute = mistakes.rate_limit(limit);
    }
    if let Some(cwd) = &wish.cwd {
        config.cwd = if cwd.is_empty() { None } else { Some(mistakes.cwd(cwd)) };
    }
    if let Some(command) = &wish.command {
        config.command = if command.is_empty() {
            config.heartbeat = HeartbeatMode::Link;
            None
        } else {
            let path = launch::search_path();
            if config.command.is_none() {
                config.heartbeat = HeartbeatMode::Process;
            }
            Some(mistakes.command(command, config.cwd.as_deref(), &path))
        };
    }
    if let Some(env) = &wish.env {
        config.env = mistakes.env(env);
    }
    if let Some(heartbeat) = wish.heartbeat {
        config.heartbeat = mistakes.heartbeat(heartbeat, config.command.is_some());
    }
    let name = wish.name.as_deref().map(|name| mistakes.name(name));
    let phone = wish
        .phone
        .as_deref()
        .map(|phone| if phone.is_empty() { None } else { mistakes.phone(phone) });
    let config = (config != now.config).then_some(config);
    mistakes.none_or(TenantChange { name, phone, config }).map_err(ApiError::fields)
}

/// Deletes a tenant, its session and its records.
#[utoipa::path(delete, path = "", tag = "tenants", responses((status = 204, description = "The tenant, its session and records are deleted."), (status = 502, description = "`worker_stop_failed`", body = api::Problem)))]
pub async fn delete(
    State(plane): Plane,
    By(actor): By,
    Scope(member): Scope,
) -> Result<StatusCode, ApiError> {
    let id = member.id;
    let work = {
        let plane = Arc::clone(&plane);
        async move { deletion::delete(&plane, &member).await }
    };
    audited(&plane, actor, "tenant.delete", move |_| Some(id), work).await?;
    Ok(StatusCode::NO_CONTENT)
}
