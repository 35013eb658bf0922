//! The files of uploads: `media/<tenant>/<id>` in the home, for nobody's eyes but ours.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use api::TenantId;
use api::messages::MAX_MEDIA;
use axum::body::Body;
use futures::StreamExt as _;
use sha2::{Digest as _, Sha256};
use tokio::fs::{self, File};
use tokio::io::AsyncWriteExt as _;
use uuid::Uuid;

use crate::config::Home;
use crate::launch;
use crate::plane::ControlPlane;
use crate::problem::{ApiError, Kind};

/// A file without a row that is older than this was left by a crash.
const ORPHAN: Duration = Duration::from_secs(3600);

/// A file that was stored.
#[derive(Debug)]
pub struct Stored {
    /// Its id, and name.
    pub id: Uuid,
    /// Its length in bytes.
    pub size: u64,
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: String,
}

/// Where an upload lies.
#[must_use]
pub fn path(home: &Home, tenant: TenantId, id: Uuid) -> PathBuf {
    folder(home, tenant).join(id.to_string())
}

fn folder(home: &Home, tenant: TenantId) -> PathBuf {
    home.media().join(tenant.to_string())
}

/// Stores a body, at most [`MAX_MEDIA`] bytes of it. What is not whole is not left behind.
///
/// # Errors
/// [`Kind::BodyTooLarge`], [`Kind::InvalidBody`], [`Kind::UnknownTenant`] when it is deleted meanwhile,
/// [`Kind::Internal`] when the disk does not take it.
pub async fn store(plane: &ControlPlane, tenant: TenantId, body: Body) -> Result<Stored, ApiError> {
    let id = Uuid::now_v7();
    let path = path(&plane.settings.home, tenant, id);
    let part = path.with_extension("part");
    make_folder(plane, tenant)?;
    let written = write(&part, body).await;
    let stored = match written {
        Ok((size, sha256)) => fs::rename(&part, &path)
            .await
            .map(|()| Stored { id, size, sha256 })
            .map_err(|error| failed(&error)),
        Err(error) => Err(error),
    };
    if stored.is_err() {
        // It may not even have been made.
        let _ = fs::remove_file(&part).await;
        still_there(plane, tenant)?;
    }
    stored
}

/// Makes the folder of a tenant's files. A deletion forgets the tenant before it removes the folder: if the tenant
/// is known after the folder was made, the folder goes with it, and nothing that is written later makes it anew.
fn make_folder(plane: &ControlPlane, tenant: TenantId) -> Result<(), ApiError> {
    let folder = folder(&plane.settings.home, tenant);
    let made = launch::private_dir(&folder);
    if let Err(error) = still_there(plane, tenant) {
        // It may be gone, or another upload may be about to leave it.
        let _ = std::fs::remove_dir(&folder);
        return Err(error);
    }
    made.map_err(|error| failed(&error))
}

/// Whether the tenant was not deleted meanwhile.
///
/// # Errors
/// [`Kind::UnknownTenant`].
pub fn still_there(plane: &ControlPlane, tenant: TenantId) -> Result<(), ApiError> {
    if plane.fleet.get(tenant).is_some() {
        return Ok(());
    }
    let detail = format!("tenant {tenant} was deleted while the file came; it was not kept");
    Err(ApiError::new(Kind::UnknownTenant, detail))
}

async fn write(part: &PathBuf, body: Body) -> Result<(u64, String), ApiError> {
    let mut options = File::options();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(part)
        .await
        .map_err(|error| failed(&error))?;
    let (mut size, mut hash) = (0, Sha256::new());
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| {
            ApiError::new(Kind::InvalidBody, format!("the upload broke off: {error}"))
        })?;
        size += chunk.len();
        if size > MAX_MEDIA {
            let detail =
                format!("a file may have at most {MAX_MEDIA} bytes; send a link to it instead");
            return Err(ApiError::new(Kind::BodyTooLarge, detail));
        }
        hash.update(&chunk);
        file.write_all(&chunk).await.map_err(|error| failed(&error))?;
    }
    if size == 0 {
        let detail =
            "the file is empty; send its bytes as the body, as `curl --data-binary @file` does";
        return Err(ApiError::new(Kind::InvalidBody, detail));
    }
    file.sync_all().await.map_err(|error| failed(&error))?;
    Ok((u64::try_from(size).unwrap_or(u64::MAX), hex::encode(hash.finalize())))
}

fn failed(error: &dyn std::error::Error) -> ApiError {
    tracing::error!(%error, "an upload could not be stored");
    ApiError::new(
        Kind::Internal,
        "the file could not be stored; see the server's log, and the disk's space",
    )
}

/// Deletes an upload's file, if it is there.
///
/// # Errors
/// When the disk refuses.
pub async fn remove(home: &Home, tenant: TenantId, id: Uuid) -> std::io::Result<()> {
    match fs::remove_file(path(home, tenant, id)).await {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Deletes files that a crash left without a row.
///
/// # Errors
/// When the folder cannot be read or the store fails.
pub async fn remove_orphans(
    plane: &ControlPlane,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    for member in plane.fleet.all() {
        let folder = folder(&plane.settings.home, member.id);
        let Ok(mut files) = fs::read_dir(&folder).await else { continue };
        while let Some(file) = files.next_entry().await? {
            let changed = file.metadata().await?.modified()?;
            let is_old = SystemTime::now().duration_since(changed).is_ok_and(|age| age > ORPHAN);
            let id = file.file_name().to_str().and_then(|name| name.parse::<Uuid>().ok());
            let is_known = match id {
                Some(id) => plane.store.is_upload(member.id, id).await?,
                None => false,
            };
            if is_old && !is_known {
                fs::remove_file(file.path()).await?;
            }
        }
    }
    Ok(())
}
