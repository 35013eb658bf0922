#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;

use super::{Contradiction, Networks, Origin, origin};
use crate::http::peer::Peer;

const PROXY: &str = "10.0.0.1";

fn peer(address: &str, tls: bool) -> Peer {
    Peer { address: address.parse().unwrap(), tls }
}

fn proxies() -> Networks {
    Networks::new(vec!["10.0.0.0/24".parse().unwrap(), "fd00::/64".parse().unwrap()])
}

fn headers(lines: &[(&str, &str)]) -> HeaderMap {
    lines
        .iter()
        .map(|(name, value)| {
            (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap())
        })
        .collect()
}

/// Who asks, on a connection of the proxy.
fn seen(lines: &[(&str, &str)]) -> Result<Origin, Contradiction> {
    origin(peer(PROXY, false), &headers(lines), &proxies())
}

fn client(address: &str, tls: bool) -> Result<Origin, Contradiction> {
    Ok(Origin { peer: peer(address, tls), forwarded: true })
}

#[test]
fn the_rightmost_that_is_no_proxy_counts() {
    assert_eq!(seen(&[("x-forwarded-for", "192.0.2.7")]), client("192.0.2.7", false));
    let spoofed = "127.0.0.1, 192.0.2.7, 10.0.0.2";
    assert_eq!(seen(&[("x-forwarded-for", spoofed)]), client("192.0.2.7", false));
    let lines = [("x-forwarded-for", "127.0.0.1"), ("x-forwarded-for", "192.0.2.7")];
    assert_eq!(seen(&lines), client("192.0.2.7", false));
    let standard = r#"for=1.1.1.1, for="[2001:db8::7]:443";proto=https, for=10.0.0.3;proto=http"#;
    assert_eq!(seen(&[("forwarded", standard)]), client("2001:db8::7", true));
    assert_eq!(seen(&[("x-forwarded-for", "192.0.2.7:5123")]), client("192.0.2.7", false));
    assert_eq!(seen(&[("x-forwarded-for", "::ffff:192.0.2.7")]), client("192.0.2.7", false));
}

#[test]
fn the_proxy_says_whether_the_way_is_encrypted() {
    let lines = [("x-forwarded-for", "192.0.2.7"), ("x-forwarded-proto", "http, https")];
    assert_eq!(seen(&lines), client("192.0.2.7", true));
    let direct = origin(peer("192.0.2.9", false), &headers(&lines), &proxies());
    assert_eq!(direct, Ok(Origin { peer: peer("192.0.2.9", false), forwarded: false }));
}

#[test]
fn what_cannot_be_understood_stands_for_the_proxy() {
    for unknown in ["unknown", "_hidden", "192.0.2.7, nonsense"] {
        assert_eq!(seen(&[("x-forwarded-for", unknown)]), client(PROXY, false), "{unknown}");
    }
    assert_eq!(seen(&[]), Ok(Origin { peer: peer(PROXY, false), forwarded: false }));
}

#[test]
fn two_headers_must_agree() {
    let both = |standard, custom| seen(&[("forwarded", standard), ("x-forwarded-for", custom)]);
    assert_eq!(both("for=192.0.2.7", "192.0.2.7"), client("192.0.2.7", false));
    assert_eq!(both("for=127.0.0.1", "192.0.2.7"), Err(Contradiction));
    assert_eq!(both("nonsense", "192.0.2.7"), Err(Contradiction));
}

fn any_address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<[u8; 4]>().prop_map(IpAddr::from),
        any::<[u8; 16]>().prop_map(IpAddr::from),
        (0..=255_u8).prop_map(|last| IpAddr::from([10, 0, 0, last])),
    ]
}

proptest! {
    /// Whatever a client writes into the headers, it counts as the address that the outermost proxy
    /// saw it at.
    #[test]
    fn nobody_chooses_the_own_address(
        lies in "[ -~]{0,60}",
        client in any_address(),
        hops in prop::collection::vec(0..=255_u8, 0..4),
    ) {
        let proxies = proxies();
        prop_assume!(!proxies.contains(client));
        let hops = hops.iter().map(|hop| format!("10.0.0.{hop}"));
        let list: Vec<_> = [lies, client.to_string()].into_iter().chain(hops).collect();
        let headers = headers(&[("x-forwarded-for", &list.join(", "))]);
        let seen = origin(peer(PROXY, false), &headers, &proxies).unwrap();
        prop_assert_eq!(seen.peer.address, client.to_canonical());
    }

    /// Who is no proxy is never believed.
    #[test]
    fn headers_of_others_are_ignored(from in any_address(), text in "[ -~]{0,60}") {
        let proxies = proxies();
        prop_assume!(!proxies.contains(from));
        let lines = [("x-forwarded-for", text.as_str()), ("forwarded", &text), ("x-forwarded-proto", "https")];
        let connection = Peer { address: from, tls: false };
        let seen = origin(connection, &headers(&lines), &proxies);
        prop_assert_eq!(seen, Ok(Origin { peer: connection, forwarded: false }));
    }

    /// An answer is given whatever a proxy hands on.
    #[test]
    fn no_header_makes_it_fail(text in any::<Vec<u8>>()) {
        let Ok(value) = HeaderValue::from_bytes(&text) else { return Ok(()) };
        let headers = [("x-forwarded-for", &value), ("forwarded", &value)]
            .into_iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.clone()))
            .collect();
        let _ = origin(peer(PROXY, false), &headers, &proxies());
    }
}
