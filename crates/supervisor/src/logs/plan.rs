//! Where a process's output goes, and in which form.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::dates::DateFormat;
use crate::spec::{LogType, NO_LOG, ProcessSpec};

/// Which output of a process a FIFO carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Standard output; standard error too when there is no other file for it.
    Out,
    /// Standard error.
    Error,
}

/// Where a process's output goes, and in which form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogPlan {
    pub(super) process_id: u32,
    pub(super) app_name: String,
    out_file: Option<PathBuf>,
    error_file: Option<PathBuf>,
    log_file: Option<PathBuf>,
    pub(super) json: bool,
    pub(super) date: Option<DateFormat>,
    pub(super) rotation: Rotation,
}

/// When a log file gives way to a new one, and what becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rotation {
    /// Bytes; 0 for never.
    pub(super) max_bytes: u64,
    /// Zero for never.
    pub(super) max_age: Duration,
    /// How many rotated files are kept.
    pub(super) keep: u32,
    /// Whether all but the youngest of them are compressed.
    pub(super) compress: bool,
    /// Older ones are removed; zero for never.
    pub(super) retention: Duration,
}

impl LogPlan {
    /// What the description of process `id` asks for.
    pub(crate) fn of(id: u32, spec: &ProcessSpec) -> Self {
        let kept = |path: &PathBuf| (path != Path::new(NO_LOG)).then(|| path.clone());
        Self {
            process_id: id,
            app_name: spec.name.clone(),
            out_file: kept(&spec.out_file),
            error_file: spec.error_file.as_ref().and_then(kept),
            log_file: spec.log_file.as_ref().and_then(kept),
            json: spec.log_type == LogType::Json,
            date: spec.log_date_format.as_deref().map(DateFormat::compile),
            rotation: Rotation {
                max_bytes: spec.log_max_bytes,
                max_age: Duration::from_millis(spec.log_max_age_ms),
                keep: spec.log_keep,
                compress: spec.log_compress,
                retention: Duration::from_millis(spec.log_retention_ms),
            },
        }
    }

    /// The files that an output goes to. None: it is thrown away.
    pub(super) fn targets(&self, origin: Origin) -> impl Iterator<Item = &Path> {
        let own = match origin {
            Origin::Out => self.out_file.as_deref(),
            Origin::Error => self.error_file.as_deref(),
        };
        let both = self.log_file.as_deref().filter(|path| own != Some(*path));
        own.into_iter().chain(both)
    }

    /// All files, some perhaps twice.
    pub(super) fn files(&self) -> impl Iterator<Item = &Path> {
        [&self.out_file, &self.error_file, &self.log_file].into_iter().filter_map(Option::as_deref)
    }
}
