//! Settings about people: how they sign in, and where letters to them go out.

use super::{Key, PLAIN};
use crate::config::value;

/// The longest time that a browser may stay signed in, in minutes: a year.
const YEAR_MINUTES: u64 = 365 * 24 * 60;

/// See the module.
pub(super) static PEOPLE: &[Key] = &[
    Key {
        name: "session_idle_minutes",
        env: "SESSION_IDLE_MINUTES",
        default: Some("720"),
        doc: "After so many minutes without a request a browser is signed out, 1 to 525600.",
        set: |s, raw| {
            value::whole(raw, 1..=YEAR_MINUTES)
                .map(|minutes| s.session_idle = std::time::Duration::from_secs(minutes * 60))
        },
        show: |s| Some((s.session_idle.as_secs() / 60).to_string()),
        ..PLAIN
    },
    Key {
        name: "session_lifetime_minutes",
        env: "SESSION_LIFETIME_MINUTES",
        default: Some("10080"),
        doc: "So many minutes after signing in a browser is signed out in any case, 1 to 525600; a week by \
              default.",
        set: |s, raw| {
            value::whole(raw, 1..=YEAR_MINUTES)
                .map(|minutes| s.session_lifetime = std::time::Duration::from_secs(minutes * 60))
        },
        show: |s| Some((s.session_lifetime.as_secs() / 60).to_string()),
        ..PLAIN
    },
    Key {
        name: "portal_addresses",
        env: "PORTAL_ADDRESSES",
        doc: "The addresses that a foreign portal may call from, separated by commas: `10.0.0.7` or \
              `10.0.0.0/24`. Any, when it is not set.",
        set: |s, raw| value::proxies(raw).map(|networks| s.portal_addresses = networks),
        show: |s| Some(s.portal_addresses.to_string()).filter(|shown| !shown.is_empty()),
        ..PLAIN
    },
    Key {
        name: "smtp_url",
        env: "SMTP_URL",
        secret: true,
        doc: "The mail server for invitations and new passwords: `smtps://user:password@host` or \
              `smtp://host:587?tls=required`. Without it the links are shown to the administrator.",
        set: |s, raw| value::smtp_url(raw).map(|url| s.smtp_url = Some(url)),
        show: |s| s.smtp_url.as_ref().map(ToString::to_string),
        ..PLAIN
    },
    Key {
        name: "mail_from",
        env: "MAIL_FROM",
        doc: "Whom letters come from, such as `Bots <bots@example.com>`; needed with `smtp_url`.",
        set: |s, raw| value::mailbox(raw).map(|from| s.mail_from = Some(from)),
        show: |s| s.mail_from.clone(),
        ..PLAIN
    },
    Key {
        name: "oidc_issuer",
        env: "OIDC_ISSUER",
        doc: "The address of an identity provider (OpenID Connect) that people may sign in with, such as \
              `https://accounts.google.com`; `<public_url>/auth/oidc/callback` must be registered there.",
        set: |s, raw| value::public_url(raw).map(|_| s.oidc_issuer = Some(raw.text.to_owned())),
        show: |s| s.oidc_issuer.clone(),
        ..PLAIN
    },
    Key {
        name: "oidc_client_id",
        env: "OIDC_CLIENT_ID",
        doc: "What this installation is called at the identity provider; needed with `oidc_issuer`.",
        set: |s, raw| {
            s.oidc_client_id = Some(raw.text.to_owned());
            Ok(())
        },
        show: |s| s.oidc_client_id.clone(),
        ..PLAIN
    },
    Key {
        name: "oidc_client_secret",
        env: "OIDC_CLIENT_SECRET",
        secret: true,
        doc: "What this installation proves itself with to the identity provider, where that asks for it.",
        set: |s, raw| {
            s.oidc_client_secret = Some(crate::config::Secret::new(raw.text.to_owned()));
            Ok(())
        },
        show: |s| s.oidc_client_secret.as_ref().map(ToString::to_string),
        ..PLAIN
    },
    Key {
        name: "oidc_name",
        env: "OIDC_NAME",
        default: Some("your organisation"),
        doc: "What the identity provider is called where people sign in.",
        set: |s, raw| {
            s.oidc_name = raw.text.to_owned();
            Ok(())
        },
        show: |s| Some(s.oidc_name.clone()),
        ..PLAIN
    },
];
