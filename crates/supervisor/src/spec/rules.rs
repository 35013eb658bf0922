//! The rules that a description must keep.

use std::path::{Path, PathBuf};

use super::{Limits, Liveness, Probe, ProcessSpec, Readiness, WatchFiles};
use crate::cron::CronPattern;
use crate::watch::compile_ignore;

/// Why a description is refused. Each names the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSpec {
    /// The name is empty, too long, or has other characters.
    #[error(
        "name: {0:?} must be 1 to 256 bytes without slashes and control characters, and not . or .."
    )]
    Name(String),
    /// The namespace is empty, too long, or has other characters.
    #[error(
        "namespace: {0:?} must be 1 to 256 bytes without slashes and control characters, and not . or .."
    )]
    Namespace(String),
    /// There is no program.
    #[error("command: must name a program")]
    Command,
    /// A zero byte, which no argument or variable can carry.
    #[error("{0}: must not contain a zero byte")]
    ZeroByte(&'static str),
    /// An environment variable's name is empty or has an equals sign.
    #[error("env: {0:?} is no name for a variable")]
    EnvName(String),
    /// A path that must be absolute is not.
    #[error("{field}: {} must be an absolute path", path.display())]
    Relative {
        /// The field.
        field: &'static str,
        /// Its value.
        path: PathBuf,
    },
    /// A number is out of its range.
    #[error("{field}: must be {expected}")]
    Range {
        /// The field.
        field: &'static str,
        /// What is acceptable.
        expected: &'static str,
    },
    /// A text that has a grammar breaks it.
    #[error("{field}: {reason}")]
    Syntax {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// Another process writes to the file.
    #[error("out_file/error_file/log_file: {} already belongs to process {owner}; give another file, or merge_logs to both", path.display())]
    LogTaken {
        /// The file.
        path: PathBuf,
        /// The process that has it.
        owner: String,
    },
}

/// Whether a process or namespace may have this name.
#[must_use]
pub fn is_valid_name(name: &str) -> bool {
    let fits = (1..=256).contains(&name.len()) && name != "." && name != "..";
    fits && !name.chars().any(|c| c.is_control() || c == '/')
}

impl ProcessSpec {
    /// Checks everything that can be told without touching the machine.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn validate(&self) -> Result<(), InvalidSpec> {
        if !is_valid_name(&self.name) {
            return Err(InvalidSpec::Name(self.name.clone()));
        }
        if !is_valid_name(&self.namespace) {
            return Err(InvalidSpec::Namespace(self.namespace.clone()));
        }
        match self.command.first() {
            Some(program) if !program.is_empty() => {}
            Some(_) | None => return Err(InvalidSpec::Command),
        }
        if self.command.iter().any(|argument| argument.contains('\0')) {
            return Err(InvalidSpec::ZeroByte("command"));
        }
        let inherited = self.base_env.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in inherited.chain(self.env.iter()) {
            if name.is_empty() || name.contains(['=', '\0']) {
                return Err(InvalidSpec::EnvName(name.to_owned()));
            }
            if value.contains('\0') {
                return Err(InvalidSpec::ZeroByte("env"));
            }
        }
        self.validate_paths()?;
        self.validate_ranges()?;
        self.validate_probes()?;
        self.validate_triggers()
    }

    fn validate_paths(&self) -> Result<(), InvalidSpec> {
        absolute("cwd", &self.cwd)?;
        absolute("out_file", &self.out_file)?;
        for (field, path) in [("error_file", &self.error_file), ("log_file", &self.log_file)] {
            if let Some(path) = path {
                absolute(field, path)?;
            }
        }
        if let Some(watch) = &self.watch {
            watch.paths.iter().try_for_each(|path| absolute("watch.paths", path))?;
        }
        if let Some(confinement) = &self.limits.confinement {
            let mut paths = confinement.read.iter().chain(&confinement.write);
            paths.try_for_each(|path| absolute("limits.confinement", path))?;
        }
        Ok(())
    }

    fn validate_ranges(&self) -> Result<(), InvalidSpec> {
        let day_ms = 86_400_000;
        let restart = &self.restart;
        let rules = [
            (self.kill_timeout_ms <= 3_600_000, "kill_timeout_ms", "at most 3600000 (an hour)"),
            (self.listen_timeout_ms <= 3_600_000, "listen_timeout_ms", "at most 3600000 (an hour)"),
            (self.log_keep <= 1000, "log_keep", "at most 1000"),
            (
                self.log_max_bytes == 0 || self.log_max_bytes >= 4096,
                "log_max_bytes",
                "0 (no rotation) or at least 4096",
            ),
            (
                self.log_max_age_ms == 0 || self.log_max_age_ms >= 1000,
                "log_max_age_ms",
                "0 (no rotation) or at least 1000 (a second)",
            ),
            (restart.max_restarts >= 1, "restart.max_restarts", "at least 1"),
            (
                restart.backoff_initial_ms <= restart.backoff_cap_ms,
                "restart.backoff_initial_ms",
                "at most restart.backoff_cap_ms",
            ),
            (restart.backoff_cap_ms <= day_ms, "restart.backoff_cap_ms", "at most a day"),
            (restart.restart_delay_ms <= day_ms, "restart.restart_delay_ms", "at most a day"),
            (
                restart.backoff_jitter_percent <= 100,
                "restart.backoff_jitter_percent",
                "at most 100",
            ),
            (self.max_memory_bytes != Some(0), "max_memory_bytes", "at least 1"),
        ];
        first_broken(&rules)?;
        self.limits.validate()
    }

    fn validate_probes(&self) -> Result<(), InvalidSpec> {
        if let Readiness::Probe(probe) = &self.ready {
            probe.validate("ready")?;
        }
        self.liveness.as_ref().map_or(Ok(()), Liveness::validate)
    }

    fn validate_triggers(&self) -> Result<(), InvalidSpec> {
        if let Some(pattern) = &self.cron_restart {
            let parsed = CronPattern::parse(pattern);
            parsed.map_err(|reason| InvalidSpec::Syntax { field: "cron_restart", reason })?;
        }
        self.watch.as_ref().map_or(Ok(()), WatchFiles::validate)
    }
}

impl WatchFiles {
    fn validate(&self) -> Result<(), InvalidSpec> {
        first_broken(&[
            (!self.paths.is_empty(), "watch.paths", "at least one path"),
            (self.delay_ms <= 3_600_000, "watch.delay_ms", "at most 3600000 (an hour)"),
        ])?;
        let compiled = compile_ignore(&self.ignore).map(drop);
        compiled.map_err(|reason| InvalidSpec::Syntax { field: "watch.ignore", reason })
    }
}

impl Limits {
    fn validate(&self) -> Result<(), InvalidSpec> {
        let soft_fits = |limit: &super::ResourceLimit| match (limit.soft, limit.hard) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(soft), Some(hard)) => soft <= hard,
        };
        first_broken(&[
            (
                self.nice.is_none_or(|nice| (-20..=19).contains(&nice)),
                "limits.nice",
                "from -20 to 19",
            ),
            (self.memory_max != Some(0), "limits.memory_max", "at least 1"),
            (self.cpu_max_percent != Some(0), "limits.cpu_max_percent", "at least 1"),
            (
                self.rlimits.values().all(soft_fits),
                "limits.rlimits",
                "such that the soft limit is at most the hard one",
            ),
        ])
    }
}

impl Liveness {
    fn validate(&self) -> Result<(), InvalidSpec> {
        first_broken(&[
            (self.interval_ms >= 100, "liveness.interval_ms", "at least 100"),
            (self.timeout_ms >= 1, "liveness.timeout_ms", "at least 1"),
            (self.failures >= 1, "liveness.failures", "at least 1"),
        ])?;
        self.probe.as_ref().map_or(Ok(()), |probe| probe.validate("liveness.probe"))
    }
}

impl Probe {
    fn validate(&self, field: &'static str) -> Result<(), InvalidSpec> {
        let port = match self {
            Self::Port(port) => port,
            Self::Http { port, path } => {
                let plain = |c: char| c.is_ascii_graphic();
                if !path.starts_with('/') || !path.chars().all(plain) {
                    let reason = "the path must begin with a slash and be plain ASCII".to_owned();
                    return Err(InvalidSpec::Syntax { field, reason });
                }
                port
            }
        };
        first_broken(&[(*port > 0, field, "a port from 1 to 65535")])
    }
}

fn first_broken(rules: &[(bool, &'static str, &'static str)]) -> Result<(), InvalidSpec> {
    match rules.iter().find(|(kept, ..)| !kept) {
        Some(&(_, field, expected)) => Err(InvalidSpec::Range { field, expected }),
        None => Ok(()),
    }
}

fn absolute(field: &'static str, path: &Path) -> Result<(), InvalidSpec> {
    if path.as_os_str().as_encoded_bytes().contains(&0) {
        return Err(InvalidSpec::ZeroByte(field));
    }
    if path.is_absolute() {
        Ok(())
    } else {
        Err(InvalidSpec::Relative { field, path: path.to_owned() })
    }
}

#[cfg(test)]
mod tests;
