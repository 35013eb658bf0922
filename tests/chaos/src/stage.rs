//! A supervisor in a process of its own, which can be killed, and its folder.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::Signal;
use supervisor::client::Client;
use supervisor::daemon::socket_path;
use supervisor::wire::{Info, LogType, Pairs, ProcessSpec};

use crate::census::{holders, marked, signal};
use crate::poll::eventually;
use crate::script::Manner;

/// The programs that are played with.
#[derive(Debug, Clone)]
pub struct Programs {
    /// This package's own program, which can be a supervisor.
    pub supervisor: PathBuf,
    /// Its worker.
    pub talker: PathBuf,
}

/// A worker as it was asked for.
#[derive(Debug, Clone)]
pub struct Worker {
    /// Its name and, behind a dash, its instance; also what it calls itself.
    pub key: String,
    /// How it talks.
    pub manner: Manner,
    /// Whether its log is JSON.
    pub json: bool,
    /// Its log.
    pub log: PathBuf,
}

/// One supervisor on one folder.
#[derive(Debug)]
pub struct Stage {
    dir: Option<tempfile::TempDir>,
    run_dir: PathBuf,
    programs: Programs,
    /// Talks to whichever supervisor lives.
    pub client: Client,
    child: Child,
    /// When the present supervisor was started.
    began: Instant,
}

impl Stage {
    /// Starts a supervisor on an empty folder.
    ///
    /// # Errors
    /// When the system refuses something or it does not answer.
    pub async fn start(programs: &Programs) -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("chaos").tempdir()?;
        let run_dir = dir.path().join("run");
        for folder in ["counts", "logs"] {
            std::fs::create_dir(dir.path().join(folder))?;
        }
        let client = Client::new(&socket_path(&run_dir))?;
        let began = Instant::now();
        let child = spawn(programs, &run_dir)?;
        let programs = programs.clone();
        let mut stage = Self { dir: Some(dir), run_dir, programs, client, child, began };
        stage.answers().await?;
        Ok(stage)
    }

    /// The folder of everything.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.run_dir.parent().unwrap_or(&self.run_dir)
    }

    /// The supervisor's folder.
    #[must_use]
    pub fn run_dir(&self) -> &Path {
        &self.run_dir
    }

    /// Where workers count their lines.
    #[must_use]
    pub fn counts(&self) -> PathBuf {
        self.root().join("counts")
    }

    /// `kill -9`, and the next one at once. Does not wait for that.
    ///
    /// # Errors
    /// When it had ended by itself, or no other can be started.
    pub fn replace_supervisor(&mut self) -> Result<()> {
        if let Some(ended) = self.child.try_wait()? {
            bail!("the supervisor ended by itself ({ended}): {}", self.last_words());
        }
        self.child.kill()?;
        self.child.wait()?;
        self.began = Instant::now();
        self.child = spawn(&self.programs, &self.run_dir)?;
        Ok(())
    }

    /// Waits until the present supervisor answers, and tells how long that took from its start.
    ///
    /// # Errors
    /// When it does not, or ended.
    pub async fn answers(&mut self) -> Result<(Duration, Info)> {
        let pid = self.child.id();
        let (client, child) = (&self.client, &mut self.child);
        let info = eventually("the supervisor answers", async || {
            if let Some(ended) = child.try_wait()? {
                return Ok(Err(ended));
            }
            let info = client.info().await?;
            ensure!(info.pid == pid, "another supervisor answers");
            Ok(Ok(info))
        });
        match info.await? {
            Ok(info) => Ok((self.began.elapsed(), info)),
            Err(ended) => bail!("the supervisor ended by itself ({ended}): {}", self.last_words()),
        }
    }

    fn last_words(&self) -> String {
        std::fs::read_to_string(words_path(&self.run_dir)).unwrap_or_default()
    }

    /// A worker whose log is in `folder`.
    #[must_use]
    pub fn worker(&self, key: &str, manner: Manner, json: bool, folder: &str) -> Worker {
        let log = self.root().join(folder).join(format!("{key}.log"));
        Worker { key: key.to_owned(), manner, json, log }
    }

    /// How to run a worker. It is never given up, however often it is killed.
    #[must_use]
    pub fn spec(&self, worker: &Worker) -> ProcessSpec {
        let (name, instance) = name_and_instance(&worker.key);
        let talker = self.programs.talker.display().to_string();
        let mut command = vec![talker, self.counts().display().to_string(), worker.key.clone()];
        command.extend(worker.manner.arguments());
        let mut spec = ProcessSpec::new(name, command, self.root().to_owned(), worker.log.clone());
        spec.instance = instance;
        spec.env = Pairs::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]);
        spec.log_type = if worker.json { LogType::Json } else { LogType::Raw };
        spec.log_max_bytes = 0;
        spec.kill_timeout_ms = 500;
        spec.restart.max_restarts = 100_000;
        spec.restart.max_crashes = 0;
        spec.restart.backoff_initial_ms = 20;
        spec.restart.backoff_cap_ms = 100;
        spec
    }

    /// Ends everything in good order, and checks that nothing is left.
    ///
    /// # Errors
    /// When something is.
    pub async fn close(mut self) -> Result<()> {
        let rows = self.client.rows().await?;
        let ids = rows.iter().map(|row| row.id).collect();
        let action = supervisor::wire::BatchAction::Delete;
        let batch = supervisor::wire::ActBatch { action, ids, force: true, settle_ms: 0 };
        self.client.act_batch(&batch).await?;
        let left = self.client.rows().await?;
        ensure!(left.is_empty(), "deleted, and still there: {left:?}");
        let alive = marked(&self.run_dir);
        ensure!(alive.is_empty(), "deleted, and still alive: {alive:?}");
        let request = supervisor::wire::ShutdownRequest { stop_processes: false };
        self.client.shutdown(&request).await?;
        self.child.wait()?;
        Ok(())
    }

    /// Leaves the folder where it is, for whoever looks for a reason.
    #[must_use]
    pub fn keep(&mut self) -> PathBuf {
        let root = self.root().to_owned();
        self.dir.take().map_or(root, tempfile::TempDir::keep)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let marked = marked(&self.run_dir).into_iter().map(|process| process.pid);
        for pid in marked.chain(holders(&self.run_dir)) {
            signal(pid, Signal::KILL);
        }
    }
}

/// `web-3` is instance 3 of `web`.
#[must_use]
pub fn name_and_instance(key: &str) -> (&str, u32) {
    let parts = key.rsplit_once('-').and_then(|(name, n)| Some((name, n.parse().ok()?)));
    parts.unwrap_or((key, 0))
}

fn spawn(programs: &Programs, run_dir: &Path) -> Result<Child> {
    let words = std::fs::File::options().append(true).create(true).open(words_path(run_dir))?;
    let mut command = Command::new(&programs.supervisor);
    command.arg("supervise").arg(run_dir);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(words);
    command.spawn().with_context(|| format!("cannot run {}", programs.supervisor.display()))
}

/// What supervisors say on standard error.
fn words_path(run_dir: &Path) -> PathBuf {
    run_dir.with_file_name("supervisor.err")
}
