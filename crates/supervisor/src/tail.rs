//! The end of log files, and what is added to them.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::logs::rotation::rotated;
use crate::spec::ProcessSpec;
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

/// A process's log files and what each is for.
pub(crate) fn files(spec: &ProcessSpec) -> impl Iterator<Item = (&Path, LogStream)> {
    let error = spec.error_file.as_deref().filter(|path| *path != spec.out_file);
    std::iter::once((spec.out_file.as_path(), LogStream::Out))
        .chain(error.map(|path| (path, LogStream::Error)))
}

fn of_file_and_rotated(path: &Path, keep: u32, count: usize) -> io::Result<Vec<String>> {
    let mut lines: VecDeque<String> = VecDeque::new();
    let candidates = std::iter::once(path.to_owned()).chain((1..=keep).map(|n| rotated(path, n)));
    for candidate in candidates {
        if lines.len() >= count {
            break;
        }
        let Some(file) = open_existing(&candidate)? else {
            break;
        };
        let end = End::read(&file, count - lines.len())?;
        let partial = (!end.partial.is_empty()).then(|| text(&end.partial));
        let mut found: Vec<String> = end.lines.into_iter().chain(partial).collect();
        let excess = found.len().saturating_sub(count - lines.len());
        found.drain(..excess);
        for line in found.into_iter().rev() {
            lines.push_front(line);
        }
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

/// Reads what is added to a log file, through rotations.
#[derive(Debug)]
pub(crate) struct Follower {
    path: PathBuf,
    stream: LogStream,
    file: Option<File>,
    offset: u64,
    partial: Vec<u8>,
}

impl Follower {
    /// Begins at the end; gives the last whole lines before it too.
    pub(crate) fn start(
        path: &Path,
        stream: LogStream,
        count: usize,
    ) -> io::Result<(Self, Vec<LogLine>)> {
        let file = open_existing(path)?;
        let (mut lines, mut offset) = (Vec::new(), 0);
        if let Some(file) = &file {
            let end = End::read(file, count.min(MAX_LINES))?;
            lines.extend(end.lines.into_iter().map(|line| LogLine { line, stream }));
            offset = end.whole_up_to;
        }
        Ok((Self { path: path.to_owned(), stream, file, offset, partial: Vec::new() }, lines))
    }

    /// Reads one piece of what was added. Whether there was any is in the second part.
    pub(crate) fn read_more(&mut self) -> io::Result<(Vec<LogLine>, bool)> {
        let mut buffer = vec![0; CHUNK];
        let got = match &self.file {
            Some(file) => read_at_most(file, &mut buffer, self.offset)?,
            None => 0,
        };
        if got == 0 {
            return Ok((Vec::new(), self.move_on()?));
        }
        self.offset += got as u64;
        self.partial.extend_from_slice(&buffer[..got]);
        Ok((self.take_lines(), true))
    }

    /// Goes to the file that bears the name now, if it is another, or to the start of a truncated one.
    fn move_on(&mut self) -> io::Result<bool> {
        let Some(fresh) = open_existing(&self.path)? else {
            return Ok(false);
        };
        let metadata = fresh.metadata()?;
        let same = match &self.file {
            Some(file) => file.metadata()?.ino() == metadata.ino(),
            None => false,
        };
        if same && metadata.len() >= self.offset {
            return Ok(false);
        }
        self.file = Some(fresh);
        self.offset = 0;
        Ok(metadata.len() > 0)
    }

    fn take_lines(&mut self) -> Vec<LogLine> {
        let mut lines = Vec::new();
        let mut rest = self.partial.as_slice();
        while let Some(at) = rest.iter().position(|byte| *byte == b'\n') {
            lines.push(LogLine { line: text(&rest[..at]), stream: self.stream });
            rest = &rest[at + 1..];
        }
        if rest.len() > MAX_LINE {
            lines.push(LogLine { line: text(rest), stream: self.stream });
            rest = &[];
        }
        self.partial = rest.to_vec();
        lines
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use super::*;

    fn spec(dir: &Path) -> ProcessSpec {
        ProcessSpec::new("a", vec!["true".to_owned()], dir.to_owned(), dir.join("a.log"))
    }

    fn texts(lines: Vec<LogLine>) -> Vec<String> {
        lines.into_iter().map(|line| line.line).collect()
    }

    #[test]
    fn last_lines_reach_back_into_rotated_files() {
        let dir = tempfile::tempdir().unwrap();
        let spec = spec(dir.path());
        assert!(last_lines(&spec, 5).unwrap().is_empty());
        fs::write(dir.path().join("a.log.2"), "0\n").unwrap();
        fs::write(dir.path().join("a.log.1"), "1\n2\n").unwrap();
        fs::write(dir.path().join("a.log"), "3\r\n4\nfive").unwrap();
        let all = texts(last_lines(&spec, 100).unwrap());
        assert_eq!(all, ["0", "1", "2", "3", "4", "five"]);
        assert_eq!(texts(last_lines(&spec, 4).unwrap()), ["2", "3", "4", "five"]);
        assert_eq!(texts(last_lines(&spec, 1).unwrap()), ["five"]);
        assert!(last_lines(&spec, 0).unwrap().is_empty());
    }

    #[test]
    fn last_lines_of_a_large_file() {
        let dir = tempfile::tempdir().unwrap();
        let spec = spec(dir.path());
        let text: String = (0..100_000).map(|n| format!("line {n}\n")).collect();
        fs::write(&spec.out_file, text).unwrap();
        let last = texts(last_lines(&spec, 9000).unwrap());
        assert_eq!(last.len(), 9000);
        assert_eq!((last[0].as_str(), last[8999].as_str()), ("line 91000", "line 99999"));
    }

    #[test]
    fn a_follower_sees_each_line_once_through_a_rotation() {
        let dir = tempfile::tempdir().unwrap();
        let spec = spec(dir.path());
        fs::write(&spec.out_file, "old\nhal").unwrap();
        let (mut follower, before) = Follower::start(&spec.out_file, LogStream::Out, 10).unwrap();
        assert_eq!(texts(before), ["old"]);
        let mut file = fs::OpenOptions::new().append(true).open(&spec.out_file).unwrap();
        file.write_all(b"f\nnew\n").unwrap();
        fs::rename(&spec.out_file, rotated(&spec.out_file, 1)).unwrap();
        fs::write(&spec.out_file, "fresh\n").unwrap();
        let mut seen = Vec::new();
        while let (lines, true) = follower.read_more().unwrap() {
            seen.extend(texts(lines));
        }
        assert_eq!(seen, ["half", "new", "fresh"]);
    }
}
