//! The operator's side of the admin routes.

use futures::{Stream, StreamExt};
use reqwest::Method;
use serde::Deserialize;

use super::{ClientError, Connection, sse};
use crate::link::PairingCode;
use crate::phone::Phone;
use crate::records::{HealthView, LogView, MessageView, Page, StatusView};
use crate::session::{AskPairingCode, QrView, SessionEvent, SessionView};
use crate::tenant::{CreateTenant, TenantView, UpdateTenant};
use crate::worker::{LifecycleAction, LifecycleAnswer, Migrate, RuntimeKind};

/// A connection to the control plane with an operator's token. Wherever a `tenant` is asked for, its
/// id or its slug will do.
#[derive(Clone)]
pub struct AdminClient(pub(super) Connection);

/// One event of a followed log.
#[derive(Deserialize)]
struct LogLine {
    line: String,
}

impl AdminClient {
    /// A client for the control plane at `address` (`http://host:port` or `unix:/path`).
    ///
    /// # Errors
    /// [`ClientError::Address`] when the address is of neither form.
    pub fn new(address: &str, token: &str) -> Result<Self, ClientError> {
        Connection::new(address, token).map(Self)
    }

    pub(super) async fn get<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
    ) -> Result<T, ClientError> {
        self.0.json(self.0.request(Method::GET, path)).await
    }

    /// Makes a tenant.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn create_tenant(&self, tenant: &CreateTenant) -> Result<TenantView, ClientError> {
        self.0.json(self.0.request(Method::POST, "/admin/tenants").json(tenant)).await
    }

    /// All tenants, oldest first.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn tenants(&self) -> Result<Vec<TenantView>, ClientError> {
        Ok(self.get::<Page<TenantView>>("/admin/tenants").await?.items)
    }

    /// One tenant.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn tenant(&self, tenant: &str) -> Result<TenantView, ClientError> {
        self.get(&route(tenant, "")).await
    }

    /// Changes a tenant.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn update_tenant(
        &self,
        tenant: &str,
        change: &UpdateTenant,
    ) -> Result<TenantView, ClientError> {
        self.0.json(self.0.request(Method::PATCH, &route(tenant, "")).json(change)).await
    }

    /// Stops a tenant's worker and deletes the tenant with its session and records.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn delete_tenant(&self, tenant: &str) -> Result<(), ClientError> {
        self.0.send(self.0.request(Method::DELETE, &route(tenant, ""))).await.map(drop)
    }

    /// Carries out a lifecycle action and waits for its effect: at most `wait` seconds, or the
    /// server's own bound.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn lifecycle(
        &self,
        tenant: &str,
        action: LifecycleAction,
        wait: Option<f64>,
    ) -> Result<LifecycleAnswer, ClientError> {
        let path = route(tenant, &format!("/worker/{}", action.as_str()));
        let mut request = self.0.request(Method::POST, &path);
        if let Some(wait) = wait {
            request = request.query(&[("wait", wait)]);
        }
        self.0.json(request).await
    }

    /// Moves a tenant's worker to another runtime and waits until it runs there, if it is wanted to
    /// run at all: at most `wait` seconds, or the server's own bound.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn migrate(
        &self,
        tenant: &str,
        to: RuntimeKind,
        wait: Option<f64>,
    ) -> Result<LifecycleAnswer, ClientError> {
        let path = route(tenant, "/worker/migrate");
        let mut request = self.0.request(Method::POST, &path).json(&Migrate { to });
        if let Some(wait) = wait {
            request = request.query(&[("wait", wait)]);
        }
        self.0.json(request).await
    }

    /// A tenant's status.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn status(&self, tenant: &str) -> Result<StatusView, ClientError> {
        self.get(&route(tenant, "/status")).await
    }

    /// The QR code that waits to be scanned.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn qr(&self, tenant: &str) -> Result<QrView, ClientError> {
        self.get(&route(tenant, "/qr?format=json")).await
    }

    /// Deletes a tenant's session, so that the next start shows a QR code.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn reset_session(&self, tenant: &str) -> Result<StatusView, ClientError> {
        self.0.json(self.0.request(Method::POST, &route(tenant, "/session/reset"))).await
    }

    /// Gets a code to type into a phone; without a number for the tenant's own phone.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn pairing_code(
        &self,
        tenant: &str,
        phone: Option<Phone>,
    ) -> Result<PairingCode, ClientError> {
        let path = route(tenant, "/session/pairing-code");
        self.0.json(self.0.request(Method::POST, &path).json(&AskPairingCode { phone })).await
    }

    /// Has QR codes shown, and gives the first.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn show_qr(&self, tenant: &str) -> Result<QrView, ClientError> {
        self.0.json(self.0.request(Method::POST, &route(tenant, "/session/qr"))).await
    }

    /// Has no codes shown any more.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn cancel_pairing(&self, tenant: &str) -> Result<SessionView, ClientError> {
        self.0.json(self.0.request(Method::DELETE, &route(tenant, "/session/pairing"))).await
    }

    /// Has the session connected now, however long its worker would wait.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn reconnect(&self, tenant: &str) -> Result<SessionView, ClientError> {
        self.0.json(self.0.request(Method::POST, &route(tenant, "/session/reconnect"))).await
    }

    /// The session and its codes, now and whenever they change.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn follow_session(
        &self,
        tenant: &str,
    ) -> Result<impl Stream<Item = SessionEvent> + Unpin, ClientError> {
        let path = route(tenant, "/session/events");
        let answer = self.0.send(self.0.request(Method::GET, &path)).await?;
        Ok(sse::values(answer))
    }

    /// The last `tail` lines of the worker's log.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn logs(&self, tenant: &str, tail: usize) -> Result<Vec<String>, ClientError> {
        Ok(self.get::<LogView>(&route(tenant, &format!("/logs?tail={tail}"))).await?.lines)
    }

    /// The last `tail` lines of the worker's log and then every new one.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn follow_logs(
        &self,
        tenant: &str,
        tail: usize,
    ) -> Result<impl Stream<Item = String> + Unpin, ClientError> {
        let path = route(tenant, &format!("/logs?tail={tail}&follow=true"));
        let answer = self.0.send(self.0.request(Method::GET, &path)).await?;
        Ok(sse::values::<LogLine>(answer).map(|event| event.line))
    }

    /// The newest messages, newest first.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn messages(&self, tenant: &str) -> Result<Page<MessageView>, ClientError> {
        self.get(&route(tenant, "/messages")).await
    }

    /// How the control plane and its parts are.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn health(&self) -> Result<HealthView, ClientError> {
        self.get("/health").await
    }
}

/// The route of a tenant. What an operator typed stays one path segment.
pub(super) fn route(tenant: &str, rest: &str) -> String {
    format!("/admin/tenants/{}{rest}", segment(tenant))
}

/// A text as one path segment.
pub(super) fn segment(text: &str) -> String {
    let mut segment = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') {
            segment.push(char::from(byte));
        } else {
            segment.push_str(&format!("%{byte:02X}"));
        }
    }
    segment
}

#[cfg(test)]
mod tests {
    use super::route;

    #[test]
    fn a_tenant_stays_one_path_segment() {
        assert_eq!(route("a/../b", "/qr"), "/admin/tenants/a%2F%2E%2E%2Fb/qr");
    }
}
