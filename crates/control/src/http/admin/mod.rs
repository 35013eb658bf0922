//! The operators' routes.

mod pacing;
mod pairing;
mod rules;
mod session;
mod tenants;
mod worker;

use std::sync::Arc;

use axum::routing::{delete, get, post};
use axum::{Router, middleware};

use super::{Routes, audit, auth, events, logs, qr, records, session_events, status};
use crate::plane::ControlPlane;

pub(super) fn routes(plane: &Arc<ControlPlane>) -> Routes {
    let of_one_tenant = Router::new()
        .route(
            "/tenants/{tenant}",
            get(tenants::show).patch(tenants::update).delete(tenants::delete),
        )
        .route("/tenants/{tenant}/status", get(status::status))
        .route("/tenants/{tenant}/qr", get(qr::qr))
        .route("/tenants/{tenant}/logs", get(logs::logs))
        .route("/tenants/{tenant}/messages", get(records::messages))
        .route("/tenants/{tenant}/events", get(events::of_tenant))
        .route("/tenants/{tenant}/rules", get(rules::show).put(rules::set).delete(rules::clear))
        .route("/tenants/{tenant}/pacing", get(pacing::show).put(pacing::set))
        .route("/tenants/{tenant}/rules/test", post(rules::test))
        .route("/tenants/{tenant}/rules/secret", post(rules::renew_secret))
        .route("/tenants/{tenant}/session/reset", post(session::reset))
        .route("/tenants/{tenant}/session/pairing-code", post(pairing::code))
        .route("/tenants/{tenant}/session/qr", post(pairing::qr))
        .route("/tenants/{tenant}/session/pairing", delete(pairing::cancel))
        .route("/tenants/{tenant}/session/reconnect", post(pairing::reconnect))
        .route("/tenants/{tenant}/session/events", get(session_events::follow))
        .route("/tenants/{tenant}/worker/start", post(worker::start))
        .route("/tenants/{tenant}/worker/stop", post(worker::stop))
        .route("/tenants/{tenant}/worker/restart", post(worker::restart))
        .route("/tenants/{tenant}/worker/force-restart", post(worker::force_restart))
        .route("/tenants/{tenant}/worker/migrate", post(worker::migrate))
        .route_layer(middleware::from_fn_with_state(Arc::clone(plane), auth::tenant_in_path));
    Router::new()
        .route("/tenants", get(tenants::list).post(tenants::create))
        .route("/rules/templates", get(rules::templates))
        .route("/rules/templates/{name}", get(rules::template))
        .route("/audit", get(audit::list))
        .route("/audit/export", get(audit::export))
        .route("/audit/verify", get(audit::verify))
        .route("/events", get(events::all))
        .merge(of_one_tenant)
        .route_layer(middleware::from_fn_with_state(Arc::clone(plane), auth::admin))
}
