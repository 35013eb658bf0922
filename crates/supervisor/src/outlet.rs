//! A process's standard output and error: its FIFOs, who holds them, and where their contents go.
//!
//! They last as long as the process is known. A restart neither makes a FIFO nor opens a log file, and what one run could
//! not get rid of (a full disk) is written before what the next one says.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::holder::Holder;
use crate::logs::fifo::open_fifo;
use crate::logs::{Attachment, LogPlan, LogPump, Origin, Source};
use crate::pulse::Pulse;
use crate::record::Records;
use crate::run_dir::RunDir;
use crate::spec::{NO_LOG, ProcessSpec};

/// A file that cannot be used, and why.
pub(crate) type Unusable = (PathBuf, io::Error);

/// Which pipes a description asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shape {
    /// Whether anything becomes of standard output.
    out: bool,
    error: ErrorWay,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ErrorWay {
    /// Through the pipe of standard output.
    WithOut,
    Own,
    Nowhere,
}

impl Shape {
    fn of(spec: &ProcessSpec) -> Self {
        let kept = |path: &Path| path != Path::new(NO_LOG) || spec.log_file.is_some();
        let error = match &spec.error_file {
            None => ErrorWay::WithOut,
            Some(path) if *path == spec.out_file => ErrorWay::WithOut,
            Some(path) if kept(path) => ErrorWay::Own,
            Some(_) => ErrorWay::Nowhere,
        };
        Self { out: kept(&spec.out_file), error }
    }
}

/// A process's output on its way to its files.
#[derive(Debug)]
pub(crate) struct Outlet {
    shape: Shape,
    attachment: Attachment,
    /// The description that the attachment follows at present.
    follows: Mutex<Arc<ProcessSpec>>,
}

/// What it takes to have an outlet.
#[derive(Debug, Clone)]
pub(crate) struct Plumbing {
    pub(crate) run_dir: RunDir,
    pub(crate) pump: LogPump,
    pub(crate) holder: Holder,
    pub(crate) records: Arc<Records>,
}

impl Plumbing {
    /// Makes the FIFOs of a process where they are missing, has them held, and moves what comes out of them. Blocks.
    pub(crate) fn open(
        &self,
        id: u32,
        spec: &Arc<ProcessSpec>,
        pulse: Pulse,
    ) -> Result<Outlet, Unusable> {
        let shape = Shape::of(spec);
        let wanted = [
            (shape.out, Origin::Out, self.run_dir.out_fifo(id)),
            (shape.error == ErrorWay::Own, Origin::Error, self.run_dir.error_fifo(id)),
        ];
        let mut sources = Vec::new();
        for (_, origin, path) in wanted.into_iter().filter(|(wanted, ..)| *wanted) {
            let fifo = open_fifo(&path).map_err(|error| (path.clone(), error))?;
            sources.push(Source { origin, fifo, path });
        }
        let pipes: Vec<BorrowedFd<'_>> = sources.iter().map(|source| source.fifo.as_fd()).collect();
        self.holder.hold(id, &pipes);
        drop(pipes);
        let attachment = self.pump.attach(LogPlan::of(id, spec), sources, pulse)?;
        Ok(Outlet { shape, attachment, follows: Mutex::new(Arc::clone(spec)) })
    }

    /// The files that the child opens as its standard output and error; `None` is the same as standard output.
    pub(crate) fn childs_ends(&self, id: u32, spec: &ProcessSpec) -> (PathBuf, Option<PathBuf>) {
        let shape = Shape::of(spec);
        let nowhere = || PathBuf::from(NO_LOG);
        let out = if shape.out { self.run_dir.out_fifo(id) } else { nowhere() };
        let error = match shape.error {
            ErrorWay::Own => Some(self.run_dir.error_fifo(id)),
            ErrorWay::Nowhere => Some(nowhere()),
            ErrorWay::WithOut => None,
        };
        (out, error)
    }
}

impl Outlet {
    /// Whether it has the pipes that this description asks for.
    pub(crate) fn fits(&self, spec: &ProcessSpec) -> bool {
        self.shape == Shape::of(spec)
    }

    /// Follows a new description from now on.
    pub(crate) fn follow(&self, id: u32, spec: &Arc<ProcessSpec>) {
        let mut follows = self.follows.lock().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&follows, spec) {
            self.attachment.reconfigure(LogPlan::of(id, spec));
            *follows = Arc::clone(spec);
        }
    }

    pub(crate) fn attachment(&self) -> &Attachment {
        &self.attachment
    }
}
