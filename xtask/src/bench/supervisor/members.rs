//! The processes of a stage, found by the environment that all of them inherit, and what they take.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::super::memory::proportional_kib;
use crate::installation::leftovers;

/// A process of a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub pid: u32,
    /// The name that the kernel has for it, marked where it is a child of a process of that name.
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
    parent: u32,
    /// User and system time in clock ticks.
    ticks: u64,
}

/// Every process of the stage in `home` that runs none of `programs`: the supervising side, when
/// these are what it supervises. A zombie, which has no environment any more, is not found.
pub fn of(home: &Path, programs: &[&Path]) -> Result<Vec<Member>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let path = entry?.path();
        let pid = path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok());
        let Some(pid) = pid.filter(|pid| *pid != std::process::id()) else {
            continue;
        };
        // What ends meanwhile, or is another user's, is no member.
        let belongs = std::fs::read(path.join("environ"))
            .is_ok_and(|environment| leftovers::belongs_to(&environment, home));
        let runs: Option<PathBuf> = std::fs::read_link(path.join("exe")).ok();
        if !belongs || runs.is_some_and(|program| programs.contains(&program.as_path())) {
            continue;
        }
        if let Some(stat) = stat(pid).filter(|stat| !stat.zombie) {
            found.push((pid, stat));
        }
    }
    Ok(found.iter().map(|(pid, stat)| Member { pid: *pid, role: role(stat, &found) }).collect())
}

/// A helper that a supervisor keeps has its name, but is not the supervisor.
fn role(stat: &Stat, all: &[(u32, Stat)]) -> String {
    let child = all.iter().any(|(pid, other)| *pid == stat.parent && other.name == stat.name);
    if child { format!("{} (child)", stat.name) } else { stat.name.clone() }
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

/// Reads `pid (name) state parent …`, where the name may hold anything, brackets too.
fn parse(text: &str) -> Option<Stat> {
    let (head, tail) = text.rsplit_once(") ")?;
    let fields: Vec<&str> = tail.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    Some(Stat {
        name: head.split_once('(')?.1.to_owned(),
        zombie: *fields.first()? == "Z",
        parent: fields.get(1)?.parse().ok()?,
        ticks: number(11)? + number(12)?,
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;

    use super::{Stat, cpu_seconds, memory, of, parse, role};
    use crate::installation::leftovers::HOME_VARIABLE;

    #[test]
    fn the_line_of_a_process_is_read() {
        let line = "71 (PM2 v7: God (x) ) S 1 71 71 0 -1 0 9 0 0 0 30 12 5 5 20 0 11 0 99";
        let expected =
            Stat { name: "PM2 v7: God (x) ".to_owned(), zombie: false, parent: 1, ticks: 42 };
        assert_eq!(parse(line), Some(expected));
        assert_eq!(parse("71 (x"), None);
    }

    #[test]
    fn a_child_of_its_own_kind_is_told_apart() {
        let stat =
            |name: &str, parent| Stat { name: name.to_owned(), zombie: false, parent, ticks: 0 };
        let all = [(10, stat("tenantry", 1)), (11, stat("tenantry", 10)), (12, stat("s6-log", 10))];
        let roles: Vec<String> = all.iter().map(|(_, stat)| role(stat, &all)).collect();
        assert_eq!(roles, ["tenantry", "tenantry (child)", "s6-log"]);
    }

    #[test]
    fn members_are_known_by_their_environment_and_not_by_their_supervised_program() {
        let folder = tempfile::tempdir().unwrap();
        let mut child =
            Command::new("sleep").arg("600").env(HOME_VARIABLE, folder.path()).spawn().unwrap();
        let members = of(folder.path(), &[]).unwrap();
        let sleep = std::fs::read_link(format!("/proc/{}/exe", child.id())).unwrap();
        let others = of(folder.path(), &[Path::new(&sleep)]).unwrap();
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
