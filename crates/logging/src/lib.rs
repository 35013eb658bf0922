//! The logger that all of Tenantry's programs share, on top of `tracing`.
//!
//! On a terminal it writes lines for people, with colours; into a pipe or a file it writes one JSON
//! object per line (`ts`, `level`, `target`, `message`, then the fields). A program may also keep a
//! JSON log file that rotates by size. Records of the `log` crate take the same way.
//!
//! ```no_run
//! logging::init(logging::Config { level: "info", output: logging::Output::stderr() })?;
//! # Ok::<(), logging::InitError>(())
//! ```

mod filter;
mod flood;
mod json;
mod rotate;

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use tracing_subscriber::fmt;
use tracing_subscriber::fmt::time::ChronoLocal;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

pub use filter::{BadLevel, Filter};
pub use rotate::{DEFAULT_KEEP, DEFAULT_MAX_BYTES, RotatingFile, RotationSettings};

/// What to log, and where to.
#[derive(Clone, Debug)]
pub struct Config<'a> {
    /// A level or a filter, such as `info` or `debug,hyper=warn`; see [`Filter`].
    pub level: &'a str,
    /// Where the lines go.
    pub output: Output,
}

/// Where log lines go: to stderr, and into a file if one is given.
#[derive(Clone, Debug, Default)]
pub struct Output {
    /// The form of the lines on stderr.
    pub stderr: Form,
    /// A file of JSON lines besides, with its rotation.
    pub file: Option<(PathBuf, RotationSettings)>,
}

/// The form of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// For people when stderr is a terminal, else JSON.
    #[default]
    Auto,
    /// For people, with colours only when stderr is a terminal.
    Pretty,
    /// One JSON object per line.
    Json,
    /// No lines.
    Silent,
}

impl Output {
    /// Lines on stderr alone, in the form that suits it.
    #[must_use]
    pub fn stderr() -> Self {
        Self::default()
    }

    /// Lines on stderr, and JSON lines in the file at `path`, rotated at
    /// [`DEFAULT_MAX_BYTES`] with [`DEFAULT_KEEP`] old files.
    #[must_use]
    pub fn stderr_and_file(path: &Path) -> Self {
        let file = Some((path.to_owned(), RotationSettings::default()));
        Self { stderr: Form::Auto, file }
    }
}

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// The level is none.
    #[error(transparent)]
    Level(#[from] BadLevel),
    /// The log file cannot be written.
    #[error("cannot write the log file {}: {source}; make its folder writable", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The process has a logger already.
    #[error("logging was already set up in this process")]
    Twice,
}

/// Sets the process's logger up. Call it once, at the start of the program.
///
/// # Errors
/// See [`InitError`].
pub fn init(config: Config<'_>) -> Result<(), InitError> {
    let filter: Filter = config.level.parse()?;
    let mut layers: Vec<Box<dyn Layer<Registry> + Send + Sync>> = Vec::new();
    let terminal = io::stderr().is_terminal();
    match config.output.stderr {
        Form::Auto if terminal => layers.push(pretty(true)),
        Form::Pretty => layers.push(pretty(terminal)),
        Form::Auto | Form::Json => layers.push(Box::new(json::JsonLines::new(io::stderr))),
        Form::Silent => {}
    }
    if let Some((path, rotation)) = config.output.file {
        let file = RotatingFile::open(&path, rotation)
            .map_err(|source| InitError::File { path, source })?;
        layers.push(Box::new(json::JsonLines::new(rotate::Shared::new(file))));
    }
    tracing_subscriber::registry()
        .with(layers)
        .with(flood::Floodgate::default())
        .with(filter.into_targets())
        .try_init()
        .map_err(|_| InitError::Twice)
}

/// Lines for people: local time, level, target, message, fields.
fn pretty<S>(colours: bool) -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'span> LookupSpan<'span>,
{
    let layer = fmt::layer()
        .with_ansi(colours)
        .with_timer(ChronoLocal::new("%H:%M:%S%.3f".to_owned()))
        // Reporting a failed write would write to the same place and panic when it is gone.
        .log_internal_errors(false)
        .with_writer(io::stderr);
    Box::new(layer)
}
