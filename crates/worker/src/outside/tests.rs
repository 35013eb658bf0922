use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect};
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{RootCertStore, ServerConfig, crypto};

use super::{Outside, OutsideError, tls};

/// A certificate for `localhost` that nobody trusts, and its key: for these tests alone.
const CERTIFICATE: &[u8] = include_bytes!("tests/localhost.crt.der");
const KEY: &[u8] = include_bytes!("tests/localhost.key.der");

async fn served() -> String {
    let routes = Router::new()
        .route(
            "/echo",
            post(async |headers: HeaderMap, body: String| {
                format!("{} {body}", headers.get("x-one").unwrap().to_str().unwrap())
            }),
        )
        .route("/gone", post(async || StatusCode::GONE))
        .route("/redirect", post(async || Redirect::temporary("/echo")))
        .route("/large", get(async || "x".repeat(2000)))
        .route(
            "/endless",
            get(async || {
                let chunks =
                    futures::stream::repeat_with(|| Ok::<_, std::io::Error>("x".repeat(4096)));
                ([(header::CONTENT_TYPE, "text/plain")], Body::from_stream(chunks)).into_response()
            }),
        );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    format!("http://{address}")
}

async fn post_to(outside: &Outside, url: &str) -> Result<String, OutsideError> {
    let headers = [("x-one", "1".to_owned())];
    let answer = outside.post(url, &headers, "{}".to_owned(), 1000).await?;
    Ok(String::from_utf8(answer).unwrap())
}

fn refused(result: Result<impl std::fmt::Debug, OutsideError>, part: &str) {
    match result {
        Err(OutsideError::Refused(why)) => assert!(why.contains(part), "{why}"),
        other => panic!("{other:?}"),
    }
}

fn failed(result: Result<impl std::fmt::Debug, OutsideError>, part: &str) {
    match result {
        Err(OutsideError::Failed(why)) => assert!(why.contains(part), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_answer_is_taken_within_its_bounds() {
    let (base, outside) = (served().await, Outside::new(true));
    assert_eq!(post_to(&outside, &format!("{base}/echo?a=b")).await.unwrap(), "1 {}");
    failed(post_to(&outside, &format!("{base}/gone")).await, "410");
    refused(post_to(&outside, &format!("{base}/redirect")).await, "redirects are not followed");
    refused(outside.get(&format!("{base}/large"), 1999).await, "larger than 1999");
    assert_eq!(outside.get(&format!("{base}/large"), 2000).await.unwrap().len(), 2000);
    let begin = Instant::now();
    refused(outside.get(&format!("{base}/endless"), 1_000_000).await, "larger than");
    assert!(begin.elapsed().as_secs() < 10);
}

#[tokio::test]
async fn private_addresses_are_refused_by_number_and_by_name() {
    let (base, outside) = (served().await, Outside::new(false));
    let port = base.rsplit(':').next().unwrap();
    for host in ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "2130706433"] {
        let result = post_to(&outside, &format!("http://{host}:{port}/echo")).await;
        refused(result, "does not allow");
    }
    refused(post_to(&outside, "ftp://example.com/").await, "begins neither");
}

#[tokio::test]
async fn nobody_there_and_no_tls_are_failures() {
    let (base, outside) = (served().await, Outside::new(true));
    let unused = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    failed(post_to(&outside, &format!("http://{unused}/")).await, "cannot connect");
    failed(
        post_to(&outside, &format!("{}/echo", base.replace("http:", "https:"))).await,
        "TLS failed",
    );
}

/// A server with TLS that gives one answer to one request.
async fn served_with_tls() -> u16 {
    let certificates = vec![CertificateDer::from(CERTIFICATE)];
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(KEY));
    let provider = std::sync::Arc::new(crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .unwrap();
    let acceptor = TlsAcceptor::from(std::sync::Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = [0; 4096];
            let length = stream.read(&mut request).await.unwrap();
            assert!(request[..length].starts_with(b"POST /hook HTTP/1.1\r\n"));
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    port
}

#[tokio::test]
async fn a_server_with_tls_is_asked_when_its_certificate_is_trusted_and_names_it() {
    let port = served_with_tls().await;
    let url = format!("https://localhost:{port}/hook");
    failed(post_to(&Outside::new(true), &url).await, "TLS failed");
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(CERTIFICATE)).unwrap();
    let tls = std::sync::OnceLock::from(tls::connector(roots).unwrap());
    let trusting = Outside { allow_private: true, tls };
    assert_eq!(post_to(&trusting, &url).await.unwrap(), "ok");
    failed(post_to(&trusting, &format!("https://127.0.0.1:{port}/hook")).await, "TLS failed");
}
