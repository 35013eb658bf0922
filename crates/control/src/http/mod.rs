//! The HTTP surface: routes by audience, each audience behind one layer that says who may.
//!
//! | routes | audience | layer |
//! |---|---|---|
//! | `/admin/…` | operators | [`auth::admin`] |
//! | `/portal/…`, `/api/portal/…` | a tenant's own people, through a portal | [`auth::portal`] |
//! | `/v1/…` | programs that send messages | [`auth::admin`] |
//! | `/link/v1/…` | workers | [`auth::link`] |
//! | `/metrics` | operators, or anybody by a setting | [`auth::admin`] |
//! | `/health`, `/ready` | anybody | none |
//!
//! A handler that works on a tenant takes it from [`scope::Scope`], which the layer has put there:
//! no handler looks a tenant up by what the caller says.

mod admin;
mod audit;
pub mod auth;
mod body;
mod events;
mod handing_over;
mod health;
mod link;
mod logs;
mod metrics;
pub mod peer;
mod qr;
mod records;
pub mod scope;
mod session_events;
mod status;
mod v1;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::routing::get;
use axum::{Router, middleware};
use tower_http::catch_panic::CatchPanicLayer;

use crate::metrics::http::measure;
use crate::plane::ControlPlane;
use crate::problem::{ApiError, Kind};

/// The largest body that a route takes, in bytes; uploads have a bound of their own.
pub const MAX_BODY: usize = 1024 * 1024;

/// All routes, for the TCP listener.
pub fn router(plane: &Arc<ControlPlane>) -> Router {
    let portal = portal(plane);
    finish(
        Router::new()
            .merge(health::routes())
            .merge(metrics(plane))
            .nest("/admin", admin::routes(plane))
            .nest("/v1", v1::routes(plane))
            .nest("/portal", portal.clone())
            .nest("/api/portal", portal)
            .merge(link_routes(plane)),
        plane,
    )
}

/// What Prometheus reads.
fn metrics(plane: &Arc<ControlPlane>) -> Routes {
    let routes = Router::new().route("/metrics", get(metrics::scrape));
    if plane.settings.metrics_public {
        return routes;
    }
    routes.route_layer(middleware::from_fn_with_state(Arc::clone(plane), auth::admin))
}

/// The worker link alone, for the Unix socket that local workers use.
pub fn link_router(plane: &Arc<ControlPlane>) -> Router {
    finish(link_routes(plane), plane)
}

type Routes = Router<Arc<ControlPlane>>;

fn link_routes(plane: &Arc<ControlPlane>) -> Routes {
    link::routes().route_layer(middleware::from_fn_with_state(Arc::clone(plane), auth::link))
}

/// What a tenant's own people may see.
fn portal(plane: &Arc<ControlPlane>) -> Routes {
    Router::new()
        .route("/tenant/current/status", get(status::status))
        .route("/tenant/current/qr", get(qr::qr))
        .route("/tenant/current/session/events", get(session_events::follow))
        .route("/tenant/current/logs", get(logs::logs))
        .route("/tenant/current/messages", get(records::messages))
        .route("/tenant/current/events", get(events::of_current))
        .route_layer(middleware::from_fn_with_state(Arc::clone(plane), auth::portal))
}

fn finish(routes: Routes, plane: &Arc<ControlPlane>) -> Router {
    routes
        .fallback(async || ApiError::new(Kind::NoSuchRoute, "see the README for the routes"))
        .method_not_allowed_fallback(async || {
            ApiError::new(Kind::MethodNotAllowed, "the route exists, but not for this method")
        })
        .layer(middleware::from_fn(body::limit))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(CatchPanicLayer::custom(|_| {
            use axum::response::IntoResponse as _;
            ApiError::new(Kind::Internal, "the request met a bug; see the server's log")
                .into_response()
        }))
        .layer(middleware::from_fn_with_state(Arc::clone(plane), measure))
        .with_state(Arc::clone(plane))
}
