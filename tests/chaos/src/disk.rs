//! A disk that is full, and has room again later.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, ensure};
use supervisor::wire::{ActBatch, BatchAction, CreateRequest, ProcessView};

use crate::counts;
use crate::invariants::{Cast, Part, Promise, logs};
use crate::logs::Found;
use crate::poll::eventually;
use crate::script::Manner;
use crate::stage::{Stage, Worker};

/// Fast, and with lines that fill the pipe at once.
const FLOOD: Manner = Manner { pause_ms: 5, burst: 20, long_every: 50, child: false };

/// A folder that takes little. A file system of its own where we may mount one; else each log is a link to `/dev/full`,
/// which refuses everything.
#[derive(Debug)]
struct SmallDisk {
    folder: PathBuf,
    mounted: bool,
}

impl SmallDisk {
    fn make(folder: PathBuf) -> Result<Self> {
        fs::create_dir(&folder)?;
        let mounted = mount(&folder, "size=512k");
        Ok(Self { folder, mounted })
    }

    fn prepare(&self, log: &Path) -> Result<()> {
        if !self.mounted {
            symlink("/dev/full", log)?;
        }
        Ok(())
    }

    /// Makes room.
    fn enlarge(&self, workers: &[&Worker]) -> Result<()> {
        if self.mounted {
            ensure!(mount(&self.folder, "remount,size=64m"), "the small disk cannot be enlarged");
            return Ok(());
        }
        for worker in workers {
            fs::remove_file(&worker.log)?;
            fs::write(&worker.log, "")?;
        }
        Ok(())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        if self.mounted {
            let _ = Command::new("umount").arg("-l").arg(&self.folder).status();
        }
    }
}

fn mount(folder: &Path, options: &str) -> bool {
    let mut command = Command::new("mount");
    command.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(folder);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Workers write until the disk is full and their pipes too; the supervisor is killed, and there is room again. Nothing
/// is lost and nobody has ended.
///
/// # Errors
/// What was lost, or who has ended.
pub async fn full_disk(stage: &mut Stage, round: usize) -> Result<Found> {
    let folder = format!("disk{round}");
    let disk = SmallDisk::make(stage.root().join(&folder))?;
    let mut cast = Cast::new();
    for (kind, json) in [("raw", false), ("json", true)] {
        let worker = stage.worker(&format!("flood{round}{kind}"), FLOOD, json, &folder);
        disk.prepare(&worker.log)?;
        let request = CreateRequest { spec: stage.spec(&worker), settle_ms: 0 };
        let pid = stage.client.create(&request).await?.pid;
        let part = Part { worker, promise: Promise::Runs, pid };
        cast.insert(part.worker.key.clone(), part);
    }
    let outcome = fill_and_empty(stage, &disk, &cast).await;
    if outcome.is_err() {
        for part in cast.values() {
            let _ =
                fs::copy(&part.worker.log, stage.root().join(format!("{}.log", part.worker.key)));
        }
    }
    outcome
}

async fn fill_and_empty(stage: &mut Stage, disk: &SmallDisk, cast: &Cast) -> Result<Found> {
    trouble(stage, cast, true).await?;
    stage.replace_supervisor()?;
    stage.answers().await?;
    trouble(stage, cast, true).await?;
    everybody_waits(stage).await?;
    let workers: Vec<&Worker> = cast.values().map(|part| &part.worker).collect();
    disk.enlarge(&workers)?;
    let views = views(stage, cast).await?;
    let ids: Vec<u32> = views.iter().map(|view| view.id).collect();
    if !disk.mounted {
        let action = BatchAction::ReopenLogs;
        let batch = ActBatch { action, ids: ids.clone(), force: false, settle_ms: 0 };
        stage.client.act_batch(&batch).await?;
    }
    trouble(stage, cast, false).await?;
    logs(stage, cast).await?;
    let batch = ActBatch { action: BatchAction::Delete, ids, force: false, settle_ms: 0 };
    stage.client.act_batch(&batch).await?;
    logs(stage, cast).await
}

/// Until all of these have trouble with their log, or none. They live all the time, and nothing is lost.
async fn trouble(stage: &Stage, cast: &Cast, wanted: bool) -> Result<()> {
    eventually("the logs are in trouble, or not any more", async || {
        for view in views(stage, cast).await? {
            let troubled = &view.log_trouble;
            ensure!(troubled.is_some() == wanted, "{}: {troubled:?}", view.name);
        }
        Ok(())
    })
    .await
}

async fn views(stage: &Stage, cast: &Cast) -> Result<Vec<ProcessView>> {
    let mut views = Vec::new();
    for (key, part) in cast {
        let view = stage.client.get(key, false).await?;
        ensure!(view.pid == part.pid, "{key} was {:?}, now {:?}", part.pid, view.pid);
        ensure!(view.log_bytes_lost == 0, "{key} has lost {} bytes", view.log_bytes_lost);
        views.push(view);
    }
    Ok(views)
}

/// Until nobody has written for a moment: the pipes are full.
async fn everybody_waits(stage: &Stage) -> Result<()> {
    let flooding = |folder: &Path| -> Result<Vec<counts::Counts>> {
        let all = counts::read(folder)?;
        Ok(all.into_iter().filter(|(name, _)| name.starts_with("flood")).map(|(_, n)| n).collect())
    };
    let mut last = flooding(&stage.counts())?;
    let mut same = 0;
    eventually("the pipes are full", async || {
        let now = flooding(&stage.counts())?;
        same = if now == last { same + 1 } else { 0 };
        last = now;
        ensure!(same >= 10, "they still write");
        Ok(())
    })
    .await
}
