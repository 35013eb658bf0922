//! Where processes say of themselves that they are ready: systemd's notification protocol (`sd_notify(3)`).
//!
//! One datagram socket serves all processes; the kernel tells who sent a datagram. That is the process that sent it, which
//! may be a child of the main process, and may have ended meanwhile.

mod datagram;

use std::fs::{self, Permissions};
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{self, SocketAddr};
use std::path::Path;

use tokio::io::Interest;
use tokio::net::UnixDatagram;

/// So many bytes of a status text are kept.
const MAX_STATUS: usize = 1024;

/// The socket that `NOTIFY_SOCKET` names in the environment of processes.
#[derive(Debug)]
pub(crate) struct NotifySocket {
    socket: UnixDatagram,
}

/// What a process said in one datagram.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Notice {
    /// `READY=1`: it has started, or has reloaded its settings.
    pub(crate) ready: bool,
    /// `STOPPING=1`: it is about to end.
    pub(crate) stopping: bool,
    /// `RELOADING=1`: it reloads its settings, and will say that it is ready again.
    pub(crate) reloading: bool,
    /// `WATCHDOG=1`: it is alive.
    pub(crate) watchdog: bool,
    /// `STATUS=...`: what it does, for people; one line of at most 1 KiB without control characters.
    pub(crate) status: Option<String>,
}

impl NotifySocket {
    /// Makes the socket, in place of one that an earlier supervisor left. Who has the write permission in `mode` can
    /// send. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When the file cannot be made, for instance because its path is longer than the 107 bytes that a socket's may be.
    pub(crate) fn bind(path: &Path, mode: u32) -> io::Result<Self> {
        let with_path = |error: io::Error| {
            io::Error::new(error.kind(), format!("notification socket {}: {error}", path.display()))
        };
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(with_path(error)),
            Ok(()) | Err(_) => {}
        }
        let socket = UnixDatagram::bind(path).map_err(with_path)?;
        rustix::net::sockopt::set_socket_passcred(&socket, true)?;
        fs::set_permissions(path, Permissions::from_mode(mode)).map_err(with_path)?;
        Ok(Self { socket })
    }

    /// Makes a socket that has a name and no file, so that other users' processes reach it too, whatever folders are closed
    /// to them. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When somebody has the name.
    pub(crate) fn bind_abstract(name: &str) -> io::Result<Self> {
        let socket = net::UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(name)?)?;
        socket.set_nonblocking(true)?;
        let socket = UnixDatagram::from_std(socket)?;
        rustix::net::sockopt::set_socket_passcred(&socket, true)?;
        Ok(Self { socket })
    }

    /// Waits for the next datagram that says something known, and tells who sent it. May be dropped at any time
    /// without losing one.
    ///
    /// # Errors
    /// When the socket cannot be read.
    pub(crate) async fn recv(&self) -> io::Result<(i32, Notice)> {
        loop {
            // Nonsense at a high rate must not keep others of the event loop from their turn.
            tokio::task::coop::consume_budget().await;
            let read = || datagram::receive(&self.socket, |text, pid| Some((pid?, parse(text)?)));
            if let Some(said) = self.socket.async_io(Interest::READABLE, read).await? {
                return Ok(said);
            }
        }
    }
}

/// `None`: nothing that is known here. Of a repeated word the last counts.
fn parse(datagram: &[u8]) -> Option<Notice> {
    let mut notice = Notice::default();
    for line in datagram.split(|byte| *byte == b'\n') {
        match line {
            b"READY=1" => notice.ready = true,
            b"STOPPING=1" => notice.stopping = true,
            b"RELOADING=1" => notice.reloading = true,
            b"WATCHDOG=1" => notice.watchdog = true,
            line => {
                if let Some(status) = line.strip_prefix(b"STATUS=") {
                    notice.status = Some(printable(status));
                }
            }
        }
    }
    (notice != Notice::default()).then_some(notice)
}

fn printable(status: &[u8]) -> String {
    let text = String::from_utf8_lossy(status);
    let mut kept: String = text.chars().filter(|c| !c.is_control()).collect();
    kept.truncate(kept.floor_char_boundary(MAX_STATUS));
    kept
}

#[cfg(test)]
mod tests;
