//! Sending messages from outside.

use reqwest::Method;
use uuid::Uuid;

use super::ClientError;
use super::admin::{AdminClient, segment};
use crate::messages::{IDEMPOTENCY_KEY, SendMessage, SentMessage, Upload};
use crate::records::Page;

impl AdminClient {
    /// Sends a message by a tenant's number. What is repeated with the same `key` is sent once.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn send_message(
        &self,
        tenant: &str,
        message: &SendMessage,
        key: &str,
    ) -> Result<SentMessage, ClientError> {
        let request = self.0.request(Method::POST, &route(tenant, "messages"));
        self.0.json(request.header(IDEMPOTENCY_KEY, key).json(message)).await
    }

    /// Uploads a file that a message is to name.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn upload(&self, tenant: &str, file: Vec<u8>) -> Result<Upload, ClientError> {
        self.0.json(self.0.request(Method::POST, &route(tenant, "media")).body(file)).await
    }

    /// What became of a message.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn sent_message(&self, id: Uuid) -> Result<SentMessage, ClientError> {
        self.get(&format!("/v1/messages/{id}")).await
    }

    /// A tenant's messages from outside before number `before`, newest first.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn sent_messages(
        &self,
        tenant: &str,
        before: Option<i64>,
    ) -> Result<Page<SentMessage>, ClientError> {
        let query = before.map(|before| format!("?before={before}")).unwrap_or_default();
        self.get(&format!("{}{query}", route(tenant, "messages"))).await
    }
}

fn route(tenant: &str, what: &str) -> String {
    format!("/v1/tenants/{}/{what}", segment(tenant))
}
