//! The control plane's own process, from `/proc`, under the names that Prometheus' clients share.

use std::fs;
use std::path::Path;

pub use super::page::number;
use super::page::{Page, Shape};

/// Writes what can be read.
pub fn write(page: &mut Page) {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |name: &str| field(&status, name);
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

/// Our resident memory, in bytes; 0 where it cannot be read.
#[must_use]
pub fn resident_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    field(&status, "VmRSS:").unwrap_or(0).saturating_mul(1024)
}

/// The number behind `name` in a file of the kernel that has a name, a number and a unit on each line.
#[must_use]
pub fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_ascii_whitespace().next()?.parse().ok()
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
