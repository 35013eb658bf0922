//! The worker link's part in sending: messages from outside as commands, and their files.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use api::link::{Command, OutsideMessage};
use axum::extract::{Path, State};
use futures::{Stream, stream};
use tokio::sync::watch;
use uuid::Uuid;

use super::scope::Scope;
use crate::fleet::Member;
use crate::plane::ControlPlane;
use crate::problem::{ApiError, Kind};
use crate::sending::uploads;

/// Messages that are read from the store at a time.
const BATCH: u64 = 20;

/// The wait after the store failed.
const AFTER_FAILURE: Duration = Duration::from_secs(2);

/// Hands over what the worker does not have yet, oldest first, and then what comes. Each is said once
/// on a stream; a worker that could not keep one ends its stream and is told again on the next.
pub fn messages(
    plane: Arc<ControlPlane>,
    member: Arc<Member>,
) -> impl Stream<Item = Command> + Send {
    let news = member.sends.subscribe();
    let start = HandingOver { plane, member, news, after: 0, batch: VecDeque::new() };
    stream::unfold(start, async |mut state| {
        let message = state.next().await?;
        Some((Command::Send(message), state))
    })
}

struct HandingOver {
    plane: Arc<ControlPlane>,
    member: Arc<Member>,
    news: watch::Receiver<()>,
    after: i64,
    batch: VecDeque<(i64, OutsideMessage)>,
}

impl HandingOver {
    /// The next message, as soon as there is one. Never `None`: the member is held here, and with it the
    /// sender of the news. The stream ends with its connection or another generation, not by itself.
    async fn next(&mut self) -> Option<OutsideMessage> {
        loop {
            if let Some((seq, message)) = self.batch.pop_front() {
                self.after = seq;
                return Some(message);
            }
            // Marked before the look, so that what is accepted meanwhile is looked for.
            self.news.borrow_and_update();
            match self.plane.store.not_handed_over(self.member.id, self.after, BATCH).await {
                Ok(rows) if rows.is_empty() => self.news.changed().await.ok()?,
                Ok(rows) => self.batch = rows.into(),
                Err(error) => {
                    tracing::error!(tenant = %self.member.id, %error, "messages cannot be handed over");
                    tokio::time::sleep(AFTER_FAILURE).await;
                }
            }
        }
    }
}

/// The file of a message that the worker is about to send.
#[utoipa::path(get, path = "", tag = "worker link", responses((status = 200, description = "The file.", body = Vec<u8>, content_type = "application/octet-stream"), (status = 404, description = "`unknown_upload`", body = api::Problem)))]
pub async fn media(
    State(plane): State<Arc<ControlPlane>>,
    Scope(member): Scope,
    Path(id): Path<String>,
) -> Result<Vec<u8>, ApiError> {
    let gone =
        || ApiError::new(Kind::UnknownUpload, "the tenant has no such upload, or not any more");
    let id: Uuid = id.parse().map_err(|_| gone())?;
    if !plane.store.is_upload(member.id, id).await? {
        return Err(gone());
    }
    tokio::fs::read(uploads::path(&plane.settings.home, member.id, id)).await.map_err(|error| {
        tracing::error!(tenant = %member.id, %id, %error, "an upload cannot be read");
        // Only what is not there is gone for good: the worker asks again after anything else.
        match error.kind() {
            std::io::ErrorKind::NotFound => gone(),
            _ => ApiError::new(Kind::Internal, format!("the upload cannot be read: {error}")),
        }
    })
}
