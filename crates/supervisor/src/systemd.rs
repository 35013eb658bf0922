//! Telling systemd how the supervisor itself is, when it runs as a service (`sd_notify(3)`).

use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// Sends `state` (such as `READY=1`) to `socket`, the value of `NOTIFY_SOCKET`: a path, or an abstract name after an at sign.
/// Does nothing when that is unset or empty. Never waits.
///
/// # Errors
/// When nobody takes it; the supervisor does well to log that and to go on.
pub(crate) fn notify_systemd(socket: Option<&OsStr>, state: &str) -> io::Result<()> {
    let Some(socket) = socket.filter(|socket| !socket.is_empty()) else { return Ok(()) };
    let address = match socket.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(socket)?,
    };
    let sender = UnixDatagram::unbound()?;
    sender.set_nonblocking(true)?;
    sender.send_to_addr(state.as_bytes(), &address).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(receiver: &UnixDatagram) -> String {
        let mut text = [0; 64];
        let length = receiver.recv(&mut text).unwrap();
        String::from_utf8(text[..length].to_vec()).unwrap()
    }

    #[test]
    fn a_path_and_an_abstract_name_are_reached() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("systemd");
        let receiver = UnixDatagram::bind(&path).unwrap();
        notify_systemd(Some(path.as_os_str()), "READY=1").unwrap();
        assert_eq!(received(&receiver), "READY=1");

        let name = format!("tenantry-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let receiver = UnixDatagram::bind_addr(&address).unwrap();
        notify_systemd(Some(format!("@{name}").as_ref()), "STOPPING=1\nSTATUS=bye").unwrap();
        assert_eq!(received(&receiver), "STOPPING=1\nSTATUS=bye");
    }

    #[test]
    fn without_systemd_nothing_happens_and_a_dead_socket_is_an_error() {
        notify_systemd(None, "READY=1").unwrap();
        notify_systemd(Some(OsStr::new("")), "READY=1").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing");
        assert!(notify_systemd(Some(missing.as_os_str()), "READY=1").is_err());
    }
}
