//! The supervisors that are measured side by side, and the baselines. Each is driven by its own
//! commands, the ones that a person would type.

mod baseline;
mod pm2;
mod s6;
mod supervisord;
mod tenantry;

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

pub use self::baseline::{Cat, Spawnloop};
use super::options::Options;
use super::programs::Programs;
use super::stage::Stage;
use crate::cargo::build_release;
use crate::npm;
use crate::workspace::Workspace;

/// A supervisor, driven by its own commands.
pub trait Contender {
    /// The name in the report, and for `--only`.
    fn name(&self) -> &'static str;

    /// Which release it is.
    fn version(&self) -> String;

    /// Writes what the contender must know of the stage's programs. Not timed.
    fn configure(&self, stage: &Stage) -> Result<()>;

    /// The command that starts the supervisor and all programs.
    fn start(&self, stage: &Stage) -> Command;

    /// Whether the start command is the supervisor itself and goes on as long as it does.
    fn stays(&self) -> bool {
        false
    }

    /// The command that lists all programs; none where the contender has no such thing.
    fn list(&self, stage: &Stage) -> Option<Command>;

    /// How many of the stage's programs a listing shows as running.
    fn listed(&self, stage: &Stage, listing: &str) -> Result<usize>;

    /// The command that stops all programs; none where the contender has no such thing.
    fn stop(&self, stage: &Stage) -> Option<Command>;

    /// Up to how many processes it is measured unless everything is asked for: above, it takes
    /// minutes.
    fn usual_limit(&self) -> usize {
        usize::MAX
    }

    /// Whether stopping a thousand takes it a minute. Then that is measured once, and in a quick run
    /// only with few.
    fn stops_slowly(&self) -> bool {
        false
    }

    /// How many megabytes it is given to log: about what it takes a second or more for.
    fn log_megabytes(&self) -> u64 {
        1000
    }
}

/// The contenders that take part, and why others do not.
pub struct Field {
    pub contenders: Vec<Box<dyn Contender>>,
    pub absent: Vec<String>,
}

/// Finds, builds and installs the contenders that the options ask for. One that cannot be had on
/// this machine is left out with the reason; Tenantry itself must be there.
pub fn gather(workspace: &Workspace, options: &Options) -> Result<Field> {
    let mut field = Field { contenders: Vec::new(), absent: Vec::new() };
    for name in chosen(&options.only)? {
        let contender = match name {
            "tenantry" => tenantry(workspace, options.program.as_deref()).map(boxed)?,
            other => match rival(workspace, other) {
                Ok(rival) => rival,
                Err(error) => {
                    field.absent.push(format!("{other} is left out: {error:#}"));
                    continue;
                }
            },
        };
        field.contenders.push(contender);
    }
    Ok(field)
}

/// The names of all contenders, in the order in which they run and are reported.
const NAMES: [&str; 4] = ["tenantry", "pm2", "supervisord", "s6"];

fn chosen(only: &[String]) -> Result<Vec<&'static str>> {
    if let Some(unknown) = only.iter().find(|name| !NAMES.contains(&name.as_str())) {
        anyhow::bail!("--only: there is no `{unknown}`; there are {}", NAMES.join(", "));
    }
    let wanted = |name: &&str| only.is_empty() || only.iter().any(|one| one == name);
    Ok(NAMES.into_iter().filter(wanted).collect())
}

fn tenantry(workspace: &Workspace, given: Option<&Path>) -> Result<tenantry::Tenantry> {
    let program = match given {
        Some(program) => program
            .canonicalize()
            .with_context(|| format!("there is no program {}", program.display()))?,
        None => build_release(workspace)?,
    };
    tenantry::Tenantry::at(program)
}

fn rival(workspace: &Workspace, name: &str) -> Result<Box<dyn Contender>> {
    Ok(match name {
        "pm2" => boxed(pm2::Pm2 { program: npm::pm2(workspace)? }),
        "supervisord" => boxed(supervisord::Supervisord::find(workspace)?),
        _ => boxed(s6::S6::find()?),
    })
}

fn boxed(contender: impl Contender + 'static) -> Box<dyn Contender> {
    Box::new(contender)
}

/// The baseline for starting, the bare loop.
pub fn bare_loop(programs: &Programs) -> Spawnloop {
    Spawnloop { program: programs.spawnloop.clone() }
}

#[cfg(test)]
mod tests {
    use super::chosen;

    #[test]
    fn contenders_keep_their_order() {
        let names =
            |only: &[&str]| chosen(&only.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(names(&[]).unwrap(), ["tenantry", "pm2", "supervisord", "s6"]);
        assert_eq!(names(&["s6", "tenantry"]).unwrap(), ["tenantry", "s6"]);
        assert!(names(&["runit"]).unwrap_err().to_string().contains("runit"));
    }
}
