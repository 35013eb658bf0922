//! People write, bots answer, and it is noted how long each answer took.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use super::fleet::Member;
use super::watch::Watch;
use crate::installation::http::Service;
use crate::installation::simulator::Simulator;
use crate::installation::wait;

/// How long the last answers may take.
const GRACE: Duration = Duration::from_secs(60);

/// Who writes when: places in the fleet, with the time from the beginning.
pub type Schedule = Vec<(Duration, usize)>;

/// Each member is written to once a minute, all of them evenly spread.
pub fn once_a_minute(members: usize, length: Duration) -> Schedule {
    const MINUTE: Duration = Duration::from_secs(60);
    let mut schedule = Schedule::new();
    let step = MINUTE / u32::try_from(members).unwrap_or(u32::MAX).max(1);
    let mut at = Duration::ZERO;
    while at < length {
        schedule.push((at, schedule.len() % members.max(1)));
        at += step;
    }
    schedule
}

/// Each member is written to `times` times, all at the very beginning.
pub fn at_once(members: usize, times: usize) -> Schedule {
    (0..members * times).map(|number| (Duration::ZERO, number % members)).collect()
}

/// What came of a conversation.
pub struct Answered {
    /// From just before the message was written until its answer was there.
    pub times: Vec<Duration>,
    /// From the first message to the last answer.
    pub taken: Duration,
}

/// Carries the schedule out. A message without an answer is an error.
pub fn hold(
    schedule: &Schedule,
    members: &[Member],
    simulator: &Simulator,
    watch: &Watch,
) -> Result<Answered> {
    let mut waiting: HashMap<&str, VecDeque<Instant>> = HashMap::new();
    let mut times = Vec::new();
    let begun = Instant::now();
    let mut last = begun;
    let mut note = |at: Instant, event: &Value, waiting: &mut HashMap<&str, VecDeque<Instant>>| {
        let contact = event["contact"].as_str().filter(|_| event["event"] == "received");
        if let Some(written) = contact.and_then(|it| waiting.get_mut(it)?.pop_front()) {
            times.push(at.saturating_duration_since(written));
            last = at;
        }
    };
    for (number, (at, place)) in schedule.iter().enumerate() {
        ensure!(!wait::interrupted(), "interrupted");
        while let Some((at, event)) = watch.next(begun + *at)? {
            note(at, &event, &mut waiting);
        }
        let member =
            members.get(*place).context("the schedule names a member that is not there")?;
        waiting.entry(&member.contact).or_default().push_back(Instant::now());
        simulator.write(&member.contact, &member.phone, &format!("message {number}"))?;
    }
    let deadline = Instant::now() + GRACE;
    while waiting.values().any(|waits| !waits.is_empty()) {
        match watch.next(deadline)? {
            Some((at, event)) => note(at, &event, &mut waiting),
            None => {
                let missing: usize = waiting.values().map(VecDeque::len).sum();
                bail!("{missing} of {} messages were not answered", schedule.len());
            }
        }
    }
    Ok(Answered { times, taken: last.duration_since(begun) })
}

/// Holds what the network knows against what was written: `expected` answers in all, none of them
/// sent twice.
pub fn check(expected: usize, members: &[Member], simulator: &Simulator) -> Result<()> {
    let network = Service::at(simulator.http_url())?;
    let mut answers = 0;
    for Member { contact, .. } in members {
        let path = format!("/contacts/{contact}/messages");
        let list = network.demand("GET", &path, None)?;
        for answer in list["received"].as_array().context("the simulator lists no answers")? {
            ensure!(answer["copies"] == 1, "{contact} was sent an answer twice");
            answers += 1;
        }
    }
    ensure!(answers == expected, "{answers} answers came to {expected} messages");
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{at_once, once_a_minute};

    #[test]
    fn everybody_is_written_to_once_a_minute() {
        let schedule = once_a_minute(4, Duration::from_secs(90));
        assert_eq!(schedule.len(), 6);
        assert_eq!(schedule[1], (Duration::from_secs(15), 1));
        assert_eq!(schedule[5], (Duration::from_secs(75), 1));
    }

    #[test]
    fn a_burst_is_shared_evenly() {
        let schedule = at_once(2, 3);
        assert_eq!(
            schedule.iter().filter(|(at, place)| (at.is_zero(), *place) == (true, 1)).count(),
            3
        );
        assert_eq!(schedule.len(), 6);
    }
}
