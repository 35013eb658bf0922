//! Groups.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;

use super::{Body, Failure};
use crate::config::Addressing;
use crate::group::GroupState;
use crate::sim::Sim;

pub(super) fn routes() -> Router<Sim> {
    Router::new()
        .route("/groups", post(create))
        .route("/groups/{id}", get(group))
        .route("/groups/{id}/members/{phone}", post(add).delete(remove))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewGroup {
    subject: String,
    /// Phone numbers, the creator's first.
    members: Vec<String>,
    #[serde(default)]
    addressing: Addressing,
}

async fn create(
    State(sim): State<Sim>,
    body: Body<NewGroup>,
) -> Result<(StatusCode, Json<GroupState>), Failure> {
    let Json(new) = body?;
    let members: Vec<&str> = new.members.iter().map(String::as_str).collect();
    let group = sim.create_group(&new.subject, &members, new.addressing)?;
    Ok((StatusCode::CREATED, Json(group)))
}

async fn group(
    State(sim): State<Sim>,
    Path(id): Path<String>,
) -> Result<Json<GroupState>, Failure> {
    Ok(Json(sim.group(&id)?))
}

async fn add(
    State(sim): State<Sim>,
    Path((id, phone)): Path<(String, String)>,
) -> Result<Json<GroupState>, Failure> {
    sim.add_to_group(&id, &phone)?;
    Ok(Json(sim.group(&id)?))
}

async fn remove(
    State(sim): State<Sim>,
    Path((id, phone)): Path<(String, String)>,
) -> Result<Json<GroupState>, Failure> {
    sim.remove_from_group(&id, &phone)?;
    Ok(Json(sim.group(&id)?))
}
