//! Giving memory back that only a burst of work needed: a thousand starts leave three times what a thousand processes need.

use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

/// How long there must have been no start before what the last ones needed is given back.
const QUIET: Duration = Duration::from_secs(1);

/// The pauses of [`give_back_now_and_then`].
const AFTER_START: Duration = Duration::from_secs(3);
const BETWEEN: Duration = Duration::from_secs(120);

/// What is larger is a mapping of its own, which is gone when it is free. The C library begins with this but has it grow with
/// every one that is freed: then a request with a thousand descriptions would leave its hole in the heap.
#[cfg(target_env = "gnu")]
const LARGE: libc::c_int = 128 << 10;

/// Has all threads share one heap, with nothing large in it. The C library makes one for every thread else (up to eight for
/// each processor), and what one has given back no other can use.
pub fn share_one_heap() {
    #[cfg(target_env = "gnu")]
    // SAFETY: the call takes plain numbers; heaps that exist already are used on.
    #[allow(unsafe_code)]
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
    }
}

/// Gives back what is not needed after each burst of starts.
pub(crate) async fn give_back_after(starts: &Notify) {
    loop {
        starts.notified().await;
        while timeout(QUIET, starts.notified()).await.is_ok() {}
        // It only fails with the runtime.
        let _ = tokio::task::spawn_blocking(give_back).await;
    }
}

/// Gives back what is not needed, again and again: some seconds after a start, which needs more than anything
/// that comes later, and every few minutes. Ends with the runtime.
pub async fn give_back_now_and_then() {
    let mut pause = AFTER_START;
    loop {
        tokio::time::sleep(pause).await;
        pause = BETWEEN;
        let _ = tokio::task::spawn_blocking(give_back).await;
    }
}

/// Gives free heap pages back to the system, and unmaps this program's own code and constants: a start takes everybody through
/// large parts of them that are not used again. What still is comes back at its next use, from the file's cached pages.
pub(crate) fn give_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: both calls may be made at any time; `unmap_constant_parts` is a function of the type that is asked for.
    #[allow(unsafe_code)]
    unsafe {
        libc::malloc_trim(0);
        libc::dl_iterate_phdr(Some(unmap_constant_parts), std::ptr::null_mut());
    }
}

/// Called for the program first, and then, were it not for the answer, for each library.
///
/// # Safety
/// `info` must describe an object that is loaded, as the dynamic linker gives it.
#[cfg(target_env = "gnu")]
#[allow(unsafe_code)]
unsafe extern "C" fn unmap_constant_parts(
    info: *mut libc::dl_phdr_info,
    _: libc::size_t,
    _: *mut libc::c_void,
) -> libc::c_int {
    const DONE: libc::c_int = 1;
    // SAFETY: the dynamic linker hands us a description that is whole as long as we are in here, and headers that are mapped.
    let (base, headers) = unsafe {
        let info = &*info;
        (info.dlpi_addr, std::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()))
    };
    let page = rustix::param::page_size() as u64;
    for header in headers {
        // What was never writable is as it is in the file; what the linker has relocated was.
        if header.p_type != libc::PT_LOAD || header.p_flags & libc::PF_W != 0 {
            continue;
        }
        let start = (base + header.p_vaddr).next_multiple_of(page);
        let end = (base + header.p_vaddr + header.p_memsz) / page * page;
        let length = usize::try_from(end.saturating_sub(start)).unwrap_or(0);
        // SAFETY: a private mapping of a file that nobody has written to is read from the file again at the next access.
        unsafe {
            libc::madvise(start as *mut libc::c_void, length, libc::MADV_DONTNEED);
        }
    }
    DONE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resident_kib() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    #[test]
    fn what_is_free_is_given_back_and_the_program_goes_on() {
        let many: Vec<Vec<u8>> = (0..40_000).map(|_| vec![1_u8; 1000]).collect();
        // The end of the heap stays in use.
        let last = vec![1_u8; 1000];
        let before = resident_kib();
        drop(many);
        give_back();
        let after = resident_kib();
        assert!(after + 30_000 < before, "{before} KiB became {after}");
        assert_eq!(last[999], 1);
    }
}
