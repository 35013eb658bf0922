//! What a log file ends in when we come to it: whole lines, or a part of one, and whose.

use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::LogFile;
use crate::logs::unfinished::{self, Unfinished};

impl LogFile {
    /// Puts the file's end in order, once. `in_pipe`: what follows the last line end is still in a pipe.
    pub(in crate::logs) fn settle(&mut self, in_pipe: bool, by_lines: bool) -> io::Result<()> {
        if self.settled {
            return Ok(());
        }
        let size = self.size()?;
        match Unfinished::load(&self.path)? {
            Some(line) if line.length <= size => {
                self.handle()?.file.set_len(line.length)?;
                self.line = Some(Box::new(line));
            }
            Some(_) => unfinished::remove(&self.path)?,
            None if self.ends_a_line(size)? => {}
            None if in_pipe => self.cut_back(size)?,
            None if by_lines => drop(self.append(b"\n")?),
            None => {}
        }
        self.settled = true;
        Ok(())
    }

    /// Cuts off what follows the last line end.
    fn cut_back(&mut self, size: u64) -> io::Result<()> {
        let file = &self.handle()?.file;
        let mut chunk = vec![0; 64 << 10];
        let mut end = size;
        while end > 0 {
            let step = end.min(chunk.len() as u64);
            let piece = &mut chunk[..usize::try_from(step).unwrap_or_default()];
            file.read_exact_at(piece, end - step)?;
            if let Some(at) = piece.iter().rposition(|byte| *byte == b'\n') {
                return file.set_len(end - step + at as u64 + 1);
            }
            end -= step;
        }
        file.set_len(0)
    }

    /// From now on the bytes of `me` go into it unseen.
    pub(in crate::logs) fn enter_unseen(&mut self, me: &Arc<str>) -> io::Result<()> {
        match &self.line {
            // It just goes on.
            Some(line) if line.owner == *me && line.end == "\n" => self.forget_line()?,
            Some(_) => self.end_line()?,
            None => {}
        }
        self.unseen = Some(me.clone());
        Ok(())
    }

    /// From now on it gets whole lines. One that was begun unseen stays its writer's.
    pub(in crate::logs) fn enter_lines(&mut self) -> io::Result<()> {
        let Some(owner) = self.unseen.clone() else {
            return Ok(());
        };
        let length = self.size()?;
        if !self.ends_a_line(length)? {
            let line = Unfinished { owner, length, line_length: 0, end: "\n".to_owned() };
            line.save(&self.path)?;
            self.line = Some(Box::new(line));
        }
        self.unseen = None;
        Ok(())
    }
}
