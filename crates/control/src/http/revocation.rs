//! Answers that go on for long end when the credential that they were asked for with is no longer good: a
//! stream would otherwise outlive a deleted key, a locked account or the end of a session.

use std::sync::Arc;
use std::time::Duration;

use api::TenantId;
use axum::body::Body;
use axum::http::header;
use axum::response::Response;
use chrono::Utc;
use futures::{StreamExt as _, future};

use super::guard::Access;
use super::scope::{Caller, Shown};
use crate::grant::{Principal, Verdict};
use crate::plane::ControlPlane;

/// How often it is looked whether the time of a credential is over.
const LOOK: Duration = Duration::from_secs(30);

/// The answer, cut off where it is a stream and the caller may no longer have it.
pub fn while_good(
    plane: Arc<ControlPlane>,
    access: Access,
    caller: Option<Caller>,
    tenant: Option<TenantId>,
    answer: Response,
) -> Response {
    let kind = answer.headers().get(header::CONTENT_TYPE);
    let streams = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
    let Some(shown) = caller.and_then(|caller| caller.shown).filter(|_| streams) else {
        return answer;
    };
    let over = Box::pin(until_over(plane, access, shown, tenant));
    answer.map(|body| Body::from_stream(body.into_data_stream().take_until(over)))
}

async fn until_over(
    plane: Arc<ControlPlane>,
    access: Access,
    shown: Shown,
    tenant: Option<TenantId>,
) {
    let mut changes = plane.people.directory.read().changes();
    loop {
        let good = principal(&plane, &shown).is_some_and(|who| may(&who, access, tenant));
        if !good {
            return;
        }
        let changed = std::pin::pin!(changes.changed());
        let timer = std::pin::pin!(tokio::time::sleep(next_look(&plane, &shown)));
        future::select(changed, timer).await;
    }
}

/// Who has this credential now, if anybody.
pub fn principal(plane: &ControlPlane, shown: &Shown) -> Option<Arc<Principal>> {
    let directory = &plane.people.directory;
    match shown {
        Shown::Key(hash) => {
            directory.read().by_key(hash, Utc::now()).ok().map(|key| key.principal.clone())
        }
        Shown::Cookie(hash) => {
            let found = directory.read().signed_in(hash, Utc::now(), plane.people.lifetime);
            found.ok().map(|(user, _)| user.principal.clone())
        }
        Shown::PairLink(token) => {
            plane.people.good_link(&plane.fleet, token, Utc::now()).map(|link| link.principal())
        }
    }
}

/// How long to wait before it is looked again. A link says itself when it is over.
fn next_look(plane: &ControlPlane, shown: &Shown) -> Duration {
    let Shown::PairLink(token) = shown else { return LOOK };
    let now = Utc::now();
    let link = plane.people.good_link(&plane.fleet, token, now);
    let left = link.and_then(|link| (link.expires_at - now).to_std().ok());
    left.unwrap_or_default().min(LOOK)
}

fn may(who: &Principal, access: Access, tenant: Option<TenantId>) -> bool {
    let verdict = match (access, tenant) {
        (Access::Fleet(permission), _) => who.may_with_fleet(permission),
        (
            Access::Tenant(permission) | Access::Message(permission) | Access::Current(permission),
            Some(tenant),
        ) => who.may_with(tenant, permission),
        _ => Verdict::Granted,
    };
    verdict == Verdict::Granted
}
