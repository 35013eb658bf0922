//! Memory of a process, with what it shares counted in parts.

use anyhow::{Context as _, Result};

/// The proportional set size of a process in KiB: its own pages, and of each page shared with others
/// its part. The sum over all processes is what they take together.
pub fn proportional_kib(pid: u32) -> Result<u64> {
    let file = format!("/proc/{pid}/smaps_rollup");
    let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {file}"))?;
    parse(&text).with_context(|| format!("{file} has no Pss line in kB"))
}

/// The value of the line `Pss:`, whose `kB` are KiB.
fn parse(rollup: &str) -> Option<u64> {
    let value = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    value.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{parse, proportional_kib};

    #[test]
    fn the_line_of_the_whole_set_is_read() {
        let text = "5581-7ffd ---p 00000000 00:00 0    [rollup]\nRss:       3036 kB\n\
                    Pss:        921 kB\nPss_Dirty:  100 kB\n";
        assert_eq!(parse(text), Some(921));
        assert_eq!(parse("Pss_Dirty:  100 kB\n"), None);
        assert_eq!(parse("Pss: many kB\n"), None);
    }

    #[test]
    fn this_process_takes_memory() {
        assert!(proportional_kib(std::process::id()).unwrap() > 0);
    }
}
