//! The operator's side of the routes for re-pair links.

use reqwest::Method;

use super::ClientError;
use super::admin::{AdminClient, route};
use crate::pair_link::{CreatePairLink, PairLink};

impl AdminClient {
    /// Makes a link with which somebody without an account connects a tenant's WhatsApp.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn create_pair_link(
        &self,
        tenant: &str,
        wish: &CreatePairLink,
    ) -> Result<PairLink, ClientError> {
        self.0.json(self.0.request(Method::POST, &path(tenant)).json(wish)).await
    }

    /// Takes all links of a tenant back.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn take_pair_links_back(&self, tenant: &str) -> Result<(), ClientError> {
        self.0.send(self.0.request(Method::DELETE, &path(tenant))).await.map(drop)
    }
}

fn path(tenant: &str) -> String {
    route(tenant, "/pair-links")
}
