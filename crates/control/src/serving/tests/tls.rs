use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_util::sync::CancellationToken;

use super::stage::{Client, PATIENCE, Served, Setup};
use crate::serving::{Certificate, Timeouts, TlsError};

/// Two certificates for `localhost` that vouch for themselves, good for a hundred years.
const FIRST: [&str; 2] =
    [include_str!("certificates/first.cert.pem"), include_str!("certificates/first.key.pem")];
const SECOND: [&str; 2] =
    [include_str!("certificates/second.cert.pem"), include_str!("certificates/second.key.pem")];

fn put(folder: &Path, [certificate, key]: [&str; 2]) {
    for (name, text) in [("cert.pem", certificate), ("key.pem", key)] {
        // Whole or not at all, as those who renew certificates do.
        fs::write(folder.join("new"), text).unwrap();
        fs::rename(folder.join("new"), folder.join(name)).unwrap();
    }
}

fn load(folder: &Path) -> Result<Arc<Certificate>, TlsError> {
    Certificate::load(folder.join("cert.pem"), folder.join("key.pem"))
}

/// A connection of somebody who trusts this certificate alone.
async fn connect(
    served: &Served,
    [certificate, _]: [&str; 2],
) -> std::io::Result<Client<TlsStream<TcpStream>>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(served.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    Ok(Client(TlsConnector::from(Arc::new(config)).connect(name, stream).await?))
}

#[tokio::test]
async fn a_new_certificate_is_taken_and_a_broken_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), FIRST);
    let certificate = load(folder.path()).unwrap();
    let tls = Some(certificate.acceptor().unwrap());
    let served = Setup { tls, ..Setup::default() }.serve().await;
    let end = CancellationToken::new();
    let following =
        tokio::spawn(Arc::clone(&certificate).follow(Duration::from_millis(10), end.clone()));

    let mut client = connect(&served, FIRST).await.unwrap();
    let answer = client.get("/peer", "").await;
    assert!(answer.ends_with("tls: true }"), "{answer}");
    assert!(answer.contains("strict-transport-security: max-age="), "{answer}");
    assert!(connect(&served, SECOND).await.is_err());

    // The key of another certificate, as it is while one of two files is renewed; then the whole.
    put(folder.path(), [FIRST[0], SECOND[1]]);
    put(folder.path(), ["no PEM", "at all"]);
    assert!(connect(&served, FIRST).await.is_ok());
    put(folder.path(), SECOND);
    let taken = async { while connect(&served, SECOND).await.is_err() {} };
    tokio::time::timeout(PATIENCE, taken).await.unwrap();
    assert!(connect(&served, FIRST).await.is_err());
    assert!(client.get("/", "").await.ends_with("hello"), "open connections go on");

    put(folder.path(), ["no PEM", "at all"]);
    end.cancel();
    following.await.unwrap();
    assert!(connect(&served, SECOND).await.is_ok());
}

#[tokio::test]
async fn who_does_not_speak_tls_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), FIRST);
    let tls = Some(load(folder.path()).unwrap().acceptor().unwrap());
    let timeouts = Timeouts { handshake: Duration::from_millis(100), ..Timeouts::default() };
    let served = Setup { tls, timeouts, ..Setup::default() }.serve().await;
    let mut plain = Client::connect(&served).await;
    plain.say("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert!(!plain.rest().await.contains("HTTP"), "it gets an alert at most");
    assert_eq!(Client::connect(&served).await.rest().await, "");
    assert!(connect(&served, FIRST).await.unwrap().get("/", "").await.ends_with("hello"));
}

#[test]
fn files_that_do_not_go_together_are_told() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(load(folder.path()), Err(TlsError::File { .. })));
    put(folder.path(), [FIRST[0], SECOND[1]]);
    assert!(matches!(load(folder.path()), Err(TlsError::Pair { .. })));
    put(folder.path(), ["", FIRST[1]]);
    assert!(matches!(load(folder.path()), Err(TlsError::File { .. })));
}
