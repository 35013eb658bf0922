//! Where a request comes from: the other end of its connection, or whom a trusted proxy names.
//!
//! A proxy appends the address that it was reached from to `X-Forwarded-For` or `Forwarded` (RFC 7239).
//! What stands left of that is what the client sent, and may be anything. So the list is read from the right,
//! past the addresses of trusted proxies, up to the first that is none: that is who was seen by the
//! outermost proxy that can be believed. Headers from anybody else are ignored.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, header};
use ipnet::IpNet;

use crate::http::peer::Peer;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The addresses of proxies that are believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// The proxies at these networks.
    #[must_use]
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// Whether an address is a proxy's.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Networks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<_> = self.0.iter().map(IpNet::to_string).collect();
        f.write_str(&texts.join(", "))
    }
}

/// Where a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Who asks, as far as can be believed.
    pub peer: Peer,
    /// Whether a proxy speaks for somebody else.
    pub forwarded: bool,
}

/// `Forwarded` and `X-Forwarded-For` name different clients. A proxy that sets one of them and hands on the
/// other as the client sent it would let clients choose their address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contradiction;

/// Tells where a request on a connection from `connection` comes from.
///
/// # Errors
/// [`Contradiction`], only on connections of trusted proxies.
pub fn origin(
    connection: Peer,
    headers: &HeaderMap,
    proxies: &Networks,
) -> Result<Origin, Contradiction> {
    let direct = Origin { peer: connection, forwarded: false };
    if proxies.is_empty() || !proxies.contains(connection.address) {
        return Ok(direct);
    }
    let of_standard = standard(connection, headers, proxies);
    let of_custom = custom(connection, headers, proxies);
    match (of_standard, of_custom) {
        (Some(one), Some(other)) if one.address != other.address => Err(Contradiction),
        (Some(peer), _) | (None, Some(peer)) => Ok(Origin { peer, forwarded: true }),
        (None, None) => Ok(direct),
    }
}

/// What `Forwarded` says.
fn standard(connection: Peer, headers: &HeaderMap, proxies: &Networks) -> Option<Peer> {
    let mut peer = connection;
    let mut found = false;
    for element in elements(headers, &header::FORWARDED).rev() {
        found = true;
        let Some(address) = parameter(element, "for").and_then(address) else { break };
        peer.address = address;
        if let Some(scheme) = parameter(element, "proto") {
            peer.tls = scheme.eq_ignore_ascii_case("https");
        }
        if !proxies.contains(address) {
            break;
        }
    }
    found.then_some(peer)
}

/// What `X-Forwarded-For` and `X-Forwarded-Proto` say.
fn custom(connection: Peer, headers: &HeaderMap, proxies: &Networks) -> Option<Peer> {
    let mut peer = connection;
    let mut found = false;
    for element in elements(headers, &FORWARDED_FOR).rev() {
        found = true;
        let Some(address) = address(element) else { break };
        peer.address = address;
        if !proxies.contains(address) {
            break;
        }
    }
    // What the proxy itself says stands last.
    if let Some(scheme) = elements(headers, &FORWARDED_PROTO).next_back() {
        peer.tls = scheme.eq_ignore_ascii_case("https");
    }
    found.then_some(peer)
}

/// The elements of a header that is a list, over all its lines. What is no text is an element that
/// nobody understands.
fn elements<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
) -> impl DoubleEndedIterator<Item = &'h str> {
    let lines = headers.get_all(name).iter().map(|line| line.to_str().unwrap_or("unknown"));
    lines.flat_map(|line| line.split(',')).map(str::trim).filter(|element| !element.is_empty())
}

/// A parameter of an element of `Forwarded`, without its quotes.
fn parameter<'h>(element: &'h str, name: &str) -> Option<&'h str> {
    element.split(';').find_map(|pair| {
        let (key, value) = pair.trim().split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"'))
    })
}

/// An address, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let with_port = || text.parse().ok().map(|address: SocketAddr| address.ip());
    bare.parse().ok().or_else(with_port).map(|address: IpAddr| address.to_canonical())
}

/// What counts as one client: an IPv4 address, or the /64 that a customer gets of IPv6.
#[must_use]
pub fn block(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests;
