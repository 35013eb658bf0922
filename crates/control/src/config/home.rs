//! The folder that everything of an installation stands in.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The longest path of a Unix socket in bytes: `sun_path` has 108 with the NUL at its end.
pub const MAX_SOCKET_PATH: usize = 107;

/// The folder that everything of an installation stands in, `~/.tenantry` by default, and where in
/// it each part stands.
///
/// ```text
/// tenantry.toml      settings
/// tenantry.db        the store, unless DATABASE_URL says otherwise
/// admin.token        the operator's token
/// backups/           backups that were asked for over HTTP
/// sessions/<tenant>/ WhatsApp sessions, unless SESSIONS_PATH says otherwise
/// logs/              server.log, supervisor.log, <tenant>.log
/// run/               sockets, locks, server.json, worker tokens
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home(PathBuf);

impl Home {
    /// The home at an absolute path.
    #[must_use]
    pub const fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// The folder itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.0
    }

    /// The settings file.
    #[must_use]
    pub fn config_file(&self) -> PathBuf {
        self.0.join("tenantry.toml")
    }

    /// The SQLite database, unless `database_url` says otherwise.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.0.join("tenantry.db")
    }

    /// The folder of the sessions, unless `sessions_path` says otherwise.
    #[must_use]
    pub fn sessions(&self) -> PathBuf {
        self.0.join("sessions")
    }

    /// The file with the operator's token.
    #[must_use]
    pub fn admin_token(&self) -> PathBuf {
        self.0.join("admin.token")
    }

    /// The folder of the keys that sessions are sealed with, one file a tenant.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.0.join("keys")
    }

    /// The folder of the logs.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.0.join("logs")
    }

    /// The control plane's log.
    #[must_use]
    pub fn server_log(&self) -> PathBuf {
        self.logs().join("server.log")
    }

    /// The supervisor's log.
    #[must_use]
    pub fn supervisor_log(&self) -> PathBuf {
        self.logs().join("supervisor.log")
    }

    /// The folder of files that were uploaded to be sent.
    #[must_use]
    pub fn media(&self) -> PathBuf {
        self.root().join("media")
    }

    /// The folder of the backups that are made from the web.
    #[must_use]
    pub fn backups(&self) -> PathBuf {
        self.root().join("backups")
    }

    /// The folder of what lives only as long as its process: sockets, locks, tokens.
    #[must_use]
    pub fn run(&self) -> PathBuf {
        self.0.join("run")
    }

    /// The supervisor's socket.
    #[must_use]
    pub fn supervisor_socket(&self) -> PathBuf {
        self.run().join("supervisor.sock")
    }

    /// The socket of the worker link.
    #[must_use]
    pub fn link_socket(&self) -> PathBuf {
        self.run().join("link.sock")
    }

    /// The control plane's socket for the command line on this machine, where its port speaks TLS.
    #[must_use]
    pub fn server_socket(&self) -> PathBuf {
        self.run().join("server.sock")
    }

    /// Where the running control plane says how it is reached: `{"url": "http://127.0.0.1:7700"}`.
    #[must_use]
    pub fn server_file(&self) -> PathBuf {
        self.run().join("server.json")
    }

    /// The lock that the one control plane of a home holds.
    #[must_use]
    pub fn server_lock(&self) -> PathBuf {
        self.run().join("server.lock")
    }

    /// The folder of the workers' token files.
    #[must_use]
    pub fn tokens(&self) -> PathBuf {
        self.run().join("tokens")
    }

    /// The longest socket path below this home when it is too long for the system.
    #[must_use]
    pub fn too_long_socket(&self) -> Option<PathBuf> {
        [self.supervisor_socket(), self.link_socket(), self.server_socket()]
            .into_iter()
            .filter(|path| path.as_os_str().as_bytes().len() > MAX_SOCKET_PATH)
            .max_by_key(|path| path.as_os_str().len())
    }
}
