//! Reaps processes that became our children because their parents ended.
//!
//! We are a "child subreaper", so that a tree's orphans come to us and can be found; the price is that
//! nobody else reaps them.

use std::collections::HashSet;
use std::io;
use std::time::Duration;

use rustix::process::{Pid, WaitOptions, set_child_subreaper, waitpid};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::process_table::Census;
use crate::tree::own_pid;

/// Time from a child's end to the look for orphans: many ends share one look.
const PAUSE: Duration = Duration::from_secs(1);

/// Makes orphans come to us, and reaps those that end. Runs until the runtime does.
pub(crate) fn adopt_and_reap(census: Census) -> io::Result<()> {
    set_child_subreaper(Some(rustix::process::getpid()))?;
    let ends = signal(SignalKind::child())?;
    tokio::spawn(reap(census, ends));
    Ok(())
}

async fn reap(census: Census, mut ends: Signal) {
    let mut seen: HashSet<i32> = HashSet::new();
    loop {
        // A zombie that was seen once is looked at again without a further signal.
        if seen.is_empty() && ends.recv().await.is_none() {
            return;
        }
        tokio::time::sleep(PAUSE).await;
        let table = census.fresh().await;
        let zombies: HashSet<i32> = table
            .children_of(own_pid())
            .iter()
            .copied()
            .filter(|pid| !census.is_main(*pid))
            .filter(|pid| table.get(*pid).is_some_and(|stat| stat.is_zombie()))
            .collect();
        // Seen twice: not one of ours that was executed this very moment and is not on the list yet.
        for pid in zombies.intersection(&seen).copied().filter_map(Pid::from_raw) {
            if !census.is_main(pid.as_raw_pid()) {
                let _ = waitpid(Some(pid), WaitOptions::NOHANG);
            }
        }
        seen = zombies;
    }
}
