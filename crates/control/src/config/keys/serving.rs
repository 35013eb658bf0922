//! Settings about how the control plane is reached.

use super::{Key, PLAIN};
use crate::config::value;

/// See the module.
pub(super) static SERVING: &[Key] = &[
    Key {
        name: "bind",
        env: "BIND",
        default: Some("127.0.0.1"),
        doc: "The address to listen at. Any but a loopback address needs `allow_remote` as well.",
        set: |s, raw| value::address(raw).map(|bind| s.bind = bind),
        show: |s| Some(s.bind.to_string()),
        ..PLAIN
    },
    Key {
        name: "allow_remote",
        env: "TENANTRY_ALLOW_REMOTE",
        default: Some("false"),
        doc: "Whether `bind` may be an address that other machines reach. Without `tls_cert` what is spoken \
              is plain HTTP: then put a proxy with TLS before it.",
        set: |s, raw| value::truth(raw).map(|allowed| s.allow_remote = allowed),
        show: |s| Some(s.allow_remote.to_string()),
        ..PLAIN
    },
    Key {
        name: "port",
        env: "PORT",
        default: Some("7700"),
        doc: "The port to listen at; 0 takes any free one.",
        set: |s, raw| {
            let port = value::whole(raw, 0..=u64::from(u16::MAX))?;
            s.port = u16::try_from(port).unwrap_or_default();
            Ok(())
        },
        show: |s| Some(s.port.to_string()),
        ..PLAIN
    },
    Key {
        name: "public_url",
        env: "PUBLIC_URL",
        doc: "The address at which people reach this server, as in `https://bots.example.com`. Where `bind` is \
              a loopback address, requests for its host are answered besides those for `localhost`.",
        set: |s, raw| value::public_url(raw).map(|url| s.public_url = Some(url)),
        show: |s| s.public_url.clone(),
        ..PLAIN
    },
    Key {
        name: "tls_cert",
        env: "TLS_CERT",
        doc: "A PEM file with a certificate and those that lead to its authority. With it (and `tls_key`) the \
              server speaks TLS alone. A new certificate in the files is taken without a restart.",
        set: |s, raw| value::path(raw).map(|path| s.tls_cert = Some(path)),
        show: |s| s.tls_cert.as_ref().map(|path| path.display().to_string()),
        ..PLAIN
    },
    Key {
        name: "tls_key",
        env: "TLS_KEY",
        doc: "A PEM file with the certificate's private key.",
        set: |s, raw| value::path(raw).map(|path| s.tls_key = Some(path)),
        show: |s| s.tls_key.as_ref().map(|path| path.display().to_string()),
        ..PLAIN
    },
    Key {
        name: "trusted_proxies",
        env: "TRUSTED_PROXIES",
        doc: "The addresses or networks of reverse proxies, with commas between them, as in `127.0.0.1, \
              10.0.0.0/8`. What they say in `Forwarded`, `X-Forwarded-For` and `X-Forwarded-Proto` of who asks \
              is believed; from others it is ignored.",
        set: |s, raw| value::proxies(raw).map(|proxies| s.trusted_proxies = proxies),
        show: |s| (!s.trusted_proxies.is_empty()).then(|| s.trusted_proxies.to_string()),
        ..PLAIN
    },
    Key {
        name: "max_connections",
        env: "MAX_CONNECTIONS",
        default: Some("4096"),
        doc: "The most connections at once over TCP; further ones are closed.",
        set: |s, raw| value::count(raw, 1..=1_000_000).map(|most| s.max_connections = most),
        show: |s| Some(s.max_connections.to_string()),
        ..PLAIN
    },
    Key {
        name: "max_connections_per_address",
        env: "MAX_CONNECTIONS_PER_ADDRESS",
        default: Some("128"),
        doc: "The most of them from one address (of IPv6: from one /64). Loopback addresses and \
              `trusted_proxies` have no such limit.",
        set: |s, raw| {
            value::count(raw, 1..=1_000_000).map(|most| s.max_connections_per_address = most)
        },
        show: |s| Some(s.max_connections_per_address.to_string()),
        ..PLAIN
    },
    Key {
        name: "rate_limit_per_address",
        env: "RATE_LIMIT_PER_ADDRESS",
        default: Some("100"),
        doc: "The most requests in a second from one address (of IPv6: from one /64), whoever asks; 0: no \
              limit. Programs on this machine have none, clients of a trusted proxy have it.",
        set: |s, raw| {
            value::per_second(raw).map(|per_second| s.rate_limit_per_address = per_second)
        },
        show: |s| Some(s.rate_limit_per_address.to_string()),
        ..PLAIN
    },
    Key {
        name: "rate_limit_per_address_burst",
        env: "RATE_LIMIT_PER_ADDRESS_BURST",
        default: Some("400"),
        doc: "How many requests of an address may come at once after a pause.",
        set: |s, raw| value::per_second(raw).map(|burst| s.rate_limit_per_address_burst = burst),
        show: |s| Some(s.rate_limit_per_address_burst.to_string()),
        ..PLAIN
    },
    Key {
        name: "rate_limit_per_credential",
        env: "RATE_LIMIT_PER_CREDENTIAL",
        default: Some("100"),
        doc: "The most requests in a second with one credential, four times as many at once after a pause; 0: \
              no limit.",
        set: |s, raw| {
            value::per_second(raw).map(|per_second| s.rate_limit_per_credential = per_second)
        },
        show: |s| Some(s.rate_limit_per_credential.to_string()),
        ..PLAIN
    },
    Key {
        name: "metrics_public",
        env: "METRICS_PUBLIC",
        default: Some("false"),
        doc: "Whether `GET /metrics` needs no credential. It names no tenant.",
        set: |s, raw| value::truth(raw).map(|public| s.metrics_public = public),
        show: |s| Some(s.metrics_public.to_string()),
        ..PLAIN
    },
];
