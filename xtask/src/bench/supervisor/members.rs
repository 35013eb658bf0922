//! The processes of a stage, found by the environment that all of them inherit, and what they take.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::super::memory::proportional_kib;
use crate::installation::leftovers;

/// A process of a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub pid: u32,
    /// The name that the kernel has for it, with the subcommands that it was called with.
    pub role: String,
}

/// The memory of all members of one role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub role: String,
    pub count: usize,
    /// Proportional set size, all together.
    pub pss_kib: u64,
}

/// What `/proc/<pid>/stat` says of a process.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    name: String,
    zombie: bool,
    /// User and system time in clock ticks.
    ticks: u64,
}

/// Every process of the stage in `home`. A zombie, which has no environment any more, is not found.
pub fn of(home: &Path) -> Result<Vec<Member>> {
    find(|process, _| {
        std::fs::read(process.join("environ"))
            .is_ok_and(|environment| leftovers::belongs_to(&environment, home))
    })
}

/// The supervising side of the stage in `home`: what does not run one of `programs`, which are what is supervised. A helper of a
/// supervisor's may have no environment, but then its command line names something in there.
pub fn supervising(home: &Path, programs: &[&Path]) -> Result<Vec<Member>> {
    let named = |line: &[u8]| {
        let mut words = line.split(|byte| *byte == 0).map(OsStr::from_bytes).map(Path::new);
        words.any(|word| word.starts_with(home))
    };
    find(|process, line| {
        let runs: Option<PathBuf> = std::fs::read_link(process.join("exe")).ok();
        let belongs = std::fs::read(process.join("environ")).is_ok_and(|environment| {
            leftovers::belongs_to(&environment, home) || environment.is_empty() && named(line)
        });
        belongs && !runs.is_some_and(|program| programs.contains(&program.as_path()))
    })
}

/// The processes that are `wanted`, by their folder in `/proc` and their command line.
fn find(wanted: impl Fn(&Path, &[u8]) -> bool) -> Result<Vec<Member>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let path = entry?.path();
        let pid = path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok());
        let Some(pid) = pid.filter(|pid| *pid != std::process::id()) else {
            continue;
        };
        // What ends meanwhile, or is another user's, is no member.
        let line = std::fs::read(path.join("cmdline")).unwrap_or_default();
        if !wanted(&path, &line) {
            continue;
        }
        if let Some(stat) = stat(pid).filter(|stat| !stat.zombie) {
            found.push(Member { pid, role: role(&stat.name, &line) });
        }
    }
    Ok(found)
}

/// A helper that a supervisor keeps may be the same program: its subcommand tells it apart. `line` is
/// the command line, each word ended by a zero byte; words that name something of this run, a file
/// or a number, are no part of a role.
fn role(name: &str, line: &[u8]) -> String {
    let words = line.split(|byte| *byte == 0).skip(1).map(String::from_utf8_lossy);
    let subcommand = |word: &std::borrow::Cow<'_, str>| {
        word.starts_with(|letter: char| letter.is_ascii_lowercase())
            && word.chars().all(|letter| letter.is_ascii_lowercase() || letter == '-')
    };
    let mut role = name.to_owned();
    for word in words.take_while(subcommand) {
        role.push(' ');
        role.push_str(&word);
    }
    role
}

/// The memory of the members by role, the largest first.
pub fn memory(members: &[Member]) -> Result<Vec<Part>> {
    let mut parts: Vec<Part> = Vec::new();
    for member in members {
        let pss_kib = proportional_kib(member.pid)?;
        match parts.iter_mut().find(|part| part.role == member.role) {
            Some(part) => {
                part.count += 1;
                part.pss_kib += pss_kib;
            }
            None => parts.push(Part { role: member.role.clone(), count: 1, pss_kib }),
        }
    }
    parts.sort_by_key(|part| std::cmp::Reverse(part.pss_kib));
    Ok(parts)
}

/// The processor time in seconds that the members have taken since they began.
pub fn cpu_seconds(members: &[Member]) -> Result<f64> {
    let mut ticks = 0;
    for Member { pid, role } in members {
        ticks += stat(*pid).with_context(|| format!("{role} (pid {pid}) has ended"))?.ticks;
    }
    Ok(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

fn stat(pid: u32) -> Option<Stat> {
    parse(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// Reads `pid (name) state …`, where the name may hold anything, brackets too.
fn parse(text: &str) -> Option<Stat> {
    let (head, tail) = text.rsplit_once(") ")?;
    let fields: Vec<&str> = tail.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    Some(Stat {
        name: head.split_once('(')?.1.to_owned(),
        zombie: *fields.first()? == "Z",
        ticks: number(11)? + number(12)?,
    })
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::path::Path;
    use std::process::{Command, Stdio};

    use super::{Stat, cpu_seconds, memory, of, parse, role, supervising};
    use crate::installation::leftovers::HOME_VARIABLE;

    #[test]
    fn the_line_of_a_process_is_read() {
        let line = "71 (PM2 v7: God (x) ) S 1 71 71 0 -1 0 9 0 0 0 30 12 5 5 20 0 11 0 99";
        let expected = Stat { name: "PM2 v7: God (x) ".to_owned(), zombie: false, ticks: 42 };
        assert_eq!(parse(line), Some(expected));
        assert_eq!(parse("71 (x"), None);
    }

    #[test]
    fn a_role_is_the_name_with_the_subcommands() {
        assert_eq!(role("tenantry", b"/p/tenantry\0supervisor\0"), "tenantry supervisor");
        let helper = b"/p/tenantry\0supervisor\0hold-pipes\0/home/run\0";
        assert_eq!(role("tenantry", helper), "tenantry supervisor hold-pipes");
        assert_eq!(role("s6-log", b"s6-log\0n100\0s268435455\0/d\0"), "s6-log");
        assert_eq!(role("s6-supervise", b"s6-supervise\0tiny-7/log\0"), "s6-supervise");
        assert_eq!(role("supervisord", b"python3\0/usr/bin/supervisord\0-c\0x\0"), "supervisord");
        assert_eq!(role("kthreadd", b""), "kthreadd");
    }

    #[test]
    fn members_are_known_by_their_environment_and_not_by_their_supervised_program() {
        let folder = tempfile::tempdir().unwrap();
        let mut cat = Command::new("cat");
        let cat =
            cat.env(HOME_VARIABLE, folder.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = cat.spawn().unwrap();
        // `spawn` returns while the kernel still lays out the new program: its environment is there when it answers.
        child.stdin.as_mut().unwrap().write_all(b"x").unwrap();
        child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        let members = of(folder.path()).unwrap();
        let program = std::fs::read_link(format!("/proc/{}/exe", child.id())).unwrap();
        let others = supervising(folder.path(), &[Path::new(&program)]).unwrap();
        let parts = memory(&members).unwrap();
        let time = cpu_seconds(&members).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(members.len(), 1);
        assert_eq!(members[0].pid, child.id());
        assert_eq!(others, []);
        assert_eq!((parts[0].count, parts[0].pss_kib > 0), (1, true));
        assert!((0.0..10.0).contains(&time));
        assert!(cpu_seconds(&members).is_err(), "it has ended");
    }
}
