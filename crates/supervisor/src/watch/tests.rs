use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::atomic::AtomicU32;

use tempfile::TempDir;

use super::*;
use crate::poll::eventually;

/// Counts calls.
#[derive(Clone, Default)]
struct Calls(Arc<AtomicU32>);

impl Calls {
    fn count(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }

    fn note(&self) -> impl Fn() + Send + Sync + 'static {
        let calls = Arc::clone(&self.0);
        move || {
            calls.fetch_add(1, Ordering::SeqCst);
        }
    }

    async fn more_than(&self, before: u32) -> u32 {
        let changed = async || Some(self.count()).filter(|count| *count > before);
        eventually("a change to be reported", changed).await
    }
}

fn files(paths: &[&Path], ignore: &[&str], delay_ms: u64) -> WatchFiles {
    WatchFiles {
        paths: paths.iter().map(|path| path.to_path_buf()).collect(),
        ignore: ignore.iter().map(|text| (*text).to_owned()).collect(),
        delay_ms,
    }
}

/// A watched folder, and a second one whose changes show how far the thread is.
struct Bench {
    watchers: Watchers,
    folder: TempDir,
    marks: TempDir,
    marked: Calls,
    _marker: FileWatcher,
}

impl Bench {
    fn new() -> Self {
        let watchers = Watchers::default();
        let (folder, marks) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let marked = Calls::default();
        let marker = watchers.start(&files(&[marks.path()], &[], 0), marked.note()).unwrap();
        Self { watchers, folder, marks, marked, _marker: marker }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn watch(&self, paths: &[&Path], ignore: &[&str]) -> (Calls, FileWatcher) {
        let calls = Calls::default();
        let watcher = self.watchers.start(&files(paths, ignore, 0), calls.note()).unwrap();
        (calls, watcher)
    }

    fn folders(&self) -> BTreeSet<PathBuf> {
        let mut folders = lock(&self.watchers.registry).folders();
        folders.remove(self.marks.path());
        folders
    }

    /// Waits until everything that happened so far is looked at and reported: changes come in their order, and the
    /// second mark is only taken after the calls that came with the first.
    async fn settled(&self) {
        for _ in 0..2 {
            let before = self.marked.count();
            fs::write(self.marks.path().join("mark"), before.to_string()).unwrap();
            self.marked.more_than(before).await;
        }
    }

    /// Whether `act` is reported.
    async fn is_reported(&self, calls: &Calls, act: impl FnOnce()) -> bool {
        self.settled().await;
        let before = calls.count();
        act();
        self.settled().await;
        calls.count() > before
    }
}

#[tokio::test]
async fn what_changes_files_is_reported_and_what_does_not_is_not() {
    let bench = Bench::new();
    let (main, sub) = (bench.path("main.js"), bench.path("sub"));
    fs::write(&main, "1").unwrap();
    fs::create_dir(&sub).unwrap();
    let (calls, _watcher) = bench.watch(&[bench.folder.path()], &[]);
    let read = || drop(fs::read(&main).unwrap());
    assert!(!bench.is_reported(&calls, read).await, "read");
    let list = || assert_eq!(fs::read_dir(&sub).unwrap().count(), 0);
    assert!(!bench.is_reported(&calls, list).await, "listed");
    let mode = || fs::set_permissions(&main, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(!bench.is_reported(&calls, mode).await, "permissions");
    assert!(bench.is_reported(&calls, || fs::write(&main, "2").unwrap()).await, "written");
    let create = || fs::write(sub.join("new"), "").unwrap();
    assert!(bench.is_reported(&calls, create).await, "created below");
    let rename = || fs::rename(sub.join("new"), sub.join("other")).unwrap();
    assert!(bench.is_reported(&calls, rename).await, "renamed");
    let remove = || fs::remove_file(sub.join("other")).unwrap();
    assert!(bench.is_reported(&calls, remove).await, "removed");
}

#[tokio::test]
async fn new_folders_are_watched_and_ignored_ones_are_not_even_registered() {
    let bench = Bench::new();
    fs::create_dir_all(bench.path("node_modules/a/b")).unwrap();
    fs::create_dir_all(bench.path("src/lib")).unwrap();
    let (calls, _watcher) = bench.watch(&[bench.folder.path()], &["node_modules", r"/\."]);
    let expected = [bench.path(""), bench.path("src"), bench.path("src/lib")];
    let expected = expected.map(|path| path.components().collect::<PathBuf>());
    assert_eq!(bench.folders(), BTreeSet::from(expected));

    let new = bench.path("src/new/deep");
    assert!(bench.is_reported(&calls, || fs::create_dir_all(&new).unwrap()).await);
    assert!(bench.is_reported(&calls, || fs::write(new.join("x"), "x").unwrap()).await);
    let hidden = bench.path(".cache/deep");
    assert!(!bench.is_reported(&calls, || fs::create_dir_all(&hidden).unwrap()).await);
    let ignored = || fs::write(bench.path("node_modules/a/b/c"), "x").unwrap();
    assert!(!bench.is_reported(&calls, ignored).await);
    assert!(bench.folders().contains(&new));
    assert!(!bench.folders().iter().any(|folder| folder.starts_with(bench.path(".cache"))));
}

#[tokio::test]
async fn a_folder_that_was_moved_away_is_forgotten_and_watched_again_when_it_is_back() {
    let bench = Bench::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let (sub, deep) = (bench.path("sub"), bench.path("sub/deep"));
    fs::create_dir_all(&deep).unwrap();
    let (calls, _watcher) = bench.watch(&[bench.folder.path()], &[]);
    let moved = elsewhere.path().join("sub");
    assert!(bench.is_reported(&calls, || fs::rename(&sub, &moved).unwrap()).await);
    assert_eq!(bench.folders().len(), 1);
    assert!(!bench.is_reported(&calls, || fs::write(moved.join("deep/x"), "x").unwrap()).await);
    assert!(bench.is_reported(&calls, || fs::rename(&moved, &sub).unwrap()).await);
    assert!(bench.is_reported(&calls, || fs::write(deep.join("y"), "y").unwrap()).await);
}

#[tokio::test]
async fn a_root_is_watched_again_when_it_is_built_anew() {
    let bench = Bench::new();
    let dist = bench.path("dist");
    fs::create_dir(&dist).unwrap();
    let (calls, _watcher) = bench.watch(&[&dist], &[]);
    assert!(!bench.is_reported(&calls, || fs::write(bench.path("other"), "x").unwrap()).await);
    assert!(bench.is_reported(&calls, || fs::remove_dir(&dist).unwrap()).await);
    assert!(bench.is_reported(&calls, || fs::create_dir(&dist).unwrap()).await);
    assert!(bench.is_reported(&calls, || fs::write(dist.join("x"), "x").unwrap()).await);
}

#[tokio::test]
async fn a_single_file_is_watched_through_replacement_and_its_neighbours_are_not() {
    let bench = Bench::new();
    let (settings, draft) = (bench.path("settings"), bench.path("settings.tmp"));
    fs::write(&settings, "1").unwrap();
    let (calls, _watcher) = bench.watch(&[&settings], &[]);
    for content in ["2", "3"] {
        assert!(!bench.is_reported(&calls, || fs::write(&draft, content).unwrap()).await);
        assert!(bench.is_reported(&calls, || fs::rename(&draft, &settings).unwrap()).await);
    }
    assert!(bench.is_reported(&calls, || fs::write(&settings, "4").unwrap()).await);
}

#[tokio::test]
async fn a_link_in_a_folder_is_not_followed_but_one_that_was_named_is() {
    let bench = Bench::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let (one, two) = (elsewhere.path().join("one"), elsewhere.path().join("two"));
    fs::create_dir(&one).unwrap();
    fs::create_dir(&two).unwrap();
    symlink(&one, bench.path("link")).unwrap();
    let (calls, watcher) = bench.watch(&[bench.folder.path()], &[]);
    assert!(!bench.is_reported(&calls, || fs::write(one.join("x"), "1").unwrap()).await);
    drop(watcher);

    let (calls, _watcher) = bench.watch(&[&bench.path("link")], &[]);
    assert!(bench.is_reported(&calls, || fs::write(one.join("x"), "2").unwrap()).await);
    symlink(&two, bench.path("next")).unwrap();
    let turn = || fs::rename(bench.path("next"), bench.path("link")).unwrap();
    assert!(bench.is_reported(&calls, turn).await, "turned elsewhere, as a deployment does");
    assert!(bench.is_reported(&calls, || fs::write(two.join("x"), "3").unwrap()).await);
    assert!(!bench.is_reported(&calls, || fs::write(one.join("x"), "4").unwrap()).await);
}

#[tokio::test]
async fn a_burst_is_one_change_and_endless_bursts_are_reported_now_and_then() {
    let bench = Bench::new();
    let calls = Calls::default();
    // So long a delay that a burst of writes fits into it on any machine; due after ten of them at the latest.
    let slow = files(&[bench.folder.path()], &[], 1000);
    let _watcher = bench.watchers.start(&slow, calls.note()).unwrap();
    let begun = Instant::now();
    for content in 0..100 {
        fs::write(bench.path("x"), content.to_string()).unwrap();
    }
    assert_eq!(calls.more_than(0).await, 1);
    assert!(begun.elapsed() >= Duration::from_secs(1));
    bench.settled().await;
    assert_eq!(calls.count(), 1);

    let restless = Calls::default();
    let quick = files(&[bench.folder.path()], &[], 20);
    let _watcher = bench.watchers.start(&quick, restless.note()).unwrap();
    eventually("a report although it is never quiet", async || {
        fs::write(bench.path("x"), restless.count().to_string()).unwrap();
        (restless.count() > 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn two_processes_share_a_folder_and_the_last_one_frees_it() {
    let bench = Bench::new();
    let (first_calls, first) = bench.watch(&[bench.folder.path()], &[]);
    let (second_calls, second) = bench.watch(&[bench.folder.path()], &["private"]);
    assert!(bench.is_reported(&second_calls, || fs::write(bench.path("x"), "x").unwrap()).await);
    assert!(first_calls.count() > 0);
    drop(first);
    let before = first_calls.count();
    assert!(bench.is_reported(&second_calls, || fs::write(bench.path("x"), "y").unwrap()).await);
    assert_eq!(first_calls.count(), before);
    let private = || fs::write(bench.path("private"), "x").unwrap();
    assert!(!bench.is_reported(&second_calls, private).await);
    drop(second);
    let freed = async || bench.folders().is_empty().then_some(());
    eventually("the folder to be given up", freed).await;
}

#[tokio::test]
async fn without_a_watcher_there_is_neither_a_registration_nor_a_kernel_instance() {
    let watchers = Watchers::default();
    let folder = tempfile::tempdir().unwrap();
    let watcher = watchers.start(&files(&[folder.path()], &[], 0), || {}).unwrap();
    assert!(!lock(&watchers.registry).is_idle());
    drop(watcher);
    let idle = async || lock(&watchers.registry).is_idle().then_some(());
    eventually("everything to be given back", idle).await;
    let calls = Calls::default();
    let _again = watchers.start(&files(&[folder.path()], &[], 0), calls.note()).unwrap();
    fs::write(folder.path().join("x"), "x").unwrap();
    calls.more_than(0).await;
}

#[tokio::test]
async fn after_lost_changes_everything_counts_as_changed_and_all_is_registered_anew() {
    let bench = Bench::new();
    let (calls, watcher) = bench.watch(&[bench.folder.path()], &[]);
    bench.settled().await;
    let before = calls.count();
    fs::create_dir(bench.path("sub")).unwrap();
    watcher.feed.lost.store(true, Ordering::Release);
    watcher.feed.wake();
    calls.more_than(before).await;
    assert!(bench.is_reported(&calls, || fs::write(bench.path("sub/x"), "x").unwrap()).await);
}

#[test]
fn what_cannot_be_watched_is_named_and_nothing_of_it_remains() {
    let watchers = Watchers::default();
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let problem = watchers.start(&files(&[folder.path(), &missing], &[], 0), || {}).unwrap_err();
    assert!(problem.starts_with(&format!("cannot watch {}: ", missing.display())), "{problem}");
    assert!(lock(&watchers.registry).is_idle());
    let problem = watchers.start(&files(&[folder.path()], &["("], 0), || {}).unwrap_err();
    assert!(problem.contains("no regular expression"), "{problem}");
}
