//! Whether a program that was just started has come to rest or has ended: as the supervisor judges it, by the
//! process itself, since asking PM2 takes longer than most programs take to fail.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::tree::Stat;

const PAUSE: Duration = Duration::from_millis(5);
/// Looks in a row that must find the process asleep, with no processor time used between them.
const LOOKS: u32 = 4;

/// Waits until the process rests, at most for `limit`. Gives whether it still lives.
pub(super) async fn survives(pid: u32, limit: Duration) -> bool {
    let Ok(pid) = i32::try_from(pid) else { return false };
    let end = Instant::now() + limit;
    let (mut asleep, mut used) = (0, None);
    loop {
        let Some(stat) = Stat::read(pid) else { return false };
        let rests = stat.state == 'S' && used == Some(stat.cpu_ticks);
        asleep = if rests { asleep + 1 } else { 0 };
        used = Some(stat.cpu_ticks);
        if asleep >= LOOKS || Instant::now() >= end {
            return true;
        }
        sleep(PAUSE).await;
    }
}
