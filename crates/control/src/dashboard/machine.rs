//! The machine, as the kernel tells of it.

use std::fs;
use std::path::Path;

use api::fleet::MachineView;

use super::count::tenths;
use crate::metrics::process::{field, number};

/// The processors' time since the machine was started, in the kernel's ticks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ticks {
    busy: u64,
    all: u64,
}

impl Ticks {
    /// Up to now; none where the kernel does not tell.
    #[must_use]
    pub fn now() -> Option<Self> {
        Self::parse(&fs::read_to_string("/proc/stat").ok()?)
    }

    /// Out of `/proc/stat`: user, nice, system, idle, waiting for disks, interrupts, soft interrupts, stolen. What
    /// guests use is among `user` already.
    fn parse(stat: &str) -> Option<Self> {
        let fields = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
        let ticks: Vec<u64> =
            fields.split_ascii_whitespace().take(8).filter_map(|word| word.parse().ok()).collect();
        let all = ticks.iter().sum();
        let idle = ticks.get(3)? + ticks.get(4).copied().unwrap_or(0);
        Some(Self { busy: u64::checked_sub(all, idle)?, all })
    }

    /// How busy all processors were since `before`, in per cent.
    #[must_use]
    pub fn percent_since(self, before: Self) -> f64 {
        // The time of waiting for disks may run backwards.
        let all = self.all.saturating_sub(before.all);
        let busy = self.busy.saturating_sub(before.busy).min(all);
        if all == 0 { 0.0 } else { tenths(number(busy) * 100.0 / number(all)) }
    }
}

/// The machine now, but for its CPU, which is known only over some time.
#[must_use]
pub fn look(home: &Path) -> MachineView {
    let (used, total) = memory(&fs::read_to_string("/proc/meminfo").unwrap_or_default());
    let disk = rustix::fs::statvfs(home).ok();
    let bytes = |blocks: u64, size: u64| blocks.saturating_mul(size);
    MachineView {
        cpu_percent: 0.0,
        cpus: std::thread::available_parallelism()
            .map_or(0, |count| u32::try_from(count.get()).unwrap_or(u32::MAX)),
        memory_bytes: used,
        memory_total_bytes: total,
        disk_free_bytes: disk.as_ref().map_or(0, |disk| bytes(disk.f_bavail, disk.f_frsize)),
        disk_total_bytes: disk.as_ref().map_or(0, |disk| bytes(disk.f_blocks, disk.f_frsize)),
    }
}

/// What is used and what there is, in bytes, out of `/proc/meminfo`.
fn memory(info: &str) -> (u64, u64) {
    let total = field(info, "MemTotal:").unwrap_or(0);
    let available = field(info, "MemAvailable:").unwrap_or(total);
    (total.saturating_sub(available).saturating_mul(1024), total.saturating_mul(1024))
}

#[cfg(test)]
mod tests {
    use super::{Ticks, look, memory};

    #[test]
    fn processors_are_busy_with_what_is_not_idle() {
        let before = Ticks::parse("cpu  10 0 10 70 10 0 0 0 0 0\ncpu0 1 1 1 1\n").unwrap();
        let now = Ticks::parse("cpu  30 0 15 130 25 0 0 0 99 0\n").unwrap();
        assert_eq!(now.percent_since(before), 25.0);
        assert_eq!(now.percent_since(now), 0.0);
        assert_eq!(before.percent_since(now), 0.0);
        assert_eq!(Ticks::parse("intr 1 2 3\n"), None);
        assert_eq!(Ticks::parse("cpu  1 2\n"), None);
    }

    #[test]
    fn memory_that_can_be_had_is_not_used() {
        let info = "MemTotal:    1000 kB\nMemFree:   100 kB\nMemAvailable:  400 kB\n";
        assert_eq!(memory(info), (600 * 1024, 1000 * 1024));
        assert_eq!(memory(""), (0, 0));
    }

    #[test]
    fn this_machine_tells_of_itself() {
        let machine = look(std::path::Path::new("/"));
        assert!(machine.cpus > 0 && machine.memory_total_bytes > machine.memory_bytes);
        assert!(machine.disk_total_bytes >= machine.disk_free_bytes);
        assert!(Ticks::now().is_some());
    }
}
