//! Files that rules send, fetched beside the answers: a slow address holds up its own chat alone.

use std::collections::HashMap;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rules::{MediaReply, MediaSource};
use tokio::task::JoinSet;

use crate::outside::{FILE, Outside, OutsideError};
use crate::store::Outgoing;

/// The largest file that is sent, in bytes.
const LARGEST: usize = 16 * 1024 * 1024;

/// Files that are fetched or wait to be sent at once: they lie in memory meanwhile.
const AT_ONCE: usize = 2;

/// When an answer whose file is being fetched is looked at again, if nothing is heard before.
pub(super) const FETCHING: Duration = FILE.saturating_add(Duration::from_secs(5));

/// When an answer that found too many files under way is looked at again.
pub(super) const BUSY: Duration = Duration::from_secs(1);

/// Why there is no file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FileError {
    /// It will not be there the next time either.
    Impossible(String),
    /// It may be there the next time.
    Failed(String),
}

/// A file with its name.
#[derive(Debug)]
pub(super) struct File {
    pub(super) bytes: Vec<u8>,
    pub(super) name: String,
}

type Fetched = Result<File, FileError>;

/// The files that are fetched, and those that are there.
pub(super) struct Files {
    outside: Arc<Outside>,
    folder: PathBuf,
    fetching: JoinSet<(i64, Fetched)>,
    /// By the row of the answer.
    there: HashMap<i64, Fetched>,
}

impl Files {
    /// Fetches through `outside`, or out of the tenant's `folder`.
    pub(super) fn new(outside: Arc<Outside>, folder: PathBuf) -> Self {
        Self { outside, folder, fetching: JoinSet::new(), there: HashMap::new() }
    }

    /// The file of an answer, if it was fetched; it is handed out once.
    pub(super) fn take(&mut self, answer: &Outgoing) -> Option<Fetched> {
        self.there.remove(&answer.seq)
    }

    /// Begins to fetch an answer's file; `false` when too many are under way.
    pub(super) fn fetch(&mut self, answer: &Outgoing, media: &MediaReply) -> bool {
        if self.fetching.len() + self.there.len() >= AT_ONCE {
            return false;
        }
        let (seq, source) = (answer.seq, media.source.clone());
        let (outside, folder) = (Arc::clone(&self.outside), self.folder.clone());
        self.fetching.spawn(async move { (seq, fetched(&source, &outside, &folder).await) });
        true
    }

    /// Waits until a file was fetched, or could not be; gives the row of its answer.
    pub(super) async fn next(&mut self) -> Option<i64> {
        // A fetch that panicked is begun again when its answer is looked at.
        let (seq, fetched) = self.fetching.join_next().await?.ok()?;
        self.there.insert(seq, fetched);
        Some(seq)
    }
}

async fn fetched(source: &MediaSource, outside: &Outside, folder: &Path) -> Fetched {
    match source {
        MediaSource::File(name) => {
            let (path, name) = (folder.join(name), name.clone());
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

    #[tokio::test]
    async fn only_a_few_files_lie_in_memory() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("y"), "hello").unwrap();
        let mut files = Files::new(Arc::new(Outside::new(false)), dir.path().to_owned());
        let media = MediaReply {
            source: MediaSource::File("y".to_owned()),
            kind: rules::MediaKind::Document,
        };
        let answer = |seq| Outgoing {
            seq,
            chat: "a".to_owned(),
            message_id: "A".to_owned(),
            text: String::new(),
            media: Some(media.clone()),
            tries: 0,
        };
        assert!(files.fetch(&answer(1), &media) && files.fetch(&answer(2), &media));
        assert!(!files.fetch(&answer(3), &media));
        let (one, two) = (files.next().await.unwrap(), files.next().await.unwrap());
        assert_eq!(one + two, 3);
        assert!(!files.fetch(&answer(3), &media), "they wait to be sent");
        assert_eq!(files.take(&answer(1)).unwrap().unwrap().bytes, b"hello");
        assert!(files.take(&answer(1)).is_none());
        assert!(files.fetch(&answer(3), &media));
    }
}
