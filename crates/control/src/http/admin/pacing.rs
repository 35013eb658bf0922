//! `/admin/tenants/{tenant}/pacing`: how a tenant's bot paces itself.

use std::sync::Arc;

use api::link::Command;
use api::pacing::{Pacing, PacingView};
use api::problem::FieldError;
use axum::Json;
use axum::extract::State;
use rules::hours::Daily;
use serde_json::Value;
use store::TenantRecord;

use crate::audit::audited;
use crate::fleet::Member;
use crate::http::body::Body;
use crate::http::link::worker_config;
use crate::http::scope::{By, Scope};
use crate::plane::ControlPlane;
use crate::problem::ApiError;

type Plane = State<Arc<ControlPlane>>;

/// How the bot paces itself.
#[utoipa::path(get, path = "", tag = "settings", responses((status = 200, description = "How the bot paces itself.", body = PacingView)))]
pub async fn show(Scope(member): Scope) -> Json<PacingView> {
    Json(view(&member.snapshot().record))
}

fn view(record: &TenantRecord) -> PacingView {
    PacingView { version: record.config_version, pacing: record.pacing.clone() }
}

/// Replaces them, all or nothing.
#[utoipa::path(put, path = "", tag = "settings", request_body = Pacing, responses((status = 200, description = "The pacing as it is now.", body = PacingView)))]
pub async fn set(
    State(plane): Plane,
    By(actor): By,
    Scope(member): Scope,
    Body(document): Body<Value>,
) -> Result<Json<PacingView>, ApiError> {
    let id = member.id;
    let work = {
        let plane = Arc::clone(&plane);
        async move { set_pacing(&plane, &member, document).await }
    };
    audited(&plane, actor, "pacing.set", move |_| Some(id), work).await.map(Json)
}

async fn set_pacing(
    plane: &ControlPlane,
    member: &Member,
    document: Value,
) -> Result<PacingView, ApiError> {
    let pacing = admit(document)?;
    let _one_at_a_time = member.settings.lock().await;
    let record = plane.store.set_pacing(member.id, &pacing).await?;
    let (answer, config) = (view(&record), worker_config(&record));
    member.set_tenant(record);
    plane.recorder.event(member.id, "pacing.changed", pacing.to_string());
    // Nobody listens while the worker is down; its next heartbeat brings the settings.
    let _ = member.commands.send(Command::Config(config));
    Ok(answer)
}

/// Understands a document, or tells every mistake in it.
fn admit(document: Value) -> Result<Pacing, ApiError> {
    let detail = "the pacing has mistakes; the one in use stays";
    let error = |field: &str, message: String| FieldError { field: field.to_owned(), message };
    let pacing: Pacing = serde_json::from_value(document).map_err(|why| {
        let message = format!("is not understood: {why}; `tenantry pacing show` prints what is");
        ApiError::fields(vec![error("pacing", message)]).with_detail(detail.to_owned())
    })?;
    let mut errors: Vec<FieldError> =
        pacing.out_of_bounds().into_iter().map(|(field, message)| error(field, message)).collect();
    if let Some(quiet) = &pacing.quiet
        && let Err(mistakes) = Daily::new(&quiet.from, &quiet.to, quiet.time_zone.as_deref())
    {
        let of =
            |mistake: rules::Mistake| error(&format!("quiet.{}", mistake.field), mistake.message);
        errors.extend(mistakes.into_iter().map(of));
    }
    if errors.is_empty() {
        return Ok(pacing);
    }
    Err(ApiError::fields(errors).with_detail(detail.to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::admit;

    #[test]
    fn every_mistake_names_its_field_and_what_would_be_right() {
        let told = |document| format!("{:?}", admit(document).unwrap_err());
        let several = told(json!({
            "contact": {"max": 0},
            "quiet": {"from": "22", "to": "07:00", "time_zone": "Africa/Nairoby"}
        }));
        for part in ["contact.max", "1 to 1000", "quiet.from", "quiet.time_zone", "Africa/Nairobi"]
        {
            assert!(several.contains(part), "{part} in {several}");
        }
        assert!(told(json!({"contakt": {}})).contains("contakt"));
        assert!(told(json!({"quiet": {"from": "22:00"}})).contains("to"));
    }

    #[test]
    fn what_is_right_is_taken_with_its_defaults() {
        let pacing = admit(json!({"typing": {"per_character_ms": 0}})).unwrap();
        assert_eq!((pacing.typing.per_character_ms, pacing.contact.max), (0, 20));
        assert!(admit(json!({"off": true})).unwrap().off);
    }
}
