//! The program behind `serve`: files of one folder over HTTP. Its settings are PM2's `PM2_SERVE_*` variables.

mod site;

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use base64::Engine as _;
use subtle::ConstantTimeEq as _;
use tokio::net::TcpListener;
use tower::ServiceExt as _;
use tower_http::services::ServeFile;

use self::site::{Found, Site};
use crate::{reactor, shutdown};

/// The port where none is named.
pub const DEFAULT_PORT: u16 = 8080;
/// Where it listens where nothing is said: not for other machines.
const DEFAULT_HOST: &str = "127.0.0.1";

/// What is served, and to whom.
struct Served {
    site: Site,
    /// What the header `Authorization` must say.
    authorization: Option<String>,
}

/// Serves until the process is asked to end.
///
/// # Errors
/// When the folder does not exist or the port is taken.
pub fn run() -> anyhow::Result<()> {
    let set = |name: &str| {
        std::env::var(format!("PM2_SERVE_{name}")).ok().filter(|value| !value.is_empty())
    };
    let is_on = |name: &str| set(name).is_some_and(|value| value == "true");
    let folder = set("PATH").unwrap_or_else(|| ".".to_owned());
    let root = Path::new(&folder).canonicalize();
    let root = root.with_context(|| format!("cannot serve {folder}"))?;
    let port: u16 = match set("PORT") {
        Some(port) => port.parse().with_context(|| format!("PM2_SERVE_PORT: {port} is no port"))?,
        None => DEFAULT_PORT,
    };
    let host = set("HOST").unwrap_or_else(|| DEFAULT_HOST.to_owned());
    let home_page = set("HOMEPAGE").unwrap_or_else(|| "index.html".to_owned());
    let authorization = is_on("BASIC_AUTH").then(|| {
        let user = set("BASIC_AUTH_USERNAME").unwrap_or_default();
        let password = set("BASIC_AUTH_PASSWORD").unwrap_or_default();
        authorization(&user, &password)
    });
    let site = Site {
        root,
        spa: is_on("SPA"),
        listing: is_on("FTP"),
        home_page: home_page.trim_start_matches('/').to_owned(),
    };
    let place = format!("{host}:{port}");
    reactor::block_on(async {
        let listener = TcpListener::bind((host.as_str(), port)).await;
        let listener = listener.with_context(|| format!("cannot listen on {place}"))?;
        let shutdown = shutdown::on_signal()?;
        let served = Arc::new(Served { site, authorization });
        let router = Router::new().fallback(answer).with_state(served);
        let server = axum::serve(listener, router);
        Ok(server.with_graceful_shutdown(shutdown.cancelled_owned()).await?)
    })
}

fn authorization(user: &str, password: &str) -> String {
    let pair = format!("{user}:{password}");
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
}

async fn answer(State(served): State<Arc<Served>>, request: Request) -> Response {
    if !is_allowed(&served, &request) {
        let header = [(header::WWW_AUTHENTICATE, "Basic realm=\"Authentication service\"")];
        return (StatusCode::UNAUTHORIZED, header, "401 Unauthorized").into_response();
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    match served.site.find(request.uri().path()) {
        Found::File(file) => send(&file, request).await,
        Found::Folder(folder) => match served.site.list(&folder, request.uri().path()) {
            Ok(page) => Html(page).into_response(),
            Err(_unreadable) => StatusCode::FORBIDDEN.into_response(),
        },
        Found::Missing => missing(&served.site, request).await,
    }
}

fn is_allowed(served: &Served, request: &Request) -> bool {
    let Some(wanted) = &served.authorization else { return true };
    let given = request.headers().get(header::AUTHORIZATION).map(|value| value.as_bytes());
    given.is_some_and(|given| given.ct_eq(wanted.as_bytes()).into())
}

async fn missing(site: &Site, request: Request) -> Response {
    let Some(page) = site.missing_page() else {
        return (StatusCode::NOT_FOUND, Html("404 Not Found")).into_response();
    };
    // A part of the page, or none because it did not change, would not say that there is nothing.
    let plain = Request::builder().method(request.method().clone()).uri("/");
    let Ok(plain) = plain.body(Body::empty()) else { return StatusCode::NOT_FOUND.into_response() };
    let mut response = send(&page, plain).await;
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

/// Sends a file, or the part of it that is asked for.
async fn send(file: &Path, request: Request) -> Response {
    match ServeFile::new(file).oneshot(request).await {
        Ok(response) => response.map(Body::new).into_response(),
        Err(impossible) => match impossible {},
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::Arc;

    use axum::body::{Body, to_bytes};
    use axum::extract::{Request, State};
    use axum::http::StatusCode;

    use super::site::Site;
    use super::{Served, answer, authorization};

    async fn ask(
        served: &Arc<Served>,
        method: &str,
        path: &str,
        auth: &str,
    ) -> (StatusCode, String) {
        let request = Request::builder().method(method).uri(path).header("authorization", auth);
        let request = request.body(Body::empty()).unwrap();
        let response = answer(State(Arc::clone(served)), request).await;
        let status = response.status();
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn pages_need_the_password_where_there_is_one() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("index.html"), "hello").unwrap();
        fs::write(folder.path().join("404.html"), "nothing here").unwrap();
        let served = Arc::new(Served {
            site: Site {
                root: folder.path().canonicalize().unwrap(),
                spa: false,
                listing: false,
                home_page: "index.html".into(),
            },
            authorization: Some(authorization("user", "pass")),
        });
        let right = "Basic dXNlcjpwYXNz";
        assert_eq!(ask(&served, "GET", "/", right).await, (StatusCode::OK, "hello".into()));
        let wrong = ask(&served, "GET", "/", "Basic dXNlcjpwYXN0").await;
        assert_eq!(wrong.0, StatusCode::UNAUTHORIZED);
        let missing = ask(&served, "GET", "/x", right).await;
        assert_eq!(missing, (StatusCode::NOT_FOUND, "nothing here".into()));
        let posted = ask(&served, "POST", "/", right).await;
        assert_eq!(posted.0, StatusCode::METHOD_NOT_ALLOWED);
    }
}
