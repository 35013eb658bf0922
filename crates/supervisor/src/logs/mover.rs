//! The thread that moves all output: its loop, whose turn it is, and the orders it gets.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rustix::event::{Timespec, epoll};
use rustix::io::Errno;
use tokio::sync::{oneshot, watch};

use super::archive::Archive;
use super::fifo::{self, Glass};
use super::file::LogFile;
use super::files::{Files, MOST_OPEN};
use super::plan::LogPlan;
use super::pump::{Attach, Counter, Orders, Slot};
use super::stream::{Next, Stream, Tools};

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
    streams: HashMap<u64, Entry>,
    attached: HashMap<u64, Attached>,
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
    Resting(Instant),
}

#[derive(Debug)]
struct Attached {
    slot: Arc<Slot>,
    streams: Vec<u64>,
    plan: LogPlan,
    pulse: watch::Sender<u64>,
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
            tools: Tools { files, glass: Glass::new()?, out: Vec::new(), large: 0 },
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
        if let Some(entry) = self.streams.get_mut(&key)
            && entry.state == State::Idle
        {
            entry.state = State::Ready;
            self.ready.push_back(key);
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
            State::Resting(at) => drop(self.resting.remove(&(at, key))),
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
        }
        let attachment = entry.attachment;
        let gave_up = failed.is_some();
        if let Some(attached) = self.attached.get_mut(&attachment) {
            if moved > 0 {
                attached.pulse.send_modify(|count| *count = count.wrapping_add(1));
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
        let is_ending =
            |key| streams.get(key).is_some_and(|entry: &Entry| entry.stream.is_ending());
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

    fn obey(&mut self, slot: &Arc<Slot>) {
        let Orders { attach, plan, reopen, flush, drain, forget, detach } = slot.take_orders();
        if let Some(attach) = attach {
            self.attach(slot, *attach);
        }
        let Some(attached) = self.attached.get_mut(&slot.id) else {
            return;
        };
        if let Some(plan) = plan {
            attached.plan = *plan;
            for key in &attached.streams {
                if let Some(entry) = self.streams.get_mut(key) {
                    entry.stream.aim(&attached.plan, &mut self.tools.files);
                }
            }
        }
        let waits = !drain.is_empty() || forget.is_some();
        attached.draining.extend(drain);
        attached.forgetting = forget.or(attached.forgetting.take());
        if reopen {
            self.reopen(slot.id);
        }
        if !flush.is_empty() {
            let mut result = self.flush(slot.id);
            for done in flush {
                // Only the first is told the whole error; io::Error cannot be cloned.
                let next = result.as_ref().map(|()| ()).map_err(|error| error.kind().into());
                let _ = done.send(std::mem::replace(&mut result, next));
            }
        }
        if waits {
            self.end(slot.id);
        }
        if detach {
            self.detach(slot.id);
        }
    }

    fn attach(&mut self, slot: &Arc<Slot>, attach: Attach) {
        let Attach { plan, sources, pulse } = attach;
        let mut keys = Vec::with_capacity(sources.len());
        for source in sources {
            let mut stream = Stream::new(source.origin, source.fifo, source.path, &plan);
            let key = self.next_key;
            self.next_key += 1;
            let data = epoll::EventData::new_u64(key);
            let flags = epoll::EventFlags::IN | epoll::EventFlags::ET;
            if let Err(error) = epoll::add(&self.epoll, stream.fifo(), data, flags) {
                let error = format!("its output cannot be watched: {error}");
                tracing::error!(name = plan.app_name, "{error}");
                slot.set_trouble(Some(error));
                continue;
            }
            stream.aim(&plan, &mut self.tools.files);
            let entry = Entry { stream, attachment: slot.id, state: State::Idle };
            self.streams.insert(key, entry);
            keys.push(key);
            // What is already there makes no event on every kernel.
            self.hurry(key);
        }
        let attached = Attached {
            slot: slot.clone(),
            streams: keys,
            plan,
            pulse,
            troubled: Vec::new(),
            draining: Vec::new(),
            forgetting: None,
        };
        self.attached.insert(slot.id, attached);
    }

    fn keys(&self, id: u64) -> Vec<u64> {
        self.attached.get(&id).map(|attached| attached.streams.clone()).unwrap_or_default()
    }

    fn reopen(&mut self, id: u64) {
        for key in self.keys(id) {
            self.hurry(key);
            let Some(entry) = self.streams.get(&key) else {
                continue;
            };
            for path in entry.stream.targets() {
                // What fails now fails at the next write too, and is told then.
                let _ = self.tools.files.with(path, LogFile::reopen);
            }
        }
    }

    fn flush(&mut self, id: u64) -> io::Result<()> {
        let mut result = Ok(());
        for key in self.keys(id) {
            let Some(entry) = self.streams.get(&key) else {
                continue;
            };
            for path in entry.stream.targets() {
                let emptied = self.tools.files.with(path, LogFile::truncate);
                let emptied = emptied.unwrap_or(Ok(())).map_err(|error| {
                    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
                });
                result = result.and(emptied);
            }
        }
        result
    }

    /// Its processes are gone.
    fn end(&mut self, id: u64) {
        let keys = self.keys(id);
        for key in &keys {
            if let Some(entry) = self.streams.get_mut(key) {
                entry.stream.end();
            }
            self.hurry(*key);
        }
        if keys.is_empty() {
            self.answer(id, false);
        }
    }

    /// Counts what could not be written even now.
    fn forget(&mut self, id: u64) -> u64 {
        let keys = self.keys(id);
        let entries = keys.iter().filter_map(|key| self.streams.get(key));
        let lost: u64 =
            entries.map(|entry| fifo::waiting(entry.stream.fifo().as_fd()) as u64).sum();
        if let Some(attached) = self.attached.get(&id).filter(|_| lost > 0) {
            attached.slot.lost.fetch_add(lost, Ordering::Relaxed);
            tracing::error!(
                name = attached.plan.app_name,
                bytes = lost,
                "a process was forgotten while its last output could not be written; it is lost"
            );
        }
        self.detach(id);
        lost
    }

    fn detach(&mut self, id: u64) {
        let Some(attached) = self.attached.remove(&id) else {
            return;
        };
        for key in attached.streams {
            if let Some(mut entry) = self.streams.remove(&key) {
                if let State::Resting(at) = entry.state {
                    self.resting.remove(&(at, key));
                }
                entry.stream.leave(&mut self.tools);
                // Closing alone would do, were ours the only descriptor of it.
                let _ = epoll::delete(&self.epoll, entry.stream.fifo());
            }
        }
    }
}

impl Attached {
    /// Says it once when the disk begins to refuse.
    fn troubled_by(&mut self, stream: u64, error: String) {
        if self.troubled.is_empty() {
            let name = &self.plan.app_name;
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
            tracing::info!(name = self.plan.app_name, "its log files can be written again");
            self.slot.set_trouble(None);
        }
    }
}
