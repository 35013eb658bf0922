//! The network as a whole, and the phone's scan.

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;

use super::{Body, Failure};
use crate::pairing::LinkedDevice;
use crate::sim::{Sim, SimState};

pub(super) fn routes() -> Router<Sim> {
    Router::new()
        .route("/state", get(state))
        .route("/network", post(change))
        .route("/scan", post(scan))
        .route("/enter-code", post(enter_code))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    /// Refuses new connections.
    refuse: Option<bool>,
    /// Forgets all files of the media host.
    #[serde(default)]
    forget_media: bool,
    /// Leaves clients that want to be paired without an answer.
    ignore_unlinked: Option<bool>,
    /// Drops the connections of clients that want to be paired.
    #[serde(default)]
    cut_unlinked: bool,
    /// Drops the connections of linked devices.
    #[serde(default)]
    cut_linked: bool,
    /// Makes pairing codes invalid, those shown and those to come.
    expire_codes: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scan {
    qr: String,
    phone: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TypedCode {
    code: String,
    phone: String,
}

async fn state(State(sim): State<Sim>) -> Json<SimState> {
    Json(sim.state())
}

async fn change(State(sim): State<Sim>, body: Body<Change>) -> Result<Json<SimState>, Failure> {
    let Json(change) = body?;
    if let Some(refuse) = change.refuse {
        sim.refuse_connections(refuse);
    }
    if let Some(ignore) = change.ignore_unlinked {
        sim.ignore_unlinked(ignore);
    }
    if change.cut_unlinked {
        let cut = sim.cut_unlinked();
        tracing::debug!(cut, "clients that want to be paired were cut");
    }
    if change.cut_linked {
        let cut = sim.cut_linked();
        tracing::debug!(cut, "linked devices were cut");
    }
    if change.forget_media {
        sim.forget_media();
    }
    if let Some(expire) = change.expire_codes {
        sim.expire_codes(expire);
    }
    Ok(Json(sim.state()))
}

async fn scan(State(sim): State<Sim>, body: Body<Scan>) -> Result<Json<LinkedDevice>, Failure> {
    let Json(scan) = body?;
    Ok(Json(sim.scan(&scan.qr, &scan.phone).await?))
}

async fn enter_code(
    State(sim): State<Sim>,
    body: Body<TypedCode>,
) -> Result<Json<LinkedDevice>, Failure> {
    let Json(typed) = body?;
    Ok(Json(sim.enter_code(&typed.code, &typed.phone).await?))
}
