//! `/admin/keys`: keys for programs.

use std::sync::Arc;
use std::time::Duration;

use api::access::{CreateKey, KeyView, NewKey, Permission};
use api::records::Page;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use chrono::Utc;
use uuid::Uuid;

use crate::admission::Mistakes;
use crate::audit;
use crate::http::body::Body;
use crate::http::scope::By;
use crate::people::keys::NewApiKey;
use crate::plane::ControlPlane;
use crate::problem::{ApiError, Kind};

type Plane = State<Arc<ControlPlane>>;

/// The longest life of a key that has an end, in days.
const MAX_DAYS: u32 = 3650;

/// All keys, oldest first, without their secrets.
#[utoipa::path(get, path = "", tag = "keys", responses((status = 200, description = "All keys, oldest first.", body = Page<KeyView>)))]
pub async fn list(State(plane): Plane) -> Json<Page<KeyView>> {
    Json(Page { items: plane.people.keys(None), next: None })
}

/// Makes a key. Its secret is in this answer and nowhere else.
#[utoipa::path(post, path = "", tag = "keys", request_body = CreateKey, responses((status = 201, description = "The key with its secret, which is not shown again.", body = NewKey)))]
pub async fn create(
    State(plane): Plane,
    By(actor): By,
    Body(wish): Body<CreateKey>,
) -> Result<(StatusCode, Json<NewKey>), ApiError> {
    let new = admit(&plane, &wish, actor.to_string())?;
    let (tenant, scopes) = (new.tenant, new.scopes.clone());
    let made = plane.people.create_key(new).await;
    let outcome = made.as_ref().map(drop).map_err(Clone::clone);
    let shown = made.as_ref().map_or_else(|_| wish.name.clone(), |made| described(&made.key));
    let scopes: Vec<_> = scopes.iter().map(|scope| scope.as_str()).collect();
    let detail = format!("{shown}: {}", scopes.join(", "));
    audit::record(&plane, &actor, "key.create", tenant, &outcome, &detail).await;
    Ok((StatusCode::CREATED, Json(made?)))
}

fn admit(
    plane: &ControlPlane,
    wish: &CreateKey,
    created_by: String,
) -> Result<NewApiKey, ApiError> {
    let mut mistakes = Mistakes::default();
    let name = mistakes.name(&wish.name);
    if wish.scopes.is_empty() {
        mistakes.add("scopes", "give at least one of read, send, pair, control, settings, admin");
    }
    if wish.scopes.contains(&Permission::People) {
        mistakes.add("scopes", "may not hold people: who has access is said by persons");
    }
    let tenant = wish.tenant.as_deref().and_then(|named| {
        let found = plane.fleet.find(named);
        if found.is_none() {
            mistakes.add("tenant", format!("no tenant has the id or slug {named:?}"));
        }
        Some(found?.id)
    });
    if wish.tenant.is_some() && wish.scopes.contains(&Permission::Admin) {
        mistakes.add("scopes", "admin is for the whole installation: leave it or the tenant out");
    }
    let expires_at = wish.expires_in_days.and_then(|days| {
        if (1..=MAX_DAYS).contains(&days) {
            return Some(Utc::now() + Duration::from_secs(u64::from(days) * 86_400));
        }
        mistakes.add("expires_in_days", format!("must be from 1 to {MAX_DAYS}"));
        None
    });
    let scopes = wish.scopes.clone();
    let new = NewApiKey { name, scopes, tenant, created_by, expires_at };
    mistakes.none_or(new).map_err(ApiError::fields)
}

/// Deletes a key: it is good for nothing from now on.
#[utoipa::path(delete, path = "", tag = "keys", responses((status = 204, description = "It is deleted."), (status = 404, description = "`unknown_key`", body = api::Problem)))]
pub async fn delete(
    State(plane): Plane,
    By(actor): By,
    Path(named): Path<String>,
) -> Result<StatusCode, ApiError> {
    let id: Uuid = named.parse().map_err(|_| {
        let detail = "a key is named by its id; `tenantry key` lists all";
        ApiError::new(Kind::UnknownKey, detail)
    })?;
    let deleted = plane.people.delete_key(id).await;
    let outcome = deleted.as_ref().map(drop).map_err(Clone::clone);
    let tenant = deleted.as_ref().ok().and_then(|key| key.tenant_id);
    let detail = deleted.as_ref().map_or(named, described);
    audit::record(&plane, &actor, "key.delete", tenant, &outcome, &detail).await;
    deleted.map(|_| StatusCode::NO_CONTENT)
}

fn described(key: &KeyView) -> String {
    format!("{} ({}…)", key.name, key.prefix)
}
