//! The end of log files, and what is added to them.

mod follower;
mod packed;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

pub(crate) use follower::Follower;

use crate::logs::rotation::{compressed, rotated};
use crate::spec::{NO_LOG, ProcessSpec};
use crate::wire::{LogLine, LogStream};

/// Most lines that can be asked for at once.
pub(crate) const MAX_LINES: usize = 10_000;
/// How far back a file is read for its last lines.
const MAX_BACK: u64 = 8 << 20;
/// A longer line is cut in pieces of this many bytes.
const MAX_LINE: usize = 64 << 10;
const CHUNK: usize = 64 << 10;
/// Lines shown with an early exit.
const LAST_WORDS: usize = 20;

/// The last lines of a process's output, across rotated files. Missing files have no lines.
pub(crate) fn last_lines(spec: &ProcessSpec, count: usize) -> io::Result<Vec<LogLine>> {
    let mut lines = Vec::new();
    for (path, stream) in files(spec) {
        let found = of_file_and_rotated(path, spec.log_keep, count.min(MAX_LINES))?;
        lines.extend(found.into_iter().map(|line| LogLine { line, stream }));
    }
    Ok(lines)
}

/// The few lines that explain an early exit.
pub(crate) async fn last_words(spec: Box<ProcessSpec>) -> Vec<String> {
    let read = tokio::task::spawn_blocking(move || last_lines(&spec, LAST_WORDS)).await;
    let lines = read.ok().and_then(Result::ok).unwrap_or_default();
    lines.into_iter().map(|line| line.line).collect()
}

/// A process's log files and what each is for. What is thrown away is in none.
pub(crate) fn files(spec: &ProcessSpec) -> impl Iterator<Item = (&Path, LogStream)> {
    let error = spec.error_file.as_deref().filter(|path| *path != spec.out_file);
    std::iter::once((spec.out_file.as_path(), LogStream::Out))
        .chain(error.map(|path| (path, LogStream::Error)))
        .filter(|(path, _)| *path != Path::new(NO_LOG))
}

fn of_file_and_rotated(path: &Path, keep: u32, count: usize) -> io::Result<Vec<String>> {
    // The present file may have been taken away, or be about to come.
    let mut present = match open_existing(path)? {
        Some(file) => End::read(&file, count)?.into_lines(),
        None => Vec::new(),
    };
    let excess = present.len().saturating_sub(count);
    present.drain(..excess);
    let mut lines = of_rotated(path, keep, count - present.len())?;
    lines.append(&mut present);
    Ok(lines)
}

/// The last lines of what came before the present file.
fn of_rotated(path: &Path, keep: u32, count: usize) -> io::Result<Vec<String>> {
    let mut lines: VecDeque<String> = VecDeque::new();
    for number in 1..=keep {
        let wanted = count - lines.len();
        if wanted == 0 {
            break;
        }
        let mut found = if let Some(file) = open_existing(&rotated(path, number))? {
            End::read(&file, wanted)?.into_lines()
        } else if let Some(file) = open_existing(&compressed(path, number))? {
            packed::last_lines(&file, wanted)?
        } else {
            break;
        };
        let excess = found.len().saturating_sub(wanted);
        found.drain(..excess);
        found.into_iter().rev().for_each(|line| lines.push_front(line));
    }
    Ok(lines.into())
}

fn open_existing(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The end of one file.
struct End {
    /// Whole lines.
    lines: Vec<String>,
    /// What follows the last line end.
    partial: Vec<u8>,
    /// Offset of `partial`.
    whole_up_to: u64,
}

impl End {
    fn read(file: &File, count: usize) -> io::Result<Self> {
        let size = file.metadata()?.len();
        let mut start = size;
        let mut bytes = Vec::new();
        let mut newlines = 0;
        // One more than asked for, to know where the first begins.
        while start > 0 && newlines <= count && size - start < MAX_BACK {
            let step = start.min(CHUNK as u64);
            start -= step;
            let mut chunk = vec![0; usize::try_from(step).unwrap_or(CHUNK)];
            let got = read_at_most(file, &mut chunk, start)?;
            chunk.truncate(got);
            newlines += chunk.iter().filter(|byte| **byte == b'\n').count();
            chunk.extend_from_slice(&bytes);
            bytes = chunk;
        }
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let partial = bytes.split_off(whole);
        let whole_up_to = start + whole as u64;
        bytes.pop();
        let mut lines: Vec<String> = if whole == 0 {
            Vec::new()
        } else {
            bytes.split(|byte| *byte == b'\n').map(text).collect()
        };
        let excess = lines.len().saturating_sub(count);
        lines.drain(..excess);
        Ok(Self { lines, partial, whole_up_to })
    }

    fn into_lines(self) -> Vec<String> {
        let partial = (!self.partial.is_empty()).then(|| text(&self.partial));
        self.lines.into_iter().chain(partial).collect()
    }
}

/// Reads until the buffer is full or the file ends.
fn read_at_most(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut done = 0;
    while done < buffer.len() {
        match file.read_at(&mut buffer[done..], offset + done as u64) {
            Ok(0) => break,
            Ok(got) => done += got,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

fn text(bytes: &[u8]) -> String {
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    String::from_utf8_lossy(bytes).into_owned()
}
