//! The durable part of the state: which processes there are, and whether each is meant to run.
//!
//! An append-only file of lines `<crc32> <json>`. A change is written before it takes effect (so it
//! survives the end of this program at once) and made durable by the next `fdatasync`, which many changes
//! share; callers get a [`Durable`] to wait for it. When most lines are out of date the file is
//! written anew. A torn last line, from a power cut, is cut off; it was never confirmed to anybody.

mod contents;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::spec::ProcessSpec;

pub use contents::Desired;
pub(crate) use contents::{Contents, Entry, Kept};
use contents::{decode, encode};

/// The journal file, open for appending.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: Arc<File>,
    /// Length up to which the file is known to be good.
    length: u64,
    lines: usize,
    contents: Contents,
    incomplete: bool,
    syncs: mpsc::Sender<SyncRequest>,
}

#[derive(Debug)]
struct SyncRequest {
    file: Arc<File>,
    done: oneshot::Sender<Result<(), String>>,
}

/// A change on its way to the disk.
#[derive(Debug)]
#[must_use]
pub(crate) struct Durable(oneshot::Receiver<Result<(), String>>);

impl Durable {
    /// Waits until a power cut cannot undo the change.
    pub(crate) async fn wait(self) -> Result<(), String> {
        self.0.await.unwrap_or_else(|_| Err("the journal was closed".to_owned()))
    }
}

impl Journal {
    /// Opens or makes the journal. Must be called within a tokio runtime.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        let reading = replay(&bytes);
        if reading.damaged_lines > 0 {
            let copy = path.with_extension("damaged");
            tracing::error!(
                lines = reading.damaged_lines, copy = %copy.display(),
                "the journal is damaged; what can be read is used, and a copy kept"
            );
            write_private(&copy, &bytes)?;
        }
        let mut contents = reading.contents;
        // A journal that says nothing or not all may have known processes that live: those who read
        // it must look for them, by the marks that they bear.
        let incomplete = contents.instance.is_empty() || reading.damaged_lines > 0;
        contents.instance = keep_instance(&path.with_extension("instance"), contents.instance)?;
        let (syncs, inbox) = mpsc::channel(4096);
        tokio::spawn(sync_in_groups(inbox));
        let file = Arc::new(open_append(path)?);
        let mut journal =
            Self { path: path.to_owned(), file, length: 0, lines: 0, contents, incomplete, syncs };
        // Anew: cuts a torn tail off.
        if let Err(error) = journal.rewrite() {
            if incomplete {
                return Err(error);
            }
            // On a full disk it is more important than ever that somebody watches what runs.
            tracing::error!(%error, "the journal cannot be rewritten; the old one is used on");
            journal.length = reading.whole_bytes;
            journal.file.set_len(journal.length)?;
        }
        Ok(journal)
    }

    /// Whether it may have known more than it says.
    pub(crate) fn is_incomplete(&self) -> bool {
        self.incomplete
    }

    /// Gives no id up to this one to a new process.
    pub(crate) fn reserve_ids(&mut self, through: u32) {
        self.contents.next_id = self.contents.next_id.max(through.saturating_add(1));
    }

    /// What it says at present.
    pub(crate) fn contents(&self) -> &Contents {
        &self.contents
    }

    /// Writes what is meant of a process; it survives this program from here on. Gives the description back as it
    /// is kept: with a `base_env` that it shares with all others that have the same.
    pub(crate) fn put(
        &mut self,
        id: u32,
        mut spec: Arc<ProcessSpec>,
        desired: Desired,
        incarnation: u64,
    ) -> io::Result<(Arc<ProcessSpec>, Durable)> {
        let mut base = None;
        if !spec.base_env.is_empty() {
            let known = self.contents.base_number(&spec.base_env);
            let number = match known {
                Some(number) => number,
                None => {
                    let number = self.contents.bases.keys().next_back().map_or(0, |last| last + 1);
                    let variables = Arc::clone(&spec.base_env);
                    self.write(Entry::Base { number, variables })?;
                    number
                }
            };
            if let Some(shared) = self.contents.bases.get(&number) {
                Arc::make_mut(&mut spec).base_env = Arc::clone(shared);
            }
            base = Some(number);
        }
        let entry = Entry::Put { id, spec: Arc::clone(&spec), base, desired, incarnation };
        Ok((spec, self.append(entry)?))
    }

    /// Writes a change; it survives this program from here on.
    pub(crate) fn append(&mut self, entry: Entry) -> io::Result<Durable> {
        self.write(entry)?;
        if self.lines > 4096 && self.lines / 4 > self.contents.processes.len() {
            // The change itself is written; a longer file is no reason to deny it.
            if let Err(error) = self.rewrite() {
                tracing::warn!(%error, "the journal cannot be rewritten; it grows on");
            }
        }
        let (done, durable) = oneshot::channel();
        let request = SyncRequest { file: Arc::clone(&self.file), done };
        if let Err(refused) = self.syncs.try_send(request) {
            let (mpsc::error::TrySendError::Full(request)
            | mpsc::error::TrySendError::Closed(request)) = refused;
            let _ = request.done.send(self.file.sync_data().map_err(|error| error.to_string()));
        }
        Ok(Durable(durable))
    }

    fn write(&mut self, entry: Entry) -> io::Result<()> {
        let line = encode(&entry)?;
        if let Err(error) = (&*self.file).write_all(&line) {
            // Half a line in the middle would take the next one with it.
            let _ = self.file.set_len(self.length);
            return Err(error);
        }
        self.length += line.len() as u64;
        self.lines += 1;
        self.contents.apply(entry);
        Ok(())
    }

    /// Replaces the file by one that has only what is still true, durably.
    fn rewrite(&mut self) -> io::Result<()> {
        let mut bytes = Vec::new();
        let entries = self.contents.snapshot();
        for entry in &entries {
            bytes.extend(encode(entry)?);
        }
        let fresh = self.path.with_extension("new");
        write_private(&fresh, &bytes)?;
        fs::rename(&fresh, &self.path)?;
        if let Some(folder) = self.path.parent() {
            File::open(folder)?.sync_all()?;
        }
        self.file = Arc::new(open_append(&self.path)?);
        self.length = bytes.len() as u64;
        self.lines = entries.len();
        Ok(())
    }
}

struct Reading {
    contents: Contents,
    damaged_lines: usize,
    /// The length without a torn last line.
    whole_bytes: u64,
}

/// The run directory's own name in the marks of its processes: the journal's, or the one kept beside
/// it for the day when the journal is lost, or a new one.
fn keep_instance(path: &Path, known: String) -> io::Result<String> {
    let kept = fs::read_to_string(path).unwrap_or_default().trim().to_owned();
    let instance = match (known.is_empty(), kept.is_empty()) {
        (false, _) => known,
        (true, false) => kept.clone(),
        (true, true) => fresh_instance()?,
    };
    if instance != kept {
        write_private(path, instance.as_bytes())?;
    }
    Ok(instance)
}

fn replay(bytes: &[u8]) -> Reading {
    let mut contents = Contents::default();
    let (mut damaged_lines, mut whole_bytes) = (0, 0);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if line.ends_with(b"\n") {
            whole_bytes += line.len() as u64;
        }
        match decode(line) {
            Some(entry) if contents.apply(entry.clone()) => {}
            // Without its environment a process would run as something else.
            Some(_) => damaged_lines += 1,
            // Without its line end it is the torn last line, which is nothing unusual.
            None if line.ends_with(b"\n") => damaged_lines += 1,
            None => tracing::info!("the journal's last line is torn; it was never confirmed"),
        }
    }
    Reading { contents, damaged_lines, whole_bytes }
}

fn open_append(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn fresh_instance() -> io::Result<String> {
    let mut random = [0_u8; 8];
    getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(format!("{:016x}", u64::from_ne_bytes(random)))
}

/// One `fdatasync` for all who ask while the last one runs.
async fn sync_in_groups(mut inbox: mpsc::Receiver<SyncRequest>) {
    while let Some(first) = inbox.recv().await {
        let mut group = vec![first];
        while let Ok(next) = inbox.try_recv() {
            group.push(next);
        }
        // The youngest file has everything: an older one was replaced, durably, by its contents.
        let Some(file) = group.last().map(|request| Arc::clone(&request.file)) else {
            continue;
        };
        let outcome = tokio::task::spawn_blocking(move || file.sync_data()).await;
        let outcome = match outcome {
            Ok(synced) => synced.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        for request in group {
            let _ = request.done.send(outcome.clone());
        }
    }
}

#[cfg(test)]
mod tests;
