//! When a certificate expires.

use std::path::Path;
use std::time::SystemTime;

use der::asn1::{AnyRef, GeneralizedTime, UtcTime};
use der::{Decode as _, Reader as _, SliceReader, Tag, Tagged as _};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

/// When the certificate in a PEM file expires: the first one in it, which is the server's own.
///
/// # Errors
/// In words, when there is none that can be understood.
pub fn certificate_expiry(path: &Path) -> Result<SystemTime, String> {
    let certificate = CertificateDer::from_pem_file(path).map_err(|error| error.to_string())?;
    not_after(&certificate).map_err(|error| format!("no certificate that is understood: {error}"))
}

/// The end of the validity of a certificate (RFC 5280, 4.1): `TBSCertificate` begins with an optional
/// version, the serial number, the algorithm and the issuer; the validity follows.
fn not_after(certificate: &[u8]) -> Result<SystemTime, der::Error> {
    let outer = AnyRef::from_der(certificate)?;
    let signed: AnyRef<'_> = SliceReader::new(outer.value())?.decode()?;
    let mut fields = SliceReader::new(signed.value())?;
    let mut field: AnyRef<'_> = fields.decode()?;
    if matches!(field.tag(), Tag::ContextSpecific { .. }) {
        field = fields.decode()?;
    }
    field.tag().assert_eq(Tag::Integer)?;
    for _ in ["algorithm", "issuer"] {
        let _: AnyRef<'_> = fields.decode()?;
    }
    let validity: AnyRef<'_> = fields.decode()?;
    let mut times = SliceReader::new(validity.value())?;
    let _not_before: AnyRef<'_> = times.decode()?;
    let end: AnyRef<'_> = times.decode()?;
    match end.tag() {
        Tag::UtcTime => Ok(end.decode_as::<UtcTime>()?.to_system_time()),
        _ => Ok(end.decode_as::<GeneralizedTime>()?.to_system_time()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::certificate_expiry;

    #[test]
    fn the_end_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cert.pem");
        assert!(certificate_expiry(&path).is_err());
        std::fs::write(&path, include_str!("tests/certificates/first.cert.pem")).unwrap();
        let end = certificate_expiry(&path).unwrap();
        // Made in 2026 for 36,500 days.
        let year = Duration::from_secs(31_557_600);
        let since = end.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        assert!(since > year * 155 && since < year * 158, "{since:?}");
        std::fs::write(&path, include_str!("tests/certificates/first.key.pem")).unwrap();
        assert!(certificate_expiry(&path).is_err());
    }
}
