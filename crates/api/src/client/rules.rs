//! The operator's side of the routes for reply rules.

use reqwest::Method;
use serde_json::Value;

use super::ClientError;
use super::admin::{AdminClient, route, segment};
use crate::records::Page;
use crate::rules::{NewWebhookSecret, RulesTemplate, RulesTest, RulesVerdict, RulesView};

impl AdminClient {
    /// A tenant's rules.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn rules(&self, tenant: &str) -> Result<RulesView, ClientError> {
        self.get(&route(tenant, "/rules")).await
    }

    /// Replaces a tenant's rules.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn set_rules(&self, tenant: &str, rules: &Value) -> Result<RulesView, ClientError> {
        self.0.json(self.0.request(Method::PUT, &route(tenant, "/rules")).json(rules)).await
    }

    /// Takes a tenant's rules away; the greeting answers again.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn clear_rules(&self, tenant: &str) -> Result<RulesView, ClientError> {
        self.0.json(self.0.request(Method::DELETE, &route(tenant, "/rules"))).await
    }

    /// What a tenant's bot would do with a message.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn test_rules(
        &self,
        tenant: &str,
        test: &RulesTest,
    ) -> Result<RulesVerdict, ClientError> {
        self.0.json(self.0.request(Method::POST, &route(tenant, "/rules/test")).json(test)).await
    }

    /// Makes a new secret for a tenant's webhook; the old one is void.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn new_webhook_secret(&self, tenant: &str) -> Result<NewWebhookSecret, ClientError> {
        self.0.json(self.0.request(Method::POST, &route(tenant, "/rules/secret"))).await
    }

    /// The ready-made sets.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn rules_templates(&self) -> Result<Vec<RulesTemplate>, ClientError> {
        Ok(self.get::<Page<RulesTemplate>>("/admin/rules/templates").await?.items)
    }

    /// One ready-made set.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn rules_template(&self, name: &str) -> Result<RulesTemplate, ClientError> {
        self.get(&format!("/admin/rules/templates/{}", segment(name))).await
    }
}
