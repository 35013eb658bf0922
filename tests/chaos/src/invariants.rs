//! What must hold whatever happens.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use supervisor::wire::{Desired, Phase, ProcessView};

use crate::census::{Marked, marked};
use crate::counts::{self, Counts};
use crate::logs::{Claim, Found};
use crate::poll::eventually;
use crate::stage::{Stage, Worker};

/// What a worker is meant to do, as far as answers of the supervisor have promised it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Promise {
    /// To run.
    Runs,
    /// Not to run.
    Rests,
    /// Not to be known.
    Gone,
    /// The answer was lost with a supervisor: what was asked may have happened or not.
    Unclear,
}

/// A worker and what is known of it.
#[derive(Debug, Clone)]
pub struct Part {
    /// How it was asked for.
    pub worker: Worker,
    /// What it is meant to do.
    pub promise: Promise,
    /// The pid of one that nobody has touched. It must keep it.
    pub pid: Option<u32>,
}

/// All workers by key.
pub type Cast = BTreeMap<String, Part>;

/// Checks the processes: none is doubled, forgotten, dead that should live, or alive that should not. What was unclear is
/// clear then.
///
/// # Errors
/// What does not hold, in words; what may take a moment, only when it did not come to hold.
pub async fn processes(stage: &Stage, cast: &mut Cast) -> Result<()> {
    nobody_is_doubled(stage)?;
    let known = eventually("the processes are as they should be", async || {
        let known = stage.client.list(&[]).await?;
        let alive = marked(stage.run_dir());
        agree(&known, &alive)?;
        Ok(known)
    });
    let known: BTreeMap<String, ProcessView> =
        known.await?.into_iter().map(|view| (key(&view), view)).collect();
    nobody_is_doubled(stage)?;
    for (key, part) in cast.iter_mut() {
        let view = known.get(key);
        let found = match view.map(|view| view.desired) {
            None => Promise::Gone,
            Some(Desired::Running) => Promise::Runs,
            Some(Desired::Stopped) => Promise::Rests,
        };
        let promised = std::mem::replace(&mut part.promise, found);
        ensure!(
            promised == found || promised == Promise::Unclear,
            "{key}: {promised:?} was promised, but {found:?} is what is: {view:?}"
        );
        if let Some(pid) = part.pid {
            let now = view.map(|view| (view.pid, view.incarnation));
            ensure!(now == Some((Some(pid), 1)), "{key} was not touched, but pid {pid} is {now:?}");
        }
    }
    let strange = known.keys().find(|key| !cast.contains_key(*key));
    strange.map_or(Ok(()), |key| Err(anyhow!("nobody has asked for {key}")))
}

/// A process's name and, where it is not the first of that name, its instance.
fn key(view: &ProcessView) -> String {
    match view.instance {
        0 => view.name.clone(),
        instance => format!("{}-{instance}", view.name),
    }
}

/// What is known and what lives must be the same.
fn agree(known: &[ProcessView], alive: &[Marked]) -> Result<()> {
    let ids: BTreeSet<u32> = known.iter().map(|view| view.id).collect();
    if let Some(orphan) = alive.iter().find(|process| !ids.contains(&process.id)) {
        bail!("nobody knows of {orphan:?}");
    }
    for view in known {
        let tree: Vec<&Marked> = alive.iter().filter(|process| process.id == view.id).collect();
        let name = key(view);
        if view.desired == Desired::Stopped {
            ensure!(view.state == Phase::Stopped, "{name} should rest, but is {:?}", view.state);
            ensure!(tree.is_empty(), "{name} rests, but lives: {tree:?}");
            continue;
        }
        let reason = view.reason.as_deref().unwrap_or_default();
        ensure!(view.state == Phase::Online, "{name} should run: {:?} {reason}", view.state);
        let main: Vec<u32> = tree.iter().filter(|one| one.leads).map(|one| one.pid).collect();
        ensure!(main == Vec::from_iter(view.pid), "{name} is {:?}, but {main:?} live", view.pid);
        let old = tree.iter().find(|one| one.incarnation != view.incarnation);
        ensure!(old.is_none(), "{name} is at run {}, but {old:?} lives", view.incarnation);
    }
    Ok(())
}

fn nobody_is_doubled(stage: &Stage) -> Result<()> {
    for entry in std::fs::read_dir(stage.counts())?.flatten() {
        if entry.path().extension().is_some_and(|extension| extension == "doubled") {
            bail!("{}", std::fs::read_to_string(entry.path())?.trim_end());
        }
    }
    // One that was seen may end before another is seen in its place: only who is still there at a second look counts.
    let first = mains(stage.run_dir());
    let second = mains(stage.run_dir());
    for (id, pids) in first {
        let still: Vec<u32> = pids
            .into_iter()
            .filter(|pid| second.get(&id).is_some_and(|now| now.contains(pid)))
            .collect();
        ensure!(still.len() < 2, "process {id} is doubled: {still:?}");
    }
    Ok(())
}

fn mains(run_dir: &Path) -> BTreeMap<u32, Vec<u32>> {
    let mut mains: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for process in marked(run_dir).into_iter().filter(|process| process.leads) {
        mains.entry(process.id).or_default().push(process.pid);
    }
    mains
}

/// Checks the logs of all: everything that was written before this call is there, in order and once.
///
/// # Errors
/// What is wrong with which log, when it has not come right in time.
pub async fn logs(stage: &Stage, cast: &Cast) -> Result<Found> {
    let before = counts::read(&stage.counts())?;
    let mut left: Vec<&Part> = cast.values().collect();
    let mut total = Found::default();
    eventually("the logs are whole", async || {
        let logs: Vec<(&Part, String)> =
            left.iter().map(|part| Ok((*part, read(&part.worker.log)?))).collect::<Result<_>>()?;
        let after = counts::read(&stage.counts())?;
        let mut wrong = Vec::new();
        left.clear();
        for (part, log) in logs {
            match check(&part.worker, &log, &before, &after) {
                Ok(found) => {
                    total.lines += found.lines;
                    total.repeated += found.repeated;
                }
                Err(problem) => {
                    left.push(part);
                    wrong.push(problem);
                }
            }
        }
        ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
        Ok(())
    })
    .await?;
    Ok(total)
}

fn check(
    worker: &Worker,
    log: &str,
    before: &BTreeMap<String, Counts>,
    after: &BTreeMap<String, Counts>,
) -> Result<Found, String> {
    let none = Counts::new();
    let claim = Claim {
        name: &worker.key,
        long_every: worker.manner.long_every,
        json: worker.json,
        before: before.get(&worker.key).unwrap_or(&none),
        after: after.get(&worker.key).unwrap_or(&none),
    };
    claim.check(log)
}

fn read(log: &Path) -> Result<String> {
    match std::fs::read(log) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", log.display())),
    }
}
