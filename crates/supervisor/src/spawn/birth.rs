//! `clone3(2)`: a child that is born in its control group, with a pidfd, and in our memory until it executes its program.
//!
//! `posix_spawn` can do neither of the first two (before glibc 2.39), and a `fork` would copy our page tables each time.
//! Where a filter forbids `clone3`, an ordinary fork does; the child then joins its group itself.

use std::ffi::c_void;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::child::{ChildError, ChildPlan, Descriptors, Step, last_errno};

/// A child that executes its program.
#[derive(Debug)]
pub(super) struct Born {
    pub(super) pid: Pid,
    pub(super) pidfd: OwnedFd,
}

/// Why there is no child.
#[derive(Debug)]
pub(super) enum NotBorn {
    /// The kernel made none.
    Clone(io::Error),
    /// It could not become its program.
    Child(ChildError),
}

/// Room for the child's calls before its program has a stack of its own: a few kilobytes are used.
const STACK: usize = 64 * 1024;

/// The child begins with default handlers for all signals that we handle. (`libc`'s constant is too narrow for its value.)
const CLONE_CLEAR_SIGHAND: u64 = 0x1_0000_0000;
/// The child is born in the control group that the arguments name.
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// What the child finds, and where it leaves word.
struct Cradle<'a> {
    plan: &'a ChildPlan<'a>,
    descriptors: Descriptors,
    error: Option<ChildError>,
}

#[repr(C, align(16))]
struct Stack([MaybeUninit<u8>; STACK]);

/// Makes a child and waits until it executes its program or has failed to.
pub(super) fn give_birth(
    plan: &ChildPlan<'_>,
    group: Option<BorrowedFd<'_>>,
) -> Result<Born, NotBorn> {
    match vfork(plan, group, descriptors(plan)) {
        Err(NotBorn::Clone(error)) if is_forbidden(&error) => fork(plan, group),
        Err(NotBorn::Child(error)) if error.step == Step::Descriptors => {
            CANNOT_UNSHARE.store(true, Ordering::Relaxed);
            vfork(plan, group, Descriptors::Copied)
        }
        other => other,
    }
}

/// Set once a child could not give itself a table of open files: the kernel is older than 5.9.
static CANNOT_UNSHARE: AtomicBool = AtomicBool::new(false);

/// A child that is confined still needs the descriptor of its rules.
fn descriptors(plan: &ChildPlan<'_>) -> Descriptors {
    if plan.confinement.is_some() || CANNOT_UNSHARE.load(Ordering::Relaxed) {
        Descriptors::Copied
    } else {
        Descriptors::Shared
    }
}

/// Old kernels, and filters as container runtimes have them.
fn is_forbidden(error: &io::Error) -> bool {
    let refusals = [libc::ENOSYS, libc::EPERM, libc::EINVAL, libc::EOPNOTSUPP];
    error.raw_os_error().is_some_and(|errno| refusals.contains(&errno))
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn vfork(
    plan: &ChildPlan<'_>,
    group: Option<BorrowedFd<'_>>,
    descriptors: Descriptors,
) -> Result<Born, NotBorn> {
    let files = if descriptors == Descriptors::Shared { libc::CLONE_FILES } else { 0 };
    let mut stack = Box::<Stack>::new_uninit();
    let mut cradle = Cradle { plan, descriptors, error: None };
    let mut pidfd: RawFd = -1;
    let mut arguments = libc::clone_args {
        flags: (libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_PIDFD | files) as u64
            | CLONE_CLEAR_SIGHAND
            | group.map_or(0, |_| CLONE_INTO_CGROUP),
        pidfd: &raw mut pidfd as u64,
        child_tid: 0,
        parent_tid: 0,
        exit_signal: libc::SIGCHLD as u64,
        stack: stack.as_mut_ptr() as u64,
        stack_size: STACK as u64,
        tls: 0,
        set_tid: 0,
        set_tid_size: 0,
        cgroup: group.map_or(0, |group| group.as_raw_fd() as u64),
    };
    let blocked = SignalsBlocked::all();
    // SAFETY: the child runs `enter` on a stack of its own, which lives until this thread goes on, and that is when the child
    // has executed its program or ended (`CLONE_VFORK`); the same holds for the cradle. `enter` never returns, allocates
    // nothing and takes no lock. No handler of ours can run in it: all signals are blocked, and it has no handlers.
    #[allow(unsafe_code)]
    let pid = unsafe { clone3(&raw mut arguments, (&raw mut cradle).cast()) };
    drop(blocked);
    drop(stack);
    if pid < 0 {
        let errno = i32::try_from(-pid).unwrap_or(libc::EIO);
        return Err(NotBorn::Clone(io::Error::from_raw_os_error(errno)));
    }
    // SAFETY: the kernel has stored a descriptor here that nobody else owns.
    #[allow(unsafe_code)]
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
    let raw = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let pid =
        raw.ok_or_else(|| NotBorn::Clone(io::Error::other("the system gave an impossible pid")))?;
    match cradle.error {
        None => Ok(Born { pid, pidfd }),
        Some(error) => {
            reap(pid);
            Err(NotBorn::Child(error))
        }
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn vfork(
    plan: &ChildPlan<'_>,
    group: Option<BorrowedFd<'_>>,
    _: Descriptors,
) -> Result<Born, NotBorn> {
    fork(plan, group)
}

/// The child's first and last function.
extern "C" fn enter(cradle: *mut c_void) -> ! {
    // SAFETY: the pointer is to the cradle of `vfork`, whose frame waits for us; nobody else uses it meanwhile.
    #[allow(unsafe_code)]
    unsafe {
        let cradle = &mut *cradle.cast::<Cradle<'_>>();
        cradle.error = Some(cradle.plan.run(cradle.descriptors));
        libc::_exit(127)
    }
}

/// Makes the child, which calls [`enter`] with `cradle`. In the parent: its pid, or a negative error number.
///
/// # Safety
/// The arguments must name a stack for the child, and everything it uses must live until it has executed or ended.
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
unsafe fn clone3(arguments: *mut libc::clone_args, cradle: *mut c_void) -> isize {
    let answer: isize;
    // SAFETY: as the caller promises. The child never comes back from the call; the parent goes on at label 2 with nothing
    // changed but `rax`, `rcx` and `r11`, as after every system call.
    unsafe {
        std::arch::asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            "xor ebp, ebp",
            "mov rdi, r8",
            "call r9",
            "ud2",
            "2:",
            inlateout("rax") libc::SYS_clone3 as isize => answer,
            in("rdi") arguments,
            in("rsi") size_of::<libc::clone_args>(),
            in("r8") cradle,
            in("r9") enter as extern "C" fn(*mut c_void) -> !,
            lateout("rcx") _,
            lateout("r11") _,
        );
    }
    answer
}

/// As above.
///
/// # Safety
/// As above.
#[cfg(target_arch = "aarch64")]
#[allow(unsafe_code)]
unsafe fn clone3(arguments: *mut libc::clone_args, cradle: *mut c_void) -> isize {
    let answer: isize;
    // SAFETY: as the caller promises; the parent goes on at label 2 with nothing changed but `x0`.
    unsafe {
        std::arch::asm!(
            "svc 0",
            "cbnz x0, 2f",
            "mov x29, xzr",
            "mov x30, xzr",
            "mov x0, x9",
            "blr x10",
            "brk 1",
            "2:",
            inlateout("x0") arguments as isize => answer,
            in("x1") size_of::<libc::clone_args>(),
            in("x8") libc::SYS_clone3,
            in("x9") cradle,
            in("x10") enter as extern "C" fn(*mut c_void) -> !,
        );
    }
    answer
}

/// An ordinary fork. The child tells through a pipe why it could not become its program.
fn fork(plan: &ChildPlan<'_>, group: Option<BorrowedFd<'_>>) -> Result<Born, NotBorn> {
    let (heard, told) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)
        .map_err(|errno| NotBorn::Clone(errno.into()))?;
    let blocked = SignalsBlocked::all();
    // SAFETY: the child calls nothing but `ChildPlan::run` and plain system calls, which is allowed in a copy of a process
    // with several threads.
    #[allow(unsafe_code)]
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        let joined = group.map_or(Ok(()), join);
        let error = match joined {
            Ok(()) => plan.run(Descriptors::Copied),
            Err(errno) => ChildError { step: Step::Confinement, errno },
        };
        let word = [error.step as u8, error.errno.raw_os_error().to_le_bytes()[0]];
        let _ = rustix::io::write(&told, &word);
        // SAFETY: ends the child without running anything of the parent's.
        #[allow(unsafe_code)]
        unsafe {
            libc::_exit(127)
        }
    }
    drop(blocked);
    drop(told);
    let pid = match Pid::from_raw(pid) {
        Some(pid) if pid.as_raw_pid() > 0 => pid,
        _ => return Err(NotBorn::Clone(last_errno().into())),
    };
    let mut word = [0_u8; 2];
    if rustix::io::read(&heard, &mut word).is_ok_and(|length| length == 2) {
        reap(pid);
        let errno = Errno::from_raw_os_error(i32::from(word[1]));
        return Err(NotBorn::Child(ChildError { step: step_of(word[0]), errno }));
    }
    match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(pidfd) => Ok(Born { pid, pidfd }),
        Err(errno) => {
            // Without a pidfd it could not be watched: better none than one that nobody knows of.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            reap(pid);
            Err(NotBorn::Clone(errno.into()))
        }
    }
}

/// The child puts itself into its group: `0` stands for whoever writes it.
fn join(group: BorrowedFd<'_>) -> Result<(), Errno> {
    let flags = rustix::fs::OFlags::WRONLY | rustix::fs::OFlags::CLOEXEC;
    let file = rustix::fs::openat(group, c"cgroup.procs", flags, rustix::fs::Mode::empty())?;
    rustix::io::write(file, b"0").map(drop)
}

fn step_of(number: u8) -> Step {
    use Step::{
        Confinement, Cwd, Descriptors, Execute, Nice, Rlimits, Session, Signals, Streams, User,
    };
    let steps =
        [Session, Descriptors, Streams, Signals, Rlimits, Nice, User, Cwd, Confinement, Execute];
    steps.into_iter().find(|step| *step as u8 == number).unwrap_or(Execute)
}

/// A child that never became a program must not stay a zombie.
fn reap(pid: Pid) {
    let _ = rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::empty());
}

/// Keeps signals from this thread, and so from a child that shares our memory.
struct SignalsBlocked(libc::sigset_t);

impl SignalsBlocked {
    fn all() -> Self {
        let mut all = MaybeUninit::<libc::sigset_t>::uninit();
        let mut before = MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: `sigfillset` initialises the one set, `pthread_sigmask` the other; neither can fail with these arguments.
        #[allow(unsafe_code)]
        unsafe {
            libc::sigfillset(all.as_mut_ptr());
            libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr());
            Self(before.assume_init())
        }
    }
}

impl Drop for SignalsBlocked {
    fn drop(&mut self) {
        // SAFETY: the set is the one that this thread had before.
        #[allow(unsafe_code)]
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.0, std::ptr::null_mut());
        }
    }
}
