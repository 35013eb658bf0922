//! The file itself: written from its beginning to its end, and read in the same way.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Component, Path, PathBuf};

use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use tar::{Archive, Builder, EntryType};

use super::cipher::{Protection, Sink, Unlock, open};
use super::{BackupError, FORMAT, FileEntry, HEADER, Header, MANIFEST, Manifest, failed};

/// How many bytes are handed on at a time.
const PIECE: usize = 64 * 1024;
/// The longest header or manifest, in bytes: some hundred for each file.
const LONGEST: u64 = 256 * 1024 * 1024;

/// What entries are written through: packed, compressed, encrypted if asked for, and hashed on the way.
type Tar = Builder<GzEncoder<Sink<Hashing<BufWriter<File>>>>>;

/// A file that is being written; without [`Writer::finish`] it is gone when this is dropped.
pub(super) struct Writer {
    tar: Option<Tar>,
    part: PathBuf,
    files: Vec<FileEntry>,
}

impl Writer {
    /// Begins a file at `part`, in the place of what an earlier run has left there.
    pub(super) fn begin(part: PathBuf, protection: &Protection) -> Result<Self, BackupError> {
        match fs::remove_file(&part) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed("replace", &part)(error));
            }
            _ => {}
        }
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o600).open(&part);
        let file = file.map_err(failed("make", &part))?;
        let mut writer = Self { tar: None, part, files: Vec::new() };
        let sink = Sink::new(Hashing::new(BufWriter::with_capacity(PIECE, file)), protection)?;
        writer.tar = Some(Builder::new(GzEncoder::new(sink, Compression::fast())));
        Ok(writer)
    }

    /// How many files were written.
    pub(super) fn files(&self) -> u64 {
        self.files.len() as u64
    }

    /// Adds a file of so many bytes.
    pub(super) fn add(
        &mut self,
        path: &str,
        size: u64,
        content: &mut dyn Read,
    ) -> Result<(), BackupError> {
        let mut content = Hashing::new(content);
        self.append(path, size, &mut content)?;
        let sha256 = content.digits();
        self.files.push(FileEntry { path: path.to_owned(), size, sha256 });
        Ok(())
    }

    /// Adds a document.
    pub(super) fn add_json(
        &mut self,
        path: &str,
        value: &impl Serialize,
    ) -> Result<(), BackupError> {
        let text = serde_json::to_vec(value).map_err(|error| self.fault(error.into()))?;
        self.add(path, text.len() as u64, &mut text.as_slice())
    }

    /// Writes the list of what was added, and puts the file on the disk. Gives its SHA-256 and size.
    pub(super) fn finish(mut self, mut manifest: Manifest) -> Result<Written, BackupError> {
        manifest.files = std::mem::take(&mut self.files);
        let text = serde_json::to_vec(&manifest).map_err(|error| self.fault(error.into()))?;
        self.append(MANIFEST, text.len() as u64, &mut text.as_slice())?;
        let Some(tar) = self.tar.take() else { return Err(self.fault(io::Error::other("ended"))) };
        let finish = || -> io::Result<(String, u64)> {
            let mut hashing = tar.into_inner()?.finish()?.finish()?;
            hashing.flush()?;
            hashing.inner.get_ref().sync_all()?;
            let size = hashing.inner.get_ref().metadata()?.len();
            Ok((hashing.digits(), size))
        };
        let (sha256, size) = finish().map_err(|error| self.fault(error))?;
        let part = std::mem::take(&mut self.part);
        Ok(Written { part: Part(part), sha256, size, manifest })
    }

    fn append(&mut self, path: &str, size: u64, content: &mut dyn Read) -> Result<(), BackupError> {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(EntryType::Regular);
        header.set_size(size);
        header.set_mode(0o600);
        let part = &self.part;
        let Some(tar) = &mut self.tar else {
            return Err(failed("write", part)(io::Error::other("it is finished")));
        };
        let mut counted = Counted { inner: content.take(size), left: size };
        let appended = tar.append_data(&mut header, path, &mut counted);
        let left = counted.left;
        appended.map_err(|error| failed("write", part)(error))?;
        if left > 0 {
            let error = io::Error::other(format!("{path} became shorter while it was read"));
            return Err(self.fault(error));
        }
        Ok(())
    }

    fn fault(&self, error: io::Error) -> BackupError {
        failed("write", &self.part)(error)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // What is finished has been handed on.
        if !self.part.as_os_str().is_empty() {
            let _ = fs::remove_file(&self.part);
        }
    }
}

/// A file that is gone when this is dropped, unless it has got its name.
pub(super) struct Part(PathBuf);

impl Part {
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Gives the file its name, on the disk when this returns.
    pub(super) fn become_file(self, path: &Path) -> Result<(), BackupError> {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        fs::rename(&self.0, path)
            .and_then(|()| File::open(folder)?.sync_all())
            .map_err(failed("name", path))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// A file that is whole.
pub(super) struct Written {
    pub(super) part: Part,
    pub(super) sha256: String,
    pub(super) size: u64,
    pub(super) manifest: Manifest,
}

/// Reads a file from the disk again and compares it with what was written.
pub(super) fn same(path: &Path, sha256: &str) -> Result<(), BackupError> {
    let mut hashing = Hashing::new(io::sink());
    let read = File::open(path).and_then(|mut file| io::copy(&mut file, &mut hashing));
    read.map_err(failed("read", path))?;
    if hashing.digits() == sha256 {
        return Ok(());
    }
    let reason = "what is read back is not what was written; check the disk".to_owned();
    Err(BackupError::Damaged { path: path.to_owned(), reason })
}

/// An archive that was read to its end and is as it was written.
pub(super) struct Verified {
    pub(super) header: Header,
    pub(super) manifest: Manifest,
    pub(super) encrypted: bool,
}

/// Takes what is in an archive: each file's name and content.
pub(super) type Take<'a> = &'a mut dyn FnMut(&str, &mut dyn Read) -> Result<(), BackupError>;

/// Reads an archive through, hands every file but header and manifest on, and compares all of it with the
/// manifest at its end. Nothing that was handed on is to be trusted before this returns.
pub(super) fn read(path: &Path, unlock: &Unlock, take: Take<'_>) -> Result<Verified, BackupError> {
    let damaged = |reason: String| BackupError::Damaged { path: path.to_owned(), reason };
    let broken = |error: io::Error| damaged(error.to_string());
    let (input, encrypted) = open(path, unlock)?;
    let mut archive = Archive::new(GzDecoder::new(BufReader::with_capacity(PIECE, input)));
    let (mut header, mut manifest) = (None::<Header>, None::<Manifest>);
    let (mut found, mut names) = (Vec::new(), HashSet::new());
    for entry in archive.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let name = String::from_utf8(entry.path_bytes().into_owned())
            .map_err(|_| damaged("a name in it is no text".to_owned()))?;
        let size = entry.size();
        if entry.header().entry_type() != EntryType::Regular
            || manifest.is_some()
            || header.is_none() != (name == HEADER)
            || !is_name(&name)
            || !names.insert(name.clone())
        {
            return Err(damaged(format!("{name:?} does not belong there")));
        }
        let mut content = Hashing::new(&mut entry);
        match name.as_str() {
            HEADER => {
                let read: Header = document(&mut content).map_err(broken)?;
                if let Some(what) = unknown(&read) {
                    let (path, program) = (path.to_owned(), read.program);
                    return Err(BackupError::Newer { path, program, what });
                }
                header = Some(read);
            }
            MANIFEST => {
                manifest = Some(document(&mut content).map_err(broken)?);
                continue;
            }
            _ => match take(&name, &mut content) {
                // What cannot be read is told as damage; what cannot be written is not.
                Err(BackupError::Io { what: "unpack", source, .. }) => return Err(broken(source)),
                taken => taken?,
            },
        }
        io::copy(&mut content, &mut io::sink()).map_err(broken)?;
        found.push(FileEntry { path: name, size, sha256: content.digits() });
    }
    // Behind the last file comes what shows that nothing was changed or cut off.
    let mut rest = archive.into_inner();
    io::copy(&mut rest, &mut io::sink()).map_err(broken)?;
    if io::copy(&mut rest.into_inner(), &mut io::sink()).map_err(broken)? > 0 {
        return Err(damaged("something stands behind its end".to_owned()));
    }
    let (Some(header), Some(manifest)) = (header, manifest) else {
        return Err(damaged("its end is missing".to_owned()));
    };
    if manifest.files != found {
        return Err(damaged("its files are not those of its list".to_owned()));
    }
    Ok(Verified { header, manifest, encrypted })
}

/// What of a backup is newer than this program.
fn unknown(header: &Header) -> Option<String> {
    if header.format > FORMAT {
        return Some(format!("format {}, known up to {FORMAT}", header.format));
    }
    let known = store::knows_schema(&header.schema);
    (!known).then(|| format!("schema {}, known up to {}", header.schema, store::latest_schema()))
}

fn document<T: DeserializeOwned>(content: &mut dyn Read) -> io::Result<T> {
    let mut text = Vec::new();
    content.take(LONGEST).read_to_end(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}

/// Whether a name stays within the folder that it is unpacked into.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && Path::new(name).components().all(|part| matches!(part, Component::Normal(_)))
        && !name.contains('\0')
}

/// Computes the SHA-256 of what goes through.
pub(super) struct Hashing<T> {
    inner: T,
    hash: Sha256,
}

impl<T> Hashing<T> {
    pub(super) fn new(inner: T) -> Self {
        Self { inner, hash: Sha256::new() }
    }

    pub(super) fn digits(self) -> String {
        hex::encode(self.hash.finalize())
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(bytes)?;
        self.hash.update(bytes.get(..count).unwrap_or_default());
        Ok(count)
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.hash.update(bytes.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Knows how much is still to come: the archive would be padded wrongly without it.
struct Counted<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(bytes)?;
        self.left -= count as u64;
        Ok(count)
    }
}
