//! TLS: the certificate, taken anew from its files when they change.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, ServerConfig};
use tokio_util::sync::CancellationToken;

/// How often the files are looked at. A certificate is renewed weeks before it expires.
pub const LOOK: Duration = Duration::from_secs(30);

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or holds no PEM of the kind.
    #[error("{path} cannot be used: {reason}; it must be a PEM file with {wanted}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
        /// What it should hold.
        wanted: &'static str,
    },
    /// Key and certificate do not go together, or are of a kind that is not known.
    #[error("the certificate {certificate} and the key {key} cannot be used together: {reason}")]
    Pair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why.
        reason: rustls::Error,
    },
    /// TLS itself cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Setup(#[from] rustls::Error),
}

/// A certificate with its key, and the files that they come from.
#[derive(Debug)]
pub struct Certificate {
    certificate: PathBuf,
    key: PathBuf,
    current: RwLock<Arc<CertifiedKey>>,
}

/// What tells that a file is another one than before.
type Mark = (u64, u64, i64, i64);

impl Certificate {
    /// Reads the certificate (with those that lead to its authority) and its key.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn load(certificate: PathBuf, key: PathBuf) -> Result<Arc<Self>, TlsError> {
        let current = RwLock::new(Arc::new(read(&certificate, &key)?));
        Ok(Arc::new(Self { certificate, key, current }))
    }

    /// What accepts connections with it: TLS 1.2 and 1.3, HTTP/1.1.
    ///
    /// # Errors
    /// [`TlsError::Setup`].
    pub fn acceptor(self: &Arc<Self>) -> Result<TlsAcceptor, TlsError> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    /// Looks at the files every so often until `shutdown`, and takes new ones. Those that cannot be used
    /// are told once and change nothing.
    pub async fn follow(self: Arc<Self>, every: Duration, shutdown: CancellationToken) {
        let mut look = tokio::time::interval(every);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut seen = self.marks();
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                _ = look.tick() => {}
            }
            let marks = self.marks();
            if marks == seen {
                continue;
            }
            seen = marks;
            match read(&self.certificate, &self.key) {
                Ok(new) => {
                    *self.current.write() = Arc::new(new);
                    tracing::info!(path = %self.certificate.display(), "a new certificate is used");
                }
                Err(error) => {
                    tracing::error!(%error, "the certificate changed and cannot be used; the one before stays");
                }
            }
        }
    }

    fn marks(&self) -> [Option<Mark>; 2] {
        [&self.certificate, &self.key].map(|path| mark(path).ok())
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read()))
    }
}

fn mark(path: &Path) -> io::Result<Mark> {
    let metadata = fs::metadata(path)?;
    Ok((metadata.ino(), metadata.len(), metadata.mtime(), metadata.mtime_nsec()))
}

fn read(certificate: &Path, key: &Path) -> Result<CertifiedKey, TlsError> {
    let fault = |path: &Path, reason: String, wanted| TlsError::File {
        path: path.to_owned(),
        reason,
        wanted,
    };
    let chain_of =
        |reason| fault(certificate, reason, "the certificate and those that lead to its authority");
    let chain: Vec<_> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|error| chain_of(error.to_string()))?;
    if chain.is_empty() {
        return Err(chain_of("there is no certificate in it".to_owned()));
    }
    let private = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| fault(key, error.to_string(), "the certificate's private key"))?;
    // Fails when the key is another certificate's.
    CertifiedKey::from_der(chain, private, &ring::default_provider()).map_err(|reason| {
        TlsError::Pair { certificate: certificate.to_owned(), key: key.to_owned(), reason }
    })
}
