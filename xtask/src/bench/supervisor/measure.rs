//! One contender at one size: starting, resting, listing, replacing, stopping.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};

use super::super::statistics::Summary;
use super::call::{Call, ended, handle};
use super::contender::Contender;
use super::members::{self, Member, Part};
use super::notes::{Note, Notes, monotonic};
use super::options::Effort;
use super::programs::Programs;
use super::stage::Stage;
use crate::installation::wait::{PACE, interrupted};

/// How long the processes are left alone after they began, before anything else is measured. It is
/// also what supervisord wants to see of a process before it takes it as running.
const REST: Duration = Duration::from_secs(2);

/// How long one command may take, whatever the number of processes.
const PATIENCE: Duration = Duration::from_secs(60);

/// How much longer for each process.
const PATIENCE_EACH: Duration = Duration::from_millis(100);

/// The fewest repetitions of a listing or a kill, however long they take.
const FEWEST: usize = 3;

/// What was measured of one contender at one size. Absent is what it does not do.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// From its command until all programs have written their note; the median.
    pub start: Duration,
    /// The same of the bare loop, which ran in turns with it: what else the machine had to do then
    /// is in both.
    pub bare: Duration,
    /// Of the supervising side, by role.
    pub memory: Vec<Part>,
    /// Processor time of the supervising side at rest, as a part of one processor.
    pub idle: Option<f64>,
    pub list: Option<Duration>,
    pub respawn: Option<Duration>,
    pub stop: Option<Duration>,
}

/// Measures a supervisor with `count` processes, and the bare loop with as many in turns with it.
pub fn supervisor(
    contender: &dyn Contender,
    bare: &dyn Contender,
    programs: &Programs,
    folder: &Path,
    count: usize,
    effort: &Effort,
) -> Result<Figures> {
    let mut figures = Figures::default();
    let (mut bares, mut starts, mut stops) = (Vec::new(), Vec::new(), Vec::new());
    while starts.len() < effort.starts && starts.iter().sum::<Duration>() < effort.enough {
        let stage = Stage::of_tiny(folder, programs, count)?;
        bares.push(Running::start(bare, &stage, count)?.start);
        drop(stage);
        let stage = Stage::of_tiny(folder, programs, count)?;
        let running = Running::start(contender, &stage, count)?;
        let first = starts.is_empty();
        starts.push(running.start);
        if first {
            rest(REST)?;
            running.at_rest(programs, effort, &mut figures)?;
            figures.list = running.list(effort)?;
            figures.respawn = Some(running.respawn(effort)?);
            // A process that has just been started is not stopped like one that has long been up.
            rest(REST)?;
        }
        if !contender.stops_slowly() || first && count <= effort.slow_stops {
            stops.extend(running.stop()?);
        }
    }
    figures.bare = median(&bares)?;
    figures.start = median(&starts)?;
    figures.stop = Summary::of(&stops).map(|summary| summary.median);
    Ok(figures)
}

/// A contender with all its programs.
pub struct Running<'stage> {
    contender: &'stage dyn Contender,
    stage: &'stage Stage,
    count: usize,
    /// The command that started it: the supervisor itself where that one stays.
    call: Call,
    notes: Notes,
    /// How long the start took.
    pub start: Duration,
}

impl<'stage> Running<'stage> {
    /// Starts the contender and waits until every program has begun and the command is done.
    pub fn start(
        contender: &'stage dyn Contender,
        stage: &'stage Stage,
        count: usize,
    ) -> Result<Self> {
        contender.configure(stage)?;
        let notes = Notes::watch(&stage.notes())?;
        let mut call = Call::begin(stage, contender.start(stage))?;
        let deadline = deadline(count);
        let all = notes.all(count, deadline, || call.check(contender.stays()))?;
        let start = all.duration_since(call.begun());
        if !contender.stays() {
            call.finish(deadline)?;
        }
        Ok(Self { contender, stage, count, call, notes, start })
    }

    /// The supervising side.
    pub fn members(&self, programs: &Programs) -> Result<Vec<Member>> {
        members::supervising(self.stage.path(), &[&programs.tiny, &programs.writer])
    }

    /// The note of program `number`.
    pub fn note(&self, number: usize) -> Result<Note> {
        self.notes.read(number)
    }

    /// An error when the supervisor, as far as it is the command, has ended.
    pub fn check(&mut self) -> Result<()> {
        self.call.check(self.contender.stays())
    }

    fn at_rest(&self, programs: &Programs, effort: &Effort, figures: &mut Figures) -> Result<()> {
        let members = self.members(programs)?;
        ensure!(!members.is_empty(), "all programs run, but no supervisor is to be found");
        let (before, begun) = (members::cpu_seconds(&members)?, Instant::now());
        rest(effort.idle)?;
        let taken = members::cpu_seconds(&members)? - before;
        figures.idle = Some(taken / begun.elapsed().as_secs_f64());
        figures.memory = members::memory(&members)?;
        Ok(())
    }

    /// The median time of the contender's listing, which must show every program.
    fn list(&self, effort: &Effort) -> Result<Option<Duration>> {
        let mut times = Vec::new();
        let begun = Instant::now();
        while times.len() < effort.lists && goes_on(begun, times.len(), effort) {
            let Some(command) = self.contender.list(self.stage) else {
                return Ok(None);
            };
            let mut call = Call::begin(self.stage, command)?;
            times.push(call.finish(deadline(self.count))?);
            let listed = self.contender.listed(self.stage, &call.output()?)?;
            ensure!(listed == self.count, "{listed} of {} are listed as running", self.count);
        }
        Ok(Some(median(&times)?))
    }

    /// The median time from the kill of a program until the one in its place begins. Each time it is
    /// another program that is killed, and none is twice: one that has just begun again may have to
    /// wait, or reach a limit of restarts.
    fn respawn(&self, effort: &Effort) -> Result<Duration> {
        let mut times = Vec::new();
        let begun = Instant::now();
        while times.len() < effort.respawns.min(self.count) && goes_on(begun, times.len(), effort) {
            let number = times.len();
            let old = self.note(number)?;
            let pid = pid(&old)?;
            let killed = monotonic();
            kill_process(pid, Signal::KILL).with_context(|| format!("cannot kill {pid:?}"))?;
            let new = self.notes.another(number, old.pid, Instant::now() + PATIENCE)?;
            times.push(new.began.saturating_sub(killed));
        }
        median(&times)
    }

    /// How long it takes to stop all programs: until the command is done and each of them is gone.
    fn stop(self) -> Result<Option<Duration>> {
        let Some(command) = self.contender.stop(self.stage) else {
            return Ok(None);
        };
        let programs: BTreeMap<usize, Note> = self.notes.read_all(self.count)?;
        let handles = programs.values().map(|note| handle(note.pid)).collect::<Result<Vec<_>>>()?;
        let deadline = deadline(self.count);
        let mut call = Call::begin(self.stage, command)?;
        call.finish(deadline)?;
        for handle in handles {
            ensure!(ended(handle, deadline)?, "after its stop command programs still run");
        }
        Ok(Some(call.begun().elapsed()))
    }
}

/// Whether a figure may be measured once more.
fn goes_on(begun: Instant, measured: usize, effort: &Effort) -> bool {
    measured < FEWEST || begun.elapsed() < effort.enough
}

fn deadline(count: usize) -> Instant {
    let each = PATIENCE_EACH.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX));
    Instant::now() + PATIENCE + each
}

/// Leaves the machine alone for so long.
pub fn rest(time: Duration) -> Result<()> {
    let end = Instant::now() + time;
    while Instant::now() < end {
        ensure!(!interrupted(), "interrupted");
        std::thread::sleep(PACE.min(end.saturating_duration_since(Instant::now())));
    }
    Ok(())
}

/// The process that wrote a note.
pub fn pid(note: &Note) -> Result<Pid> {
    let pid = i32::try_from(note.pid).ok().and_then(Pid::from_raw);
    pid.with_context(|| format!("{} is no process id", note.pid))
}

fn median(times: &[Duration]) -> Result<Duration> {
    Ok(Summary::of(times).context("nothing was measured")?.median)
}
