//! What a browser loads: the web UI, which is inside the program, and the documentation of the API.
//! Nothing is fetched from another host.

mod encoding;
#[cfg(test)]
mod tests;

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use utoipa_swagger_ui::Config;

pub(in crate::http) use self::encoding::Encoding;
use super::Routes;
use crate::problem::{ApiError, Kind};

/// What our own pages may load: themselves, and nothing inline.
const OWN: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The documentation's program writes styles into its elements.
const DOCS: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'";

/// The addresses of the web UI, each answered with the same document, which looks at its address
/// (`web/src/routes.ts`).
const PAGES: [&str; 18] = [
    "/",
    "/setup",
    "/sign-in",
    "/forgot",
    "/invitation",
    "/reset",
    "/connect",
    "/tenants",
    "/tenants/{tenant}",
    "/tenants/{tenant}/{part}",
    "/events",
    "/people",
    "/keys",
    "/audit",
    "/system",
    "/bot",
    "/bot/{part}",
    "/account",
];

/// The document looks different with the next release.
const ASK_ANEW: &str = "no-cache";

/// What is under `/assets` has a hash of its content in its name.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

pub fn routes() -> Routes {
    let mut router = Router::new()
        .route("/docs", get(async || docs_file("index.html")))
        .route("/docs/", get(async || docs_file("index.html")))
        .route("/docs/{*file}", get(async |Path(file): Path<String>| docs_file(&file)))
        .route("/icon.svg", get(async |headers: HeaderMap| file("icon.svg", &headers, ASK_ANEW)))
        .route("/assets/{*file}", get(asset));
    for path in PAGES {
        router = router.route(path, get(document));
    }
    router
}

async fn document(headers: HeaderMap) -> Response {
    if web::file("index.html").is_none() {
        let text = "The web UI is not in this program: it was built without `cargo xtask web`. The API is here, and `/docs` describes it.\n";
        return (StatusCode::NOT_IMPLEMENTED, text).into_response();
    }
    file("index.html", &headers, ASK_ANEW)
}

async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    // A compressed twin is given under the name of what it is.
    if Encoding::ALL.iter().any(|encoding| name.ends_with(encoding.suffix())) {
        return missing();
    }
    file(&format!("assets/{name}"), &headers, FOR_EVER)
}

fn missing() -> Response {
    ApiError::new(Kind::NoSuchRoute, "the web UI has no such file; load the page anew")
        .into_response()
}

/// A file of the web UI, compressed as the caller can read it.
fn file(path: &str, asked: &HeaderMap, caching: &'static str) -> Response {
    let Some(plain) = web::file(path) else { return missing() };
    let smaller = Encoding::ALL.into_iter().filter(|encoding| encoding.is_read_by(asked));
    let smaller = smaller.filter_map(|encoding| {
        Some((encoding, web::file(&format!("{path}{}", encoding.suffix()))?))
    });
    let (encoding, bytes) = match smaller.into_iter().next() {
        Some((encoding, bytes)) => (Some(encoding), bytes),
        None => (None, plain),
    };
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind_of(path)));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(OWN));
    if let Some(encoding) = encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
    }
    response
}

/// The kind of a file by the end of its name; the build makes no others.
fn kind_of(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, end)| end) {
        Some("css") => "text/css; charset=utf-8",
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

/// A file of the documentation's program, which reads `/openapi.json`.
fn docs_file(file: &str) -> Response {
    static CONFIG: LazyLock<Arc<Config<'static>>> =
        LazyLock::new(|| Arc::new(Config::from("/openapi.json").try_it_out_enabled(true)));
    match utoipa_swagger_ui::serve(file, Arc::clone(&CONFIG)) {
        Ok(Some(file)) => {
            let kind = HeaderValue::from_str(&file.content_type);
            let kind = kind.unwrap_or(HeaderValue::from_static("application/octet-stream"));
            let mut bytes = file.bytes.into_owned();
            if kind.as_bytes().starts_with(b"text/html") {
                // Relative names lead astray where the address has no slash at its end.
                let text = String::from_utf8_lossy(&bytes).replace("=\"./", "=\"/docs/");
                bytes = text.into_bytes();
            }
            let policy = HeaderValue::from_static(DOCS);
            let headers = [(header::CONTENT_TYPE, kind), (header::CONTENT_SECURITY_POLICY, policy)];
            (headers, bytes).into_response()
        }
        Ok(None) => {
            ApiError::new(Kind::NoSuchRoute, "the documentation has no such file").into_response()
        }
        Err(error) => ApiError::new(Kind::Internal, error.to_string()).into_response(),
    }
}
