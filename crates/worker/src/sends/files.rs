//! Files of messages from outside, between the control plane and WhatsApp: a folder for each message
//! in the session's directory.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use api::client::LinkClient;
use api::link::{OutsideContent, OutsideMedia, OutsideMessage, OutsideSource};
use uuid::Uuid;

use crate::store::BotStore;

/// Why there is no file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FileError {
    /// It is not there any more.
    Gone(String),
    /// It may be had the next time.
    Failed(String),
}

/// Where an uploaded file of a message lies, if it has one.
pub(super) fn path(folder: &Path, message: &OutsideMessage) -> Option<PathBuf> {
    let OutsideContent::Media(media) = &message.content else { return None };
    let OutsideSource::Upload(_) = media.source else { return None };
    Some(folder.join(message.send_id.to_string()).join(name(media)))
}

/// What the file is called here: by its kind, with the end of its own name, by which its type is known.
fn name(media: &OutsideMedia) -> String {
    let kind = media.kind.as_str();
    let name = media.file_name.as_deref().unwrap_or_default();
    let is_end = |end: &&str| {
        (1..=8).contains(&end.len()) && end.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    match name.rsplit_once('.').map(|(_, end)| end).filter(is_end) {
        Some(end) => format!("{kind}.{end}"),
        None => kind.to_owned(),
    }
}

/// Fetches the file of an upload into its place; what is there already is whole.
///
/// # Errors
/// See [`FileError`].
pub(super) async fn fetch(
    link: &LinkClient,
    id: Uuid,
    folder: &Path,
    message: &OutsideMessage,
) -> Result<(), FileError> {
    let Some(path) = path(folder, message) else { return Ok(()) };
    if path.exists() {
        return Ok(());
    }
    let bytes = link.media(id).await.map_err(|error| match error.status() {
        Some(404) => FileError::Gone(error.to_string()),
        _ => FileError::Failed(format!("cannot fetch the file: {error}")),
    })?;
    write(&path, &bytes).map_err(|error| {
        FileError::Failed(format!("cannot keep the file at {}: {error}", path.display()))
    })
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let Some(parent) = path.parent() else { return Ok(()) };
    DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
    // Beside the folder, so that no name that a caller gives can be its name.
    let part = parent.with_extension("part");
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&part)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&part, path)
}

/// Deletes the files of messages that are settled. What cannot be deleted is tried again later.
pub(super) fn remove_settled(folder: &Path, store: &BotStore) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let id = path.file_stem().and_then(|name| name.to_str()?.parse::<Uuid>().ok());
        let is_open = id.is_some_and(|id| store.is_open(id).unwrap_or(true));
        if is_open {
            continue;
        }
        let removed =
            if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        if let Err(error) = removed {
            tracing::warn!(path = %path.display(), %error, "a file that was sent cannot be deleted");
        }
    }
}

#[cfg(test)]
mod tests {
    use api::messages::MediaKind;

    use super::*;

    #[test]
    fn a_name_stays_in_its_folder() {
        let named = |name: &str| {
            super::name(&OutsideMedia {
                kind: MediaKind::Document,
                source: OutsideSource::Upload(Uuid::nil()),
                caption: None,
                file_name: Some(name.to_owned()),
            })
        };
        assert_eq!(named("menu.pdf"), "document.pdf");
        for odd in ["", ".", "..", "x./../../bot.db/", "../x", "menu.verylongend"] {
            assert_eq!(named(odd), "document", "{odd}");
        }
        assert_eq!(named("../../bot.db"), "document.db");
    }
}
