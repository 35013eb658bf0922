//! What a process uses, read from `/proc`.

use std::fs;

use anyhow::{Context as _, Result};

/// Reads what one process uses.
pub struct Meter {
    pid: u32,
}

/// What a process uses at one time.
pub struct Reading {
    resident_kib: u64,
    cpu_ticks: u64,
}

/// Ticks of the kernel's clock in a second, on every Linux of today.
const TICKS_PER_SECOND: f64 = 100.0;

impl Meter {
    /// A meter for this process.
    pub fn new(pid: u32) -> Self {
        Self { pid }
    }

    /// Reads it now.
    pub fn reading(&self) -> Result<Reading> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        let resident_kib = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse().ok())
            .context("no resident size")?;
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid))?;
        // The name in brackets may hold spaces; user and system time are fields 14 and 15.
        let fields = stat.rsplit_once(") ").context("no name")?.1;
        let times: Vec<u64> =
            fields.split(' ').skip(11).take(2).filter_map(|field| field.parse().ok()).collect();
        Ok(Reading { resident_kib, cpu_ticks: times.iter().sum() })
    }
}

impl Reading {
    /// Resident memory in MiB.
    pub fn mib(&self) -> f64 {
        self.resident_kib as f64 / 1024.0
    }

    /// Processor time since an earlier reading, in milliseconds.
    pub fn cpu_ms_since(&self, earlier: &Self) -> f64 {
        (self.cpu_ticks - earlier.cpu_ticks) as f64 * 1000.0 / TICKS_PER_SECOND
    }
}
