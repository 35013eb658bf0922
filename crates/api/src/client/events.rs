//! The operator's side of the event log.

use futures::Stream;
use reqwest::{Method, RequestBuilder};

use super::admin::route;
use super::{AdminClient, ClientError, sse};
use crate::events::{EventView, KindFilter};
use crate::records::Page;

/// Which events are asked for.
#[derive(Clone, Debug, Default)]
pub struct EventQuery {
    /// Of this tenant alone: its id or its slug. None: of all, and of the installation.
    pub tenant: Option<String>,
    /// Those after this number.
    pub after: Option<i64>,
    /// In place of `after`: so many of the newest.
    pub last: Option<u64>,
    /// Of these kinds alone.
    pub kinds: KindFilter,
    /// The most on a page; the server's own number when it is none.
    pub limit: Option<u64>,
}

impl AdminClient {
    /// A tenant's events after the one with number `after`, oldest first; at most 1000.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn events(&self, tenant: &str, after: i64) -> Result<Page<EventView>, ClientError> {
        let tenant = Some(tenant.to_owned());
        let query =
            EventQuery { tenant, after: Some(after), limit: Some(1000), ..EventQuery::default() };
        self.event_page(&query).await
    }

    /// A page of events, oldest first.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn event_page(&self, query: &EventQuery) -> Result<Page<EventView>, ClientError> {
        self.0.json(self.request_events(query)).await
    }

    /// Events that were, and then each as it happens. The stream ends with the connection; to go on, ask for what is
    /// after the last one that came.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn follow_events(
        &self,
        query: &EventQuery,
    ) -> Result<impl Stream<Item = EventView> + Unpin + use<>, ClientError> {
        let request = self.request_events(query).query(&[("follow", true)]);
        Ok(sse::values(self.0.send(request).await?))
    }

    fn request_events(&self, query: &EventQuery) -> RequestBuilder {
        let path = match &query.tenant {
            Some(tenant) => route(tenant, "/events"),
            None => "/admin/events".to_owned(),
        };
        let mut request = self.0.request(Method::GET, &path);
        if let Some(after) = query.after {
            request = request.query(&[("after", after)]);
        }
        if let Some(last) = query.last {
            request = request.query(&[("last", last)]);
        }
        if let Some(limit) = query.limit {
            request = request.query(&[("limit", limit)]);
        }
        if !query.kinds.patterns().is_empty() {
            request = request.query(&[("kind", query.kinds.to_string())]);
        }
        request
    }
}
