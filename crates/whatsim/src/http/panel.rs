//! The panel: a page on which one moves the phones of a network by hand.
//!
//! It does what any program can do with the interface, and nothing else; its files are in the program.

use axum::Router;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::sim::Sim;

/// What the page may load: its own files, and nothing inline.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// A file of the page.
struct File {
    path: &'static str,
    kind: &'static str,
    text: &'static str,
}

macro_rules! file {
    ($path:literal, $kind:expr, $name:literal) => {
        File { path: $path, kind: $kind, text: include_str!(concat!("panel/", $name)) }
    };
}

static FILES: [File; 7] = [
    file!("/", "text/html; charset=utf-8", "index.html"),
    file!("/panel/panel.css", "text/css; charset=utf-8", "panel.css"),
    file!("/panel/panel.js", SCRIPT, "panel.js"),
    file!("/panel/network.js", SCRIPT, "network.js"),
    file!("/panel/page.js", SCRIPT, "page.js"),
    file!("/panel/phones.js", SCRIPT, "phones.js"),
    file!("/panel/chats.js", SCRIPT, "chats.js"),
];

pub(super) fn routes() -> Router<Sim> {
    FILES.iter().fold(Router::new(), |router, file| {
        router.route(file.path, get(async move || answer(file)))
    })
}

fn answer(file: &'static File) -> Response {
    let headers: [(HeaderName, &'static str); 6] = [
        (header::CONTENT_TYPE, file.kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    (headers.map(|(name, value)| (name, HeaderValue::from_static(value))), file.text)
        .into_response()
}
