//! When a notice is due: at once, or with the next digest, and not in quiet hours. Pure: it is told
//! the time.
//!
//! Clocks that are put forward or back count as they do for windows: a time that is skipped is the
//! next instant that exists, and one that comes twice is the first.

use jiff::{Timestamp, civil::Date, civil::Time, tz::TimeZone};
use serde::{Deserialize, Serialize};
use spacecp_contract::Severity;

use super::notice::Notice;
use spacecp_services::policy::first_instant;

/// Seconds of an hour.
const HOUR: i64 = 3_600;

/// Days that are looked through for the next digest: for days that a time zone has left out.
const DAYS_AHEAD: usize = 4;

/// How notices are gathered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digest {
    /// Each is sent as it comes.
    Immediate,
    /// Those of an hour go together, at the full hour.
    Hourly,
    /// Those of a day go together, at this local time.
    Daily(Time),
}

/// What does not wait for the end of quiet hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Urgent {
    /// Flaws that are known to be exploited.
    KnownExploited,
    /// Critical flaws.
    Critical,
}

/// When a channel is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timing {
    /// How notices are gathered.
    pub digest: Digest,
    /// From when to when, by local clocks, nothing is sent that is not urgent.
    pub quiet: Option<(Time, Time)>,
    /// What is sent all the same.
    pub urgent: Vec<Urgent>,
    /// Whose clocks.
    pub zone: TimeZone,
}

impl Timing {
    /// Whether a notice does not wait for the end of quiet hours. Good news can always wait.
    pub fn is_urgent(&self, notice: &Notice) -> bool {
        !notice.kind.is_good_news()
            && self.urgent.iter().any(|urgent| match urgent {
                Urgent::KnownExploited => notice.known_exploited,
                Urgent::Critical => notice.severity == Severity::Critical,
            })
    }

    /// When something that happens at `now` is to be sent.
    pub fn due(&self, urgent: bool, now: Timestamp) -> Timestamp {
        let at = match self.digest {
            Digest::Immediate => now,
            Digest::Hourly => next_hour(now),
            Digest::Daily(time) => self.next(time, now),
        };
        match self.quiet_until(at) {
            Some(end) if !urgent => end,
            _ => at,
        }
    }

    /// The end of the quiet hours that `at` is in, if it is in any.
    pub fn quiet_until(&self, at: Timestamp) -> Option<Timestamp> {
        let (from, to) = self.quiet?;
        let today = self.zone.to_datetime(at).date();
        let days = [today.yesterday().ok(), Some(today)];
        days.into_iter().flatten().find_map(|day| {
            let begin = first_instant(&self.zone, day, from)?;
            let last = if to <= from {
                day.tomorrow().ok()?
            } else {
                day
            };
            let end = first_instant(&self.zone, last, to)?;
            (begin <= at && at < end).then_some(end)
        })
    }

    /// The next instant after `now` at which local clocks show this time.
    fn next(&self, time: Time, now: Timestamp) -> Timestamp {
        let today = self.zone.to_datetime(now).date();
        let days = std::iter::successors(Some(today), |day: &Date| day.tomorrow().ok());
        days.take(DAYS_AHEAD)
            .filter_map(|day| first_instant(&self.zone, day, time))
            .find(|instant| *instant > now)
            // Near the end of time there is no next one: then it is now.
            .unwrap_or(now)
    }
}

fn next_hour(now: Timestamp) -> Timestamp {
    let next = (now.as_second().div_euclid(HOUR) + 1) * HOUR;
    Timestamp::from_second(next).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use spacecp_services::policy::{time_of_day, time_zone};

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn clock(text: &str) -> Time {
        time_of_day(text).expect("a time of day")
    }

    fn timing(digest: Digest, quiet: Option<(&str, &str)>) -> Timing {
        Timing {
            digest,
            quiet: quiet.map(|(from, to)| (clock(from), clock(to))),
            urgent: Vec::new(),
            zone: time_zone("Europe/Berlin").expect("a time zone"),
        }
    }

    #[test]
    fn quiet_hours_end_by_the_local_clock_on_both_days_of_the_change() {
        let night = timing(Digest::Immediate, Some(("22:00", "07:00")));
        // Winter: 07:00 is 06:00 UTC. The night in which clocks go forward is an hour shorter.
        assert_eq!(
            night.due(false, at("2026-03-27T23:00:00Z")),
            at("2026-03-28T06:00:00Z")
        );
        assert_eq!(
            night.due(false, at("2026-03-28T23:00:00Z")),
            at("2026-03-29T05:00:00Z")
        );
        // And the one in which they go back is an hour longer.
        assert_eq!(
            night.due(false, at("2026-10-24T21:00:00Z")),
            at("2026-10-25T06:00:00Z")
        );
        // Half past two comes twice in it, and is quiet both times.
        for twice in ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"] {
            assert_eq!(night.due(false, at(twice)), at("2026-10-25T06:00:00Z"));
        }
    }

    #[test]
    fn quiet_hours_that_end_in_a_skipped_hour_end_when_clocks_are_put_forward() {
        let short = timing(Digest::Immediate, Some(("01:00", "02:30")));
        let change = at("2026-03-29T01:00:00Z");
        assert_eq!(short.due(false, at("2026-03-29T00:30:00Z")), change);
        assert_eq!(short.due(false, change), change, "and not later");
    }

    #[test]
    fn quiet_hours_that_end_in_an_hour_that_comes_twice_end_once() {
        let short = timing(Digest::Immediate, Some(("01:00", "02:30")));
        let first = at("2026-10-25T00:30:00Z");
        assert_eq!(short.due(false, at("2026-10-25T00:10:00Z")), first);
        let again = at("2026-10-25T01:10:00Z");
        assert_eq!(short.due(false, again), again, "02:10 for the second time");
    }

    #[test]
    fn quiet_hours_have_a_first_and_no_last_instant() {
        let noon = timing(Digest::Immediate, Some(("12:00", "13:00")));
        let quiet = |text| noon.quiet_until(at(text)).is_some();
        assert!(!quiet("2026-01-10T10:59:59Z"));
        assert!(quiet("2026-01-10T11:00:00Z"));
        assert!(quiet("2026-01-10T11:59:59Z"));
        assert!(!quiet("2026-01-10T12:00:00Z"));
    }

    #[test]
    fn what_is_urgent_is_not_held_but_goes_with_its_digest() {
        let night = timing(Digest::Hourly, Some(("22:00", "07:00")));
        let now = at("2026-01-10T23:10:00Z");
        assert_eq!(night.due(true, now), at("2026-01-11T00:00:00Z"));
        assert_eq!(night.due(false, now), at("2026-01-11T06:00:00Z"));
    }

    #[test]
    fn a_daily_digest_is_at_its_local_time_whatever_the_clocks_did() {
        let daily = timing(Digest::Daily(clock("08:00")), None);
        assert_eq!(
            daily.due(false, at("2026-03-28T06:00:00Z")),
            at("2026-03-28T07:00:00Z")
        );
        assert_eq!(
            daily.due(false, at("2026-03-28T07:00:00Z")),
            at("2026-03-29T06:00:00Z")
        );
        let skipped = timing(Digest::Daily(clock("02:30")), None);
        assert_eq!(
            skipped.due(false, at("2026-03-28T12:00:00Z")),
            at("2026-03-29T01:00:00Z")
        );
    }
}
