//! The crash test: `kill -9` of the supervisor again and again, under many workers that log constantly.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use rustix::process::Signal;
use supervisor::wire::{ActBatch, BatchAction, BatchResult, StartBatch, WhenRunning};

use crate::actions::{Deed, Requests};
use crate::census::{marked, signal};
use crate::invariants::{self, Cast, Part, Promise};
use crate::poll::pause;
use crate::report::Report;
use crate::script::Manner;
use crate::stage::{Programs, Stage};

/// Of ten workers so many are left alone; one is killed now and then, one is started, stopped and restarted.
const LEFT_ALONE: u32 = 8;

/// How much is asked of the supervisor.
#[derive(Debug, Clone, Copy)]
pub struct Crash {
    /// How many workers.
    pub workers: u32,
    /// How many kills of the supervisor.
    pub kills: u32,
    /// What the dice begin with.
    pub seed: u64,
}

/// Carries it out.
///
/// # Errors
/// A promise of the supervisor's that did not hold, with the folder where all that is left lies.
pub async fn crash(programs: &Programs, test: &Crash) -> Result<Report> {
    let began = Instant::now();
    let mut stage = Stage::start(programs).await?;
    let mut report = Report::default();
    let outcome = carry_out(&mut stage, test, &mut report).await;
    report.took = began.elapsed();
    match outcome {
        Ok(()) => stage.close().await.map(|()| report),
        Err(error) => Err(error).with_context(|| {
            let folder = stage.keep();
            format!("seed {}, {report}; what is left is in {}", test.seed, folder.display())
        }),
    }
}

async fn carry_out(stage: &mut Stage, test: &Crash, report: &mut Report) -> Result<()> {
    let mut dice = StdRng::seed_from_u64(test.seed);
    let mut cast = start_all(stage, test.workers).await?;
    let left_alone = cast.values().filter(|part| part.pid.is_some()).count();
    let mut requests = Requests::default();
    for kill in 0..test.kills {
        stage.replace_supervisor()?;
        report.supervisor_kills += 1;
        // Some are killed while they take over, and do not get to answer.
        if dice.random_bool(0.5) && kill + 1 < test.kills {
            pause(Duration::from_millis(dice.random_range(0..100))).await;
            continue;
        }
        let (took, info) = stage.answers().await?;
        report.adoptions.push(took);
        ensure!(info.adopted >= left_alone, "{} adopted of {left_alone}", info.adopted);
        requests.take(&mut cast, false).await?;
        meddle(stage, &cast, &mut requests, &mut dice);
        report.worker_kills += kill_some(stage, &mut dice);
        pause(Duration::from_millis(dice.random_range(0..60))).await;
    }
    stage.answers().await?;
    requests.take(&mut cast, true).await?;
    report.requests = requests.made;
    invariants::processes(stage, &mut cast).await?;
    stop_all(stage).await?;
    let found = invariants::logs(stage, &cast).await?;
    (report.lines, report.repeated) = (found.lines, found.repeated);
    Ok(())
}

async fn start_all(stage: &Stage, workers: u32) -> Result<Cast> {
    let mut cast = Cast::new();
    for number in 0..workers {
        let part = match number % 10 {
            kind if kind < LEFT_ALONE => "steady",
            LEFT_ALONE => "victim",
            _ => "busy",
        };
        let bursts = number % 7 == 0;
        let manner = Manner {
            pause_ms: if bursts { 500 } else { 50 },
            burst: if bursts { 20 } else { 1 },
            long_every: if number % 11 == 0 { 30 } else { 0 },
            child: number % 5 == 4,
        };
        let worker = stage.worker(&format!("{part}{number}"), manner, number % 13 == 0, "logs");
        let part = Part { worker, promise: Promise::Runs, pid: None };
        cast.insert(part.worker.key.clone(), part);
    }
    let batch = StartBatch {
        base_env: supervisor::spec::Env::new(),
        specs: cast.values().map(|part| stage.spec(&part.worker)).collect(),
        running: WhenRunning::Refuse,
        start: true,
        always_new: false,
        settle_ms: 0,
    };
    let answer = stage.client.start_batch(&batch).await?;
    for (part, result) in cast.values_mut().zip(answer.results) {
        match result {
            BatchResult::Done(row) if part.worker.key.starts_with("steady") => part.pid = row.pid,
            BatchResult::Done(_) => {}
            BatchResult::Failed(body) => anyhow::bail!("{}: {}", part.worker.key, body.message),
        }
    }
    Ok(cast)
}

/// Asks something for some of the busy ones.
fn meddle(stage: &Stage, cast: &Cast, requests: &mut Requests, dice: &mut StdRng) {
    let idle: Vec<&Part> = cast
        .values()
        .filter(|part| part.worker.key.starts_with("busy") && !requests.concern(&part.worker.key))
        .collect();
    for part in idle.sample(dice, 5) {
        let deed = Deed::ALL[dice.random_range(0..Deed::ALL.len())];
        let (key, spec) = (part.worker.key.clone(), stage.spec(&part.worker));
        requests.ask(&stage.client, deed, key, spec);
    }
}

/// Kills some of the victims.
fn kill_some(stage: &Stage, dice: &mut StdRng) -> u32 {
    let counts = crate::counts::read(&stage.counts()).unwrap_or_default();
    let known: Vec<&String> = counts.keys().filter(|name| name.starts_with("victim")).collect();
    let alive = marked(stage.run_dir());
    let victims: Vec<u32> = alive
        .iter()
        .filter(|process| process.leads)
        .map(|process| process.pid)
        .filter(|pid| {
            let line = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            known.iter().any(|name| line.split('\0').any(|word| word == name.as_str()))
        })
        .collect();
    let chosen: Vec<u32> = victims.sample(dice, 2).copied().collect();
    chosen.iter().for_each(|pid| signal(*pid, Signal::KILL));
    u32::try_from(chosen.len()).unwrap_or(u32::MAX)
}

async fn stop_all(stage: &Stage) -> Result<()> {
    let ids = stage.client.rows().await?.iter().map(|row| row.id).collect();
    let batch = ActBatch { action: BatchAction::Stop, ids, force: false, settle_ms: 0 };
    stage.client.act_batch(&batch).await?;
    let alive = marked(stage.run_dir());
    ensure!(alive.is_empty(), "stopped, and still alive: {alive:?}");
    Ok(())
}
