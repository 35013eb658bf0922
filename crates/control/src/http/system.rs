//! `/admin/system` and `/admin/backups`: the installation itself.

use std::sync::Arc;
use std::time::Duration;

use api::records::Page;
use api::system::{
    BackupView, CreateBackup, DatabaseKind, DatabaseView, DoctorReport, RuntimeState, RuntimeView,
    SystemView,
};
use api::worker::RuntimeKind;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use futures::future;

use super::body::Body;
use super::scope::By;
use crate::admission::Mistakes;
use crate::audit::audited;
use crate::backup::{self, Protection, Recipient};
use crate::plane::ControlPlane;
use crate::problem::{ApiError, Kind};

type Plane = State<Arc<ControlPlane>>;

/// A runtime that takes longer than this to answer does not answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the installation is made of.
#[utoipa::path(get, path = "", tag = "system", responses((status = 200, description = "What the installation is made of.", body = SystemView)))]
pub async fn show(State(plane): Plane) -> Result<Json<SystemView>, ApiError> {
    let settings = &plane.settings;
    let about = plane.store.about().await?;
    let runtimes = plane.runtimes.used().into_iter().map(|kind| runtime(&plane, kind));
    let runtimes = future::join_all(runtimes).await;
    let mut tenants = 0;
    plane.fleet.each(|_| tenants += 1);
    Ok(Json(SystemView {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: plane.started_at,
        home: settings.home.root().display().to_string(),
        public_url: plane.base_url().to_owned(),
        tls: settings.tls_cert.is_some(),
        mail: plane.people.mail.is_some(),
        oidc: plane.people.oidc.as_ref().map(|provider| provider.name.clone()),
        database: DatabaseView {
            kind: if about.is_postgres { DatabaseKind::Postgres } else { DatabaseKind::Sqlite },
            version: about.version,
            size_bytes: Some(about.size),
            schema: about.schema,
            migrations: about.migrations,
        },
        runtimes,
        tenants,
        users: plane.people.directory.read().user_count() as u64,
    }))
}

async fn runtime(plane: &ControlPlane, kind: RuntimeKind) -> RuntimeView {
    let mut workers = 0;
    plane.fleet.each(|member| {
        let runs_there = member.read(|now| now.record.worker.runtime == kind && now.has_process());
        workers += u64::from(runs_there);
    });
    let mut view = RuntimeView {
        kind,
        state: RuntimeState::Unreachable,
        detail: None,
        processes: None,
        workers,
        version: None,
    };
    match tokio::time::timeout(PATIENCE, plane.runtimes.get(kind).health()).await {
        Err(_) => view.detail = Some(format!("no answer within {} s", PATIENCE.as_secs())),
        Ok(Err(error)) => view.detail = Some(error.to_string()),
        Ok(Ok(health)) => {
            let known = plane.fleet.may_act(kind);
            view.state = if known { RuntimeState::Ok } else { RuntimeState::Connecting };
            view.processes = Some(health.processes as u64);
            view.version = Some(health.version);
        }
    }
    view
}

/// What `tenantry doctor` says of the machine and the installation. It takes some seconds.
#[utoipa::path(get, path = "", tag = "system", responses((status = 200, description = "What the doctor found.", body = DoctorReport), (status = 409, description = "`already_under_way`", body = api::Problem), (status = 502, description = "`doctor_failed`", body = api::Problem)))]
pub async fn doctor(State(plane): Plane) -> Result<Json<DoctorReport>, ApiError> {
    plane.doctor.look(plane.settings.home.root()).await.map(Json)
}

/// The backups in the home's folder `backups/`, the newest first.
#[utoipa::path(get, path = "", tag = "system", responses((status = 200, description = "The backups in the home, the newest first.", body = Page<BackupView>)))]
pub async fn backups(State(plane): Plane) -> Result<Json<Page<BackupView>>, ApiError> {
    let folder = plane.settings.home.backups();
    let listed = tokio::task::spawn_blocking(move || backup::list(&folder)).await;
    let listed = listed.map_err(|error| ApiError::new(Kind::Internal, error.to_string()))?;
    let items = listed.map_err(|error| ApiError::new(Kind::Internal, error.to_string()))?;
    Ok(Json(Page { items, next: None }))
}

/// Makes a backup in the home's folder `backups/` while everything runs, and answers when it is whole.
#[utoipa::path(post, path = "", tag = "system", request_body = CreateBackup, responses((status = 201, description = "The backup is made and was read back.", body = BackupView), (status = 409, description = "`already_under_way`", body = api::Problem), (status = 500, description = "`backup_failed`", body = api::Problem)))]
pub async fn back_up(
    State(plane): Plane,
    By(actor): By,
    Body(wish): Body<CreateBackup>,
) -> Result<(StatusCode, Json<BackupView>), ApiError> {
    let protection = protection(&wish)?;
    let work = {
        let plane = Arc::clone(&plane);
        async move { plane.backups.make(&plane.settings, protection).await }
    };
    let made = audited(&plane, actor, "backup.create", |_| None, work).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

fn protection(wish: &CreateBackup) -> Result<Protection, ApiError> {
    let mut mistakes = Mistakes::default();
    let mut recipients: Vec<Recipient> = Vec::with_capacity(wish.recipients.len());
    for (index, text) in wish.recipients.iter().enumerate() {
        match text.parse() {
            Ok(recipient) => recipients.push(recipient),
            Err(wrong) => mistakes.add(&format!("recipients[{index}]"), wrong),
        }
    }
    mistakes.none_or(()).map_err(ApiError::fields)?;
    Ok(if recipients.is_empty() { Protection::None } else { Protection::Recipients(recipients) })
}
