//! Who watches which folders, and the kernel's registrations for that.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};
use std::{fmt, fs, io, mem};

use notify::{ErrorKind, RecommendedWatcher, RecursiveMode, Watcher};

use super::Feed;
use super::debounce::Burst;
use super::selection::Selection;

pub(super) type OnChange = Arc<dyn Fn() + Send + Sync>;

/// All that is watched.
#[derive(Debug, Default)]
pub(super) struct Registry {
    /// There while anything is watched.
    kernel: Option<Kernel>,
    next_id: u64,
    watches: HashMap<u64, Watch>,
    /// By folder: whose watches it is part of.
    folders: BTreeMap<PathBuf, BTreeSet<u64>>,
}

#[derive(Debug)]
struct Kernel {
    watcher: RecommendedWatcher,
    feed: Feed,
}

/// What one process watches.
struct Watch {
    selection: Arc<Selection>,
    delay: Duration,
    on_change: OnChange,
    burst: Option<Burst>,
    /// Gone when nobody wants it any more.
    wanted: Weak<()>,
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("selection", &self.selection).finish_non_exhaustive()
    }
}

impl Registry {
    /// The way to the thread that looks at changes. `start` is called when there is none.
    pub(super) fn feed(
        &mut self,
        start: impl FnOnce() -> Result<Feed, String>,
    ) -> Result<Feed, String> {
        if let Some(kernel) = &self.kernel {
            return Ok(kernel.feed.clone());
        }
        let feed = start()?;
        // Where notify has other means than inotify, links must not be followed either.
        let config = notify::Config::default().with_follow_symlinks(false);
        let watcher = RecommendedWatcher::new(feed.clone(), config);
        let watcher = watcher.map_err(|error| explain("files", &error))?;
        self.kernel = Some(Kernel { watcher, feed: feed.clone() });
        Ok(feed)
    }

    /// Begins a watch for as long as `wanted` lives; on failure nothing of it remains.
    pub(super) fn add(
        &mut self,
        selection: Selection,
        delay: Duration,
        on_change: OnChange,
        wanted: Weak<()>,
    ) -> Result<(), String> {
        let id = self.next_id;
        self.next_id += 1;
        let selection = Arc::new(selection);
        let watch =
            Watch { selection: Arc::clone(&selection), delay, on_change, burst: None, wanted };
        self.watches.insert(id, watch);
        let mut roots = selection.roots().iter();
        let covered = roots.try_for_each(|root| self.cover_root(id, &selection, root));
        if covered.is_err() {
            self.retain(|other, _| other != id);
        }
        covered
    }

    /// Frees what nobody wants any more.
    pub(super) fn sweep(&mut self) {
        if self.watches.values().any(|watch| watch.wanted.strong_count() == 0) {
            self.retain(|_, watch| watch.wanted.strong_count() > 0);
        }
    }

    fn retain(&mut self, stays: impl Fn(u64, &Watch) -> bool) {
        self.watches.retain(|id, watch| stays(*id, watch));
        let Self { kernel, folders, watches, .. } = self;
        if watches.is_empty() {
            *kernel = None;
        }
        folders.retain(|folder, ids| {
            ids.retain(|id| watches.contains_key(id));
            if ids.is_empty() {
                unwatch(kernel.as_mut(), folder);
            }
            !ids.is_empty()
        });
    }

    /// Takes note that `path` changed.
    pub(super) fn changed(&mut self, path: &Path, now: Instant) {
        // If it is a folder, then one that is gone, or another one than was registered.
        let mut ids = self.forget_folder(path);
        ids.extend(path.parent().and_then(|folder| self.folders.get(folder)).into_iter().flatten());
        let is_folder = fs::symlink_metadata(path).is_ok_and(|found| found.is_dir());
        for id in ids {
            let Some(watch) = self.watches.get_mut(&id) else { continue };
            if !watch.selection.wants(path) {
                continue;
            }
            watch.burst = Some(Burst::note(watch.burst, now));
            let selection = Arc::clone(&watch.selection);
            let covered = if selection.roots().iter().any(|root| root == path) {
                self.recover_root(id, &selection, path)
            } else if is_folder {
                self.cover(id, &selection, path)
            } else {
                Ok(())
            };
            if let Err(problem) = covered {
                tracing::warn!(problem, "a folder that changed is not watched any more");
            }
        }
    }

    /// Gives up the registrations of a folder and of those below it; tells whose they were.
    fn forget_folder(&mut self, path: &Path) -> BTreeSet<u64> {
        let mut ids = BTreeSet::new();
        let below = self.folders.range::<Path, _>((Bound::Included(path), Bound::Unbounded));
        let below = below.take_while(|(folder, _)| folder.starts_with(path));
        let gone: Vec<PathBuf> = below.map(|(folder, _)| folder.clone()).collect();
        for folder in gone {
            unwatch(self.kernel.as_mut(), &folder);
            ids.extend(self.folders.remove(&folder).into_iter().flatten());
        }
        ids
    }

    /// Takes note that something was missed: everything may have changed.
    pub(super) fn all_changed(&mut self, now: Instant) {
        // A folder may have been replaced without notice, so all are registered anew.
        for folder in mem::take(&mut self.folders).into_keys() {
            unwatch(self.kernel.as_mut(), &folder);
        }
        let ids: Vec<u64> = self.watches.keys().copied().collect();
        for id in ids {
            let Some(watch) = self.watches.get_mut(&id) else { continue };
            watch.burst = Some(Burst::note(watch.burst, now));
            let selection = Arc::clone(&watch.selection);
            for root in selection.roots() {
                if let Err(problem) = self.recover_root(id, &selection, root) {
                    tracing::warn!(problem, "a folder is not watched any more");
                }
            }
        }
    }

    /// Whom to tell now.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<OnChange> {
        let due = self.watches.values_mut().filter_map(|watch| {
            watch.burst.take_if(|burst| burst.due(watch.delay) <= now)?;
            Some(Arc::clone(&watch.on_change))
        });
        due.collect()
    }

    pub(super) fn next_due(&self) -> Option<Instant> {
        let bursts = self.watches.values().filter_map(|watch| Some((watch.burst?, watch.delay)));
        bursts.map(|(burst, delay)| burst.due(delay)).min()
    }

    #[cfg(test)]
    pub(super) fn folders(&self) -> BTreeSet<PathBuf> {
        self.folders.keys().cloned().collect()
    }

    #[cfg(test)]
    pub(super) fn is_idle(&self) -> bool {
        self.kernel.is_none() && self.folders.is_empty()
    }

    fn cover_root(&mut self, id: u64, selection: &Selection, root: &Path) -> Result<(), String> {
        let unreadable = |error| unreadable(root, &error);
        let is_link = fs::symlink_metadata(root).map_err(unreadable)?.is_symlink();
        // Who named a link means what it points at, now and when it is turned elsewhere.
        let is_folder = fs::metadata(root).map_err(unreadable)?.is_dir();
        if (is_link || !is_folder)
            && let Some(folder) = root.parent()
        {
            self.register(id, folder)?;
        }
        if is_folder { self.cover(id, selection, root) } else { Ok(()) }
    }

    /// After a root was removed or replaced: watches for its return, or what it is now.
    fn recover_root(&mut self, id: u64, selection: &Selection, root: &Path) -> Result<(), String> {
        if let Some(folder) = root.parent() {
            self.register(id, folder)?;
        }
        if fs::metadata(root).is_ok() { self.cover_root(id, selection, root) } else { Ok(()) }
    }

    /// Registers a folder with all below it that count.
    fn cover(&mut self, id: u64, selection: &Selection, top: &Path) -> Result<(), String> {
        let mut open = vec![top.to_owned()];
        while let Some(folder) = open.pop() {
            if !selection.enters(&folder) {
                continue;
            }
            // First registered, then read: what comes into it in between is not missed.
            match self.register(id, &folder).and_then(|()| sub_folders(&folder)) {
                Ok(found) => open.extend(found),
                // It went away while we walked, as in every build folder; or is not ours to read, below one that is.
                Err(_) if folder != top && fs::read_dir(&folder).is_err() => {}
                Err(problem) => return Err(problem),
            }
        }
        Ok(())
    }

    fn register(&mut self, id: u64, folder: &Path) -> Result<(), String> {
        if let Some(watchers) = self.folders.get_mut(folder) {
            watchers.insert(id);
            return Ok(());
        }
        let Some(kernel) = &mut self.kernel else { return Ok(()) };
        kernel
            .watcher
            .watch(folder, RecursiveMode::NonRecursive)
            .map_err(|error| explain(&folder.display().to_string(), &error))?;
        self.folders.insert(folder.to_owned(), BTreeSet::from([id]));
        Ok(())
    }
}

fn unwatch(kernel: Option<&mut Kernel>, folder: &Path) {
    if let Some(kernel) = kernel {
        // That it has gone by itself, with its folder, is no error.
        let _ = kernel.watcher.unwatch(folder);
    }
}

fn sub_folders(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder).map_err(|error| unreadable(folder, &error))?;
    let folders = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_ok_and(|found| found.is_dir()));
    Ok(folders.map(|entry| entry.path()).collect())
}

fn unreadable(path: &Path, error: &io::Error) -> String {
    format!("cannot watch {}: {error}", path.display())
}

fn explain(path: &str, error: &notify::Error) -> String {
    const TOO_MANY_OPEN: i32 = 24;
    match &error.kind {
        ErrorKind::MaxFilesWatch => format!(
            "cannot watch {path}: this user's limit of watched folders is reached; raise it (sysctl fs.inotify.max_user_watches) or ignore more folders (watch.ignore)"
        ),
        ErrorKind::Io(error) if error.raw_os_error() == Some(TOO_MANY_OPEN) => format!(
            "cannot watch {path}: this user's limit of inotify instances, or this process's of open files, is reached; raise it (sysctl fs.inotify.max_user_instances, ulimit -n)"
        ),
        ErrorKind::Io(error) => format!("cannot watch {path}: {error}"),
        kind => format!("cannot watch {path}: {kind:?}"),
    }
}
