//! `/portal/tenant/current/people`: a tenant's own people, as its owners say.

use std::sync::Arc;

use api::people::{AddPerson, PersonView};
use api::records::Page;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use uuid::Uuid;

use crate::admission::Mistakes;
use crate::audit;
use crate::fleet::Member;
use crate::http::body::Body;
use crate::http::scope::{By, Scope};
use crate::people::accounts::NewUser;
use crate::people::mail::Letter;
use crate::plane::ControlPlane;
use crate::problem::{ApiError, Kind};

type Plane = State<Arc<ControlPlane>>;

/// Who has access to the tenant.
#[utoipa::path(get, path = "", tag = "portal", responses((status = 200, description = "Who has access.", body = Page<PersonView>)))]
pub async fn list(State(plane): Plane, Scope(member): Scope) -> Json<Page<PersonView>> {
    Json(Page { items: plane.people.of_tenant(member.id), next: None })
}

/// Lets somebody in. Whoever has no account yet gets an invitation by e-mail: the link is never shown to
/// an owner, who could take the account with it before its person does. The answer does not tell whether
/// there was an account already.
#[utoipa::path(post, path = "", tag = "portal", request_body = AddPerson, responses((status = 204, description = "The person has access."), (status = 409, description = "`mail_not_configured`: ask the operator to add the person", body = api::Problem)))]
pub async fn add(
    State(plane): Plane,
    By(actor): By,
    Scope(member): Scope,
    Body(wish): Body<AddPerson>,
) -> Result<StatusCode, ApiError> {
    let mut mistakes = Mistakes::default();
    let email = mistakes.email(&wish.email);
    let name = mistakes.name(wish.name.as_deref().unwrap_or(&wish.email));
    mistakes.none_or(()).map_err(ApiError::fields)?;
    let outcome = add_person(&plane, &member, &wish, email.clone(), name).await;
    let detail = format!("{email} as {:?}", wish.role);
    audit::record(&plane, &actor, "person.add", Some(member.id), &outcome, &detail).await;
    outcome.map(|()| StatusCode::NO_CONTENT)
}

async fn add_person(
    plane: &Arc<ControlPlane>,
    member: &Member,
    wish: &AddPerson,
    email: String,
    name: String,
) -> Result<(), ApiError> {
    let place = (member.id, wish.role);
    let Some(mail) = &plane.people.mail else {
        let detail = "no mail server is configured, so nobody can be invited from here; ask the operator to add the person";
        return Err(ApiError::new(Kind::MailNotConfigured, detail));
    };
    let known = plane.people.directory.read().user_by_email(&email);
    if let Some(user) = known {
        let change = plane.people.change(user.record.id, |user| {
            user.memberships.retain(|(tenant, _)| *tenant != place.0);
            user.memberships.push(place);
            Ok(())
        });
        return change.await.map(drop);
    }
    let memberships = vec![place];
    let new = NewUser { email, name, role: None, memberships, password_hash: None };
    let user = plane.people.create(new).await?;
    let link = plane.people.link(&user.record, plane.base_url()).await?;
    mail.send(&user.record.email, Letter::Invitation, &link.url).await
}

/// Takes somebody's access away. The account stays.
#[utoipa::path(delete, path = "", tag = "portal", responses((status = 204, description = "The person has no access any more."), (status = 404, description = "`unknown_user`", body = api::Problem)))]
pub async fn remove(
    State(plane): Plane,
    By(actor): By,
    Scope(member): Scope,
    Path(named): Path<String>,
) -> Result<StatusCode, ApiError> {
    let people = plane.people.of_tenant(member.id);
    let id = named.parse::<Uuid>().ok();
    let person = people.into_iter().find(|person| Some(person.id) == id).ok_or_else(|| {
        let detail = "nobody with this id has access; GET /portal/tenant/current/people lists all";
        ApiError::new(Kind::UnknownUser, detail)
    })?;
    let tenant = member.id;
    let change = plane.people.change(person.id, |user| {
        user.memberships.retain(|(place, _)| *place != tenant);
        Ok(())
    });
    let outcome = change.await.map(drop);
    audit::record(&plane, &actor, "person.remove", Some(tenant), &outcome, &person.email).await;
    outcome.map(|()| StatusCode::NO_CONTENT)
}
