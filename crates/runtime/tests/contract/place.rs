//! Where a case is tried out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use runtime::{ObservedState, ObservedWorker, Runtime, WorkerLaunch};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

/// A runtime of its own, in a folder of its own. Dropping it ends everything in it.
pub trait Place {
    /// The runtime.
    fn runtime(&self) -> &dyn Runtime;

    /// The folder.
    fn dir(&self) -> &Path;

    /// Starts a process that is no worker, by other means than the runtime.
    async fn start_foreign(&self, name: &str);

    /// Whether the runtime itself puts a variable of this name into a worker's environment.
    fn is_own_variable(&self, variable: &str) -> bool;

    /// A worker that runs a shell script.
    fn launch(&self, name: &str, script: &str) -> WorkerLaunch {
        WorkerLaunch {
            name: name.to_owned(),
            tenant: format!("tenant-{name}"),
            generation: 3,
            command: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
            env: BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]),
            secret_env: BTreeSet::new(),
            cwd: self.dir().to_owned(),
            log_path: self.dir().join(format!("{name}.log")),
            final_exits: BTreeMap::new(),
            kill_timeout: Duration::from_secs(5),
        }
    }
}

/// The pid of a worker that runs.
pub fn pid(worker: &ObservedWorker) -> u32 {
    match worker.state {
        ObservedState::Running { pid, .. } => pid,
        ref other => panic!("{} is {other:?}", worker.name),
    }
}

fn raw(pid: u32) -> Pid {
    Pid::from_raw(i32::try_from(pid).unwrap()).unwrap()
}

/// Whether the process lives; a zombie does not.
pub fn lives(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    test_kill_process(raw(pid)).is_ok() && !stat.contains(") Z")
}

/// `kill -9`.
pub fn kill(pid: u32) {
    let _ = kill_process(raw(pid), Signal::KILL);
}
