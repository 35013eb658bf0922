//! The orders that the thread gets.

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rustix::event::epoll;

use super::{Attached, Entry, Mover, State};
use crate::logs::fifo;
use crate::logs::file::LogFile;
use crate::logs::pump::{Attach, Orders, Slot};
use crate::logs::stream::Stream;

impl Mover {
    pub(super) fn obey(&mut self, slot: &Arc<Slot>) {
        let Orders { attach, plan, reopen, flush, drain, forget, detach } = slot.take_orders();
        if let Some(attach) = attach {
            self.attach(slot, *attach);
        }
        let Some(attached) = self.attached.get_mut(&slot.id) else {
            return;
        };
        if let Some(plan) = plan {
            attached.app_name.clone_from(&plan.app_name);
            for key in &attached.streams {
                if let Some(entry) = self.streams.get_mut(key) {
                    entry.stream.aim(&plan, &mut self.tools.files);
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
                let next = result.as_ref().copied().map_err(|error| error.kind().into());
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
            self.streams.insert(key, Box::new(entry));
            keys.push(key);
            // What is already there makes no event on every kernel.
            self.hurry(key);
        }
        let attached = Attached {
            slot: slot.clone(),
            streams: keys,
            app_name: plan.app_name,
            pulse,
            troubled: Vec::new(),
            draining: Vec::new(),
            forgetting: None,
        };
        self.attached.insert(slot.id, Box::new(attached));
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
    pub(super) fn forget(&mut self, id: u64) -> u64 {
        let keys = self.keys(id);
        let entries = keys.iter().filter_map(|key| self.streams.get(key));
        let lost: u64 =
            entries.map(|entry| fifo::waiting(entry.stream.fifo().as_fd()) as u64).sum();
        if let Some(attached) = self.attached.get(&id).filter(|_| lost > 0) {
            attached.slot.lost.fetch_add(lost, Ordering::Relaxed);
            tracing::error!(
                name = attached.app_name,
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
                if let State::Resting(at) | State::Watching(at) = entry.state {
                    self.resting.remove(&(at, key));
                }
                entry.stream.leave(&mut self.tools);
                // Closing alone would do, were ours the only descriptor of it.
                let _ = epoll::delete(&self.epoll, entry.stream.fifo());
            }
        }
    }
}
