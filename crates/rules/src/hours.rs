//! When a business is open, in its own time zone.

use chrono::{DateTime, Datelike, NaiveDateTime, TimeDelta, Timelike, Utc};
use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::limits;
use crate::mistake::{Mistake, Mistakes, nearest};
use crate::set::Hours;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const DAY_MINUTES: u32 = 24 * 60;
const WEEK_MINUTES: u32 = 7 * DAY_MINUTES;

/// A time zone.
#[derive(Clone, Debug)]
pub struct Zone(TimeZone);

impl Zone {
    /// Universal time.
    #[must_use]
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// What the clocks of the zone say at a time.
    #[must_use]
    pub fn local(&self, now: DateTime<Utc>) -> NaiveDateTime {
        // Beyond the times that have an offset there is only universal time.
        let offset =
            Timestamp::from_second(now.timestamp()).map_or(0, |at| self.0.to_offset(at).seconds());
        let utc = now.naive_utc();
        utc.checked_add_signed(TimeDelta::seconds(offset.into())).unwrap_or(utc)
    }

    /// What the zone's time is called at a time, such as `EAT`.
    #[must_use]
    pub fn abbreviation(&self, now: DateTime<Utc>) -> String {
        Timestamp::from_second(now.timestamp()).map_or_else(
            |_| "UTC".to_owned(),
            |at| self.0.to_offset_info(at).abbreviation().to_owned(),
        )
    }
}

/// Opening times, prepared: spans of the week in minutes from Monday's beginning. One that ends after
/// the week's end goes on at its beginning.
#[derive(Clone, Debug, Default)]
pub struct Opening(Vec<(u32, u32)>);

impl Opening {
    /// Whether the business is open at a time.
    #[must_use]
    pub fn is_open(&self, now: DateTime<Utc>, zone: &Zone) -> bool {
        let local = zone.local(now);
        let minute = local.weekday().num_days_from_monday() * DAY_MINUTES
            + local.hour() * 60
            + local.minute();
        let within = |minute: u32| self.0.iter().any(|(from, to)| (*from..*to).contains(&minute));
        within(minute) || within(minute + WEEK_MINUTES)
    }

    pub(crate) fn compile(hours: &[Hours], mistakes: &mut Mistakes) -> Self {
        mistakes.count("hours", hours.len(), limits::HOURS);
        let mut spans = Vec::new();
        for (index, hours) in hours.iter().enumerate() {
            let field = |name: &str| format!("hours[{index}].{name}");
            let from = minutes(&hours.from, &field("from"), mistakes);
            let to = minutes(&hours.to, &field("to"), mistakes);
            let days = days(&hours.days, &field("days"), mistakes);
            let (Some(from), Some(to)) = (from, to) else { continue };
            if from == to || from == DAY_MINUTES {
                let message = "is no span of time; for the whole day write from 00:00 to 24:00";
                mistakes.add(&field("to"), message);
            }
            let to = if to > from { to } else { to + DAY_MINUTES };
            spans.extend(days.iter().map(|day| (day * DAY_MINUTES + from, day * DAY_MINUTES + to)));
        }
        Self(spans)
    }
}

/// A span of every day, in a time zone.
#[derive(Clone, Debug)]
pub struct Daily {
    span: Opening,
    zone: Zone,
}

impl Daily {
    /// The span from one time of day to another, or over midnight; universal time without a zone.
    ///
    /// # Errors
    /// What is no time of day, no span or no time zone; the fields are `from`, `to` and `time_zone`.
    pub fn new(from: &str, to: &str, time_zone: Option<&str>) -> Result<Self, Vec<Mistake>> {
        let mut mistakes = Mistakes::new();
        let days = vec!["mon-sun".to_owned()];
        let hours = Hours { days, from: from.to_owned(), to: to.to_owned() };
        let span = Opening::compile(&[hours], &mut mistakes);
        let zone = zone(time_zone, &mut mistakes);
        mistakes.none_or(Self { span, zone }).map_err(|found| {
            let named = |mistake: Mistake| Mistake {
                field: mistake.field.replace("hours[0].", ""),
                message: mistake.message,
            };
            found.into_iter().map(named).collect()
        })
    }

    /// The time until the span's end, to the minute; nothing outside of it.
    #[must_use]
    pub fn left(&self, now: DateTime<Utc>) -> Option<TimeDelta> {
        if !self.span.is_open(now, &self.zone) {
            return None;
        }
        let minute = now.timestamp() / 60;
        let ends = (1..=i64::from(DAY_MINUTES)).find_map(|after| {
            let at = DateTime::from_timestamp((minute + after) * 60, 0)?;
            (!self.span.is_open(at, &self.zone)).then_some(at)
        });
        Some(ends.map_or(TimeDelta::days(1), |at| at - now))
    }
}

/// The time zone of this IANA name.
pub(crate) fn zone(name: Option<&str>, mistakes: &mut Mistakes) -> Zone {
    let Some(name) = name else { return Zone::utc() };
    let zones = TimeZoneDatabase::bundled();
    let known: Vec<String> = zones.available().map(|zone| zone.to_string()).collect();
    // The database would take a name in other letters too.
    let found = known.iter().find(|known| *known == name).and_then(|name| zones.get(name).ok());
    found.map_or_else(
        || {
            let hint = nearest(name, known.iter().map(String::as_str));
            let message = format!("{name:?} is no time zone; write one like Africa/Nairobi{hint}");
            mistakes.add("time_zone", message);
            Zone::utc()
        },
        Zone,
    )
}

/// The minutes since midnight of `HH:MM`.
fn minutes(text: &str, field: &str, mistakes: &mut Mistakes) -> Option<u32> {
    let parsed = text.split_once(':').and_then(|(hour, minute)| {
        let digits = |text: &str| text.len() <= 2 && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(hour) || minute.len() != 2 || !digits(minute) {
            return None;
        }
        let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
        (minute < 60 && hour * 60 + minute <= DAY_MINUTES).then_some(hour * 60 + minute)
    });
    if parsed.is_none() {
        mistakes
            .add(field, format!("{text:?} is no time of day; write it like 08:30, at most 24:00"));
    }
    parsed
}

fn days(texts: &[String], field: &str, mistakes: &mut Mistakes) -> Vec<u32> {
    let day = |name: &str| (0_u32..7).zip(DAYS).find(|(_, day)| *day == name).map(|(day, _)| day);
    if texts.is_empty() {
        mistakes.add(field, "names no day; write days such as [\"mon-fri\", \"sat\"]");
    }
    mistakes.count(field, texts.len(), limits::LIST);
    let mut days = Vec::new();
    for text in texts {
        let name = text.trim().to_lowercase();
        let (first, last) = name.split_once('-').unwrap_or((&name, &name));
        match day(first.trim()).zip(day(last.trim())) {
            Some((first, last)) => {
                let last = if last < first { last + 7 } else { last };
                days.extend((first..=last).map(|day| day % 7));
            }
            None => {
                let known = DAYS.join(", ");
                mistakes.add(
                    field,
                    format!("{text:?} is no day or range of days; write {known}, or mon-fri"),
                );
            }
        }
    }
    days.sort_unstable();
    days.dedup();
    days
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::{Daily, Opening, Zone, zone};
    use crate::mistake::Mistakes;
    use crate::set::Hours;

    fn hours(days: &[&str], from: &str, to: &str) -> Hours {
        let days = days.iter().map(|day| (*day).to_owned()).collect();
        Hours { days, from: from.to_owned(), to: to.to_owned() }
    }

    fn opening(hours: &[Hours]) -> Opening {
        let mut mistakes = Mistakes::new();
        let opening = Opening::compile(hours, &mut mistakes);
        mistakes.none_or(opening).unwrap()
    }

    fn named(name: &str) -> Zone {
        let mut mistakes = Mistakes::new();
        let zone = zone(Some(name), &mut mistakes);
        mistakes.none_or(zone).unwrap()
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn the_week_is_that_of_the_tenants_time_zone() {
        let opening =
            opening(&[hours(&["mon-fri"], "08:00", "17:00"), hours(&["sat"], "9:00", "12:00")]);
        let zone = named("Africa/Nairobi");
        let table = [
            ("2026-11-23T05:00:00Z", true),  // Monday 08:00
            ("2026-11-23T04:59:00Z", false), // 07:59
            ("2026-11-23T13:59:59Z", true),  // 16:59
            ("2026-11-23T14:00:00Z", false), // 17:00
            ("2026-11-28T08:00:00Z", true),  // Saturday 11:00
            ("2026-11-28T10:00:00Z", false), // Saturday 13:00
            ("2026-11-29T08:00:00Z", false), // Sunday
        ];
        for (time, open) in table {
            assert_eq!(opening.is_open(at(time), &zone), open, "{time}");
        }
        // The same instant is night elsewhere.
        assert!(!opening.is_open(at("2026-11-23T05:00:00Z"), &named("America/New_York")));
    }

    #[test]
    fn a_night_goes_on_on_the_next_day_and_over_the_weeks_end() {
        let opening =
            opening(&[hours(&["sun"], "22:00", "02:00"), hours(&["wed"], "00:00", "24:00")]);
        for (time, open) in [
            ("2026-11-29T22:00:00Z", true),
            ("2026-11-30T01:59:00Z", true), // Monday
            ("2026-11-30T02:00:00Z", false),
            ("2026-11-25T00:00:00Z", true),
            ("2026-11-25T23:59:00Z", true),
            ("2026-11-26T00:00:00Z", false),
        ] {
            assert_eq!(opening.is_open(at(time), &Zone::utc()), open, "{time}");
        }
    }

    #[test]
    fn summer_time_moves_the_hours_with_the_clocks() {
        let opening = opening(&[hours(&["mon-sun"], "09:00", "10:00")]);
        let zone = named("Europe/Berlin");
        assert!(opening.is_open(at("2026-07-01T07:30:00Z"), &zone));
        assert!(opening.is_open(at("2026-12-01T08:30:00Z"), &zone));
        assert!(!opening.is_open(at("2026-12-01T07:30:00Z"), &zone));
    }

    #[test]
    fn what_is_no_time_or_day_is_told() {
        let bad = [
            hours(&["mon"], "8", "17:00"),
            hours(&["mon"], "08:00", "24:01"),
            hours(&["mon"], "08:00", "08:00"),
            hours(&["monday"], "08:00", "17:00"),
            hours(&[], "08:00", "17:00"),
            hours(&["mon"], "+8:00", "17:00"),
        ];
        let mut mistakes = Mistakes::new();
        let opening = Opening::compile(&bad, &mut mistakes);
        let fields: Vec<String> =
            mistakes.none_or(opening).unwrap_err().into_iter().map(|m| m.field).collect();
        assert_eq!(
            fields,
            [
                "hours[0].from",
                "hours[1].to",
                "hours[2].to",
                "hours[3].days",
                "hours[4].days",
                "hours[5].from"
            ]
        );
    }

    #[test]
    fn a_daily_span_knows_when_it_ends_in_its_zone() {
        let night = Daily::new("22:00", "07:00", Some("Africa/Nairobi")).unwrap();
        let left = |time: &str| night.left(at(time)).map(|left| left.num_seconds());
        assert_eq!(left("2026-11-23T18:59:59Z"), None); // 21:59:59
        assert_eq!(left("2026-11-23T19:00:00Z"), Some(9 * 3600));
        assert_eq!(left("2026-11-24T03:59:30Z"), Some(30)); // 06:59:30
        assert_eq!(left("2026-11-24T04:00:00Z"), None);
        let mistakes = Daily::new("25:00", "25:00", Some("Mars")).unwrap_err();
        let fields: Vec<_> = mistakes.iter().map(|mistake| mistake.field.as_str()).collect();
        assert_eq!(fields, ["from", "to", "time_zone"]);
    }
}
