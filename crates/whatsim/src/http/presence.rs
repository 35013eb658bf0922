//! Contacts who come and go, type, and read.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;

use super::{Body, Failure};
use crate::presence::{ReceiptKind, Sign};
use crate::sim::Sim;

pub(super) fn routes() -> Router<Sim> {
    Router::new()
        .route("/contacts/{phone}", post(change))
        .route("/contacts/{phone}/typing", post(types))
        .route("/contacts/{phone}/receipts", post(receipt))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    available: Option<bool>,
    withhold_receipts: Option<bool>,
    spoil_keys: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Typing {
    to: String,
    sign: Sign,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Receipt {
    message: String,
    kind: ReceiptKind,
}

async fn change(
    State(sim): State<Sim>,
    Path(phone): Path<String>,
    body: Body<Change>,
) -> Result<StatusCode, Failure> {
    let Json(change) = body?;
    if let Some(withhold) = change.withhold_receipts {
        sim.withhold_receipts(&phone, withhold)?;
    }
    if let Some(spoil) = change.spoil_keys {
        sim.spoil_keys(&phone, spoil)?;
    }
    if let Some(available) = change.available {
        sim.set_available(&phone, available)?;
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn types(
    State(sim): State<Sim>,
    Path(phone): Path<String>,
    body: Body<Typing>,
) -> Result<StatusCode, Failure> {
    let Json(typing) = body?;
    sim.contact_types(&phone, &typing.to, typing.sign)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn receipt(
    State(sim): State<Sim>,
    Path(phone): Path<String>,
    body: Body<Receipt>,
) -> Result<StatusCode, Failure> {
    let Json(receipt) = body?;
    sim.send_receipt(&phone, &receipt.message, receipt.kind)?;
    Ok(StatusCode::NO_CONTENT)
}
