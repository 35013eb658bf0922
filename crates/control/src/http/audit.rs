//! The audit log: listed, exported and verified.

#![allow(unused_qualifications, reason = "utoipa's macro repeats the handlers' types")]

use std::sync::Arc;

use api::TenantId;
use api::audit::{AuditVerification, AuditView};
use api::events::KindFilter;
use api::records::Page;
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use futures::{Stream, stream};
use serde::Deserialize;
use store::{AuditSelection, Store};
use utoipa::IntoParams;

use super::body::Params;
use super::records::{LIMIT, MAX_LIMIT};
use crate::plane::ControlPlane;
use crate::problem::{ApiError, Kind};

/// Entries that are read at once for an export.
const PAGE: u64 = 500;

/// Which entries.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Query {
    /// About this tenant: its id, also of one that is deleted.
    #[param(value_type = Option<uuid::Uuid>)]
    tenant: Option<TenantId>,
    /// By this actor.
    actor: Option<String>,
    /// Actions and groups of actions with commas between them: `worker.start,tenant.*`.
    action: Option<String>,
    /// With this result: `ok`, or the code of a problem.
    result: Option<String>,
    /// Not before this time.
    since: Option<DateTime<Utc>>,
    /// Before this time.
    until: Option<DateTime<Utc>>,
    /// Before this number; the `next` of the page before.
    before: Option<i64>,
    /// The most entries on a page: 1 to 1000, else 100. An export has all.
    limit: Option<u64>,
}

impl Query {
    fn selection(&self) -> Result<AuditSelection, ApiError> {
        let actions = self.action.as_deref().map(str::parse::<KindFilter>).transpose();
        let actions =
            actions.map_err(|error| ApiError::new(Kind::InvalidQuery, error.to_string()))?;
        // A database keeps no NUL, and PostgreSQL does not even listen to one.
        let text = |text: &Option<String>| text.as_ref().map(|text| text.replace('\0', "\u{fffd}"));
        Ok(AuditSelection {
            tenant: self.tenant,
            actor: text(&self.actor),
            actions: actions.unwrap_or_default(),
            result: text(&self.result),
            since: self.since,
            until: self.until,
        })
    }

    fn limit(&self) -> Result<u64, ApiError> {
        match self.limit.unwrap_or(LIMIT) {
            limit @ 1..=MAX_LIMIT => Ok(limit),
            _ => {
                let detail = format!("limit must be from 1 to {MAX_LIMIT}");
                Err(ApiError::new(Kind::InvalidQuery, detail))
            }
        }
    }
}

/// What an earlier head was.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct VerifyQuery {
    /// The hash of an entry that must be in the chain: an earlier answer's `head`.
    head: Option<String>,
}

type Plane = State<Arc<ControlPlane>>;

/// The audit log, newest first.
#[utoipa::path(
    get,
    path = "/admin/audit",
    params(Query),
    responses(
        (status = 200, description = "A page of entries", body = Page<AuditView>),
        (status = 400, description = "A parameter was refused", body = api::Problem, content_type = "application/problem+json"),
    ),
    tag = "audit"
)]
pub async fn list(
    State(plane): Plane,
    Params(query): Params<Query>,
) -> Result<Json<Page<AuditView>>, ApiError> {
    let (selection, limit) = (query.selection()?, query.limit()?);
    Ok(Json(plane.store.audit(&selection, query.before, limit).await?))
}

/// The chosen entries of the audit log, oldest first, one JSON object a line.
#[utoipa::path(
    get,
    path = "/admin/audit/export",
    params(Query),
    responses(
        (status = 200, description = "Entries, one a line", body = AuditView, content_type = "application/x-ndjson"),
        (status = 400, description = "A parameter was refused", body = api::Problem, content_type = "application/problem+json"),
    ),
    tag = "audit"
)]
pub async fn export(
    State(plane): Plane,
    Params(query): Params<Query>,
) -> Result<Response, ApiError> {
    let lines = Body::from_stream(lines(plane.store.clone(), query.selection()?));
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"audit.ndjson\""),
    ];
    Ok((headers, lines).into_response())
}

/// Page after page. An error breaks the answer off, so that nobody takes it for the whole.
fn lines(
    store: Store,
    selection: AuditSelection,
) -> impl Stream<Item = Result<String, std::io::Error>> + Send {
    stream::try_unfold((store, selection, Some(0)), |(store, selection, after)| async move {
        let Some(after) = after else { return Ok(None) };
        let page = store.audit_after(&selection, after, PAGE).await;
        let page = page.map_err(|error| {
            tracing::error!(%error, "an export of the audit log was broken off");
            std::io::Error::other("the database failed")
        })?;
        let mut text = String::new();
        for entry in &page.items {
            text.push_str(&serde_json::to_string(entry)?);
            text.push('\n');
        }
        Ok(Some((text, (store, selection, page.next))))
    })
}

/// Computes the chain of the audit log anew.
#[utoipa::path(
    get,
    path = "/admin/audit/verify",
    params(VerifyQuery),
    responses(
        (status = 200, description = "Whether the chain is whole, and the first entry that is not", body = AuditVerification),
        (status = 400, description = "`head` is no hash", body = api::Problem, content_type = "application/problem+json"),
    ),
    tag = "audit"
)]
pub async fn verify(
    State(plane): Plane,
    Params(query): Params<VerifyQuery>,
) -> Result<Json<AuditVerification>, ApiError> {
    let is_hash = |head: &str| head.len() == 64 && head.bytes().all(|it| it.is_ascii_hexdigit());
    if query.head.as_deref().is_some_and(|head| !is_hash(head)) {
        let detail =
            "head must be the 64 hexadecimal digits that an earlier verification gave as head";
        return Err(ApiError::new(Kind::InvalidQuery, detail));
    }
    Ok(Json(plane.store.verify_audit(query.head.as_deref()).await?))
}

#[cfg(test)]
mod tests {
    use api::worker::HeartbeatMode;
    use serde_json::Value;

    use crate::audit::{self, Actor};
    use crate::http::tests::stage::Stage;

    #[tokio::test]
    async fn the_log_is_listed_exported_and_verified() {
        let stage = Stage::new().await;
        let id = stage.tenant("duka", HeartbeatMode::Link).await;
        for number in 0..1201 {
            let tenant = (number % 2 == 0).then_some(id);
            let detail = number.to_string();
            audit::record(&stage.plane, &Actor::System, "test.do", tenant, &Ok(()), &detail).await;
        }
        let page = stage.get(&format!("/admin/audit?tenant={id}&action=test.*&limit=5")).await;
        let items = page.body["items"].as_array().unwrap();
        assert_eq!((items.len(), items[0]["detail"].as_str()), (5, Some("1200")));
        let Value::String(lines) = stage.get("/admin/audit/export").await.body else {
            panic!("lines come");
        };
        let lines: Vec<Value> = lines.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
        assert_eq!(lines.len(), 1201);
        assert!(lines.windows(2).all(|two| two[1]["prev_hash"] == two[0]["hash"]));
        let verified = stage.get("/admin/audit/verify").await.body;
        assert_eq!((&verified["ok"], &verified["head"]), (&true.into(), &lines[1200]["hash"]));
        let earlier = lines[600]["hash"].as_str().unwrap();
        let known = stage.get(&format!("/admin/audit/verify?head={earlier}")).await.body;
        assert_eq!((&known["ok"], &known["known_seq"]), (&true.into(), &601.into()));
        for path in
            ["/admin/audit/verify?head=ab", "/admin/audit?limit=0", "/admin/audit?action=%25"]
        {
            assert_eq!(stage.get(path).await.code(), (400, "invalid_query"), "{path}");
        }
    }
}
