//! Restarts when files change.
//!
//! All processes share one inotify instance and one thread ([`Watchers`]): a user may have only some hundred instances. Folders
//! are registered one by one, so that ignored ones (`node_modules` with its ten thousand folders) cost nothing; several
//! processes that watch the same folder share its registration. Symbolic links in a watched folder are not followed. A
//! file is watched through its folder, since editors put a new file in the place of the old one.
//!
//! Files are looked at on the thread, never on the event loop: a disk may be slow, and a network disk may hang.

mod debounce;
mod registry;
mod selection;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use notify::event::{EventKind, ModifyKind};

use crate::spec::WatchFiles;
use registry::Registry;
use selection::Selection;
pub(crate) use selection::compile_ignore;

/// Changes that wait to be looked at; of what is beyond this it is only known that something changed.
const QUEUE: usize = 1024;
/// The thread looks up so often even if nothing happens.
const LONGEST_SLEEP: Duration = Duration::from_secs(3600);

/// Watches the files of many processes. The kernel is only bothered, and the thread only runs, while there is a
/// [`FileWatcher`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Watchers {
    registry: Arc<Mutex<Registry>>,
}

/// Watches the files of one process until it is dropped, which never waits.
#[derive(Debug)]
pub(crate) struct FileWatcher {
    wanted: Option<Arc<()>>,
    feed: Feed,
    /// Keeps it going when the [`Watchers`] are dropped first.
    _registry: Arc<Mutex<Registry>>,
}

impl Watchers {
    /// Begins to watch. `on_change` is called on the watching thread, once for each burst of changes: after `delay_ms` of
    /// quiet, or ten times that after the first change. It must return at once. A call may come a moment after
    /// the watcher is dropped. Walks through the folders, so call this off the event loop.
    ///
    /// # Errors
    /// The path that cannot be watched and what to do about it, or the bad expression.
    pub(crate) fn start(
        &self,
        files: &WatchFiles,
        on_change: impl Fn() + Send + Sync + 'static,
    ) -> Result<FileWatcher, String> {
        let selection = Selection::new(files)?;
        let delay = Duration::from_millis(files.delay_ms);
        let wanted = Arc::new(());
        let mut registry = lock(&self.registry);
        let feed = registry.feed(|| start_thread(Arc::downgrade(&self.registry)))?;
        registry.add(selection, delay, Arc::new(on_change), Arc::downgrade(&wanted))?;
        drop(registry);
        Ok(FileWatcher { wanted: Some(wanted), feed, _registry: Arc::clone(&self.registry) })
    }
}

impl Drop for FileWatcher {
    fn drop(&mut self) {
        self.wanted = None;
        self.feed.wake();
    }
}

/// The way to our thread from notify's, which must never wait: ours waits for it when it registers a folder.
#[derive(Debug, Clone)]
struct Feed {
    changes: SyncSender<Vec<PathBuf>>,
    /// Whether changes were lost.
    lost: Arc<AtomicBool>,
}

impl Feed {
    /// When the queue is full, the thread is awake.
    fn wake(&self) {
        let _ = self.changes.try_send(Vec::new());
    }
}

impl notify::EventHandler for Feed {
    fn handle_event(&mut self, event: notify::Result<notify::Event>) {
        let lost = match event {
            Ok(event) if event.need_rescan() => true,
            Ok(event) if is_change(event.kind) => self.changes.try_send(event.paths).is_err(),
            Ok(_) => false,
            Err(error) => {
                tracing::warn!(%error, "changes of files may have been missed");
                true
            }
        };
        if lost {
            self.lost.store(true, Ordering::Release);
            self.wake();
        }
    }
}

/// Opening, reading, and changes of permissions or times are none.
fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Create(_) | EventKind::Remove(_) => true,
        EventKind::Modify(what) => !matches!(what, ModifyKind::Metadata(_)),
        EventKind::Access(_) | EventKind::Any | EventKind::Other => false,
    }
}

fn lock(registry: &Mutex<Registry>) -> MutexGuard<'_, Registry> {
    registry.lock().unwrap_or_else(PoisonError::into_inner)
}

fn start_thread(registry: Weak<Mutex<Registry>>) -> Result<Feed, String> {
    let (changes, inbox) = sync_channel(QUEUE);
    let lost = Arc::new(AtomicBool::new(false));
    let feed = Feed { changes, lost: Arc::clone(&lost) };
    let thread = thread::Builder::new().name("watch".to_owned());
    let started = thread.spawn(move || run(&registry, &inbox, &lost));
    started.map_err(|error| format!("cannot watch files: no thread for it: {error}"))?;
    Ok(feed)
}

/// Takes changes as they come, and reports bursts when they are due. Ends with the last sender: when nothing is
/// watched any more.
fn run(registry: &Weak<Mutex<Registry>>, inbox: &Receiver<Vec<PathBuf>>, lost: &AtomicBool) {
    let mut due: Option<Instant> = None;
    loop {
        let left = due.map_or(LONGEST_SLEEP, |due| due.saturating_duration_since(Instant::now()));
        let first = match inbox.recv_timeout(left) {
            Ok(paths) => paths,
            Err(RecvTimeoutError::Timeout) => Vec::new(),
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let Some(registry) = registry.upgrade() else { return };
        let mut registry = lock(&registry);
        registry.sweep();
        let now = Instant::now();
        for path in first.into_iter().chain(inbox.try_iter().take(QUEUE).flatten()) {
            registry.changed(&path, now);
        }
        if lost.swap(false, Ordering::AcqRel) {
            registry.all_changed(now);
        }
        let calls = registry.take_due(now);
        due = registry.next_due();
        drop(registry);
        for on_change in calls {
            on_change();
        }
    }
}

#[cfg(test)]
mod tests;
