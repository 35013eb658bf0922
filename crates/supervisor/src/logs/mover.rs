//! The thread that moves all output: its loop, and whose turn it is.

mod orders;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{Timespec, epoll};
use rustix::io::Errno;
use tokio::sync::oneshot;

use super::archive::Archive;
use super::fifo::Glass;
use super::files::{Files, MOST_OPEN};
use super::pump::{Counter, Slot};
use super::stream::{LINGER, Next, Stream, Tools};
use crate::pulse::Pulse;

/// How long to leave a log file alone that cannot be written (a full disk, mostly).
const RETRY: Duration = Duration::from_secs(1);
/// How often rotated files are looked at for their age.
const TEND_EVERY: Duration = Duration::from_secs(3600);
/// Events taken in one go.
const EVENTS: usize = 256;
/// The bell's key; streams have theirs from 0 on.
const BELL: u64 = u64::MAX;

/// The thread's state.
#[derive(Debug)]
pub(super) struct Mover {
    epoll: OwnedFd,
    counter: Arc<Counter>,
    /// Both boxed, since a table has up to twice as many places as it has entries.
    streams: HashMap<u64, Box<Entry>>,
    attached: HashMap<u64, Box<Attached>>,
    next_key: u64,
    /// Streams whose turn comes.
    ready: VecDeque<u64>,
    /// Streams that rest until then.
    resting: BTreeSet<(Instant, u64)>,
    tools: Tools,
    tend_at: Instant,
}

#[derive(Debug)]
struct Entry {
    stream: Stream,
    attachment: u64,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Until the next event.
    Idle,
    Ready,
    /// Until then, whatever comes.
    Resting(Instant),
    /// Until then, or shortly after the next event.
    Watching(Instant),
}

#[derive(Debug)]
struct Attached {
    slot: Arc<Slot>,
    streams: Vec<u64>,
    app_name: String,
    pulse: Pulse,
    /// Streams whose files cannot be written.
    troubled: Vec<u64>,
    draining: Vec<oneshot::Sender<()>>,
    forgetting: Option<oneshot::Sender<u64>>,
}

impl Mover {
    pub(super) fn new(counter: Arc<Counter>) -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let bell = epoll::EventData::new_u64(BELL);
        epoll::add(&epoll, &counter.bell, bell, epoll::EventFlags::IN)?;
        let files = Files::new(Archive::start()?, MOST_OPEN);
        Ok(Self {
            epoll,
            counter,
            streams: HashMap::new(),
            attached: HashMap::new(),
            next_key: 0,
            ready: VecDeque::new(),
            resting: BTreeSet::new(),
            tools: Tools { files, glass: Glass::new()?, out: Vec::new(), wide: 0 },
            tend_at: Instant::now() + TEND_EVERY,
        })
    }

    pub(super) fn run(mut self) {
        let mut events = Vec::with_capacity(EVENTS);
        loop {
            let timeout = self.timeout(Instant::now());
            events.clear();
            match epoll::wait(
                &self.epoll,
                rustix::buffer::spare_capacity(&mut events),
                Some(&timeout),
            ) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => {
                    tracing::error!(%error, "the log thread cannot wait for output and ends; output stays in the pipes");
                    return;
                }
            }
            for event in &events {
                match event.data.u64() {
                    BELL => {
                        let Some(slots) = self.counter.take() else {
                            return;
                        };
                        slots.iter().for_each(|slot| self.obey(slot));
                    }
                    key => self.wake(key),
                }
            }
            let now = Instant::now();
            self.wake_rested(now);
            for _ in 0..self.ready.len() {
                if let Some(key) = self.ready.pop_front() {
                    self.turn(key, now);
                }
            }
            if now >= self.tend_at {
                self.tend_at = now + TEND_EVERY;
                self.tools.files.tend();
            }
        }
    }

    fn timeout(&self, now: Instant) -> Timespec {
        if !self.ready.is_empty() {
            return Timespec::default();
        }
        let rested = self.resting.first().map_or(self.tend_at, |(at, _)| *at);
        let wait = rested.min(self.tend_at).saturating_duration_since(now);
        // Rounded up to the unit in which the kernel waits, so that we do not come too early.
        let wait = wait + Duration::from_millis(1);
        Timespec {
            tv_sec: i64::try_from(wait.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: (wait.subsec_millis() * 1_000_000).into(),
        }
    }

    /// Something was written to a pipe. One that rests looks at it then.
    fn wake(&mut self, key: u64) {
        let Some(entry) = self.streams.get_mut(&key) else {
            return;
        };
        match entry.state {
            State::Idle => {
                entry.state = State::Ready;
                self.ready.push_back(key);
            }
            State::Watching(at) => {
                let soon = at.min(Instant::now() + LINGER);
                self.resting.remove(&(at, key));
                self.resting.insert((soon, key));
                entry.state = State::Resting(soon);
            }
            State::Ready | State::Resting(_) => {}
        }
    }

    fn wake_rested(&mut self, now: Instant) {
        while let Some((at, key)) = self.resting.first().copied().filter(|(at, _)| *at <= now) {
            self.resting.remove(&(at, key));
            self.hurry(key);
        }
    }

    /// Its turn comes, even if it rests.
    fn hurry(&mut self, key: u64) {
        let Some(entry) = self.streams.get_mut(&key) else {
            return;
        };
        match entry.state {
            State::Ready => return,
            State::Resting(at) | State::Watching(at) => drop(self.resting.remove(&(at, key))),
            State::Idle => {}
        }
        entry.state = State::Ready;
        self.ready.push_back(key);
    }

    fn turn(&mut self, key: u64, now: Instant) {
        let Some(entry) = self.streams.get_mut(&key) else {
            return;
        };
        let result = entry.stream.turn(&mut self.tools, now);
        let moved = entry.stream.take_moved();
        let failed = result.as_ref().err().map(ToString::to_string);
        let next = result.unwrap_or(Next::Later(RETRY));
        match next {
            Next::More => {
                entry.state = State::Ready;
                self.ready.push_back(key);
            }
            Next::Idle => entry.state = State::Idle,
            Next::Later(rest) => {
                entry.state = State::Resting(now + rest);
                self.resting.insert((now + rest, key));
            }
            Next::Watch(rest) => {
                entry.state = State::Watching(now + rest);
                self.resting.insert((now + rest, key));
            }
        }
        let attachment = entry.attachment;
        let gave_up = failed.is_some();
        if let Some(attached) = self.attached.get_mut(&attachment) {
            if moved > 0 {
                attached.pulse.beat();
            }
            match failed {
                Some(error) => attached.troubled_by(key, error),
                None if moved > 0 || next == Next::Idle => attached.recovered(key),
                None => {}
            }
        }
        self.answer(attachment, gave_up);
    }

    /// Tells those who wait for the end of this attachment's output, if it is there or will not come soon.
    fn answer(&mut self, id: u64, gave_up: bool) {
        let Some(attached) = self.attached.get_mut(&id) else {
            return;
        };
        let waited_for = !attached.draining.is_empty() || attached.forgetting.is_some();
        let streams = &self.streams;
        let is_ending = |key: &u64| streams.get(key).is_some_and(|entry| entry.stream.is_ending());
        if waited_for && (gave_up || !attached.streams.iter().any(is_ending)) {
            for done in attached.draining.drain(..) {
                // Whoever asked may have gone.
                let _ = done.send(());
            }
            if let Some(done) = attached.forgetting.take() {
                let _ = done.send(self.forget(id));
            }
        }
    }
}

impl Attached {
    /// Says it once when the disk begins to refuse.
    fn troubled_by(&mut self, stream: u64, error: String) {
        if self.troubled.is_empty() {
            let name = &self.app_name;
            tracing::error!(
                error,
                name,
                "cannot write a log file; its process waits once its pipe is full"
            );
        }
        if !self.troubled.contains(&stream) {
            self.troubled.push(stream);
        }
        self.slot.set_trouble(Some(error));
    }

    /// Says it once when all can be written again.
    fn recovered(&mut self, stream: u64) {
        if self.troubled.is_empty() {
            return;
        }
        self.troubled.retain(|troubled| *troubled != stream);
        if self.troubled.is_empty() {
            tracing::info!(name = self.app_name, "its log files can be written again");
            self.slot.set_trouble(None);
        }
    }
}
