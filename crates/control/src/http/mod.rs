//! The HTTP surface: one table of routes (`routes.rs`), each behind the one layer that says who may
//! (`guard.rs`), which finds out who asks by `credential.rs`.
//!
//! A handler that works on a tenant takes it from [`scope::Scope`], which the guard has put there:
//! no handler looks a tenant up by what the caller says.

mod admin;
mod audit;
mod body;
mod brand;
pub mod credential;
mod events;
mod fleet;
mod guard;
mod handing_over;
mod health;
mod link;
mod live;
mod logs;
mod metrics;
pub mod openapi;
mod pages;
mod pair_links;
pub mod peer;
mod people;
mod qr;
mod records;
mod revocation;
mod routes;
pub mod scope;
mod session_events;
mod status;
mod system;
#[cfg(test)]
mod tests;
mod v1;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::{Router, middleware};
use tower_http::catch_panic::CatchPanicLayer;

use crate::metrics::http::measure;
use crate::plane::ControlPlane;
use crate::problem::{ApiError, Kind};
use guard::Access;

/// The largest body that a route takes, in bytes; uploads have a bound of their own.
pub const MAX_BODY: usize = 1024 * 1024;

/// All routes, for the TCP listener.
pub fn router(plane: &Arc<ControlPlane>) -> Router {
    finish(routes::router(plane, |_| true).merge(openapi::routes()).merge(pages::routes()), plane)
}

/// The worker link alone, for the Unix socket that local workers use.
pub fn link_router(plane: &Arc<ControlPlane>) -> Router {
    finish(routes::router(plane, |route| route.access == Access::Worker), plane)
}

type Routes = Router<Arc<ControlPlane>>;

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
