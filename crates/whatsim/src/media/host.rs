//! Where clients upload and download encrypted files, over HTTP.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;

use crate::event::SimEvent;
use crate::media::blobs::{FOLDER, path_of};
use crate::network::Network;

/// Serves files until the network stops. Larger uploads than `limit` bytes are refused.
pub(crate) async fn serve(network: Arc<Network>, listener: TcpListener, limit: usize) {
    let stop = network.stop.clone().cancelled_owned();
    let router = Router::new()
        .route("/mms/{kind}/{token}", post(upload))
        .route(&format!("{FOLDER}{{token}}"), get(download))
        .layer(DefaultBodyLimit::max(limit))
        .with_state(Arc::clone(&network));
    // A transfer under way ends with the network: its client can try again.
    tokio::select! {
        served = axum::serve(listener, router) => {
            if let Err(error) = served {
                tracing::error!(%error, "the media host failed");
            }
        }
        () = stop => {}
    }
}

#[derive(Deserialize)]
struct UploadQuery {
    auth: Option<String>,
    /// Asks how much of the file is already there.
    resume: Option<String>,
    /// A part of a file, which this host does not put together.
    file_offset: Option<u64>,
}

#[derive(Serialize)]
struct Uploaded {
    url: String,
    direct_path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    resume: Option<&'static str>,
}

async fn upload(
    State(network): State<Arc<Network>>,
    Path((_kind, token)): Path<(String, String)>,
    Query(query): Query<UploadQuery>,
    body: Bytes,
) -> Response {
    let mut world = network.world();
    if query.auth.as_deref() != Some(world.media.auth.as_str()) {
        return (StatusCode::UNAUTHORIZED, "no right to upload").into_response();
    }
    let direct_path = path_of(&token);
    let mut uploaded = Uploaded {
        url: format!("https://{}{direct_path}", world.media.host),
        direct_path,
        resume: None,
    };
    if query.resume.is_some() {
        let complete = world.media.blobs.get(&token).is_some();
        uploaded.resume = Some(if complete { "complete" } else { "0" });
        return Json(uploaded).into_response();
    }
    if query.file_offset.is_some() {
        return (StatusCode::BAD_REQUEST, "parts of files are not kept").into_response();
    }
    let hash = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&body));
    if hash != token {
        return (StatusCode::BAD_REQUEST, "the file does not have the hash it claims")
            .into_response();
    }
    world.media.blobs.put(&token, body);
    world.emit(SimEvent::Uploaded { token });
    Json(uploaded).into_response()
}

async fn download(State(network): State<Arc<Network>>, Path(token): Path<String>) -> Response {
    let blob = network.world().media.blobs.get(&token);
    match blob {
        Some(blob) => blob.into_response(),
        None => (StatusCode::NOT_FOUND, "there is no such file").into_response(),
    }
}
