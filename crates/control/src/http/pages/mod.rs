//! The few pages of the control plane itself: where a link is opened, where people sign in, and the
//! documentation of the API. All is in the program; nothing is fetched from another host.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use utoipa_swagger_ui::Config;

use super::Routes;
use crate::problem::{ApiError, Kind};

/// What our own pages may load: themselves, and nothing inline.
const OWN: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The documentation's program writes styles into its elements.
const DOCS: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'";

/// The pages, all of one document that looks at its address.
const PAGES: [&str; 4] = ["/setup", "/invitation", "/reset", "/sign-in"];

pub fn routes() -> Routes {
    let mut router = Router::new()
        .route(
            "/",
            get(async || page("text/html; charset=utf-8", OWN, include_str!("account.html"))),
        )
        .route(
            "/assets/account.js",
            get(async || page("text/javascript", OWN, include_str!("account.js"))),
        )
        .route(
            "/assets/account.css",
            get(async || page("text/css", OWN, include_str!("account.css"))),
        )
        .route("/docs", get(async || docs_file("index.html")))
        .route("/docs/", get(async || docs_file("index.html")))
        .route("/docs/{*file}", get(async |Path(file): Path<String>| docs_file(&file)));
    for path in PAGES {
        let document = include_str!("account.html");
        router = router.route(path, get(async || page("text/html; charset=utf-8", OWN, document)));
    }
    router
}

fn page(kind: &'static str, policy: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy)),
    ];
    (headers, text).into_response()
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
