//! `…/stream` and `…/series`: one tenant as it lives.

#![allow(unused_qualifications, reason = "utoipa's macro repeats the handlers' types")]

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use api::TenantId;
use api::access::Permission;
use api::live::{TenantSeries, TenantStream};
use api::records::StatusView;
use api::session::SessionView;
use api::worker::{HeartbeatMode, WorkerView};
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use chrono::Utc;
use futures::{Stream, stream};
use tokio::sync::watch;
use tokio::time::Interval;

use super::qr;
use super::revocation;
use super::scope::{Caller, Scope};
use crate::dashboard;
use crate::fleet::{Snapshot, view};
use crate::grant::Verdict;
use crate::places::Place;
use crate::plane::ControlPlane;
use crate::problem::{ApiError, Kind};
use crate::usage;

/// How often it is looked whether CPU and memory are others.
const LOOK: Duration = Duration::from_secs(2);

type Plane = State<Arc<ControlPlane>>;

/// The tenant's last two hours, minute by minute, as far as this server has seen them.
#[utoipa::path(get, path = "", tag = "tenants", responses((status = 200, description = "The last two hours, minute by minute.", body = TenantSeries)))]
pub async fn series(Scope(member): Scope) -> Json<TenantSeries> {
    Json(member.activity.series(Utc::now()))
}

/// The tenant at a glance and the code that waits (for those who may control the bot), now and whenever they change;
/// at most every two seconds when only CPU and memory do. The event is `status`.
#[utoipa::path(get, path = "", tag = "tenants", responses((status = 200, description = "Events `status`; `data` is a TenantStream.", body = TenantStream, content_type = "text/event-stream"), (status = 429, description = "`too_many_listeners`", body = api::Problem)))]
pub async fn follow(
    State(plane): Plane,
    Scope(member): Scope,
    caller: Caller,
) -> Result<impl IntoResponse, ApiError> {
    let place = plane.dashboard.tenant_followers.enter(Some(member.id)).map_err(|most| {
        let detail =
            format!("{most} already follow; end one, or ask for the status every so often");
        ApiError::new(Kind::TooManyListeners, detail)
    })?;
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    // A tenant that is deleted drops its end of the channel, which ends the stream.
    let follower = Follower {
        tenant: member.id,
        changes: member.subscribe(),
        plane,
        caller,
        _place: place,
        looks,
        told: None,
    };
    drop(member);
    Ok(Sse::new(follower.messages()).keep_alive(KeepAlive::default()))
}

/// One who follows a tenant.
struct Follower {
    tenant: TenantId,
    plane: Arc<ControlPlane>,
    caller: Caller,
    changes: watch::Receiver<Snapshot>,
    _place: Place,
    looks: Interval,
    /// What was told last, but for what is no change.
    told: Option<TenantStream>,
}

impl Follower {
    fn messages(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(self, |mut follower| async move {
            loop {
                // The first look is at once.
                let with_usage = tokio::select! {
                    _ = follower.looks.tick() => {
                        usage::renew(&follower.plane);
                        true
                    }
                    changed = follower.changes.changed() => {
                        changed.ok()?;
                        false
                    }
                };
                if let Some(now) = follower.look(with_usage) {
                    let event = Event::default().event("status").json_data(now);
                    let event =
                        event.unwrap_or_else(|error| Event::default().comment(error.to_string()));
                    return Some((Ok(event), follower));
                }
            }
        })
    }

    fn look(&mut self, with_usage: bool) -> Option<TenantStream> {
        let may_see_codes = self.may_see_codes();
        let snapshot = self.changes.borrow_and_update();
        let now = TenantStream {
            status: view::status(&snapshot),
            qr: may_see_codes.then(|| qr::waiting(&snapshot)),
        };
        let mode = snapshot.record.config.heartbeat;
        drop(snapshot);
        let news = what_counts(&now, mode);
        let is_news = match &self.told {
            None => true,
            Some(told) if with_usage => *told != news,
            Some(told) => without_usage(told) != without_usage(&news),
        };
        is_news.then(|| {
            self.told = Some(news);
            now
        })
    }

    /// At each look: the right to do more than see may be taken back while the stream goes on.
    fn may_see_codes(&self) -> bool {
        let now = match &self.caller.shown {
            None => Some(Arc::clone(&self.caller.principal)),
            Some(shown) => revocation::principal(&self.plane, shown),
        };
        now.is_some_and(|who| who.may_with(self.tenant, Permission::Control) == Verdict::Granted)
    }
}

/// Without what only grows older, and with figures rounded.
fn what_counts(now: &TenantStream, mode: HeartbeatMode) -> TenantStream {
    let StatusView { worker, session, .. } = now.status.clone();
    let session = SessionView { last_frame_age_ms: None, ..session };
    let worker = WorkerView {
        last_seen_at: worker.last_seen_at.filter(|_| mode == HeartbeatMode::Link),
        cpu_percent: worker.cpu_percent.map(|percent| f64::from(dashboard::whole(percent))),
        memory_bytes: worker.memory_bytes.map(dashboard::mebibytes),
        ..worker
    };
    TenantStream { status: StatusView { worker, session, ..now.status.clone() }, ..now.clone() }
}

fn without_usage(told: &TenantStream) -> TenantStream {
    let mut told = told.clone();
    told.status.worker.cpu_percent = None;
    told.status.worker.memory_bytes = None;
    told
}

#[cfg(test)]
mod tests;
