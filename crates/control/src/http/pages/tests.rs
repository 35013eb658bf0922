//! What a browser gets. Files of the UI are looked at where it was built before the program, as `cargo xtask test` does.

use std::collections::BTreeSet;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use tower::ServiceExt as _;

use super::{PAGES, routes};
use crate::http::tests::stage::Stage;

/// The UI's own table of pages.
const OF_THE_UI: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../web/src/routes.ts");

#[test]
fn exactly_the_pages_of_the_ui_are_answered() {
    let table = std::fs::read_to_string(OF_THE_UI).unwrap();
    let patterns = table.split("pattern: \"").skip(1).filter_map(|rest| rest.split('"').next());
    let mut of_the_ui = BTreeSet::new();
    for pattern in patterns {
        let route = |parts: &[&str]| {
            let parts = parts.iter().map(|part| match part.strip_prefix(':') {
                Some(name) => format!("{{{}}}", name.trim_end_matches('?')),
                None => (*part).to_owned(),
            });
            format!("/{}", parts.collect::<Vec<_>>().join("/"))
        };
        let parts: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty()).collect();
        of_the_ui.insert(route(&parts));
        // What is optional may be absent.
        if let Some((_, rest)) = parts.split_last().filter(|(last, _)| last.ends_with('?')) {
            of_the_ui.insert(route(rest));
        }
    }
    assert!(of_the_ui.len() > 10, "{of_the_ui:?}");
    assert_eq!(of_the_ui, PAGES.into_iter().map(str::to_owned).collect());
}

async fn get(routes: &Router, path: &str, accept: &str) -> (StatusCode, HeaderMap, Vec<u8>) {
    let request = Request::get(path).header(header::ACCEPT_ENCODING, accept);
    let answer = routes.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let (parts, body) = answer.into_parts();
    (parts.status, parts.headers, to_bytes(body, usize::MAX).await.unwrap().to_vec())
}

#[tokio::test]
async fn pages_ask_anew_and_their_parts_are_kept_for_ever() {
    let stage = Stage::new().await;
    let routes = routes().with_state(std::sync::Arc::clone(&stage.plane));
    let (status, headers, document) = get(&routes, "/tenants/duka/logs", "identity").await;
    if web::file("index.html").is_none() {
        assert_eq!(status, StatusCode::NOT_IMPLEMENTED);
        assert!(String::from_utf8_lossy(&document).contains("cargo xtask web"));
        return;
    }
    assert_eq!(status, StatusCode::OK);
    assert_eq!(headers[header::CACHE_CONTROL], "no-cache");
    let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let document = String::from_utf8(document).unwrap();
    assert!(!document.contains("<script>") && !document.contains("style="), "{document}");

    let script = document.split("src=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(script.starts_with("/assets/"), "{script}");
    let (status, headers, plain) = get(&routes, script, "identity").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(headers[header::CACHE_CONTROL], "public, max-age=31536000, immutable");
    assert!(headers[header::CONTENT_TYPE].to_str().unwrap().starts_with("text/javascript"));
    assert_eq!(headers[header::VARY], "accept-encoding");
    for encoding in ["br", "gzip"] {
        let (_, headers, small) = get(&routes, script, encoding).await;
        assert_eq!(headers[header::CONTENT_ENCODING], encoding);
        assert!(small.len() * 2 < plain.len(), "{} of {}", small.len(), plain.len());
    }
    for missing in ["/assets/nothing.js", &format!("{script}.br"), "/assets/../index.html"] {
        assert_eq!(get(&routes, missing, "br").await.0, StatusCode::NOT_FOUND, "{missing}");
    }
}
