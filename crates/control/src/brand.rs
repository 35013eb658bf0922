//! How the operator appears to tenants: name, colour and logo, in memory, for everybody asks for them.

use std::sync::Arc;

use api::brand::{Brand, DEFAULT_NAME, MAX_NAME};
use parking_lot::RwLock;
use sha2::{Digest as _, Sha256};
use store::{BrandRecord, Logo, Store, StoreError};

use crate::admission::Mistakes;
use crate::problem::{ApiError, Kind};

/// See the module.
pub struct Brands {
    store: Store,
    now: RwLock<Arc<Shown>>,
    /// Held while a change is computed and written.
    writing: tokio::sync::Mutex<()>,
}

/// What is shown.
#[derive(Debug)]
pub struct Shown {
    /// What is stored.
    pub record: BrandRecord,
    /// The beginning of the logo's SHA-256, in hexadecimal digits.
    pub logo_hash: Option<String>,
}

impl Shown {
    fn of(record: BrandRecord) -> Self {
        let hash = |logo: &Logo| hex::encode(&Sha256::digest(&logo.bytes)[..8]);
        Self { logo_hash: record.logo.as_ref().map(hash), record }
    }

    /// As the API shows it.
    #[must_use]
    pub fn view(&self) -> Brand {
        Brand {
            name: self.record.name.clone(),
            colour: self.record.colour.clone(),
            logo: self.logo_hash.as_ref().map(|hash| format!("/brand/logo?v={hash}")),
        }
    }
}

impl Brands {
    /// Reads what was set.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn open(store: Store) -> Result<Self, StoreError> {
        let unset = || BrandRecord { name: DEFAULT_NAME.to_owned(), colour: None, logo: None };
        let record = store.brand().await?.unwrap_or_else(unset);
        let now = RwLock::new(Arc::new(Shown::of(record)));
        Ok(Self { store, now, writing: tokio::sync::Mutex::default() })
    }

    /// What is shown now.
    pub fn now(&self) -> Arc<Shown> {
        Arc::clone(&self.now.read())
    }

    /// Changes something of it.
    ///
    /// # Errors
    /// [`Kind::StoreUnavailable`]: nothing was changed.
    pub async fn change(
        &self,
        change: impl FnOnce(&mut BrandRecord) + Send,
    ) -> Result<Arc<Shown>, ApiError> {
        let _one_at_a_time = self.writing.lock().await;
        let mut record = self.now().record.clone();
        change(&mut record);
        self.store.put_brand(&record).await?;
        let shown = Arc::new(Shown::of(record));
        *self.now.write() = Arc::clone(&shown);
        Ok(shown)
    }
}

/// The name without the blanks around it.
pub fn name(mistakes: &mut Mistakes, name: &str) -> String {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME {
        mistakes.add("name", format!("must have 1 to {MAX_NAME} characters"));
    } else if name.chars().any(char::is_control) {
        mistakes.add("name", "must not contain control characters such as line breaks");
    }
    name.to_owned()
}

/// The colour in small letters.
pub fn colour(mistakes: &mut Mistakes, colour: &str) -> String {
    let colour = colour.trim().to_ascii_lowercase();
    let digits = colour.strip_prefix('#').unwrap_or_default();
    if digits.len() != 6 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        mistakes.add("colour", "must be # and six hexadecimal digits, as in #0f766e");
    }
    colour
}

/// The media type of a picture, by what it begins with: what its sender calls it is not believed.
///
/// # Errors
/// [`Kind::UnsupportedLogo`].
pub fn kind_of_picture(bytes: &[u8]) -> Result<&'static str, ApiError> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Ok("image/png");
    }
    if bytes.starts_with(b"\xff\xd8\xff") {
        return Ok("image/jpeg");
    }
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        return Ok("image/webp");
    }
    let start = String::from_utf8_lossy(bytes.get(..256).unwrap_or(bytes)).to_ascii_lowercase();
    let detail = if start.contains("<svg") || start.contains("<?xml") {
        "an SVG can hold script and load from other hosts, so it is not taken; save the logo as PNG, JPEG or WebP"
    } else if bytes.is_empty() {
        "the body is empty; send the picture itself as the body"
    } else {
        "send a PNG, JPEG or WebP picture itself as the body"
    };
    Err(ApiError::new(Kind::UnsupportedLogo, detail))
}

#[cfg(test)]
mod tests {
    use super::{colour, kind_of_picture, name};
    use crate::admission::Mistakes;

    #[test]
    fn a_picture_is_known_by_its_beginning() {
        let kind = |bytes: &[u8]| kind_of_picture(bytes).map_err(|error| error.detail().to_owned());
        assert_eq!(kind(b"\x89PNG\r\n\x1a\nrest"), Ok("image/png"));
        assert_eq!(kind(b"\xff\xd8\xff\xe0rest"), Ok("image/jpeg"));
        assert_eq!(kind(b"RIFF\x10\0\0\0WEBPVP8 "), Ok("image/webp"));
        for svg in ["<svg xmlns='x'/>", "\u{feff}  <?xml version='1.0'?>", "<!-- a --><SVG>"] {
            assert!(kind(svg.as_bytes()).unwrap_err().contains("script"), "{svg}");
        }
        for other in [&b""[..], b"GIF89a", b"RIFF\x10\0\0\0WAVE", b"\x89PNG", b"<html>", b"RIFF"] {
            assert!(kind(other).unwrap_err().contains("picture"), "{other:?}");
        }
    }

    #[test]
    fn names_and_colours_are_checked() {
        let mut mistakes = Mistakes::default();
        assert_eq!(name(&mut mistakes, "  Duka Cloud "), "Duka Cloud");
        assert_eq!(name(&mut mistakes, &"ü".repeat(60)), "ü".repeat(60));
        assert_eq!(colour(&mut mistakes, " #0F766e"), "#0f766e");
        assert!(mistakes.none_or(()).is_ok());
        for wrong in ["", " ", "a\nb", &"x".repeat(61)] {
            let mut mistakes = Mistakes::default();
            name(&mut mistakes, wrong);
            assert!(mistakes.none_or(()).is_err(), "{wrong:?}");
        }
        for wrong in ["", "#fff", "0f766e", "#0f766g", "#0f766e0", "red", "#é1234"] {
            let mut mistakes = Mistakes::default();
            colour(&mut mistakes, wrong);
            assert!(mistakes.none_or(()).is_err(), "{wrong:?}");
        }
    }
}
