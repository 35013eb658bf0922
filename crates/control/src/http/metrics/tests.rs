#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeSet;

use api::worker::HeartbeatMode;
use axum::body::Body;
use axum::http::Method;
use serde_json::{Value, json};

use crate::http::tests::stage::{ADMIN, Stage, request};

async fn page(stage: &Stage) -> String {
    match stage.get("/metrics").await.body {
        Value::String(page) => page,
        other => panic!("{other}"),
    }
}

/// The series: everything before a sample's value.
fn series(page: &str) -> BTreeSet<&str> {
    let samples = page.lines().filter(|line| !line.starts_with('#'));
    samples.map(|line| line.rsplit_once(' ').unwrap().0).collect()
}

fn value(page: &str, series: &str) -> Option<f64> {
    let sample = page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?;
    sample.parse().ok()
}

#[tokio::test]
async fn callers_and_tenants_make_no_series() {
    let stage = Stage::new().await;
    let visit = async |number: usize| {
        let slug = format!("customer-{number}");
        let id = stage.tenant(&slug, HeartbeatMode::Link).await;
        stage.get(&format!("/admin/tenants/{id}/status")).await;
        stage.get(&format!("/admin/tenants/{slug}/status")).await;
        stage.get(&format!("/nowhere/{number}")).await;
        stage.get(&format!("/admin/tenants/nobody-{number}/events")).await;
        let method = Method::from_bytes(format!("BREW{number}").as_bytes()).unwrap();
        let brew = request(method, "/admin/tenants", Some(ADMIN)).body(Body::empty()).unwrap();
        assert_eq!(stage.call(brew).await.status, 405);
        let note = json!([{"seq": 1, "at": "2026-01-02T03:04:05Z", "kind": "note", "name": format!("kind.{number}"), "detail": ""}]);
        assert_eq!(stage.tell(id, note).await.status, 200);
        page(&stage).await
    };
    // Once for the routes, and once more for the route of the metrics themselves.
    visit(0).await;
    let before = visit(1).await;
    for number in 2..20 {
        visit(number).await;
    }
    let after = page(&stage).await;
    assert_eq!(series(&before), series(&after), "only values change");
    for word in ["customer", "nobody", "nowhere", "BREW", "kind."] {
        assert!(!after.contains(word), "{word}");
    }
    assert_eq!(value(&after, "tenantry_tenants{status=\"PAUSED\"}"), Some(20.0));
    let status = "tenantry_http_requests_total{route=\"/admin/tenants/{tenant}/status\",method=\"GET\",status=\"2xx\"}";
    assert_eq!(value(&after, status), Some(40.0));
    let unmatched = "tenantry_http_requests_total{route=\"none\",method=\"GET\",status=\"4xx\"}";
    assert_eq!(value(&after, unmatched), Some(20.0));
}

#[tokio::test]
async fn every_family_is_told_once_and_documented() {
    let stage = Stage::new().await;
    let page = page(&stage).await;
    let families: Vec<_> = page
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(families.len(), families.iter().collect::<BTreeSet<_>>().len());
    let docs = include_str!("../../../../../docs/metrics.md");
    for family in &families {
        assert!(docs.contains(&format!("| `{family}` |")), "docs/metrics.md lacks {family}");
    }
    for series in series(&page) {
        let name = series.split('{').next().unwrap();
        let of = |family: &&str| {
            let suffix = name.strip_prefix(*family);
            suffix.is_some_and(|it| ["", "_bucket", "_sum", "_count"].contains(&it))
        };
        assert!(families.iter().any(of), "{series} has a family");
    }
}

#[tokio::test]
async fn whoever_has_no_credential_reads_nothing() {
    let stage = Stage::new().await;
    let stranger = request(Method::GET, "/metrics", None).body(Body::empty()).unwrap();
    assert_eq!(stage.call(stranger).await.code(), (401, "unauthorized"));
}
