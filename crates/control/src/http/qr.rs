//! `…/qr`: the QR code that waits to be scanned, as data or as a picture.

use api::link::PairingStep;
use api::session::{QrView, SessionState};
use axum::Json;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::body::Params;
use super::scope::Scope;
use crate::fleet::{Snapshot, view};
use crate::problem::{ApiError, Kind};
use crate::qr::{self, DrawError};

#[derive(Clone, Copy, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum Format {
    #[default]
    Json,
    Svg,
    Png,
    Text,
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Query {
    #[serde(default)]
    #[param(inline)]
    format: Format,
}

/// The code that waits, as data or as a picture.
#[utoipa::path(get, path = "", tag = "session", params(Query), responses((status = 200, description = "The code that waits, as data or as a picture.", content((QrView = "application/json"), (String = "image/svg+xml"), (Vec<u8> = "image/png"), (String = "text/plain"))), (status = 404, description = "`no_qr`: no code waits, and a picture was asked for.", body = api::Problem)))]
pub async fn qr(Scope(member): Scope, Params(query): Params<Query>) -> Result<Response, ApiError> {
    let snapshot = member.snapshot();
    let code = waiting(&snapshot);
    let mut response = match (query.format, &code.code) {
        (Format::Json, _) => Json(code).into_response(),
        (_, None) => return Err(none(&code, &snapshot)),
        (Format::Svg, Some(code)) => picture("image/svg+xml", qr::svg(code))?,
        (Format::Png, Some(code)) => picture("image/png", qr::png(code))?,
        (Format::Text, Some(code)) => picture("text/plain; charset=utf-8", qr::text(code))?,
    };
    // The code logs a phone's owner in: no cache may keep it.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// The code that waits now; one that WhatsApp has replaced is not shown.
pub fn waiting(snapshot: &Snapshot) -> QrView {
    let state = view::session(snapshot).state;
    let qr = snapshot
        .live_link()
        .filter(|_| state == SessionState::QrReady)
        .and_then(|link| link.session.qr.clone())
        .filter(|qr| qr.expires_at > chrono::Utc::now());
    QrView {
        state,
        code: qr.as_ref().map(|qr| qr.code.clone()),
        expires_at: qr.map(|qr| qr.expires_at),
    }
}

fn none(code: &QrView, snapshot: &Snapshot) -> ApiError {
    let session = view::session(snapshot);
    let detail = match code.state {
        _ if session.pairing_code.is_some() => {
            "a pairing code is shown in its place (see the status); ask for a QR code with POST …/session/qr"
        }
        SessionState::Disconnected if session.pairing == Some(PairingStep::TimedOut) => {
            "nobody scanned the codes in time; ask for a new one with POST …/session/qr"
        }
        SessionState::Connected => "the session is connected; there is nothing to scan",
        SessionState::QrReady => "the last code has expired; the next one comes in a moment",
        SessionState::Disconnected => {
            "the worker has not yet a code; start it, and see its status and log"
        }
        SessionState::LoggedOut => "the phone has logged the bot out; restart the worker",
    };
    ApiError::new(Kind::NoQr, detail)
}

fn picture(
    kind: &'static str,
    drawn: Result<impl IntoResponse, DrawError>,
) -> Result<Response, ApiError> {
    let body = drawn.map_err(|error| ApiError::new(Kind::Internal, error.to_string()))?;
    Ok(([(header::CONTENT_TYPE, kind)], body).into_response())
}
