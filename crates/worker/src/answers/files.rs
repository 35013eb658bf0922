//! Files that rules send: from an address, or out of the tenant's own folder.

use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rules::MediaSource;

use crate::outside::{Outside, OutsideError};

/// The largest file that is sent, in bytes.
const LARGEST: usize = 16 * 1024 * 1024;

/// Why there is no file to send.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FileError {
    /// It will not be better the next time.
    Impossible(String),
    /// It may be better the next time.
    Failed(String),
    /// The connection to WhatsApp was lost: this was no try.
    Interrupted,
}

/// A file with its name.
#[derive(Debug)]
pub(super) struct File {
    pub(super) bytes: Vec<u8>,
    pub(super) name: String,
}

/// Fetches a file.
///
/// # Errors
/// See [`FileError`].
pub(super) async fn fetch(
    source: &MediaSource,
    outside: &Outside,
    folder: &Path,
) -> Result<File, FileError> {
    match source {
        MediaSource::File(name) => {
            let (path, name) = (folder.join(name), last_segment(name));
            read(&path).map(|bytes| File { bytes, name })
        }
        MediaSource::Url(url) => match outside.get(url, LARGEST).await {
            Ok(bytes) => Ok(File { bytes, name: last_segment(url) }),
            Err(OutsideError::Refused(why)) => Err(FileError::Impossible(format!("{url}: {why}"))),
            Err(OutsideError::Failed(why)) => Err(FileError::Failed(format!("{url}: {why}"))),
        },
    }
}

/// Reads a file of the tenant's folder; never through a link, which could lead out of it.
fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    let impossible = |what: &str| FileError::Impossible(format!("{}: {what}", path.display()));
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let file = std::fs::OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)
        .map_err(|error| impossible(&format!("{error}; put the file there")))?;
    if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return Err(impossible("is no file"));
    }
    let mut bytes = Vec::new();
    let most = u64::try_from(LARGEST).unwrap_or(u64::MAX);
    file.take(most + 1).read_to_end(&mut bytes).map_err(|error| impossible(&error.to_string()))?;
    if bytes.len() > LARGEST {
        return Err(impossible("is larger than 16 MiB"));
    }
    Ok(bytes)
}

fn last_segment(url: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let name = path.rsplit('/').next().unwrap_or_default();
    if name.is_empty() { "file".to_owned() } else { name.chars().take(100).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_out_of_the_folder_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/etc/passwd", dir.path().join("x")).unwrap();
        assert!(matches!(read(&dir.path().join("x")), Err(FileError::Impossible(_))));
        assert!(matches!(read(dir.path()), Err(FileError::Impossible(_))));
        std::fs::write(dir.path().join("y"), "hello").unwrap();
        assert_eq!(read(&dir.path().join("y")).unwrap(), b"hello");
    }

    #[test]
    fn a_file_is_called_as_in_its_address() {
        assert_eq!(last_segment("https://x/a/menu.pdf?v=1"), "menu.pdf");
        assert_eq!(last_segment("https://x/"), "file");
    }
}
