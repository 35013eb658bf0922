//! Which hosts a server that listens on a loopback address is.
//!
//! A page of any site can have its own name resolve to 127.0.0.1 (DNS rebinding); to a browser it then is of
//! one origin with this server. Such requests still name the site's host.

use std::net::IpAddr;

use axum::http::{HeaderMap, Uri, header};

use crate::problem::{ApiError, Kind};

/// The hosts that requests may name, besides this machine's own names for itself.
#[derive(Clone, Debug, Default)]
pub struct Hosts {
    public: Option<String>,
}

impl Hosts {
    /// Also the host of a public address, in any spelling.
    #[must_use]
    pub fn new(public: Option<&str>) -> Self {
        Self { public: public.map(str::to_ascii_lowercase) }
    }

    /// Refuses a request for another host. One that names none comes from no browser.
    ///
    /// # Errors
    /// [`Kind::MisdirectedRequest`].
    pub fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), ApiError> {
        let of_uri = uri.authority().map(|authority| authority.as_str().as_bytes());
        let named = headers.get_all(header::HOST).iter().map(|value| value.as_bytes());
        match named.chain(of_uri).find(|named| !self.is_own(named)) {
            None => Ok(()),
            Some(other) => Err(misdirected(&String::from_utf8_lossy(other))),
        }
    }

    fn is_own(&self, named: &[u8]) -> bool {
        let Ok(named) = std::str::from_utf8(named) else { return false };
        let host = without_port(named);
        if host.eq_ignore_ascii_case("localhost") {
            return true;
        }
        if self.public.as_deref().is_some_and(|public| host.eq_ignore_ascii_case(public)) {
            return true;
        }
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        bare.parse().is_ok_and(|address: IpAddr| address.to_canonical().is_loopback())
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

fn misdirected(named: &str) -> ApiError {
    let named: String = named.chars().take(80).collect();
    let detail = format!(
        "this server listens on a loopback address and is not {named:?}; ask for localhost, or set PUBLIC_URL \
         to the address that a proxy before it has"
    );
    ApiError::new(Kind::MisdirectedRequest, detail)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail")]

    use axum::http::{HeaderMap, HeaderValue, Uri, header};

    use super::Hosts;

    fn taken(hosts: &Hosts, named: &str) -> bool {
        let headers = HeaderMap::from_iter([(
            header::HOST,
            HeaderValue::from_bytes(named.as_bytes()).unwrap(),
        )]);
        hosts.check(&Uri::from_static("/health"), &headers).is_ok()
    }

    #[test]
    fn only_own_names_are_taken() {
        let hosts = Hosts::new(Some("Bots.Example"));
        for own in [
            "localhost",
            "LOCALHOST:7700",
            "127.0.0.1",
            "127.0.0.1:1",
            "127.9.9.9",
            "[::1]",
            "[::1]:7700",
            "bots.example",
            "bots.example:443",
            "BOTS.example",
        ] {
            assert!(taken(&hosts, own), "{own}");
        }
        for other in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "192.0.2.1",
            "",
            "evil.example:7700",
            "bots.example.evil",
            "0.0.0.0",
            "[2001:db8::1]",
            "ä",
        ] {
            assert!(!taken(&hosts, other), "{other}");
        }
    }

    #[test]
    fn no_host_is_no_browser_and_both_places_count() {
        let hosts = Hosts::default();
        assert!(hosts.check(&Uri::from_static("/"), &HeaderMap::new()).is_ok());
        assert!(hosts.check(&Uri::from_static("http://evil.example/"), &HeaderMap::new()).is_err());
        let headers = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static("localhost"))]);
        assert!(hosts.check(&Uri::from_static("http://evil.example/"), &headers).is_err());
    }
}
