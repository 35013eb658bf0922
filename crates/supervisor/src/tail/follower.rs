//! What is added to a log file, through rotations.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::{CHUNK, End, MAX_LINE, MAX_LINES, of_rotated, open_existing, read_at_most, text};
use crate::logs::rotation::rotated;
use crate::wire::{LogLine, LogStream};

/// How many rotations back it looks for the file that it has read. All but the first of those may have been
/// compressed meanwhile, which a listener that is so slow then misses.
const FAR_BACK: u32 = 1000;

/// Reads what is added to a log file, through rotations. Holds one file open at most.
#[derive(Debug)]
pub(crate) struct Follower {
    path: PathBuf,
    stream: LogStream,
    file: Option<File>,
    offset: u64,
    partial: Vec<u8>,
}

impl Follower {
    /// Begins at the end; gives the last whole lines before it too, also of so many rotated files.
    pub(crate) fn start(
        path: &Path,
        stream: LogStream,
        keep: u32,
        count: usize,
    ) -> io::Result<(Self, Vec<LogLine>)> {
        let count = count.min(MAX_LINES);
        let file = open_existing(path)?;
        let (mut present, mut offset) = (Vec::new(), 0);
        if let Some(file) = &file {
            let end = End::read(file, count)?;
            present = end.lines;
            offset = end.whole_up_to;
        }
        let earlier = of_rotated(path, keep, count - present.len())?;
        let lines = earlier.into_iter().chain(present);
        let lines = lines.map(|line| LogLine { line, stream }).collect();
        Ok((Self { path: path.to_owned(), stream, file, offset, partial: Vec::new() }, lines))
    }

    /// Reads one piece of what was added. Whether there was any is in the second part.
    pub(crate) fn read_more(&mut self) -> io::Result<(Vec<LogLine>, bool)> {
        let lines = self.read_piece()?;
        if let Some(lines) = lines {
            return Ok((lines, true));
        }
        let Some((next, goes_on)) = self.next_file()? else {
            return Ok((Vec::new(), false));
        };
        // It got its last bytes before it got another name, perhaps after our last look.
        if let Some(lines) = self.read_piece()? {
            return Ok((lines, true));
        }
        self.file = Some(next);
        self.offset = 0;
        if goes_on || self.partial.is_empty() {
            return Ok((Vec::new(), true));
        }
        let partial = std::mem::take(&mut self.partial);
        Ok((vec![self.line(&partial)], true))
    }

    /// `None`: there is nothing more in this file.
    fn read_piece(&mut self) -> io::Result<Option<Vec<LogLine>>> {
        let Some(file) = &self.file else {
            return Ok(None);
        };
        let mut buffer = vec![0; CHUNK];
        let got = read_at_most(file, &mut buffer, self.offset)?;
        if got == 0 {
            return Ok(None);
        }
        self.offset += got as u64;
        self.partial.extend_from_slice(&buffer[..got]);
        Ok(Some(self.take_lines()))
    }

    /// The file that follows this one, if there is any yet: the one that was rotated next, else the one that bears the
    /// name now; or this one from its start, when it was truncated. And whether a line may go on there.
    fn next_file(&self) -> io::Result<Option<(File, bool)>> {
        let Some(present) = open_existing(&self.path)? else {
            return Ok(None);
        };
        let Some(file) = &self.file else {
            return Ok(Some((present, false)));
        };
        let (mine, metadata) = (file.metadata()?, present.metadata()?);
        if mine.ino() == metadata.ino() {
            let truncated = metadata.len() < self.offset;
            return Ok(truncated.then_some((present, false)));
        }
        let inodes = (1..=FAR_BACK).map_while(|number| {
            fs::metadata(rotated(&self.path, number)).ok().map(|found| (number, found.ino()))
        });
        match inodes.into_iter().find(|(_, inode)| *inode == mine.ino()) {
            Some((1, _)) => return Ok(Some((present, true))),
            // Should it get another number just now, this is found out the next time.
            Some((number, _)) => {
                let next = open_existing(&rotated(&self.path, number - 1))?;
                return Ok(next.map(|next| (next, true)));
            }
            None => {}
        }
        // Deleted, moved away by others, or compressed. In the last case the youngest rotated file is a later one.
        if mine.nlink() == 0
            && let Some(youngest) = open_existing(&rotated(&self.path, 1))?
            && youngest.metadata()?.created().ok() > mine.created().ok()
        {
            return Ok(Some((youngest, false)));
        }
        Ok(Some((present, false)))
    }

    fn take_lines(&mut self) -> Vec<LogLine> {
        let mut lines = Vec::new();
        let mut rest = self.partial.as_slice();
        while let Some(at) = rest.iter().position(|byte| *byte == b'\n') {
            lines.push(self.line(&rest[..at]));
            rest = &rest[at + 1..];
        }
        if rest.len() > MAX_LINE {
            lines.push(self.line(rest));
            rest = &[];
        }
        self.partial = rest.to_vec();
        lines
    }

    fn line(&self, bytes: &[u8]) -> LogLine {
        LogLine { line: text(bytes), stream: self.stream }
    }
}
