//! How files of the web UI lie in the program, compressed once when it was built.

use axum::http::{HeaderMap, header};

/// A way to compress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Brotli, which browsers read over TLS and on the same machine.
    Brotli,
    /// Gzip, which everything reads.
    Gzip,
}

impl Encoding {
    /// All, the smallest first.
    pub const ALL: [Self; 2] = [Self::Brotli, Self::Gzip];

    /// What stands in `Accept-Encoding` and `Content-Encoding`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// What the name of a compressed file has at its end.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Brotli => ".br",
            Self::Gzip => ".gz",
        }
    }

    /// Whether who asks can read it.
    pub fn is_read_by(self, asked: &HeaderMap) -> bool {
        let values = asked.get_all(header::ACCEPT_ENCODING).iter();
        let mut parts = values.filter_map(|value| value.to_str().ok()).flat_map(|it| it.split(','));
        parts.any(|part| {
            let (name, weight) = part.split_once(';').unwrap_or((part, ""));
            let refused = weight.trim().strip_prefix("q=").and_then(|it| it.trim().parse().ok());
            name.trim().eq_ignore_ascii_case(self.name()) && refused != Some(0.0_f32)
        })
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, header};

    use super::Encoding;

    fn read(accept: &'static str) -> Vec<&'static str> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(accept));
        let all = Encoding::ALL.into_iter();
        all.filter(|it| it.is_read_by(&headers)).map(Encoding::name).collect()
    }

    #[test]
    fn only_what_is_asked_for_is_given() {
        assert_eq!(read("gzip, deflate, br, zstd"), ["br", "gzip"]);
        assert_eq!(read("GZIP;q=0.5"), ["gzip"]);
        assert_eq!(read("br;q=0, gzip; q=1"), ["gzip"]);
        assert_eq!(read("identity"), [""; 0]);
        assert_eq!(read("brotli"), [""; 0]);
    }
}
