//! The message log and its chats, page by page.

use std::sync::Arc;

use api::live::ConversationView;
use api::records::{MessageView, Page};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use store::MessageSelection;

use super::body::Params;
use super::scope::Scope;
use crate::plane::ControlPlane;
use crate::problem::{ApiError, Kind};

/// Records on a page when the caller does not say.
pub(super) const LIMIT: u64 = 100;
/// The most records on a page.
pub(super) const MAX_LIMIT: u64 = 1000;

/// Which page.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Query {
    pub(super) before: Option<i64>,
    limit: Option<u64>,
}

impl Query {
    pub fn limit(&self) -> Result<u64, ApiError> {
        within(self.limit)
    }
}

fn within(limit: Option<u64>) -> Result<u64, ApiError> {
    match limit.unwrap_or(LIMIT) {
        limit @ 1..=MAX_LIMIT => Ok(limit),
        _ => {
            let detail = format!("limit must be from 1 to {MAX_LIMIT}");
            Err(ApiError::new(Kind::InvalidQuery, detail))
        }
    }
}

/// The longest text that is searched for, in characters.
const LONGEST: usize = 200;

/// Which messages.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Search {
    /// Before this number; the `next` of the page before.
    before: Option<i64>,
    /// The most messages on a page: 1 to 1000, else 100.
    limit: Option<u64>,
    /// Of this chat alone: its WhatsApp address.
    chat: Option<String>,
    /// With this text in them, at most 200 characters, in capitals or not. SQLite knows of capitals from A to Z alone.
    q: Option<String>,
}

impl Search {
    fn selection(&self) -> Result<MessageSelection, ApiError> {
        // A database keeps no NUL, and PostgreSQL does not even listen to one.
        let text = |text: &Option<String>| text.as_ref().map(|text| text.replace('\0', "\u{fffd}"));
        let containing = text(&self.q).filter(|text| !text.is_empty());
        if containing.as_ref().is_some_and(|text| text.chars().count() > LONGEST) {
            let detail = format!("q must have at most {LONGEST} characters");
            return Err(ApiError::new(Kind::InvalidQuery, detail));
        }
        Ok(MessageSelection { chat: text(&self.chat), containing })
    }
}

type Plane = State<Arc<ControlPlane>>;
type Answer<T> = Result<Json<Page<T>>, ApiError>;

/// A tenant's messages, newest first.
#[utoipa::path(get, path = "", tag = "tenants", params(Search), responses((status = 200, description = "Messages, newest first. A search looks at 20,000 messages at a time: its page may be short, even empty, and have a `next` to go on with.", body = Page<MessageView>), (status = 429, description = "`busy`: try again after `Retry-After`", body = api::Problem)))]
pub async fn messages(
    State(plane): Plane,
    Scope(member): Scope,
    Params(query): Params<Search>,
) -> Answer<MessageView> {
    let (selection, limit) = (query.selection()?, within(query.limit)?);
    let (store, id) = (plane.store.clone(), member.id);
    let searches = selection.containing.is_some();
    let read = async move { store.messages(id, &selection, query.before, limit).await };
    Ok(Json(if searches { plane.heavy.read(id, read).await? } else { read.await? }))
}

/// A tenant's chats, each with its newest message; the one that was written in last comes first.
#[utoipa::path(get, path = "", tag = "tenants", params(Query), responses((status = 200, description = "Chats, the one that was written in last first. `before` is the number of a newest message.", body = Page<ConversationView>), (status = 429, description = "`busy`: try again after `Retry-After`", body = api::Problem)))]
pub async fn conversations(
    State(plane): Plane,
    Scope(member): Scope,
    Params(query): Params<Query>,
) -> Answer<ConversationView> {
    let (store, id, limit) = (plane.store.clone(), member.id, query.limit()?);
    let read = async move { store.conversations(id, query.before, limit).await };
    Ok(Json(plane.heavy.read(id, read).await?))
}

#[cfg(test)]
mod tests;
