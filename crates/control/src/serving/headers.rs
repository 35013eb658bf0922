//! The headers that every answer carries, so that a browser does nothing with it that is not meant.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// Documents of the API are no pages: a browser that is shown one loads nothing, runs nothing, and shows it
/// in no frame. A route that answers with a page sets a policy of its own, which stays.
const NO_PAGE: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");

/// Devices that no page of ours uses.
const NO_DEVICES: HeaderValue = HeaderValue::from_static(
    "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
);

/// Two years, the least that browsers' lists of such hosts take.
const ONLY_TLS: HeaderValue = HeaderValue::from_static("max-age=63072000");

/// What is set unless the route has set it. No `Access-Control-…` is among it: pages of other sites read
/// nothing here.
const ALWAYS: [(HeaderName, HeaderValue); 8] = [
    (header::CONTENT_SECURITY_POLICY, NO_PAGE),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (HeaderName::from_static("permissions-policy"), NO_DEVICES),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// Adds what is not there.
pub fn harden(headers: &mut HeaderMap, tls: bool) {
    headers.reserve(ALWAYS.len() + usize::from(tls));
    for (name, value) in &ALWAYS {
        headers.entry(name).or_insert_with(|| value.clone());
    }
    if tls {
        headers.entry(header::STRICT_TRANSPORT_SECURITY).or_insert(ONLY_TLS);
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, header};

    use super::harden;

    #[test]
    fn a_route_may_say_otherwise() {
        let mut headers = HeaderMap::new();
        let own = HeaderValue::from_static("default-src 'self'");
        headers.insert(header::CONTENT_SECURITY_POLICY, own.clone());
        harden(&mut headers, false);
        assert_eq!(headers[header::CONTENT_SECURITY_POLICY], own);
        assert_eq!(headers[header::CACHE_CONTROL], "no-store");
        assert!(!headers.contains_key(header::STRICT_TRANSPORT_SECURITY));
        assert!(!headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
        harden(&mut headers, true);
        assert!(headers.contains_key(header::STRICT_TRANSPORT_SECURITY));
    }
}
