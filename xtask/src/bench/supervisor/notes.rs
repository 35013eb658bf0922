//! The notes that the programs write when they begin, seen as they are written.

use std::collections::BTreeMap;
use std::mem::MaybeUninit;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::fs::inotify;
use rustix::io::Errno;

use crate::installation::wait::interrupted;

/// How long one wait for news lasts before the person and the deadline are thought of again.
const LOOK_UP: Duration = Duration::from_millis(100);

/// News is taken in batches this far apart, so that looking costs the machine next to nothing while
/// a thousand programs start. It is the error of a measured start.
const BATCH: Duration = Duration::from_millis(1);

/// What a program notes when it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Note {
    pub pid: u32,
    /// The time of its first instruction on the clock of [`monotonic`].
    pub began: Duration,
}

/// The folder of the notes, watched.
pub struct Notes {
    folder: PathBuf,
    inotify: OwnedFd,
}

impl Notes {
    /// Watches `folder` from now on.
    pub fn watch(folder: &Path) -> Result<Self> {
        let inotify =
            inotify::init(inotify::CreateFlags::NONBLOCK | inotify::CreateFlags::CLOEXEC)?;
        inotify::add_watch(&inotify, folder, inotify::WatchFlags::CLOSE_WRITE)
            .with_context(|| format!("cannot watch {}", folder.display()))?;
        Ok(Self { folder: folder.to_path_buf(), inotify })
    }

    /// Waits until the notes 0 to `count` (exclusive) have been written since the watch began, and
    /// says when that was seen. `check` is asked now and then whether waiting still makes sense.
    pub fn all(
        &self,
        count: usize,
        deadline: Instant,
        mut check: impl FnMut() -> Result<()>,
    ) -> Result<Instant> {
        let mut seen = vec![false; count];
        let mut missing = count;
        while missing > 0 {
            for number in self.news(deadline)? {
                if let Some(seen) = seen.get_mut(number).filter(|seen| !**seen) {
                    *seen = true;
                    missing -= 1;
                }
            }
            if missing == 0 {
                break;
            }
            check().with_context(|| format!("{missing} of {count} programs have not begun"))?;
            if Instant::now() >= deadline {
                bail!("{missing} of {count} programs have not begun in time");
            }
            std::thread::sleep(BATCH);
        }
        Ok(Instant::now())
    }

    /// Waits until note `number` is that of another process than `old`.
    pub fn another(&self, number: usize, old: u32, deadline: Instant) -> Result<Note> {
        loop {
            if self.news(deadline)?.contains(&number) {
                let note = self.read(number)?;
                if note.pid != old {
                    return Ok(note);
                }
            }
            if Instant::now() >= deadline {
                bail!("process {old} was killed and no other has begun in its place in time");
            }
        }
    }

    /// The note with this number.
    pub fn read(&self, number: usize) -> Result<Note> {
        let file = self.folder.join(number.to_string());
        let text = std::fs::read_to_string(&file)
            .with_context(|| format!("cannot read {}", file.display()))?;
        parse(&text).with_context(|| format!("{} holds no note: {text:?}", file.display()))
    }

    /// Every note by its number.
    pub fn read_all(&self, count: usize) -> Result<BTreeMap<usize, Note>> {
        (0..count).map(|number| Ok((number, self.read(number)?))).collect()
    }

    /// The numbers of the notes written since the last call; waits a moment where there are none.
    fn news(&self, deadline: Instant) -> Result<Vec<usize>> {
        ensure!(!interrupted(), "interrupted");
        let patience = deadline.saturating_duration_since(Instant::now()).min(LOOK_UP);
        let mut events = [PollFd::new(&self.inotify, PollFlags::IN)];
        match poll(&mut events, Some(&Timespec::try_from(patience)?)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error).context("cannot wait for notes"),
        }
        let mut buffer = [MaybeUninit::uninit(); 1 << 16];
        let mut reader = inotify::Reader::new(&self.inotify, &mut buffer);
        let mut numbers = Vec::new();
        loop {
            let event = match reader.next() {
                Ok(event) => event,
                Err(Errno::AGAIN) => return Ok(numbers),
                Err(error) => return Err(error).context("cannot read news of notes"),
            };
            ensure!(
                !event.events().contains(inotify::ReadFlags::QUEUE_OVERFLOW),
                "more programs begin than the kernel can tell (fs.inotify.max_queued_events)"
            );
            let name = event.file_name().and_then(|name| name.to_str().ok());
            numbers.extend(name.and_then(|name| name.parse::<usize>().ok()));
        }
    }
}

/// Reads `pid nanoseconds`.
fn parse(text: &str) -> Option<Note> {
    let (pid, began) = text.strip_suffix('\n')?.split_once(' ')?;
    Some(Note { pid: pid.parse().ok()?, began: Duration::from_nanos(began.parse().ok()?) })
}

/// The time now on the clock of the notes, `CLOCK_MONOTONIC`.
#[allow(unsafe_code)]
pub fn monotonic() -> Duration {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a live value that this call alone writes to. With this clock and a
    // good pointer it does not fail.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Note, Notes, monotonic, parse};

    #[test]
    fn a_note_is_a_pid_and_a_time() {
        let note = Note { pid: 7, began: Duration::from_nanos(1_500_000_000) };
        assert_eq!(parse("7 1500000000\n"), Some(note));
        assert_eq!(parse("7 15"), None, "torn");
        assert_eq!(parse(""), None);
    }

    #[test]
    fn the_clock_goes_forward() {
        let first = monotonic();
        assert!(first > Duration::ZERO && monotonic() >= first);
    }

    #[test]
    fn notes_are_seen_once_all_are_there() {
        let folder = tempfile::tempdir().unwrap();
        let notes = Notes::watch(folder.path()).unwrap();
        std::fs::write(folder.path().join("0"), "7 1\n").unwrap();
        let soon = Instant::now() + Duration::from_millis(50);
        assert!(notes.all(2, soon, || Ok(())).is_err());
        std::fs::write(folder.path().join("0"), "8 1\n").unwrap();
        std::fs::write(folder.path().join("1"), "9 2\n").unwrap();
        let later = Instant::now() + Duration::from_secs(10);
        notes.all(2, later, || Ok(())).unwrap();
        assert_eq!(notes.read_all(2).unwrap()[&1].pid, 9);
        std::fs::write(folder.path().join("1"), "10 3\n").unwrap();
        assert_eq!(notes.another(1, 9, later).unwrap().pid, 10);
    }
}
