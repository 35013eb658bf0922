//! A pump, FIFOs as a process has them, and the files that come of it.

mod crash;
mod rotating;
mod sharing;
mod trouble;
mod whole;

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::fifo::open_fifo;
use super::*;
use crate::pulse::{Listener, Pulse};
use crate::spec::{LogType, ProcessSpec};

const DEADLINE: Duration = Duration::from_secs(20);

struct Rig {
    dir: tempfile::TempDir,
    pump: LogPump,
}

/// A process's side.
struct Writer {
    attachment: Attachment,
    out: File,
    error: Option<File>,
    pulse: Listener,
}

impl Rig {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), pump: LogPump::start().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn spec(&self, change: impl FnOnce(&mut ProcessSpec)) -> ProcessSpec {
        let dir = self.dir.path().to_owned();
        let mut spec = ProcessSpec::new("app", vec!["true".to_owned()], dir, self.path("a.log"));
        change(&mut spec);
        spec
    }

    fn attach(&self, id: u32, spec: &ProcessSpec) -> Writer {
        let plan = LogPlan::of(id, spec);
        let mut sources = Vec::new();
        let mut open = |origin, name: String| {
            let path = self.path(&name);
            let fifo = open_fifo(&path).unwrap();
            let childs = File::options().read(true).write(true).open(&path).unwrap();
            sources.push(Source { origin, fifo, path });
            childs
        };
        let out = open(Origin::Out, format!("{id}.out"));
        let apart = spec.error_file.as_ref().is_some_and(|path| *path != spec.out_file);
        let error = apart.then(|| open(Origin::Error, format!("{id}.err")));
        let pulse = Pulse::default();
        let attachment = self.pump.attach(plan, sources, pulse.clone()).unwrap();
        Writer { attachment, out, error, pulse: pulse.listen() }
    }
}

impl Writer {
    fn say(&mut self, bytes: impl AsRef<[u8]>) {
        self.out.write_all(bytes.as_ref()).unwrap();
    }

    fn complain(&mut self, bytes: impl AsRef<[u8]>) {
        self.error.as_mut().unwrap().write_all(bytes.as_ref()).unwrap();
    }

    /// Waits until something holds; it is looked at again whenever output was moved, and now and then.
    async fn until(&mut self, what: &str, holds: impl Fn() -> bool) {
        let deadline = Instant::now() + DEADLINE;
        while !holds() {
            assert!(Instant::now() < deadline, "{what}");
            let moved = self.pulse.more();
            let _ = tokio::time::timeout(Duration::from_millis(20), moved).await;
        }
    }

    async fn until_file_is(&mut self, path: &Path, text: &str) {
        let what = format!("{} becomes {text:?}", path.display());
        self.until(&what, || read(path) == text).await;
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn lines(path: &Path) -> Vec<String> {
    read(path).lines().map(str::to_owned).collect()
}

/// The messages of a file with JSON lines, each of which must be one object.
fn messages(path: &Path) -> Vec<String> {
    let parse = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap();
    let message = |object: serde_json::Value| object["message"].as_str().unwrap().to_owned();
    read(path).lines().map(parse).map(message).collect()
}
