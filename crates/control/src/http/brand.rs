//! `/brand` and `/admin/brand`: the operator's name, colour and logo.

use std::sync::Arc;

use api::brand::{Brand, MAX_LOGO, SetBrand};
use axum::Json;
use axum::body::{Body as RawBody, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use store::{BrandRecord, Logo};

use super::body::Body;
use super::credential::text;
use super::scope::By;
use crate::admission::Mistakes;
use crate::audit::{Actor, audited};
use crate::brand::{colour, kind_of_picture, name};
use crate::plane::ControlPlane;
use crate::problem::{ApiError, Kind};

type Plane = State<Arc<ControlPlane>>;

/// For how long a browser need not ask again. Another logo has another address.
const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=3600");

/// The operator's name, colour and logo.
#[utoipa::path(get, path = "", tag = "brand", responses((status = 200, description = "The operator's name, colour and logo.", body = Brand)))]
pub async fn show(State(plane): Plane) -> Json<Brand> {
    Json(plane.brand.now().view())
}

/// The logo.
#[utoipa::path(get, path = "", tag = "brand", responses((status = 200, description = "The logo.", content((Vec<u8> = "image/png"), (Vec<u8> = "image/jpeg"), (Vec<u8> = "image/webp"))), (status = 304, description = "It is the one that `If-None-Match` names."), (status = 404, description = "`no_logo`", body = api::Problem)))]
pub async fn logo(State(plane): Plane, headers: HeaderMap) -> Result<Response, ApiError> {
    let shown = plane.brand.now();
    let (Some(logo), Some(hash)) = (&shown.record.logo, &shown.logo_hash) else {
        return Err(ApiError::new(Kind::NoLogo, "no logo is set; PUT /admin/brand/logo sets one"));
    };
    let tag = format!("\"{hash}\"");
    let known = text(&headers, header::IF_NONE_MATCH.as_str()).is_some_and(|known| {
        known.split(',').any(|known| {
            let known = known.trim();
            known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag
        })
    });
    let fault = |_| ApiError::new(Kind::Internal, "the logo's type or tag is no header");
    let caching = [
        (header::ETAG, HeaderValue::from_str(&tag).map_err(fault)?),
        (header::CACHE_CONTROL, CACHE),
    ];
    if known {
        return Ok((StatusCode::NOT_MODIFIED, caching).into_response());
    }
    let content = [
        (header::CONTENT_TYPE, HeaderValue::from_str(&logo.kind).map_err(fault)?),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    Ok((caching, content, logo.bytes.clone()).into_response())
}

/// Sets name and colour. The logo stays.
#[utoipa::path(put, path = "", tag = "brand", request_body = SetBrand, responses((status = 200, description = "What is shown from now on.", body = Brand)))]
pub async fn set(
    State(plane): Plane,
    By(actor): By,
    Body(wish): Body<SetBrand>,
) -> Result<Json<Brand>, ApiError> {
    let mut mistakes = Mistakes::default();
    let name = name(&mut mistakes, &wish.name);
    let colour = wish.colour.as_deref().map(|given| colour(&mut mistakes, given));
    mistakes.none_or(()).map_err(ApiError::fields)?;
    change(&plane, actor, "brand.set", move |brand| {
        brand.name = name;
        brand.colour = colour;
    })
    .await
}

/// Sets the logo: the body is the picture itself, PNG, JPEG or WebP, at most 256 KiB.
#[utoipa::path(put, path = "", tag = "brand", request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses((status = 200, description = "What is shown from now on.", body = Brand), (status = 413, description = "`body_too_large`", body = api::Problem), (status = 415, description = "`unsupported_logo`", body = api::Problem)))]
pub async fn set_logo(
    State(plane): Plane,
    By(actor): By,
    body: RawBody,
) -> Result<Json<Brand>, ApiError> {
    let bytes = to_bytes(body, MAX_LOGO).await.map_err(|_| {
        let detail = format!("a logo may have at most {MAX_LOGO} bytes, and must come whole");
        ApiError::new(Kind::BodyTooLarge, detail)
    })?;
    let kind = kind_of_picture(&bytes)?.to_owned();
    let logo = Logo { kind, bytes: bytes.into() };
    change(&plane, actor, "brand.set_logo", move |brand| brand.logo = Some(logo)).await
}

/// Takes the logo away.
#[utoipa::path(delete, path = "", tag = "brand", responses((status = 200, description = "What is shown from now on.", body = Brand)))]
pub async fn remove_logo(State(plane): Plane, By(actor): By) -> Result<Json<Brand>, ApiError> {
    change(&plane, actor, "brand.remove_logo", |brand| brand.logo = None).await
}

async fn change(
    plane: &Arc<ControlPlane>,
    actor: Actor,
    action: &'static str,
    change: impl FnOnce(&mut BrandRecord) + Send + 'static,
) -> Result<Json<Brand>, ApiError> {
    let work = {
        let plane = Arc::clone(plane);
        async move { plane.brand.change(change).await }
    };
    let shown = audited(plane, actor, action, |_| None, work).await?;
    Ok(Json(shown.view()))
}
