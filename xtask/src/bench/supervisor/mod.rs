//! Tenantry's supervisor beside others, in one run: what each takes for the same work, and what the
//! work takes when nobody supervises.

mod call;
mod contender;
mod log;
mod measure;
pub mod members;
mod notes;
mod options;
mod programs;
mod report;
mod stage;

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use self::contender::{Contender, Field, bare_loop, gather};
use self::options::{Effort, Options};
use self::programs::Programs;
use self::report::{LogRow, Report, Row, Size};
use crate::installation::wait::{catch_interrupts, interrupted};
use crate::terminal::{complain, say};
use crate::workspace::Workspace;

/// Measures and reports. A contender that fails is reported at the end; the others are measured.
pub fn run(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    let options = Options::read(arguments)?;
    let field = gather(workspace, &options)?;
    catch_interrupts()?;
    raise_file_limit()?;
    let folder = tempfile::Builder::new().prefix("tenantry-bench-").tempdir()?;
    let bench = Bench {
        programs: Programs::compile(workspace, folder.path())?,
        // One after the other is there: a path as short as that of a socket has to be.
        stage: folder.path().join("s"),
        effort: options.effort(),
        full: options.full,
    };
    let mut report = Report {
        cores: std::thread::available_parallelism()?.get(),
        versions: versions(&field),
        remarks: field.absent.clone(),
        ..Report::default()
    };
    for &count in &options.sizes {
        bench.size(&field, count, &mut report)?;
    }
    bench.logs(&field, &mut report)?;
    if options.json {
        say(format_args!("{:#}", report.json()));
    } else {
        say(report.tables());
    }
    if !report.failures.is_empty() {
        bail!("figures are missing:\n{}", report.failures.join("\n"));
    }
    Ok(())
}

fn versions(field: &Field) -> Vec<(String, String)> {
    let contenders = field.contenders.iter();
    contenders.map(|one| (one.name().to_owned(), one.version())).collect()
}

/// The benchmark's own means.
struct Bench {
    programs: Programs,
    stage: PathBuf,
    effort: Effort,
    full: bool,
}

impl Bench {
    /// Every contender with `count` processes.
    fn size(&self, field: &Field, count: usize, report: &mut Report) -> Result<()> {
        let Self { programs, stage, effort, full } = self;
        let spawnloop = bare_loop(programs);
        let mut rows = Vec::new();
        for contender in &field.contenders {
            let name = contender.name();
            if count > contender.usual_limit() && !full {
                let remark = format!("{name} is left out with {count} processes without --full");
                report.remarks.push(remark);
                continue;
            }
            complain(format_args!("{count} processes: {name}"));
            let figures =
                measure::supervisor(contender.as_ref(), &spawnloop, programs, stage, count, effort);
            if let Some(figures) = kept(report, || format!("{name}, {count} processes"), figures)? {
                rows.push(Row { name: name.to_owned(), figures });
            }
        }
        report.sizes.push(Size { count, rows });
        Ok(())
    }

    /// The logging of every contender.
    fn logs(&self, field: &Field, report: &mut Report) -> Result<()> {
        for &beside in self.effort.beside {
            for contender in &field.contenders {
                self.log(contender.as_ref(), beside, report)?;
            }
        }
        Ok(())
    }

    fn log(&self, contender: &dyn Contender, beside: usize, report: &mut Report) -> Result<()> {
        let Self { programs, stage, effort, .. } = self;
        let what = format!("log beside {beside} idle processes: {}", contender.name());
        complain(&what);
        let figures = log::compare(contender, programs, stage, beside, effort.logs);
        if let Some(figures) = kept(report, || what, figures)? {
            report.logs.push(LogRow { name: contender.name().to_owned(), figures });
        }
        Ok(())
    }
}

/// The figures; none, with the reason in the report, when something went wrong. After Ctrl-C there
/// is no going on.
fn kept<T>(
    report: &mut Report,
    what: impl FnOnce() -> String,
    figures: Result<T>,
) -> Result<Option<T>> {
    match figures {
        Ok(figures) => Ok(Some(figures)),
        Err(error) if interrupted() => Err(error),
        Err(error) => {
            let failure = format!("{}: {error:#}", what());
            complain(&failure);
            report.failures.push(failure);
            Ok(None)
        }
    }
}

/// Thousands of processes are watched by as many handles, and the contenders, which inherit the
/// limit as they would from a service manager, hold several for each.
fn raise_file_limit() -> Result<()> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
        .context("cannot raise the limit of open files")
}
