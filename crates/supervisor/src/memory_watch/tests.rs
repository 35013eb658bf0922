use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use super::*;
use crate::poll::eventually;
use crate::process_table::ProcessStat;

const MB: u64 = 1024 * 1024;

/// A shell whose child holds 50 MB, until its standard input is closed.
struct Hungry(Child);

impl Hungry {
    fn start() -> Self {
        // `tail` keeps the last line, which is all there is, until its input ends.
        let script = "{ head -c 50M /dev/zero; cat; } | tail -n 1 >/dev/null; :";
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdin(Stdio::piped()).process_group(0);
        Self(command.spawn().unwrap())
    }

    fn limited(&self, limit_bytes: u64, cgroup: Option<PathBuf>) -> Limited {
        let main_pid = i32::try_from(self.0.id()).unwrap();
        let start_ticks = ProcessStat::read(main_pid).unwrap().unwrap().start_ticks;
        Limited { id: 7, main_pid, start_ticks, cgroup, limit_bytes }
    }
}

impl Drop for Hungry {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}

#[tokio::test]
async fn the_memory_of_a_child_counts_for_its_parents_limit() {
    let hungry = Hungry::start();
    let low = hungry.limited(20 * MB, None);
    let found = eventually("the child to hold 50 MB", async || {
        look(std::slice::from_ref(&low))
            .unwrap()
            .first()
            .copied()
            .filter(|f| f.used_bytes > 50 * MB)
    })
    .await;
    assert_eq!((found.id, found.limit_bytes), (7, 20 * MB));
    assert!(found.used_bytes < 90 * MB, "{found:?}");
    assert_eq!(look(&[hungry.limited(200 * MB, None)]).unwrap(), []);
    let mut reused = low;
    reused.start_ticks += 1;
    assert_eq!(look(&[reused]).unwrap(), [], "somebody else's memory");
}

#[tokio::test]
async fn the_members_of_a_cgroup_are_summed_without_a_look_at_the_others() {
    let hungry = Hungry::start();
    let plain = hungry.limited(20 * MB, None);
    eventually("the child to hold 50 MB", async || {
        look(std::slice::from_ref(&plain))
            .unwrap()
            .first()
            .copied()
            .filter(|f| f.used_bytes > 50 * MB)
    })
    .await;
    let table = ProcessTable::read().unwrap();
    let members = table.tree(&[plain.main_pid], None);
    let folder = tempfile::tempdir().unwrap();
    let list = |pids: &[i32]| {
        let lines: String = pids.iter().map(|pid| format!("{pid}\n")).collect();
        fs::write(folder.path().join("cgroup.procs"), lines).unwrap();
    };
    let by_cgroup = [hungry.limited(20 * MB, Some(folder.path().to_owned()))];

    list(&members.iter().map(|stat| stat.pid).chain([i32::MAX]).collect::<Vec<_>>());
    assert!(look(&by_cgroup).unwrap()[0].used_bytes > 50 * MB);
    // The list decides, not the tree.
    list(&[plain.main_pid]);
    assert_eq!(look(&by_cgroup).unwrap(), []);
    // No list, or an empty one: the tree decides.
    list(&[]);
    assert!(look(&by_cgroup).unwrap()[0].used_bytes > 50 * MB);
    fs::remove_file(folder.path().join("cgroup.procs")).unwrap();
    assert!(look(&by_cgroup).unwrap()[0].used_bytes > 50 * MB);
}

#[test]
fn without_limits_and_after_the_end_nothing_is_found() {
    assert_eq!(look(&[]).unwrap(), []);
    let gone = Limited { id: 1, main_pid: i32::MAX, start_ticks: 1, cgroup: None, limit_bytes: 0 };
    assert_eq!(look(&[gone]).unwrap(), []);
}
