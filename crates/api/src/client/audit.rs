//! The operator's side of the audit log.

use chrono::{DateTime, Utc};
use futures::StreamExt as _;
use reqwest::{Method, RequestBuilder};

use super::{AdminClient, ClientError};
use crate::audit::{AuditVerification, AuditView};
use crate::records::Page;

/// Which entries are asked for; what is `None` matches all.
#[derive(Clone, Debug, Default)]
pub struct AuditQuery {
    /// About this tenant: its id, also of one that is deleted.
    pub tenant: Option<String>,
    /// By this actor.
    pub actor: Option<String>,
    /// Actions and groups of actions: `worker.start`, `tenant.*`.
    pub action: Option<String>,
    /// With this result: `ok`, or the code of a problem.
    pub result: Option<String>,
    /// Not before.
    pub since: Option<DateTime<Utc>>,
    /// Before.
    pub until: Option<DateTime<Utc>>,
    /// Before this number.
    pub before: Option<i64>,
    /// The most on a page; the server's own number when it is none.
    pub limit: Option<u64>,
}

impl AdminClient {
    /// The newest entries of the audit log, newest first.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn audit(&self) -> Result<Page<AuditView>, ClientError> {
        self.audit_page(&AuditQuery::default()).await
    }

    /// A page of the audit log, newest first.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn audit_page(&self, query: &AuditQuery) -> Result<Page<AuditView>, ClientError> {
        self.0.json(self.chosen("/admin/audit", query)).await
    }

    /// Hands the chosen entries over to `take`, oldest first, one JSON object a line, in pieces of any length.
    ///
    /// # Errors
    /// See [`ClientError`]; also when the server breaks off before the end. Those of `take` come back inside.
    pub async fn export_audit<E>(
        &self,
        query: &AuditQuery,
        mut take: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<Result<(), E>, ClientError> {
        let answer = self.0.send(self.chosen("/admin/audit/export", query)).await?;
        let mut pieces = answer.bytes_stream();
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|source| self.0.unreachable(source))?;
            if let Err(error) = take(&piece) {
                return Ok(Err(error));
            }
        }
        Ok(Ok(()))
    }

    /// Has the chain verified, and looks for the entry with the hash `head`.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn verify_audit(&self, head: Option<&str>) -> Result<AuditVerification, ClientError> {
        let mut request = self.0.request(Method::GET, "/admin/audit/verify");
        if let Some(head) = head {
            request = request.query(&[("head", head)]);
        }
        self.0.json(request).await
    }

    fn chosen(&self, path: &str, query: &AuditQuery) -> RequestBuilder {
        let texts = [
            ("tenant", query.tenant.clone()),
            ("actor", query.actor.clone()),
            ("action", query.action.clone()),
            ("result", query.result.clone()),
            ("since", query.since.map(|at| at.to_rfc3339())),
            ("until", query.until.map(|at| at.to_rfc3339())),
            ("before", query.before.map(|before| before.to_string())),
            ("limit", query.limit.map(|limit| limit.to_string())),
        ];
        let given = texts.into_iter().filter_map(|(name, text)| Some((name, text?)));
        self.0.request(Method::GET, path).query(&given.collect::<Vec<_>>())
    }
}
