//! One datagram with the pid of its sender. By hand: rustix takes the kernel's pid for one that is never 0, which it is for
//! a sender that this pid namespace does not see.

use std::io;
use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsFd, AsRawFd};

/// Longer ones are ignored.
pub(super) const MAX_DATAGRAM: usize = 64 * 1024;

/// Room for the sender's credentials and nothing more: descriptors that come along are closed by the kernel.
#[repr(C)]
union Control {
    header: libc::cmsghdr,
    room: [u8; 64],
}

/// Takes one datagram without waiting and hands it to `read`, with the pid of its sender if the kernel knows it.
/// Nothing for one that is too long.
pub(super) fn receive<T>(
    socket: impl AsFd,
    read: impl FnOnce(&[u8], Option<i32>) -> Option<T>,
) -> io::Result<Option<T>> {
    let mut buffer = [0_u8; MAX_DATAGRAM];
    let mut control = Control { room: [0; 64] };
    let mut part = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    // SAFETY: all-zero is a valid `msghdr`: null pointers with zero lengths.
    #[allow(unsafe_code)]
    let mut message: libc::msghdr = unsafe { MaybeUninit::zeroed().assume_init() };
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    message.msg_control = (&raw mut control).cast();
    // SAFETY: arithmetic on a length, no access.
    #[allow(unsafe_code)]
    let room = unsafe { libc::CMSG_SPACE(size_of::<libc::ucred>() as u32) };
    message.msg_controllen = (room as usize).min(size_of::<Control>());
    let flags = libc::MSG_DONTWAIT | libc::MSG_CMSG_CLOEXEC;
    // SAFETY: the descriptor is open; `message` points at `part` and `control`, `part` at `buffer`; all of them live, are
    // writable, are as long as stated, and are not touched elsewhere during the call.
    #[allow(unsafe_code)]
    let length = unsafe { libc::recvmsg(socket.as_fd().as_raw_fd(), &raw mut message, flags) };
    let length = usize::try_from(length).map_err(|_| io::Error::last_os_error())?;
    if message.msg_flags & libc::MSG_TRUNC != 0 {
        return Ok(None);
    }
    let pid = sender(&message);
    Ok(read(buffer.get(..length).unwrap_or(&[]), pid))
}

/// The pid in the control data of a message that `recvmsg` filled in.
fn sender(message: &libc::msghdr) -> Option<i32> {
    // SAFETY: `msg_control` points at `msg_controllen` bytes that the kernel wrote, aligned for a header; the macro
    // answers null when they do not hold one.
    #[allow(unsafe_code)]
    let header = unsafe { libc::CMSG_FIRSTHDR(message).as_ref() }?;
    let is_credentials =
        (header.cmsg_level, header.cmsg_type) == (libc::SOL_SOCKET, libc::SCM_CREDENTIALS);
    // SAFETY: arithmetic on a length, no access.
    #[allow(unsafe_code)]
    let needed = unsafe { libc::CMSG_LEN(size_of::<libc::ucred>() as u32) } as usize;
    if !is_credentials || header.cmsg_len < needed {
        return None;
    }
    // SAFETY: the header says that a whole `ucred`, for which any bytes are valid, follows it within the control data.
    #[allow(unsafe_code)]
    let credentials = unsafe { libc::CMSG_DATA(header).cast::<libc::ucred>().read_unaligned() };
    (credentials.pid > 0).then_some(credentials.pid)
}
