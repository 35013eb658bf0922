//! The holder's own process.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, IoSliceMut};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SocketAddrUnix,
    SocketFlags, SocketType, accept_with, bind, listen, recvmsg, socket_with,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::Word;
use crate::memory;

/// Time between two looks whether it is still needed, while no supervisor is connected.
const IDLE_LOOK: Timespec = Timespec { tv_sec: 5, tv_nsec: 0 };
/// How long nobody must have said anything before what it needed to listen is given back.
const QUIET: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };
/// Most descriptors in one message: standard output and error.
const MOST: usize = 2;

/// Holds pipes for the supervisors of `socket`'s folder. Ends when no supervisor is connected and there is nothing
/// to hold, or the socket's name is gone or belongs to another holder.
///
/// # Errors
/// When the system refuses the socket.
pub fn run(socket: &Path) -> io::Result<()> {
    let listener = open(socket)?;
    let inode = fs::metadata(socket)?.ino();
    let limit = getrlimit(Resource::Nofile);
    // With fewer descriptors it holds fewer pipes, which is no reason to hold none.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    let mut held: HashMap<u32, Vec<OwnedFd>> = HashMap::new();
    let mut supervisors: Vec<OwnedFd> = Vec::new();
    // Whether what the last messages needed was given back.
    let mut is_tidy = false;
    loop {
        let patience = match (supervisors.is_empty(), is_tidy) {
            (true, _) => Some(&IDLE_LOOK),
            (false, false) => Some(&QUIET),
            (false, true) => None,
        };
        let ready = wait(&listener, &supervisors, patience)?;
        let was_tidy = std::mem::replace(&mut is_tidy, ready.is_none());
        let Some(ready) = ready else {
            if !was_tidy {
                memory::give_back();
            }
            if !supervisors.is_empty() {
                continue;
            }
            let ours = fs::metadata(socket).is_ok_and(|metadata| metadata.ino() == inode);
            if !ours || held.is_empty() {
                if ours {
                    let _ = fs::remove_file(socket);
                }
                return Ok(());
            }
            continue;
        };
        let mut index = 0;
        supervisors.retain(|supervisor| {
            index += 1;
            !ready.contains(&index) || listen_to(supervisor.as_fd(), &mut held)
        });
        if ready.contains(&0)
            && let Ok(supervisor) = accept_with(&listener, SocketFlags::CLOEXEC)
        {
            supervisors.push(supervisor);
        }
    }
}

fn open(path: &Path) -> io::Result<OwnedFd> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let flags = SocketFlags::CLOEXEC;
    let listener = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
    bind(&listener, &SocketAddrUnix::new(path)?)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    listen(&listener, 8)?;
    Ok(listener)
}

/// Who has something to say: 0 for the listener, then the supervisors. `None`: nobody, for so long.
fn wait(
    listener: &OwnedFd,
    supervisors: &[OwnedFd],
    patience: Option<&Timespec>,
) -> io::Result<Option<Vec<usize>>> {
    let all = std::iter::once(listener).chain(supervisors);
    let mut fds: Vec<PollFd<'_>> = all.map(|fd| PollFd::new(fd, PollFlags::IN)).collect();
    match poll(&mut fds, patience) {
        Ok(0) => Ok(None),
        Ok(_) => {
            let ready = fds.iter().enumerate().filter(|(_, fd)| !fd.revents().is_empty());
            Ok(Some(ready.map(|(at, _)| at).collect()))
        }
        Err(Errno::INTR) => Ok(Some(Vec::new())),
        Err(errno) => Err(errno.into()),
    }
}

/// Takes one message; `false` when there will be no more.
fn listen_to(supervisor: BorrowedFd<'_>, held: &mut HashMap<u32, Vec<OwnedFd>>) -> bool {
    let mut bytes = [0_u8; 5];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::CMSG_CLOEXEC;
    let received = recvmsg(supervisor, &mut [IoSliceMut::new(&mut bytes)], &mut ancillary, flags);
    let length = match received {
        Ok(message) => message.bytes,
        Err(Errno::INTR) => return true,
        Err(_) => 0,
    };
    if length == 0 {
        return false;
    }
    let rights = ancillary.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(rights) => Some(rights),
        _ => None,
    });
    let pipes: Vec<OwnedFd> = rights.flatten().collect();
    match Word::decode(&bytes[..length]) {
        Some(Word::Hold(id)) => {
            held.insert(id, pipes);
        }
        Some(Word::Drop(id)) => {
            held.remove(&id);
        }
        None => {}
    }
    true
}
