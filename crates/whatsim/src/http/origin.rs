//! Browsers: only the interface's own page may use it.
//!
//! The interface has no credentials; listening on loopback keeps other machines out. A page of another
//! site in a browser of this machine is kept out by what the browser says of it.

use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Failure;

/// Names under which a loopback address is reached. Another one in a request means that somebody
/// has their own domain name point here, so that the browser takes this to be their site.
const OWN_NAMES: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// Lets requests of programs and of the own page through.
pub(super) async fn guard(request: Request, next: Next) -> Response {
    match refusal(request.method(), request.headers()) {
        None => next.run(request).await,
        Some(message) => {
            Failure::new(StatusCode::FORBIDDEN, "foreign_origin", message).into_response()
        }
    }
}

/// Why a request with these headers is refused, if it is.
fn refusal(method: &Method, headers: &HeaderMap) -> Option<&'static str> {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let host = text(header::HOST);
    let name = host.map(|host| host.parse::<Authority>());
    if !name.is_none_or(|name| name.is_ok_and(|name| OWN_NAMES.contains(&name.host()))) {
        return Some("call this interface by its loopback address");
    }
    let own = |origin: &str| origin.strip_prefix("http://") == host;
    if !text(header::ORIGIN).is_none_or(own) {
        return Some("pages of other sites may not use this interface");
    }
    // Whoever merely follows a link to the page comes from another site too, and may.
    let from = headers.get("sec-fetch-site").map(|site| site.as_bytes());
    let changes = !method.is_safe();
    if changes && !from.is_none_or(|from| from == b"same-origin" || from == b"none") {
        return Some("pages of other sites may not change anything");
    }
    None
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn refused(method: &Method, headers: &[(&'static str, &'static str)]) -> bool {
        let headers = headers.iter().map(|(name, value)| {
            (header::HeaderName::from_static(name), HeaderValue::from_static(value))
        });
        refusal(method, &headers.collect()).is_some()
    }

    #[test]
    fn programs_and_the_own_page_may_do_anything() {
        let host = ("host", "127.0.0.1:7711");
        assert!(!refused(&Method::POST, &[]));
        assert!(!refused(&Method::POST, &[host]));
        let origin = ("origin", "http://127.0.0.1:7711");
        assert!(!refused(&Method::POST, &[host, origin, ("sec-fetch-site", "same-origin")]));
        let local = [("host", "localhost:1"), ("origin", "http://localhost:1")];
        assert!(!refused(&Method::DELETE, &local));
        assert!(!refused(&Method::GET, &[("host", "[::1]:1")]));
    }

    #[test]
    fn pages_of_other_sites_may_not() {
        let host = ("host", "127.0.0.1:7711");
        for origin in ["https://example.com", "http://127.0.0.1:7700", "null", ""] {
            assert!(refused(&Method::POST, &[host, ("origin", origin)]), "{origin}");
            assert!(refused(&Method::GET, &[host, ("origin", origin)]), "{origin}");
        }
        for site in ["cross-site", "same-site"] {
            assert!(refused(&Method::POST, &[host, ("sec-fetch-site", site)]));
            // A link on the dashboard, which is another origin of the same machine.
            assert!(!refused(&Method::GET, &[host, ("sec-fetch-site", site)]));
        }
    }

    #[test]
    fn a_name_of_somebody_elses_is_refused() {
        for host in ["example.com", "127.0.0.1.example.com:80", "", "@127.0.0.1@x"] {
            assert!(refused(&Method::GET, &[("host", host)]), "{host}");
        }
    }
}
