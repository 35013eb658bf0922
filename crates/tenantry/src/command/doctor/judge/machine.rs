//! What the machine can enforce.

use supervisor::enforcement::{CgroupAccess, Enforcement};

use crate::command::doctor::facts::{Daemon, Facts, Machine, StartAtBoot};
use crate::command::doctor::finding::Finding;

/// Files that the supervisor has open for one process.
const FILES_PER_PROCESS: u64 = 3;
/// Files that it has open besides.
const OTHER_FILES: u64 = 100;
/// Fewer processes than these and somebody with many tenants is surprised.
const MANY_PROCESSES: u64 = 1000;
/// Pages of a process's two pipes.
const PAGES_PER_PROCESS: u64 = 32;
/// What the kernel's generator begins with.
const ENOUGH_BITS: u64 = 128;
/// A clock that is so many seconds behind this program's file is wrong; time zones and copies explain less.
const BEHIND_S: i64 = 86_400;
/// Fewer watches or instances than these do not last long.
const FEW_WATCHES: u64 = 8192;
const FEW_INSTANCES: u64 = 32;

pub fn judge(facts: &Facts) -> Vec<Finding> {
    let machine = &facts.machine;
    let enforcement = &machine.enforcement;
    let supervisor =
        facts.installation.as_ref().and_then(|installation| match &installation.supervisor {
            Daemon::Running(supervisor) => Some(supervisor),
            Daemon::Absent | Daemon::Silent { .. } => None,
        });
    let processes = supervisor.map_or(0, |supervisor| supervisor.processes as u64);
    vec![
        kernel(enforcement),
        exit_status(enforcement),
        children(enforcement, supervisor.map(|supervisor| supervisor.cgroups)),
        controller(enforcement, "memory", "memory-limit", "limits.memory_max"),
        controller(enforcement, "cpu", "cpu-limit", "limits.cpu_max_percent"),
        confinement(enforcement),
        users(enforcement),
        nice(enforcement),
        open_files(enforcement, processes),
        pipes(machine, processes),
        inotify(machine),
        boot(&machine.start),
        node(machine),
        clock(machine, facts.installation.as_ref().and_then(|found| found.future_s)),
        entropy(machine.entropy),
    ]
}

fn kernel(found: &Enforcement) -> Finding {
    let release = &found.kernel.release;
    if found.kernel.is_at_least(5, 4) && found.pidfd {
        return Finding::ok("kernel", format!("Linux {release}"), "the supervisor runs on it");
    }
    let what =
        if found.pidfd { "" } else { ", and processes cannot be held by descriptors (pidfd)" };
    Finding::problem(
        "kernel",
        format!("Linux {release}{what}"),
        "the supervisor cannot run: it could signal the wrong process",
        "use Linux 5.4 or later, and a sandbox that allows pidfd_open",
    )
}

fn exit_status(found: &Enforcement) -> Finding {
    let check = "exit-status";
    if found.adopted_exit_status {
        let meaning = "how a process ended is known even when an earlier supervisor started it";
        return Finding::ok(check, "known for adopted processes", meaning);
    }
    Finding::ok(
        check,
        "may be unknown for adopted processes (Linux 6.15 and later tell it)",
        "a process that outlived its supervisor and then ends may be shown with an unknown exit status; it is restarted all \
         the same",
    )
}

/// What the running supervisor does counts more than what this shell may do: it may have rights that the shell lacks.
fn children(found: &Enforcement, supervisor: Option<bool>) -> Finding {
    let check = "children";
    let safe =
        "no child of a worker can get away: stop ends the whole tree, its memory is counted whole";
    let unsafe_ = "stop ends the descendants that can be found; a program that tries hard can leave a child behind";
    let remedy = "run the supervisor as root or as a systemd service with Delegate=yes, on a machine with cgroup v2";
    match (&found.cgroup, supervisor) {
        (_, Some(false)) => {
            let found = "the running supervisor has no control groups";
            Finding::warning(check, found, unsafe_, remedy)
        }
        (CgroupAccess::Unusable { .. }, Some(true)) => {
            Finding::ok(check, "each in a control group of the running supervisor", safe)
        }
        (CgroupAccess::Usable(parent), _) => {
            let at = parent.path.display();
            if !found.born_in_cgroup {
                return Finding::warning(
                    check,
                    format!("control groups at {at}, but programs cannot be born in them (clone3)"),
                    "a program could fork itself away in its first instants",
                    "use Linux 5.7 or later, and a sandbox that allows clone3",
                );
            }
            let how = if parent.kill { "cgroup.kill" } else { "one signal each" };
            Finding::ok(check, format!("control groups at {at}, ended by {how}"), safe)
        }
        (CgroupAccess::Unusable { reason }, None) => {
            Finding::warning(check, format!("no control groups: {reason}"), unsafe_, remedy)
        }
    }
}

fn controller(
    found: &Enforcement,
    controller: &str,
    check: &'static str,
    setting: &str,
) -> Finding {
    let lent = match &found.cgroup {
        CgroupAccess::Usable(parent) => parent.controllers.contains(controller),
        CgroupAccess::Unusable { .. } => false,
    };
    if lent {
        let meaning = format!("`{setting}` is enforced by the kernel");
        return Finding::ok(check, format!("{controller} controller"), meaning);
    }
    let instead = match controller {
        "memory" => "; `max_memory_restart` works, it looks once a second",
        _ => "; a worker can use all the processor time it gets",
    };
    Finding::warning(
        check,
        format!("no {controller} controller for our control groups"),
        format!("a process with `{setting}` does not start here{instead}"),
        format!(
            "boot with cgroup v2 (systemd.unified_cgroup_hierarchy=1) and let the supervisor's service have the \
             {controller} controller (Delegate={controller})"
        ),
    )
}

fn confinement(found: &Enforcement) -> Finding {
    let check = "confinement";
    match found.landlock_abi {
        0 => Finding::warning(
            check,
            "no Landlock",
            "a process with `limits.confinement` does not start here; a tenant's program may read what this user may read",
            "use Linux 5.13 or later with `landlock` in its list of security modules (lsm=landlock,…)",
        ),
        abi @ 1..=2 => Finding::ok(
            check,
            format!("Landlock, ABI {abi}"),
            "programs can be confined to their folders, but may still truncate files outside (Linux 6.2 forbids that too)",
        ),
        abi => Finding::ok(
            check,
            format!("Landlock, ABI {abi}, and no_new_privs"),
            "programs can be confined to their folders, and cannot gain privileges",
        ),
    }
}

fn users(found: &Enforcement) -> Finding {
    let check = "users";
    if found.switch_user {
        return Finding::ok(
            check,
            "processes can run as other users",
            "each tenant can have an own user (`limits.uid`, `limits.gid`)",
        );
    }
    let here = "processes run as this user alone";
    if found.landlock_abi > 0 {
        let meaning = "`limits.uid` is refused; Landlock can keep tenants apart instead";
        return Finding::ok(check, here, meaning);
    }
    Finding::warning(
        check,
        here,
        "nothing but the folders' names keeps the programs of one tenant from the files of another",
        "run the supervisor as root (with `limits.uid` for the tenants), or on a kernel with Landlock",
    )
}

fn nice(found: &Enforcement) -> Finding {
    let meaning = format!("`limits.nice` may be from {} to 19", found.lowest_nice);
    Finding::ok("priority", format!("nice down to {}", found.lowest_nice), meaning)
}

fn open_files(found: &Enforcement, processes: u64) -> Finding {
    let check = "open-files";
    let Some(limit) = found.open_files else {
        return Finding::ok(check, "no limit", "any number of processes");
    };
    let room = limit.saturating_sub(OTHER_FILES) / FILES_PER_PROCESS;
    let text = format!("hard limit {limit}");
    let meaning = format!("room for {room} processes at {FILES_PER_PROCESS} descriptors each");
    let remedy = "raise the hard limit (LimitNOFILE=524288 in the service, or `nofile` in /etc/security/limits.conf)";
    if room <= processes + processes / 10 {
        let meaning = format!("{meaning}; {processes} exist");
        return Finding::problem(check, text, meaning, remedy);
    }
    if room < MANY_PROCESSES {
        return Finding::warning(check, text, meaning, remedy);
    }
    Finding::ok(check, text, meaning)
}

fn pipes(machine: &Machine, processes: u64) -> Finding {
    let check = "pipes";
    let pages = machine.pipe_pages.unwrap_or_default();
    if pages == 0 || machine.enforcement.unlimited_pipes {
        let meaning = "every pipe for output has its full size";
        return Finding::ok(check, "no limit for this user", meaning);
    }
    let room = pages / PAGES_PER_PROCESS;
    let text = format!("fs.pipe-user-pages-soft = {pages}");
    if room > processes.max(MANY_PROCESSES) {
        return Finding::ok(check, text, format!("full-size pipes for {room} processes"));
    }
    Finding::warning(
        check,
        text,
        format!(
            "beyond {room} processes the pipes for output are small: a program that writes much is slowed down, and less of \
             its output fits while no supervisor runs"
        ),
        format!("sysctl fs.pipe-user-pages-soft={}", 32 * pages.max(16_384)),
    )
}

fn inotify(machine: &Machine) -> Finding {
    let check = "file-watching";
    let (Some(watches), Some(instances)) = (machine.inotify_watches, machine.inotify_instances)
    else {
        return Finding::warning(
            check,
            "no inotify",
            "`watch` does not work here",
            "allow inotify, or restart processes by hand",
        );
    };
    let text = format!("{watches} watches, {instances} instances");
    if watches >= FEW_WATCHES && instances >= FEW_INSTANCES {
        return Finding::ok(check, text, "`watch` can watch that many folders");
    }
    Finding::warning(
        check,
        text,
        "`watch` fails on large folders",
        "sysctl fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=1024",
    )
}

fn boot(start: &StartAtBoot) -> Finding {
    let check = "start-at-boot";
    let meaning = "after a reboot all that is meant to run is started again";
    let nobody = "after a reboot nothing runs until somebody starts it";
    match start {
        StartAtBoot::System(unit) => {
            Finding::ok(check, format!("systemd unit {}", unit.display()), meaning)
        }
        StartAtBoot::User { unit, lingers: true } => {
            Finding::ok(check, format!("systemd user unit {}, lingering", unit.display()), meaning)
        }
        StartAtBoot::User { unit, lingers: false } => Finding::warning(
            check,
            format!("systemd user unit {} without lingering", unit.display()),
            "all is stopped when this user signs out, and starts at the next sign-in",
            "loginctl enable-linger",
        ),
        StartAtBoot::NoUnit => Finding::warning(
            check,
            "systemd has no unit for Tenantry",
            nobody,
            "let `tenantry startup` make one",
        ),
        StartAtBoot::NoSystemd => Finding::warning(
            check,
            "systemd does not run this machine",
            nobody,
            "have the machine's init (or the container's entry point) run `tenantry supervisor`, and `tenantry server` where \
             it is used",
        ),
    }
}

fn node(machine: &Machine) -> Finding {
    let check = "node";
    match &machine.node {
        Some(path) => Finding::ok(
            check,
            path.display().to_string(),
            "ecosystem.config.js can be read, and JavaScript workers can run",
        ),
        None => Finding::warning(
            check,
            "no `node` in PATH",
            "ecosystem.config.js cannot be read and JavaScript workers cannot run; JSON, YAML and TOML files can",
            "install Node.js if you need it",
        ),
    }
}

fn clock(machine: &Machine, future_s: Option<i64>) -> Finding {
    let check = "clock";
    let meaning =
        "times in lists and logs are wrong, and certificates are refused: workers cannot connect";
    let remedy = "set the clock (timedatectl set-ntp true)";
    if machine.program_age_s.is_some_and(|age| age < -BEHIND_S) {
        let found = "it is earlier than the time this program was made";
        return Finding::problem(check, found, meaning, remedy);
    }
    match future_s {
        Some(seconds) => Finding::warning(
            check,
            format!("a file in the home is {seconds} s younger than now: the clock was set back"),
            "logs may be rotated late, and times in them overlap",
            remedy,
        ),
        None if machine.clock_kept == Some(false) => Finding::warning(
            check,
            "plausible, but nothing keeps it",
            "it drifts until certificates and one-time codes are refused",
            remedy,
        ),
        None => Finding::ok(check, "plausible", "times in lists and logs are right"),
    }
}

/// Randomness for keys and tokens.
fn entropy(bits: Option<u64>) -> Finding {
    let check = "entropy";
    match bits {
        Some(bits) if bits < ENOUGH_BITS => Finding::warning(
            check,
            format!("the kernel has gathered {bits} bits"),
            "the first start may wait until there is enough for keys and tokens",
            "give the machine a source of randomness (virtio-rng, or the package rng-tools)",
        ),
        Some(_) | None => Finding::ok(check, "enough", "keys and tokens cannot be guessed"),
    }
}
