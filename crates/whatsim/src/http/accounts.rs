//! Accounts and what goes wrong with their devices.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{delete, get, post, put};
use axum::{Json, Router};
use serde::Deserialize;

use super::{Body, Failure, MessageId, unknown_route};
use crate::account::AccountState;
use crate::fault::{ArmedFault, Fault, FaultKind};
use crate::presence::BotSign;
use crate::sim::Sim;

pub(super) fn routes() -> Router<Sim> {
    Router::new()
        .route("/accounts", post(add))
        .route("/accounts/{phone}", get(account))
        .route("/accounts/{phone}/faults", get(faults).post(inject).delete(end_all))
        .route("/accounts/{phone}/faults/{kind}", delete(end))
        .route("/accounts/{phone}/signs", get(signs))
        .route("/accounts/{phone}/screen", put(show))
        .route("/accounts/{phone}/messages", post(write_on_phone))
        .route("/accounts/{phone}/{order}", post(order))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewAccount {
    phone: String,
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewFault {
    fault: Fault,
    /// How often; absent for as often as usual, null is the same.
    times: Option<u32>,
    /// Until it is ended by command.
    #[serde(default)]
    until_ended: bool,
}

async fn add(
    State(sim): State<Sim>,
    body: Body<NewAccount>,
) -> Result<(StatusCode, Json<AccountState>), Failure> {
    let Json(new) = body?;
    match new.name {
        Some(name) => sim.add_named_account(&new.phone, &name)?,
        None => sim.add_account(&new.phone)?,
    }
    Ok((StatusCode::CREATED, Json(sim.account(&new.phone)?)))
}

async fn account(
    State(sim): State<Sim>,
    Path(phone): Path<String>,
) -> Result<Json<AccountState>, Failure> {
    Ok(Json(sim.account(&phone)?))
}

/// The orders that need no details; `resume` ends a stall.
async fn order(
    State(sim): State<Sim>,
    Path((phone, order)): Path<(String, String)>,
) -> Result<Json<AccountState>, Failure> {
    match order.as_str() {
        "cut" => sim.cut(&phone)?,
        "stall" => sim.stall(&phone)?,
        "resume" => sim.resume(&phone)?,
        "replace" => sim.replace(&phone)?,
        "logout" => sim.logout(&phone)?,
        _ => return Err(unknown_route().await),
    }
    Ok(Json(sim.account(&phone)?))
}

/// What the screen in front of an account's phone shows.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Screen {
    /// The text of a QR code; null for a screen without one.
    code: Option<String>,
}

async fn show(
    State(sim): State<Sim>,
    Path(phone): Path<String>,
    body: Body<Screen>,
) -> Result<Json<AccountState>, Failure> {
    let Json(screen) = body?;
    sim.show_on_screen(&phone, screen.code.as_deref())?;
    Ok(Json(sim.account(&phone)?))
}

/// What the owner of an account writes on the phone.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OwnText {
    to: String,
    text: String,
}

async fn write_on_phone(
    State(sim): State<Sim>,
    Path(phone): Path<String>,
    body: Body<OwnText>,
) -> Result<(StatusCode, Json<MessageId>), Failure> {
    let Json(own) = body?;
    let id = sim.write_on_phone(&phone, &own.to, &own.text)?;
    Ok((StatusCode::CREATED, Json(MessageId { id })))
}

async fn signs(
    State(sim): State<Sim>,
    Path(phone): Path<String>,
) -> Result<Json<Vec<BotSign>>, Failure> {
    Ok(Json(sim.signs(&phone)?))
}

async fn faults(
    State(sim): State<Sim>,
    Path(phone): Path<String>,
) -> Result<Json<Vec<ArmedFault>>, Failure> {
    Ok(Json(sim.faults(&phone)?))
}

async fn inject(
    State(sim): State<Sim>,
    Path(phone): Path<String>,
    body: Body<NewFault>,
) -> Result<Json<Vec<ArmedFault>>, Failure> {
    let Json(new) = body?;
    match (new.times, new.until_ended) {
        (Some(times), false) => sim.inject_times(&phone, new.fault, times)?,
        (None, false) => sim.inject(&phone, new.fault)?,
        (None, true) => sim.inject_until_ended(&phone, new.fault)?,
        (Some(_), true) => {
            return Err(Failure::new(
                StatusCode::BAD_REQUEST,
                "invalid_fault",
                "a fault lasts `times` or `until_ended`, not both",
            ));
        }
    }
    Ok(Json(sim.faults(&phone)?))
}

async fn end(
    State(sim): State<Sim>,
    path: Result<Path<(String, FaultKind)>, PathRejection>,
) -> Result<Json<Vec<ArmedFault>>, Failure> {
    let Path((phone, kind)) = path?;
    sim.end_fault(&phone, kind)?;
    Ok(Json(sim.faults(&phone)?))
}

async fn end_all(
    State(sim): State<Sim>,
    Path(phone): Path<String>,
) -> Result<Json<Vec<ArmedFault>>, Failure> {
    sim.end_faults(&phone)?;
    Ok(Json(sim.faults(&phone)?))
}
