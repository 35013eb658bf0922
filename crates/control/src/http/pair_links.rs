//! `…/pair-links` and `/auth/pair-link`: links with which somebody without an account connects a tenant's
//! WhatsApp.

use std::sync::Arc;

use api::FieldError;
use api::pair_link::{
    CreatePairLink, DEFAULT_MINUTES, MAX_MINUTES, MIN_MINUTES, OpenPairLink, PairLink, PairLinkView,
};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{SecondsFormat, Utc};

use super::body::Body;
use super::credential;
use super::scope::{By, Scope};
use crate::audit::{self, Actor, audited};
use crate::fleet::Member;
use crate::people::sign_in::Origin;
use crate::plane::ControlPlane;
use crate::problem::{ApiError, Kind};

type Plane = State<Arc<ControlPlane>>;

/// Makes a link. Whoever has it can connect the tenant's WhatsApp until it expires or is taken back: hand it
/// over as one hands over a key.
#[utoipa::path(post, path = "", tag = "session", request_body = CreatePairLink, responses((status = 201, description = "The link, which is not shown again.", body = PairLink)))]
pub async fn create(
    State(plane): Plane,
    By(actor): By,
    Scope(member): Scope,
    Body(wish): Body<CreatePairLink>,
) -> Result<(StatusCode, Json<PairLink>), ApiError> {
    let minutes = wish.expires_in_minutes.unwrap_or(DEFAULT_MINUTES);
    if !(MIN_MINUTES..=MAX_MINUTES).contains(&minutes) {
        let message = format!("must be from {MIN_MINUTES} to {MAX_MINUTES} (a week)");
        let field = "expires_in_minutes".to_owned();
        return Err(ApiError::fields(vec![FieldError { field, message }]));
    }
    let link = plane.people.pair_link(&member, minutes, plane.base_url());
    let until = link.expires_at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let detail = format!("good until {until}");
    audit::record(&plane, &actor, "pair_link.create", Some(member.id), &Ok(()), &detail).await;
    Ok((StatusCode::CREATED, Json(link)))
}

/// Takes all of the tenant's links back: from now on none that was made before is good.
#[utoipa::path(delete, path = "", tag = "session", responses((status = 204, description = "No link that was made before is good any more.")))]
pub async fn take_back(
    State(plane): Plane,
    By(actor): By,
    Scope(member): Scope,
) -> Result<StatusCode, ApiError> {
    let id = member.id;
    let work = {
        let plane = Arc::clone(&plane);
        async move {
            let _one_at_a_time = member.settings.lock().await;
            member.set_tenant(plane.store.take_pair_links_back(id).await?);
            plane.people.links_taken_back();
            Ok(())
        }
    };
    audited(&plane, actor, "pair_link.take_back", move |_| Some(id), work).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a link is good for. Its token is then a credential like another: `Authorization: Bearer tnp_…`.
#[utoipa::path(post, path = "", tag = "sign-in", request_body = OpenPairLink, responses((status = 200, description = "The link is good.", body = PairLinkView), (status = 410, description = "`invalid_pair_link`: it has expired, was taken back, or never was one.", body = api::Problem)))]
pub async fn open(
    State(plane): Plane,
    from: Origin,
    Body(wish): Body<OpenPairLink>,
) -> Result<Json<PairLinkView>, ApiError> {
    let Some(link) = plane.people.good_link(&plane.fleet, wish.token.trim(), Utc::now()) else {
        plane.people.attempt_from(&from)?;
        return Err(ApiError::new(Kind::InvalidPairLink, credential::LINK_NOT_GOOD));
    };
    plane.limits.check_credential(&credential::name_of_link(&link))?;
    note_use(&plane, &link.member).await;
    Ok(Json(PairLinkView {
        tenant_id: link.member.id,
        tenant_name: link.member.read(|now| now.record.name.clone()),
        expires_at: link.expires_at,
    }))
}

/// Writes down that a link is used, whatever it is used for: of each tenant's links at most once a minute.
pub async fn note_use(plane: &Arc<ControlPlane>, member: &Member) {
    if member.activity.is_link_use_news(Utc::now()) {
        let (actor, tenant) = (Actor::PairLink, Some(member.id));
        audit::record(plane, &actor, "pair_link.use", tenant, &Ok(()), "").await;
    }
}
