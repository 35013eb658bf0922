//! Who keeps the clock of the machine.

use std::path::Path;

/// What systemd's own keeper of the clock leaves when it has set it.
const SYNCHRONIZED: &str = "/run/systemd/timesync/synchronized";
/// Other keepers of the clock, by the folders that they run with.
const KEEPERS: [&str; 4] = ["/run/chrony", "/run/chronyd", "/run/ntpd.pid", "/run/openntpd"];
/// The clock of a virtual machine's host, which a guest may follow.
const OF_HOST: &str = "/sys/class/ptp/ptp0/clock_name";

/// Whether something keeps the clock; absent where that cannot be told: another machine may keep it.
pub fn is_kept() -> Option<bool> {
    let there = |path: &&str| Path::new(path).exists();
    if there(&SYNCHRONIZED) || KEEPERS.iter().any(there) {
        return Some(true);
    }
    let by_host = there(&OF_HOST) || Path::new("/.dockerenv").exists();
    (!by_host && Path::new("/run/systemd/system").is_dir()).then_some(false)
}
