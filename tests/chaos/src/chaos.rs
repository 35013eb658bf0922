//! The chaos test: misfortunes in an order that a seed decides.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use rustix::process::Signal;
use supervisor::wire::CreateRequest;

use crate::actions::{Deed, Requests};
use crate::census::{holders, marked, outputs, pipes_of, signal};
use crate::disk::full_disk;
use crate::invariants::{self, Cast, Part, Promise};
use crate::poll::{eventually, pause};
use crate::report::Report;
use crate::script::Manner;
use crate::stage::{Programs, Stage};

/// Workers that are not touched, so that it shows when they are.
const LEFT_ALONE: u32 = 4;
/// Workers to which everything may happen.
const TOUCHED: u32 = 16;
/// Misfortunes between two checks.
const BURST: usize = 25;
/// The last misfortunes that are told of after a failure.
const REMEMBERED: usize = 40;
/// There is a full disk after so many bursts.
const DISK_EVERY: usize = 3;

/// A supervisor and what befalls it.
struct Play<'a> {
    stage: &'a mut Stage,
    dice: StdRng,
    cast: Cast,
    requests: Requests,
    report: &'a mut Report,
    past: &'a mut VecDeque<String>,
    began: Instant,
    /// Workers that were frozen.
    frozen: Vec<u32>,
    /// Holders that were killed, until a successor holds all pipes. They may take a moment to die.
    dying: Vec<u32>,
}

/// Plays `bursts` of misfortunes on a supervisor of their own, and checks after each.
///
/// # Errors
/// A promise of the supervisor's that did not hold, with the seed, the last misfortunes, and the folder where all that
/// is left lies.
pub async fn chapter(programs: &Programs, seed: u64, bursts: usize) -> Result<Report> {
    let began = Instant::now();
    let mut stage = Stage::start(programs).await?;
    let mut report = Report::default();
    let mut past = VecDeque::new();
    let play = Play {
        stage: &mut stage,
        dice: StdRng::seed_from_u64(seed),
        cast: Cast::new(),
        requests: Requests::default(),
        report: &mut report,
        past: &mut past,
        began,
        frozen: Vec::new(),
        dying: Vec::new(),
    };
    let outcome = play.run(bursts).await;
    report.took = began.elapsed();
    match outcome {
        Ok(()) => stage.close().await.map(|()| report),
        Err(error) => Err(error).with_context(|| {
            let (past, folder) = (Vec::from(past).join(", "), stage.keep());
            format!("seed {seed}, after {past}; what is left is in {}", folder.display())
        }),
    }
}

impl Play<'_> {
    async fn run(mut self, bursts: usize) -> Result<()> {
        self.populate().await?;
        for burst in 0..bursts {
            for _ in 0..BURST {
                self.misfortune().await?;
                self.requests.take(&mut self.cast, false).await?;
                pause(Duration::from_millis(self.dice.random_range(0..40))).await;
            }
            self.calm().await.context("after a burst")?;
            if burst % DISK_EVERY == DISK_EVERY - 1 {
                self.note("full disk");
                full_disk(self.stage, burst).await.context("a full disk")?;
                self.report.full_disks += 1;
                self.report.supervisor_kills += 1;
            }
        }
        self.report.requests = self.requests.made;
        Ok(())
    }

    async fn populate(&mut self) -> Result<()> {
        for number in 0..LEFT_ALONE + TOUCHED {
            let key = match number {
                number if number < LEFT_ALONE => format!("steady{number}"),
                number if number % 2 == 0 => format!("single{number}"),
                // Instances of one name.
                number => format!("web-{number}"),
            };
            let manner = Manner {
                pause_ms: if number % 4 == 0 { 2 } else { 20 },
                burst: if number % 4 == 1 { 10 } else { 1 },
                long_every: if number % 5 == 0 { 60 } else { 0 },
                child: number % 3 == 0,
            };
            let worker = self.stage.worker(&key, manner, number % 4 == 2, "logs");
            let request = CreateRequest { spec: self.stage.spec(&worker), settle_ms: 0 };
            let view = self.stage.client.create(&request).await?;
            let pid = view.pid.filter(|_| number < LEFT_ALONE);
            self.cast.insert(key, Part { worker, promise: Promise::Runs, pid });
        }
        Ok(())
    }

    async fn misfortune(&mut self) -> Result<()> {
        match self.dice.random_range(0..100) {
            0..15 => self.kill_supervisor().await,
            15..35 => self.hurt_worker(Signal::KILL),
            35..45 => self.hurt_worker(Signal::STOP),
            45..50 => self.thaw(),
            50..55 => self.kill_holder().await,
            55..65 => self.ask_batch(),
            _ => self.ask_one(),
        }
    }

    async fn kill_supervisor(&mut self) -> Result<()> {
        if !self.dying.is_empty() {
            // Without supervisor and holder, nobody but the worker itself keeps what it has written last.
            self.stage.answers().await?;
            self.all_is_held().await?;
        }
        self.note("kill supervisor");
        self.stage.replace_supervisor()?;
        self.report.supervisor_kills += 1;
        if self.dice.random_bool(0.5) {
            let (took, info) = self.stage.answers().await?;
            self.report.adoptions.push(took);
            let left_alone = usize::try_from(LEFT_ALONE)?;
            ensure!(info.adopted >= left_alone, "only {} adopted", info.adopted);
        }
        Ok(())
    }

    /// Waits until there is a holder that has all pipes.
    async fn all_is_held(&mut self) -> Result<()> {
        let (run_dir, dying) = (self.stage.run_dir(), &self.dying);
        eventually("a new holder holds all pipes", async || {
            let made = outputs(run_dir)?;
            let living = holders(run_dir).into_iter().filter(|pid| !dying.contains(pid));
            let held = living.map(|pid| pipes_of(pid, run_dir)).max();
            ensure!(held.is_some_and(|held| held >= made), "{held:?} of {made}");
            Ok(())
        })
        .await?;
        self.dying.clear();
        Ok(())
    }

    /// Not while a supervisor is only beginning, for the same reason.
    async fn kill_holder(&mut self) -> Result<()> {
        self.stage.answers().await?;
        self.note("kill holder");
        for pid in holders(self.stage.run_dir()) {
            signal(pid, Signal::KILL);
            self.report.holder_kills += 1;
            self.dying.push(pid);
        }
        Ok(())
    }

    /// Kills or freezes one of those that may be touched.
    fn hurt_worker(&mut self, with: Signal) -> Result<()> {
        let safe: Vec<u32> = self.cast.values().filter_map(|part| part.pid).collect();
        let alive = marked(self.stage.run_dir());
        let targets: Vec<u32> = alive
            .iter()
            .filter(|process| process.leads && !safe.contains(&process.pid))
            .map(|process| process.pid)
            .collect();
        let Some(pid) = targets.choose(&mut self.dice).copied() else { return Ok(()) };
        signal(pid, with);
        if with == Signal::KILL {
            self.report.worker_kills += 1;
            self.note("kill worker");
        } else {
            self.frozen.push(pid);
            self.note("freeze worker");
        }
        Ok(())
    }

    fn thaw(&mut self) -> Result<()> {
        self.note("thaw");
        self.frozen.drain(..).for_each(|pid| signal(pid, Signal::CONT));
        Ok(())
    }

    fn ask_one(&mut self) -> Result<()> {
        let touched = self.touched();
        let Some(key) = touched.choose(&mut self.dice).cloned() else { return Ok(()) };
        let deed = Deed::ALL[self.dice.random_range(0..Deed::ALL.len())];
        self.note(&format!("{deed:?} {key}"));
        if let Some(part) = self.cast.get(&key) {
            let spec = self.stage.spec(&part.worker);
            self.requests.ask(&self.stage.client, deed, key, spec);
        }
        Ok(())
    }

    fn ask_batch(&mut self) -> Result<()> {
        let keys: Vec<String> = self.touched().sample(&mut self.dice, 6).cloned().collect();
        let deed = Deed::ALL[self.dice.random_range(0..Deed::ALL.len())];
        self.note(&format!("{deed:?} {}", keys.join("+")));
        self.requests.ask_batch(&self.stage.client, deed, keys);
        Ok(())
    }

    /// Those that may be touched and that no request concerns.
    fn touched(&self) -> Vec<String> {
        let touched = self.cast.iter().filter(|(_, part)| part.pid.is_none());
        touched.map(|(key, _)| key.clone()).filter(|key| !self.requests.concern(key)).collect()
    }

    /// Lets everything come to rest, and checks it.
    async fn calm(&mut self) -> Result<()> {
        self.thaw()?;
        self.stage.answers().await?;
        self.requests.take(&mut self.cast, true).await?;
        invariants::processes(self.stage, &mut self.cast).await?;
        let found = invariants::logs(self.stage, &self.cast).await?;
        // Logs grow: the last look has seen all that the looks before have.
        (self.report.lines, self.report.repeated) = (found.lines, found.repeated);
        self.all_is_held().await
    }

    fn note(&mut self, what: &str) {
        if self.past.len() == REMEMBERED {
            self.past.pop_front();
        }
        self.past.push_back(format!("{} ms {what}", self.began.elapsed().as_millis()));
    }
}
