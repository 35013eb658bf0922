//! The one table of routes: method, path, who may, and the handler. The router, the guard of each route
//! (`guard.rs`) and the OpenAPI document (`openapi.rs`) are made from it, so that none of them can know
//! a route that the others do not.

use std::sync::Arc;

use api::access::Permission::{Admin, Control, Pair, People, Read, Send, Settings};
use axum::routing::{MethodFilter, MethodRouter, on};
use axum::{Router, middleware};
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{HttpMethod, RefOr};

use super::guard::Access::{self, Anybody, Current, Fleet, Known, Message, Person, Tenant, Worker};
use super::guard::{Guard, guard};
use crate::plane::ControlPlane;

/// A route.
pub struct Route {
    /// The method.
    pub method: HttpMethod,
    /// The path, with its parameters in braces.
    pub path: &'static str,
    /// Who may.
    pub access: Access,
    /// What the handler says of itself.
    pub operation: fn() -> Operation,
    /// The types that it speaks of.
    pub schemas: fn(&mut Vec<(String, RefOr<Schema>)>),
    handler: fn() -> MethodRouter<Arc<ControlPlane>>,
}

/// Where the portal's routes are found as well, for portals that were made for another system.
pub const PORTAL_ALIAS: &str = "/api";

macro_rules! table {
    ($($method:ident $path:literal $access:expr => $($module:ident)::+ . $handler:ident;)*) => {
        /// All routes.
        pub static ROUTES: &[Route] = &[$(Route {
            method: table!(@http $method),
            path: $path,
            access: $access,
            operation: || pastey::paste! {
                <super::$($module)::+::[<__path_ $handler>] as utoipa::Path>::operation()
            },
            schemas: |_schemas| pastey::paste! {
                <super::$($module)::+::[<__path_ $handler>] as utoipa::__dev::SchemaReferences>
                    ::schemas(_schemas)
            },
            handler: || on(MethodFilter::$method, super::$($module)::+::$handler),
        },)*];
    };
    (@http GET) => { HttpMethod::Get };
    (@http POST) => { HttpMethod::Post };
    (@http PUT) => { HttpMethod::Put };
    (@http PATCH) => { HttpMethod::Patch };
    (@http DELETE) => { HttpMethod::Delete };
}

table! {
    GET "/health" Anybody => health.health;
    GET "/ready" Anybody => health.ready;
    GET "/metrics" Fleet(Read) => metrics.scrape;

    GET "/brand" Anybody => brand.show;
    GET "/brand/logo" Anybody => brand.logo;

    GET "/auth/methods" Anybody => people::sign_in.methods;
    POST "/auth/setup" Anybody => people::sign_in.set_up;
    POST "/auth/sign-in" Anybody => people::sign_in.sign_in;
    POST "/auth/accept" Anybody => people::sign_in.accept;
    POST "/auth/forgot" Anybody => people::sign_in.forgot;
    POST "/auth/pair-link" Anybody => pair_links.open;
    GET "/auth/oidc/start" Anybody => people::oidc.start;
    GET "/auth/oidc/callback" Anybody => people::oidc.arrive;
    GET "/auth/session" Known => people::own.session;
    POST "/auth/sign-out" Person => people::own.sign_out;
    POST "/auth/sign-out-everywhere" Person => people::own.sign_out_everywhere;
    GET "/auth/sessions" Person => people::own.sessions;
    DELETE "/auth/sessions/{session}" Person => people::own.end_session;
    POST "/auth/password" Person => people::own.change_password;
    POST "/auth/totp" Person => people::own.offer_totp;
    POST "/auth/totp/confirm" Person => people::own.confirm_totp;
    POST "/auth/totp/remove" Person => people::own.remove_totp;

    GET "/admin/users" Fleet(Admin) => people::users.list;
    POST "/admin/users" Fleet(Admin) => people::users.invite;
    GET "/admin/users/{user}" Fleet(Admin) => people::users.show;
    PATCH "/admin/users/{user}" Fleet(Admin) => people::users.update;
    DELETE "/admin/users/{user}" Fleet(Admin) => people::users.delete;
    POST "/admin/users/{user}/reset" Fleet(Admin) => people::users.reset;
    POST "/admin/users/{user}/sign-out" Fleet(Admin) => people::users.sign_out;
    DELETE "/admin/users/{user}/totp" Fleet(Admin) => people::users.remove_totp;
    GET "/admin/keys" Fleet(Admin) => people::keys.list;
    POST "/admin/keys" Fleet(Admin) => people::keys.create;
    DELETE "/admin/keys/{key}" Fleet(Admin) => people::keys.delete;
    PUT "/admin/brand" Fleet(Admin) => brand.set;
    PUT "/admin/brand/logo" Fleet(Admin) => brand.set_logo;
    DELETE "/admin/brand/logo" Fleet(Admin) => brand.remove_logo;
    GET "/admin/system" Fleet(Admin) => system.show;
    GET "/admin/system/doctor" Fleet(Admin) => system.doctor;
    GET "/admin/backups" Fleet(Admin) => system.backups;
    POST "/admin/backups" Fleet(Admin) => system.back_up;
    GET "/admin/audit" Fleet(Admin) => audit.list;
    GET "/admin/audit/export" Fleet(Admin) => audit.export;
    GET "/admin/audit/verify" Fleet(Admin) => audit.verify;
    GET "/admin/events" Fleet(Read) => events.all;
    GET "/admin/fleet" Fleet(Read) => fleet.view;
    GET "/admin/fleet/tenants" Fleet(Read) => fleet.rows;
    GET "/admin/fleet/stream" Fleet(Read) => fleet.follow;
    GET "/admin/rules/templates" Known => admin::rules.templates;
    GET "/admin/rules/templates/{name}" Known => admin::rules.template;

    GET "/admin/tenants" Fleet(Read) => admin::tenants.list;
    POST "/admin/tenants" Fleet(Settings) => admin::tenants.create;
    GET "/admin/tenants/{tenant}" Tenant(Read) => admin::tenants.show;
    PATCH "/admin/tenants/{tenant}" Tenant(Settings) => admin::tenants.update;
    DELETE "/admin/tenants/{tenant}" Tenant(Admin) => admin::tenants.delete;
    GET "/admin/tenants/{tenant}/status" Tenant(Read) => status.status;
    GET "/admin/tenants/{tenant}/stream" Tenant(Read) => live.follow;
    GET "/admin/tenants/{tenant}/series" Tenant(Read) => live.series;
    GET "/admin/tenants/{tenant}/qr" Tenant(Pair) => qr.qr;
    GET "/admin/tenants/{tenant}/logs" Tenant(Read) => logs.logs;
    GET "/admin/tenants/{tenant}/messages" Tenant(Read) => records.messages;
    GET "/admin/tenants/{tenant}/conversations" Tenant(Read) => records.conversations;
    GET "/admin/tenants/{tenant}/events" Tenant(Read) => events.of_tenant;
    GET "/admin/tenants/{tenant}/rules" Tenant(Read) => admin::rules.show;
    PUT "/admin/tenants/{tenant}/rules" Tenant(Settings) => admin::rules.set;
    DELETE "/admin/tenants/{tenant}/rules" Tenant(Settings) => admin::rules.clear;
    POST "/admin/tenants/{tenant}/rules/test" Tenant(Read) => admin::rules.test;
    POST "/admin/tenants/{tenant}/rules/secret" Tenant(Settings) => admin::rules.renew_secret;
    GET "/admin/tenants/{tenant}/pacing" Tenant(Read) => admin::pacing.show;
    PUT "/admin/tenants/{tenant}/pacing" Tenant(Settings) => admin::pacing.set;
    POST "/admin/tenants/{tenant}/session/reset" Tenant(Control) => admin::session.reset;
    POST "/admin/tenants/{tenant}/session/pairing-code" Tenant(Pair) => admin::pairing.code;
    POST "/admin/tenants/{tenant}/session/qr" Tenant(Pair) => admin::pairing.qr;
    DELETE "/admin/tenants/{tenant}/session/pairing" Tenant(Pair) => admin::pairing.cancel;
    POST "/admin/tenants/{tenant}/session/reconnect" Tenant(Pair) => admin::pairing.reconnect;
    GET "/admin/tenants/{tenant}/session/events" Tenant(Pair) => session_events.follow;
    POST "/admin/tenants/{tenant}/pair-links" Tenant(Control) => pair_links.create;
    DELETE "/admin/tenants/{tenant}/pair-links" Tenant(Control) => pair_links.take_back;
    POST "/admin/tenants/{tenant}/worker/start" Tenant(Control) => admin::worker.start;
    POST "/admin/tenants/{tenant}/worker/stop" Tenant(Control) => admin::worker.stop;
    POST "/admin/tenants/{tenant}/worker/restart" Tenant(Control) => admin::worker.restart;
    POST "/admin/tenants/{tenant}/worker/force-restart" Tenant(Control) => admin::worker.force_restart;
    POST "/admin/tenants/{tenant}/worker/migrate" Tenant(Admin) => admin::worker.migrate;

    GET "/v1/tenants/{tenant}/messages" Tenant(Read) => v1::messages.list;
    POST "/v1/tenants/{tenant}/messages" Tenant(Send) => v1::messages.send;
    POST "/v1/tenants/{tenant}/media" Tenant(Send) => v1::media.upload;
    GET "/v1/messages/{message}" Message(Read) => v1::messages.show;

    GET "/portal/tenant/current/status" Current(Read) => status.status;
    GET "/portal/tenant/current/stream" Current(Read) => live.follow;
    GET "/portal/tenant/current/series" Current(Read) => live.series;
    GET "/portal/tenant/current/qr" Current(Pair) => qr.qr;
    GET "/portal/tenant/current/session/events" Current(Pair) => session_events.follow;
    GET "/portal/tenant/current/logs" Current(Read) => logs.logs;
    GET "/portal/tenant/current/messages" Current(Read) => records.messages;
    GET "/portal/tenant/current/conversations" Current(Read) => records.conversations;
    GET "/portal/tenant/current/events" Current(Read) => events.of_current;
    POST "/portal/tenant/current/messages" Current(Send) => v1::messages.send;
    PATCH "/portal/tenant/current/settings" Current(Settings) => admin::tenants.update;
    GET "/portal/tenant/current/rules" Current(Read) => admin::rules.show;
    PUT "/portal/tenant/current/rules" Current(Settings) => admin::rules.set;
    POST "/portal/tenant/current/rules/test" Current(Read) => admin::rules.test;
    GET "/portal/tenant/current/pacing" Current(Read) => admin::pacing.show;
    PUT "/portal/tenant/current/pacing" Current(Settings) => admin::pacing.set;
    POST "/portal/tenant/current/session/pairing-code" Current(Pair) => admin::pairing.code;
    POST "/portal/tenant/current/session/qr" Current(Pair) => admin::pairing.qr;
    DELETE "/portal/tenant/current/session/pairing" Current(Pair) => admin::pairing.cancel;
    POST "/portal/tenant/current/session/reconnect" Current(Pair) => admin::pairing.reconnect;
    POST "/portal/tenant/current/pair-links" Current(Control) => pair_links.create;
    DELETE "/portal/tenant/current/pair-links" Current(Control) => pair_links.take_back;
    POST "/portal/tenant/current/worker/start" Current(Control) => admin::worker.start;
    POST "/portal/tenant/current/worker/stop" Current(Control) => admin::worker.stop;
    POST "/portal/tenant/current/worker/restart" Current(Control) => admin::worker.restart;
    GET "/portal/tenant/current/people" Current(People) => people::of_tenant.list;
    POST "/portal/tenant/current/people" Current(People) => people::of_tenant.add;
    DELETE "/portal/tenant/current/people/{user}" Current(People) => people::of_tenant.remove;

    POST "/link/v1/heartbeat" Worker => link.heartbeat;
    POST "/link/v1/events" Worker => link.events;
    GET "/link/v1/commands" Worker => link.commands;
    GET "/link/v1/media/{id}" Worker => handing_over.media;
}

/// The routes that `chosen` says, each behind its guard.
pub fn router(
    plane: &Arc<ControlPlane>,
    chosen: impl Fn(&Route) -> bool,
) -> Router<Arc<ControlPlane>> {
    let mut router = Router::new();
    for route in ROUTES.iter().filter(|route| chosen(route)) {
        let open = route.path == "/metrics" && plane.settings.metrics_public;
        let access = if open { Anybody } else { route.access };
        let state = Guard { plane: Arc::clone(plane), access };
        let guarded =
            || (route.handler)().route_layer(middleware::from_fn_with_state(state.clone(), guard));
        router = router.route(route.path, guarded());
        if matches!(route.access, Current(_)) {
            router = router.route(&format!("{PORTAL_ALIAS}{}", route.path), guarded());
        }
    }
    router
}
