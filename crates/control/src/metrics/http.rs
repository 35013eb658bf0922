//! HTTP requests by route template, method and class of status.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use parking_lot::RwLock;

use super::durations::Durations;
use super::page::{Page, Shape, number};
use crate::plane::ControlPlane;

/// The label of requests that no route takes: their paths are the callers' own, and without bound.
const NO_ROUTE: &str = "none";
/// The classes of status, by their first digit.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// What was counted.
#[derive(Default)]
pub struct HttpMetrics {
    routes: RwLock<BTreeMap<(String, &'static str), Arc<Series>>>,
    /// Requests that are being answered.
    open: AtomicI64,
}

#[derive(Default)]
struct Series {
    classes: [AtomicU64; CLASSES.len()],
    took: Durations,
}

/// Measures a request until its answer begins; what a stream says after that is no part of it.
pub async fn measure(
    State(plane): State<Arc<ControlPlane>>,
    request: Request,
    next: Next,
) -> Response {
    let metrics = &plane.metrics.http;
    let route = request.extensions().get::<MatchedPath>().cloned();
    let series =
        metrics.series(route.as_ref().map_or(NO_ROUTE, MatchedPath::as_str), request.method());
    let begun = Instant::now();
    metrics.open.fetch_add(1, Ordering::Relaxed);
    // Also when the caller hangs up.
    let open = Open(&metrics.open);
    let response = next.run(request).await;
    drop(open);
    series.took.observe(begun.elapsed());
    let class = usize::from(response.status().as_u16() / 100).clamp(1, CLASSES.len()) - 1;
    series.classes[class].fetch_add(1, Ordering::Relaxed);
    response
}

struct Open<'m>(&'m AtomicI64);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl HttpMetrics {
    fn series(&self, route: &str, method: &Method) -> Arc<Series> {
        let key = (route.to_owned(), method_label(method));
        if let Some(series) = self.routes.read().get(&key) {
            return Arc::clone(series);
        }
        Arc::clone(self.routes.write().entry(key).or_default())
    }

    /// Writes what was counted.
    pub fn write(&self, page: &mut Page) {
        let routes = self.routes.read();
        let help = "Requests that were answered, by the template of their route and the class of their status.";
        let mut requests = page.family("tenantry_http_requests_total", Shape::Counter, help);
        for ((route, method), series) in routes.iter() {
            for (class, count) in CLASSES.iter().zip(&series.classes) {
                let count = count.load(Ordering::Relaxed);
                if count > 0 {
                    let labels = [("route", route.as_str()), ("method", method), ("status", class)];
                    requests.sample(&labels, number(count));
                }
            }
        }
        let help = "How long it took until an answer began.";
        let mut took = page.family("tenantry_http_request_seconds", Shape::Histogram, help);
        for ((route, method), series) in routes.iter() {
            series.took.write(&mut took, &[("route", route.as_str()), ("method", method)]);
        }
        let open = u64::try_from(self.open.load(Ordering::Relaxed)).unwrap_or(0);
        let help = "Requests that are being answered.";
        page.single("tenantry_http_requests_open", Shape::Gauge, help, number(open));
    }
}

/// A method's name: callers may invent others without end.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
