//! One FIFO and the files that its bytes go to.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;

use super::fifo::{self, Glass};
use super::file::LogFile;
use super::files::Files;
use super::lines::{Cut, Pressure, Voice, cut};
use super::plan::{LogPlan, Origin};

/// Most that one stream moves before it is another's turn.
const SHARE: usize = 1 << 20;
/// Most that is moved after the end of a process: a child of its that got away could write for ever.
const LAST_WORDS: usize = 16 << 20;
/// At most so many pipes are widened.
const MOST_WIDE: usize = 64;
/// How long to leave a line alone whose end has not come: it may come byte by byte.
pub(super) const LINGER: Duration = Duration::from_millis(5);
/// How long at most. One large write that begins while there is something in the pipe and then has to wait for
/// room makes no event, so we have to look.
const LINGER_MOST: Duration = Duration::from_secs(1);
/// How long to leave a file alone in which another's line is being written.
const WAIT: Duration = Duration::from_millis(10);
/// What streams share.
#[derive(Debug)]
pub(super) struct Tools {
    pub(super) files: Files,
    pub(super) glass: Glass,
    /// For what is about to be written.
    pub(super) out: Vec<u8>,
    /// How many pipes are wide.
    pub(super) wide: usize,
}

/// What is next for a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// There may be more in the pipe.
    More,
    /// There is nothing to do until something is written to the pipe.
    Idle,
    /// Not before so much time has passed.
    Later(Duration),
    /// When more is written to the pipe, or so much time has passed.
    Watch(Duration),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Bytes go to the file without being looked at.
    Unseen,
    /// Whole lines are written, then taken out of the pipe.
    Lines,
}

/// One FIFO and the files that its bytes go to.
#[derive(Debug)]
pub(super) struct Stream {
    fifo: OwnedFd,
    path: PathBuf,
    /// Tells it from all others in notes beside log files.
    name: Arc<str>,
    origin: Origin,
    voice: Voice,
    targets: Vec<Arc<Path>>,
    mode: Option<Mode>,
    /// Whether the sign of [`fifo::is_by_lines`] is there.
    by_lines: bool,
    /// Whether an earlier supervisor set it, and we have not looked at the files yet.
    was_by_lines: bool,
    /// The tree is gone: what is left of [`LAST_WORDS`].
    ending: Option<usize>,
    /// How many bytes of an unfinished line were seen last.
    seen: usize,
    /// How long to wait until it is looked at again.
    linger: Duration,
    /// A piece that only the first so many files have.
    half_written: Option<(Cut, usize)>,
    moved: usize,
    is_wide: bool,
}

impl Stream {
    pub(super) fn new(origin: Origin, fifo: OwnedFd, path: PathBuf, plan: &LogPlan) -> Self {
        let by_lines = fifo::is_by_lines(&path);
        Self {
            name: path.to_string_lossy().into(),
            by_lines,
            was_by_lines: by_lines,
            voice: Voice::new(plan, origin),
            fifo,
            path,
            origin,
            targets: Vec::new(),
            mode: None,
            ending: None,
            seen: 0,
            linger: LINGER,
            half_written: None,
            moved: 0,
            is_wide: false,
        }
    }

    pub(super) fn fifo(&self) -> &OwnedFd {
        &self.fifo
    }

    /// Takes the files that the plan names.
    pub(super) fn aim(&mut self, plan: &LogPlan, files: &mut Files) {
        let targets = plan.targets(self.origin);
        let fresh = targets.map(|path| files.acquire(path, plan.rotation)).collect();
        let old = std::mem::replace(&mut self.targets, fresh);
        old.iter().for_each(|path| files.release(path));
        self.voice = Voice::new(plan, self.origin);
        self.half_written = None;
        self.mode = None;
    }

    /// Lets go of everything.
    pub(super) fn leave(&mut self, tools: &mut Tools) {
        self.targets.drain(..).for_each(|path| tools.files.release(&path));
        tools.wide -= usize::from(std::mem::take(&mut self.is_wide));
    }

    pub(super) fn targets(&self) -> &[Arc<Path>] {
        &self.targets
    }

    /// No process writes any more: what is there is all.
    pub(super) fn end(&mut self) {
        self.ending = Some(LAST_WORDS);
    }

    pub(super) fn is_ending(&self) -> bool {
        self.ending.is_some()
    }

    /// How many bytes it has moved since this was last asked.
    pub(super) fn take_moved(&mut self) -> usize {
        std::mem::take(&mut self.moved)
    }

    /// Moves its share.
    pub(super) fn turn(&mut self, tools: &mut Tools, now: Instant) -> io::Result<Next> {
        let before = self.moved;
        let next = self.step(tools, now)?;
        let Some(left) = self.ending else {
            return Ok(next);
        };
        let left = left.saturating_sub(self.moved - before);
        self.ending = Some(left);
        if left == 0 {
            self.ending = None;
        } else if next == Next::Idle {
            self.finish(tools)?;
            self.ending = None;
        }
        Ok(next)
    }

    fn step(&mut self, tools: &mut Tools, now: Instant) -> io::Result<Next> {
        if self.targets.is_empty() {
            let taken = tools.glass.take(self.fifo.as_fd(), SHARE)?;
            self.moved += taken;
            return Ok(if taken < SHARE { Next::Idle } else { Next::More });
        }
        if self.mode.is_none() && !self.by_lines && fifo::waiting(self.fifo.as_fd()) == 0 {
            // Nothing is to be put in order for a process that says nothing: its files are not even opened.
            return Ok(Next::Idle);
        }
        let mode = self.wanted_mode(&mut tools.files);
        if self.mode != Some(mode) {
            self.enter(mode, &mut tools.files)?;
        }
        match mode {
            Mode::Unseen => self.move_unseen(tools, now),
            Mode::Lines => self.move_lines(tools, now),
        }
    }

    fn wanted_mode(&self, files: &mut Files) -> Mode {
        let alone = |file: &mut LogFile| file.users == 1 && file.can_splice();
        match self.targets.as_slice() {
            [only] if self.voice.is_plain() && files.with(only, alone) == Some(true) => {
                Mode::Unseen
            }
            _ => Mode::Lines,
        }
    }

    /// The order of the steps matters: killed between two of them, we find in the next run what we need.
    fn enter(&mut self, mode: Mode, files: &mut Files) -> io::Result<()> {
        for path in &self.targets {
            on(files, path, |file| file.settle(self.was_by_lines, mode == Mode::Lines))?;
        }
        match mode {
            Mode::Unseen => {
                self.set_by_lines(false)?;
                for path in &self.targets {
                    on(files, path, |file| file.enter_unseen(&self.name))?;
                }
            }
            Mode::Lines => {
                for path in &self.targets {
                    on(files, path, LogFile::enter_lines)?;
                }
                self.set_by_lines(true)?;
            }
        }
        self.was_by_lines = false;
        self.mode = Some(mode);
        Ok(())
    }

    fn set_by_lines(&mut self, set: bool) -> io::Result<()> {
        if self.by_lines != set {
            fifo::set_by_lines(&self.path, set)?;
            self.by_lines = set;
        }
        Ok(())
    }

    fn move_unseen(&mut self, tools: &mut Tools, now: Instant) -> io::Result<Next> {
        let Some(path) = self.targets.first().cloned() else {
            return Ok(Next::Idle);
        };
        let mut share = 0;
        while share < SHARE {
            let fifo = self.fifo.as_fd();
            let Tools { files, glass, .. } = tools;
            let moved = on(files, &path, |file| {
                let size = file.prepare(now)?;
                let limit = if file.waits_for_line_end(size)? {
                    until_line_end(glass.look(fifo)?)
                } else {
                    file.room(size).min(SHARE)
                };
                let moved = file.splice(fifo, limit)?;
                if let Some(moved) = moved {
                    file.rotate_if_due(size + moved as u64)?;
                }
                Ok(moved)
            })?;
            let Some(moved) = moved else {
                let can = on(files, &path, |file| Ok(file.can_splice()))?;
                return Ok(if can { Next::Idle } else { Next::More });
            };
            self.moved += moved;
            share += moved;
        }
        // It has more to say than a turn takes.
        if !self.is_wide && tools.wide < MOST_WIDE {
            fifo::widen(self.fifo.as_fd());
            self.is_wide = true;
            tools.wide += 1;
        }
        Ok(Next::More)
    }

    fn move_lines(&mut self, tools: &mut Tools, now: Instant) -> io::Result<Next> {
        let waiting = fifo::waiting(self.fifo.as_fd());
        if waiting == 0 {
            return Ok(Next::Idle);
        }
        if waiting == self.seen && self.ending.is_none() {
            self.linger = (self.linger * 2).min(LINGER_MOST);
            return Ok(Next::Watch(self.linger));
        }
        let mut begun = false;
        for path in &self.targets {
            let mine = on(&mut tools.files, path, |file| {
                file.prepare(now)?;
                begun |= file.is_begun_by(&self.name);
                file.claim(&self.name, now)
            })?;
            if !mine {
                return Ok(Next::Later(WAIT));
            }
        }
        let data = tools.glass.look(self.fifo.as_fd())?;
        let (cut, done) = match self.half_written {
            Some(half) => half,
            None => match self.cut(data, waiting, begun) {
                Some(cut) => (cut, 0),
                None => {
                    self.seen = data.len();
                    self.linger = LINGER;
                    return Ok(Next::Later(LINGER));
                }
            },
        };
        let data = data.get(..cut.len).ok_or_else(|| io::Error::other("the pipe was emptied"));
        let data = data.inspect_err(|_| self.half_written = None)?;
        let frame = self.voice.frame(Utc::now());
        for (index, path) in self.targets.iter().enumerate().skip(done) {
            let out = &mut tools.out;
            out.clear();
            let written = on(&mut tools.files, path, |file| {
                let open = frame.render(data, cut.ends, file.begun(), out);
                file.write_lines(out, open.then_some(&frame.end), &self.name)
            });
            if let Err(error) = written {
                self.half_written = Some((cut, index));
                return Err(error);
            }
        }
        self.half_written = None;
        self.seen = 0;
        tools.out.shrink_to(SHARE);
        self.moved += tools.glass.take(self.fifo.as_fd(), cut.len)?;
        // What is written after this look wakes us.
        let empty = fifo::waiting(self.fifo.as_fd()) == 0;
        Ok(if empty { Next::Idle } else { Next::More })
    }

    fn cut(&self, data: &[u8], waiting: usize, begun: bool) -> Option<Cut> {
        let pressure = match self.ending {
            Some(_) if data.len() >= waiting => Pressure::Ending,
            Some(_) | None if begun => Pressure::Begun,
            Some(_) | None => Pressure::None,
        };
        cut(data, pressure).or_else(|| {
            fifo::is_full(self.fifo.as_fd()).then(|| cut(data, Pressure::Full)).flatten()
        })
    }

    /// The pipe is empty, for good: the last line is over. What goes into a file of its own stays as it was written.
    fn finish(&mut self, tools: &mut Tools) -> io::Result<()> {
        for path in &self.targets {
            on(&mut tools.files, path, |file| match self.mode {
                Some(Mode::Lines) if file.is_begun_by(&self.name) => file.end_line(),
                Some(_) | None => Ok(()),
            })?;
        }
        Ok(())
    }
}

/// How much of this to move once the file is full: only the rest of its last line.
fn until_line_end(data: &[u8]) -> usize {
    data.iter().position(|byte| *byte == b'\n').map_or(SHARE, |at| at + 1)
}

/// Calls `act` with a file that the stream has acquired. An error names the file.
fn on<T>(
    files: &mut Files,
    path: &Arc<Path>,
    act: impl FnOnce(&mut LogFile) -> io::Result<T>,
) -> io::Result<T> {
    let result = files.with(path, act).unwrap_or_else(|| Err(io::ErrorKind::NotFound.into()));
    result.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}
