//! The control plane's own process, from `/proc`, under the names that Prometheus' clients share.

use std::fs;
use std::path::Path;

use super::page::{Page, Shape, number};

/// Writes what can be read.
pub fn write(page: &mut Page) {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |name: &str| -> Option<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_ascii_whitespace().next()?.parse().ok()
    };
    let gauges = [
        ("process_resident_memory_bytes", "Resident memory.", field("VmRSS:").map(|kb| kb * 1024)),
        ("process_virtual_memory_bytes", "Virtual memory.", field("VmSize:").map(|kb| kb * 1024)),
        ("process_threads", "Threads.", field("Threads:")),
        ("process_open_fds", "Open files.", open_files()),
        (
            "process_max_fds",
            "How many files may be open.",
            rustix::process::getrlimit(rustix::process::Resource::Nofile).current,
        ),
    ];
    for (name, help, value) in gauges {
        if let Some(value) = value {
            page.single(name, Shape::Gauge, help, number(value));
        }
    }
    if let Some(seconds) = cpu_seconds() {
        page.single("process_cpu_seconds_total", Shape::Counter, "Processor time.", seconds);
    }
}

fn open_files() -> Option<u64> {
    // The reading itself has one open.
    let count = fs::read_dir("/proc/self/fd").ok()?.count();
    u64::try_from(count).ok()?.checked_sub(1)
}

fn cpu_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The program's name may hold spaces and brackets; what follows its last bracket does not.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let user: u64 = fields.nth(11)?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(number(user + system) / number(rustix::param::clock_ticks_per_second()))
}

/// The bytes that are free for us on the disk of a folder.
#[must_use]
pub fn free_bytes(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}
