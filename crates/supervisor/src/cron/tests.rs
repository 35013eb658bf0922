use std::cell::Cell;

use chrono::{FixedOffset, MappedLocalTime, NaiveDate, NaiveDateTime, Offset};
use proptest::prelude::*;

use super::*;

fn pattern(text: &str) -> CronPattern {
    CronPattern::parse(text).unwrap()
}

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn local(text: &str) -> DateTime<Local> {
    utc(text).with_timezone(&Local)
}

#[test]
fn five_fields_six_with_seconds_and_names_are_read() {
    let now = utc("2026-03-01T11:59:30Z");
    for (text, next) in [
        ("0 12 * * *", "2026-03-01T12:00:00Z"),
        ("*/20 * * * *", "2026-03-01T12:00:00Z"),
        ("*/15 * * * * *", "2026-03-01T11:59:45Z"),
        ("30 59 11 * * *", "2026-03-02T11:59:30Z"),
        ("0 0 29 2 *", "2028-02-29T00:00:00Z"),
        ("0 0 * * MON", "2026-03-02T00:00:00Z"),
        ("@daily", "2026-03-02T00:00:00Z"),
    ] {
        assert_eq!(pattern(text).next_after(&now), Some(utc(next)), "{text}");
    }
}

#[test]
fn what_is_no_pattern_or_never_comes_is_refused_in_words() {
    for text in ["", "0", "every day", "* * * *", "61 * * * *", "* * * * * * *", "0 0 * 13 *"] {
        let problem = CronPattern::parse(text).unwrap_err();
        assert!(problem.contains("is no cron pattern"), "{problem}");
    }
    let problem = CronPattern::parse("0 0 31 2 *").unwrap_err();
    assert_eq!(problem, "\"0 0 31 2 *\" names a time that never comes");
}

/// A zone whose clock goes back from 03:00 to 02:00 on 2026-10-25, from two hours ahead of UTC to one.
#[derive(Debug, Clone, Copy)]
struct FallBack(FixedOffset);

impl FallBack {
    const BEFORE: FixedOffset = FixedOffset::east_opt(7200).unwrap();
    const AFTER: FixedOffset = FixedOffset::east_opt(3600).unwrap();

    fn at(hour: u32) -> NaiveDateTime {
        NaiveDate::from_ymd_opt(2026, 10, 25).unwrap().and_hms_opt(hour, 0, 0).unwrap()
    }
}

impl Offset for FallBack {
    fn fix(&self) -> FixedOffset {
        self.0
    }
}

impl TimeZone for FallBack {
    type Offset = Self;

    fn from_offset(offset: &Self) -> Self {
        *offset
    }

    fn offset_from_local_date(&self, date: &NaiveDate) -> MappedLocalTime<Self> {
        self.offset_from_local_datetime(&date.and_hms_opt(0, 0, 0).unwrap())
    }

    fn offset_from_local_datetime(&self, local: &NaiveDateTime) -> MappedLocalTime<Self> {
        if *local < Self::at(2) {
            MappedLocalTime::Single(Self(Self::BEFORE))
        } else if *local < Self::at(3) {
            MappedLocalTime::Ambiguous(Self(Self::BEFORE), Self(Self::AFTER))
        } else {
            MappedLocalTime::Single(Self(Self::AFTER))
        }
    }

    fn offset_from_utc_date(&self, date: &NaiveDate) -> Self {
        self.offset_from_utc_datetime(&date.and_hms_opt(0, 0, 0).unwrap())
    }

    fn offset_from_utc_datetime(&self, utc: &NaiveDateTime) -> Self {
        Self(if *utc < Self::at(1) { Self::BEFORE } else { Self::AFTER })
    }
}

#[test]
fn in_the_hour_that_is_there_twice_the_next_time_is_never_past() {
    let zone = FallBack(FallBack::BEFORE);
    let in_second_pass = utc("2026-10-25T01:10:00Z").with_timezone(&zone);
    let next = pattern("*/5 * * * *").next_after(&in_second_pass).unwrap();
    assert_eq!(next.to_utc(), utc("2026-10-25T01:15:00Z"));
    // Of a fixed time there is one a day: it came in the first pass.
    let next = pattern("30 2 * * *").next_after(&in_second_pass).unwrap();
    assert_eq!(next.to_utc(), utc("2026-10-26T01:30:00Z"));
}

#[test]
fn every_due_time_comes_once_and_missed_ones_count_as_one() {
    let mut schedule = CronSchedule::new(pattern("* * * * *"), local("2026-03-01T12:00:30Z"));
    assert_eq!(schedule.due(), Some(local("2026-03-01T12:01:00Z")));
    assert_eq!(schedule.look(local("2026-03-01T12:00:30Z")), Turn::Wait(Duration::from_secs(30)));
    assert_eq!(schedule.look(local("2026-03-01T12:01:00Z")), Turn::Due);
    assert_eq!(schedule.look(local("2026-03-01T12:01:00Z")), Turn::Wait(Duration::from_secs(60)));
    assert_eq!(schedule.look(local("2026-03-01T15:10:10Z")), Turn::Due);
    assert_eq!(schedule.look(local("2026-03-01T15:10:10Z")), Turn::Wait(Duration::from_secs(50)));
}

#[test]
fn a_clock_that_was_put_right_fires_nothing_twice() {
    let mut schedule = CronSchedule::new(pattern("* * * * *"), local("2026-03-01T12:00:30Z"));
    assert_eq!(schedule.look(local("2026-03-01T12:10:00Z")), Turn::Due);
    for back in ["2026-03-01T12:05:00Z", "2026-03-01T12:09:59Z", "2026-03-01T12:10:30Z"] {
        assert!(matches!(schedule.look(local(back)), Turn::Wait(_)), "{back}");
    }
    assert_eq!(schedule.look(local("2026-03-01T12:11:00Z")), Turn::Due);
}

#[test]
fn a_clock_that_was_a_year_ahead_does_not_silence_it_for_a_year() {
    let mut schedule = CronSchedule::new(pattern("0 * * * *"), local("2027-03-01T12:00:30Z"));
    assert!(matches!(schedule.look(local("2026-03-01T12:00:30Z")), Turn::Wait(_)));
    assert_eq!(schedule.due(), Some(local("2026-03-01T13:00:00Z")));
    assert_eq!(schedule.look(local("2026-03-01T13:00:00Z")), Turn::Due);
}

#[tokio::test]
async fn waiting_follows_the_clock_and_not_the_time_that_was_left() {
    let mut schedule = CronSchedule::new(pattern("* * * * * *"), local("2026-03-01T12:00:00Z"));
    // 20 ms are left at the first look; the clock jumps an hour meanwhile.
    let looks = Cell::new(0);
    let clock = || {
        looks.set(looks.get() + 1);
        match looks.get() {
            1 => local("2026-03-01T12:00:00.980Z"),
            _ => local("2026-03-01T13:00:00.500Z"),
        }
    };
    schedule.until_due(clock).await;
    assert_eq!(looks.get(), 2);
    assert_eq!(schedule.due(), Some(local("2026-03-01T13:00:01Z")));
}

proptest! {
    #[test]
    fn any_text_is_judged_without_a_panic(text in "[ -~]{0,24}|[0-9*,/#LW@a-z? -]{5,20}") {
        let _ = CronPattern::parse(&text);
    }

    #[test]
    fn a_clock_that_only_goes_forward_fires_each_minute_once(
        steps in prop::collection::vec(1_i64..200, 1..60),
    ) {
        let start = local("2026-03-01T12:00:00Z");
        let mut schedule = CronSchedule::new(pattern("* * * * *"), start);
        let (mut now, mut fired) = (start, Vec::new());
        for seconds in steps {
            let before = now;
            now += TimeDelta::seconds(seconds);
            let due = schedule.look(now) == Turn::Due;
            prop_assert_eq!(due, before.timestamp() / 60 < now.timestamp() / 60);
            if due {
                let minute = now.timestamp() / 60;
                prop_assert!(!fired.contains(&minute));
                fired.push(minute);
            }
        }
    }

    #[test]
    fn no_minute_fires_twice_whatever_corrections_are_made(
        steps in prop::collection::vec(-3000_i64..3000, 1..80),
    ) {
        let mut now = local("2026-03-01T12:00:00Z");
        let mut schedule = CronSchedule::new(pattern("* * * * *"), now);
        let mut fired = Vec::new();
        for seconds in steps {
            let due = schedule.due();
            now += TimeDelta::seconds(seconds);
            if schedule.look(now) == Turn::Due {
                let due = due.unwrap();
                prop_assert!(due <= now && fired.last().is_none_or(|last| *last < due));
                fired.push(due);
            }
        }
    }
}
