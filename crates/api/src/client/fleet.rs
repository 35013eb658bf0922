//! The operator's side of the fleet at a glance, and of conversations.

use super::admin::route;
use super::{AdminClient, ClientError};
use crate::fleet::{FleetRows, FleetView};
use crate::live::{ConversationView, TenantSeries};
use crate::records::Page;

impl AdminClient {
    /// The fleet in numbers.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn fleet(&self) -> Result<FleetView, ClientError> {
        self.get("/admin/fleet").await
    }

    /// All tenants, one short row each.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn fleet_rows(&self) -> Result<FleetRows, ClientError> {
        self.get("/admin/fleet/tenants").await
    }

    /// A tenant's last two hours.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn series(&self, tenant: &str) -> Result<TenantSeries, ClientError> {
        self.get(&route(tenant, "/series")).await
    }

    /// A tenant's newest conversations, newest first.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn conversations(&self, tenant: &str) -> Result<Page<ConversationView>, ClientError> {
        self.get(&route(tenant, "/conversations")).await
    }
}
