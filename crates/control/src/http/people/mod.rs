//! The routes about people and keys.

pub mod keys;
pub mod of_tenant;
pub mod oidc;
pub mod own;
pub mod sign_in;
pub mod users;

use std::sync::Arc;

use api::access::TenantRole;
use api::people::{Invitation, Membership};
use api::{FieldError, TenantId};
use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;

use super::credential::text;
use super::peer::Peer;
use crate::people::accounts;
use crate::people::directory::User;
use crate::people::mail::Letter;
use crate::people::sign_in::Origin;
use crate::plane::ControlPlane;
use crate::problem::ApiError;

impl<S: Send + Sync> FromRequestParts<S> for Origin {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self {
            address: parts.extensions.get::<Peer>().map(|peer| peer.address),
            agent: text(&parts.headers, header::USER_AGENT.as_str()).map(str::to_owned),
        })
    }
}

/// Places as the store keeps them.
fn places(
    plane: &ControlPlane,
    given: &[Membership],
) -> Result<Vec<(TenantId, TenantRole)>, ApiError> {
    let mut places = Vec::with_capacity(given.len());
    for (index, place) in given.iter().enumerate() {
        let mistake = |message: String| {
            let field = format!("tenants[{index}].tenant");
            ApiError::fields(vec![FieldError { field, message }])
        };
        let member = plane.fleet.find(&place.tenant);
        let unknown = || mistake(format!("no tenant has the id or slug {:?}", place.tenant));
        let id = member.ok_or_else(unknown)?.id;
        if places.iter().any(|(other, _)| *other == id) {
            return Err(mistake("is named twice".to_owned()));
        }
        places.push((id, place.role));
    }
    Ok(places)
}

/// Makes a link for an account and sends it, or gives it back to be handed over.
async fn hand_over_link(plane: &Arc<ControlPlane>, user: &User) -> Result<Invitation, ApiError> {
    let link = plane.people.link(&user.record, plane.base_url()).await?;
    let view = accounts::view(&user.record, &plane.fleet);
    let Some(mail) = &plane.people.mail else {
        return Ok(Invitation { user: view, mailed: false, link: Some(link) });
    };
    let letter = if view.has_password { Letter::Reset } else { Letter::Invitation };
    match mail.send(&user.record.email, letter, &link.url).await {
        Ok(()) => Ok(Invitation { user: view, mailed: true, link: None }),
        // The account is made; its link must not be lost with the letter.
        Err(_) => Ok(Invitation { user: view, mailed: false, link: Some(link) }),
    }
}
