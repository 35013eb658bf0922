//! `/v1/tenants/{tenant}/media`: files that wait for their message.

use std::sync::Arc;

use api::messages::Upload;
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::Utc;
use store::NewUpload;

use crate::audit;
use crate::http::scope::{By, Scope};
use crate::plane::ControlPlane;
use crate::problem::{ApiError, Kind};
use crate::sending::{upkeep, uploads};

/// So many bytes of a tenant's files may lie here.
const ROOM: u64 = 1024 * 1024 * 1024;

/// Stores a file: the body is the file itself.
#[utoipa::path(post, path = "", tag = "sending", request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses((status = 201, description = "The file waits for its message.", body = Upload)))]
pub async fn upload(
    State(plane): State<Arc<ControlPlane>>,
    By(actor): By,
    Scope(member): Scope,
    body: Body,
) -> Result<(StatusCode, Json<Upload>), ApiError> {
    let home = &plane.settings.home;
    let stored = uploads::store(&plane, member.id, body).await?;
    let (id, size, sha256) = (stored.id, stored.size, stored.sha256);
    let at = Utc::now();
    let new = NewUpload { id, tenant: member.id, sha256: sha256.clone(), size, at };
    let audit =
        audit::entry(&actor, "media.upload", member.id, format!("upload {id}, {size} bytes"));
    match plane.store.add_upload(&new, audit, ROOM).await {
        Ok(true) => {
            let upload = Upload { id, size, sha256, expires_at: at + upkeep::UNUSED };
            Ok((StatusCode::CREATED, Json(upload)))
        }
        refused => {
            if let Err(error) = uploads::remove(home, member.id, id).await {
                tracing::error!(tenant = %member.id, %error, "an upload could not be deleted");
            }
            uploads::still_there(&plane, member.id)?;
            refused?;
            let detail = format!(
                "the files of this tenant that wait to be sent have {ROOM} bytes already; try again when some are sent"
            );
            plane.limit_hit(&member, "uploads_full", &detail);
            Err(ApiError::new(Kind::UploadsFull, detail))
        }
    }
}
