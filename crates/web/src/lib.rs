//! The files of the web UI, as `cargo xtask web` builds them, inside the program.

use std::borrow::Cow;

use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Files;

/// A file by its path under `web/dist`, such as `index.html` or `assets/main-1a2b3c4d.js.br`.
#[must_use]
pub fn file(path: &str) -> Option<Cow<'static, [u8]>> {
    Files::get(path).map(|file| file.data)
}
