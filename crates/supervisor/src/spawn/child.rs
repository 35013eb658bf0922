//! What a child does between its birth and its program.
//!
//! All of this runs in a child that shares our memory (or is a copy of a process with other threads), so it may
//! neither allocate nor take a lock: everything is prepared before, and each step is a plain system call.

use std::ffi::{CStr, c_char};
use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd, RawFd};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::process::{Gid, Resource, Rlimit, Uid, setpriority_process, setrlimit, setsid};
use rustix::thread::{set_no_new_privs, set_thread_groups, set_thread_res_gid, set_thread_res_uid};

/// The step that failed in a child, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Session,
    Descriptors,
    Streams,
    Signals,
    Rlimits,
    Nice,
    User,
    Cwd,
    Confinement,
    Execute,
}

impl Step {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Session => "cannot give it a session of its own",
            Self::Descriptors => "cannot keep other open files from it",
            Self::Streams => "cannot give it its standard streams",
            Self::Signals => "cannot set its signals",
            Self::Rlimits => "cannot set its limits (limits.rlimits)",
            Self::Nice => "cannot set its priority (limits.nice)",
            Self::User => "cannot make it another user's (limits.uid, limits.gid)",
            Self::Cwd => "cannot enter its working directory",
            Self::Confinement => "cannot confine it (limits.confinement, limits.no_new_privs)",
            Self::Execute => "cannot execute it",
        }
    }
}

/// Why no program runs in the child.
#[derive(Debug, Clone, Copy)]
pub(super) struct ChildError {
    pub(super) step: Step,
    pub(super) errno: Errno,
}

/// Everything that the child needs, ready to be handed to the kernel.
#[derive(Debug)]
pub(super) struct ChildPlan<'a> {
    pub(super) program: &'a CStr,
    /// Ends with a null pointer.
    pub(super) argv: &'a [*const c_char],
    /// Ends with a null pointer.
    pub(super) envp: &'a [*const c_char],
    pub(super) cwd: &'a CStr,
    /// What it opens, both ways, as standard input, output and error; `None` for error is the same as output.
    pub(super) streams: [Option<&'a CStr>; 3],
    /// The signals that this program ignores.
    pub(super) ignored_signals: &'a [libc::c_int],
    pub(super) rlimits: &'a [(Resource, Rlimit)],
    pub(super) nice: Option<i32>,
    pub(super) uid: Option<Uid>,
    pub(super) gid: Option<Gid>,
    pub(super) groups: &'a [Gid],
    pub(super) no_new_privs: bool,
    /// What stays open until the program is executed.
    pub(super) kept: Option<RawFd>,
    /// A Landlock ruleset.
    pub(super) confinement: Option<&'a OwnedFd>,
}

/// How a child comes by its table of open files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Descriptors {
    /// It begins with ours and gives itself a table with nothing but the standard streams. What that costs does not depend
    /// on how many files we have open, which with thousands of processes are thousands.
    Shared,
    /// It has a copy, in which everything closes when the program is executed.
    Copied,
}

impl ChildPlan<'_> {
    /// Becomes the program. Returns only when that fails.
    pub(super) fn run(&self, descriptors: Descriptors) -> ChildError {
        let at = |step: Step| move |errno: Errno| ChildError { step, errno };
        let prepared = self
            .detach()
            .map_err(at(Step::Session))
            .and_then(|()| separate(descriptors, self.kept).map_err(at(Step::Descriptors)))
            .and_then(|()| self.streams().map_err(at(Step::Streams)))
            .and_then(|()| reset_signals(self.ignored_signals).map_err(at(Step::Signals)))
            .and_then(|()| self.rlimits().map_err(at(Step::Rlimits)))
            .and_then(|()| self.nice().map_err(at(Step::Nice)))
            .and_then(|()| rustix::process::chdir(self.cwd).map_err(at(Step::Cwd)))
            .and_then(|()| self.user().map_err(at(Step::User)))
            .and_then(|()| self.confine().map_err(at(Step::Confinement)));
        match prepared {
            Ok(()) => ChildError { step: Step::Execute, errno: self.execute() },
            Err(error) => error,
        }
    }

    #[allow(clippy::unused_self)]
    fn detach(&self) -> Result<(), Errno> {
        setsid().map(drop)
    }

    fn streams(&self) -> Result<(), Errno> {
        for (target, path) in (0..).zip(self.streams) {
            match path {
                Some(path) => {
                    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
                    // This one closes by itself when the program is executed.
                    dup_to(rustix::fs::open(path, flags, Mode::empty())?.into_raw_fd(), target)?;
                }
                None => dup_to(1, target)?,
            }
        }
        Ok(())
    }

    fn rlimits(&self) -> Result<(), Errno> {
        self.rlimits.iter().try_for_each(|(resource, limit)| setrlimit(*resource, *limit))
    }

    fn nice(&self) -> Result<(), Errno> {
        self.nice.map_or(Ok(()), |nice| setpriority_process(None, nice))
    }

    /// The groups first: a user without privileges cannot change them any more.
    fn user(&self) -> Result<(), Errno> {
        if self.uid.is_some() || self.gid.is_some() {
            set_thread_groups(self.groups)?;
        }
        if let Some(gid) = self.gid {
            set_thread_res_gid(gid, gid, gid)?;
        }
        self.uid.map_or(Ok(()), |uid| set_thread_res_uid(uid, uid, uid))
    }

    fn confine(&self) -> Result<(), Errno> {
        if self.no_new_privs || self.confinement.is_some() {
            set_no_new_privs(true)?;
        }
        let Some(ruleset) = self.confinement else { return Ok(()) };
        // SAFETY: the system call takes a descriptor, which is open, and a number.
        #[allow(unsafe_code)]
        let answer =
            unsafe { libc::syscall(libc::SYS_landlock_restrict_self, ruleset.as_raw_fd(), 0_u32) };
        if answer == 0 { Ok(()) } else { Err(last_errno()) }
    }

    fn execute(&self) -> Errno {
        // SAFETY: all pointers lead to strings that end with a zero byte, in arrays that end with a null pointer; their
        // owner outlives this call.
        #[allow(unsafe_code)]
        unsafe {
            libc::execve(self.program.as_ptr(), self.argv.as_ptr(), self.envp.as_ptr());
        }
        last_errno()
    }
}

/// Whatever is open, by us or by whoever started us, is not the program's.
fn separate(descriptors: Descriptors, kept: Option<RawFd>) -> Result<(), Errno> {
    if descriptors == Descriptors::Shared {
        // Of a table whose end is closed no more is copied than what stays.
        let first =
            kept.and_then(|kept| u32::try_from(kept).ok()).map_or(3, |kept| kept.max(2) + 1);
        close_range(first, libc::CLOSE_RANGE_UNSHARE)?;
    }
    // Kernels before 5.11 cannot do this at one go; what we opened ourselves closes there all the same.
    let _ = close_range(3, libc::CLOSE_RANGE_CLOEXEC);
    Ok(())
}

fn close_range(first: u32, flag: libc::c_uint) -> Result<(), Errno> {
    // SAFETY: the call takes plain numbers. What it closes or marks is in a table that is then the child's own.
    #[allow(unsafe_code)]
    let answer = unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, flag) };
    if answer == 0 { Ok(()) } else { Err(last_errno()) }
}

/// `dup2`, also where both are the same, for then the descriptor must lose its close-on-exec flag.
fn dup_to(from: RawFd, to: RawFd) -> Result<(), Errno> {
    // SAFETY: plain numbers; a wrong one is answered with an error.
    #[allow(unsafe_code)]
    let answer = unsafe {
        if from == to { libc::fcntl(from, libc::F_SETFD, 0) } else { libc::dup2(from, to) }
    };
    if answer < 0 { Err(last_errno()) } else { Ok(()) }
}

/// No signal blocked, and none ignored: a script that starts us in the background, `nohup` and this program's own
/// runtime have some ignored, and what a program finds ignored it usually leaves so. (Handlers end with the execution.)
fn reset_signals(ignored: &[libc::c_int]) -> Result<(), Errno> {
    // SAFETY: the set is initialised by `sigemptyset` before it is used; changing dispositions and mask concerns the child
    // alone, which shares our memory but not our signals.
    #[allow(unsafe_code)]
    let answer = unsafe {
        for signal in ignored {
            libc::signal(*signal, libc::SIG_DFL);
        }
        let mut none = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
        libc::sigemptyset(none.as_mut_ptr());
        libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), std::ptr::null_mut())
    };
    if answer == 0 { Ok(()) } else { Err(last_errno()) }
}

pub(super) fn last_errno() -> Errno {
    Errno::from_raw_os_error(std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO))
}
