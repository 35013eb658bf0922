//! Why a worker ends, and the exit code that says so.

use std::path::PathBuf;

use crate::contract::Mistakes;
use crate::safekeeping::SafekeepingError;
use crate::session_dir::SessionDirError;
use crate::store::StoreError;

/// How a worker ended that was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was told to stop.
    Stopped,
}

/// Why a worker ended that was not asked to.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The environment is not what the worker contract asks for.
    #[error(transparent)]
    Contract(#[from] Mistakes),
    /// The token file cannot be read.
    #[error("TENANTRY_TOKEN_FILE: cannot read {}: {source}; let it name a file this worker may read", path.display())]
    Token {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The session's directory cannot be used, or another worker holds it.
    #[error(transparent)]
    SessionDir(#[from] SessionDirError),
    /// The session's databases cannot be used as they are.
    #[error(transparent)]
    Safekeeping(#[from] SafekeepingError),
    /// The worker's own database cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The control plane says that a newer worker of this tenant has taken over.
    #[error("a newer worker of this tenant has taken over ({0}); this one ends")]
    Superseded(String),
    /// The control plane does not take this worker's token.
    #[error(
        "the control plane refuses this worker's token ({0}); start the worker through the control plane, which writes a new one"
    )]
    TokenRefused(String),
    /// WhatsApp ended the connection because another client uses the same login.
    #[error(
        "another WhatsApp client took over this session's login; this worker ends rather than fight for it: find the other client (a copy of the session directory?) and stop it, then start this worker again"
    )]
    Replaced,
    /// Connections fall silent; a new process may hear again.
    #[error(
        "connections to WhatsApp fall silent again and again; this worker ends to be started anew"
    )]
    Deaf,
    /// A part of the worker ended that never should.
    #[error("the worker's {0} ended unexpectedly; this is a defect, please report it with the log")]
    Part(&'static str),
}

impl WorkerError {
    /// The exit code of the process: stable, documented in `docs/worker-contract.md`.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Contract(_) | Self::Token { .. } => 2,
            Self::Safekeeping(error) if error.wants_key() => 79,
            Self::Deaf => 70,
            Self::SessionDir(SessionDirError::Held { .. }) => 75,
            Self::Superseded(_) => 76,
            Self::TokenRefused(_) => 77,
            Self::Replaced => 78,
            Self::SessionDir(_) | Self::Safekeeping(_) | Self::Store(_) | Self::Part(_) => 1,
        }
    }
}
