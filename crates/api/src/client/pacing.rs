//! The operator's side of the routes for pacing.

use reqwest::Method;
use serde_json::Value;

use super::ClientError;
use super::admin::{AdminClient, route};
use crate::pacing::PacingView;

impl AdminClient {
    /// How a tenant's bot paces itself.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn pacing(&self, tenant: &str) -> Result<PacingView, ClientError> {
        self.get(&route(tenant, "/pacing")).await
    }

    /// Replaces a tenant's pacing; what the document leaves out has its default.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn set_pacing(
        &self,
        tenant: &str,
        pacing: &Value,
    ) -> Result<PacingView, ClientError> {
        self.0.json(self.0.request(Method::PUT, &route(tenant, "/pacing")).json(pacing)).await
    }
}
