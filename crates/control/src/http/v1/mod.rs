//! `/v1/…`: for programs that send messages. Behind the operators' credential; each route works on
//! the one tenant that its path names, by itself or through a message.

mod media;
mod messages;

use std::sync::Arc;

use axum::routing::{get, post};
use axum::{Router, middleware};

use super::{Routes, auth};
use crate::plane::ControlPlane;

pub(super) fn routes(plane: &Arc<ControlPlane>) -> Routes {
    let state = || Arc::clone(plane);
    let of_one_tenant = Router::new()
        .route("/tenants/{tenant}/messages", get(messages::list).post(messages::send))
        .route("/tenants/{tenant}/media", post(media::upload))
        .route_layer(middleware::from_fn_with_state(state(), auth::tenant_in_path));
    let of_one_message = Router::new()
        .route("/messages/{message}", get(messages::show))
        .route_layer(middleware::from_fn_with_state(state(), auth::message_in_path));
    of_one_tenant
        .merge(of_one_message)
        .route_layer(middleware::from_fn_with_state(state(), auth::admin))
}

#[cfg(test)]
pub(super) mod tests;
