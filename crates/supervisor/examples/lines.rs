//! Prints numbered lines of many lengths, then `done`, then rests as a service would: `lines COUNT`.
//!
//! For watching what happens to a process's output: as number and length of each line are known, a log
//! tells by itself whether a line was lost, doubled, cut or mixed with another. This package's tests
//! run it while they kill the supervisor again and again.

use std::error::Error;
use std::io::Write;
use std::time::Duration;

/// Each line ends in as many `x` as its number says, modulo this.
const LENGTHS: u32 = 150;
/// A pause after so many lines leaves time to interfere: 60,000 lines take some seconds.
const LINES_PER_PAUSE: u32 = 10;
const PAUSE: Duration = Duration::from_millis(1);
/// Far longer than anyone looks at it, but one that was forgotten ends by itself.
const REST: Duration = Duration::from_secs(600);

fn main() -> Result<(), Box<dyn Error>> {
    let count: u32 = std::env::args().nth(1).ok_or("usage: lines COUNT")?.parse()?;
    let mut out = std::io::stdout().lock();
    for number in 0..count {
        let length = usize::try_from(number % LENGTHS)?;
        writeln!(out, "line {number} {}", "x".repeat(length))?;
        if number % LINES_PER_PAUSE == 0 {
            std::thread::sleep(PAUSE);
        }
    }
    writeln!(out, "done")?;
    std::thread::sleep(REST);
    Ok(())
}
