//! Who could reach the server with these settings.

use control::certificate_expiry;
use control::config::Settings;

use super::seconds_ahead;
use crate::command::doctor::facts::{CertificateFact, Exposure};

pub fn of(settings: &Settings) -> Exposure {
    let characters = |secret: &control::config::Secret| secret.expose().chars().count();
    Exposure {
        remote: !settings.bind.to_canonical().is_loopback(),
        proxies: !settings.trusted_proxies.is_empty(),
        certificate: settings.tls_cert.as_ref().map(|path| CertificateFact {
            path: path.clone(),
            expires_s: certificate_expiry(path).map(seconds_ahead),
        }),
        admin_password: settings.admin_password.as_ref().map(characters),
        portal_key: settings.portal_internal_key.as_ref().map(characters),
        limited: settings.rate_limit_per_address > 0,
    }
}
