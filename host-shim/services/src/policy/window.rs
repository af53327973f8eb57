//! Maintenance windows: some days of the week, from a local time on, for so long, in a time zone.
//!
//! Clocks that are put forward or back are the reason for this module. A window that would begin in
//! an hour that is skipped begins at the next instant that exists; one that would begin in an hour
//! that comes twice begins the first time, and once. How long it is open is counted in real minutes.
//! The time zones come with the program: nothing of the machine is asked.

use std::fmt;

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, Time, Weekday},
    tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The longest window, in minutes: a day.
pub const LONGEST: u32 = 24 * 60;

/// Windows that one policy may have.
pub const MOST: usize = 16;

/// Days that are looked through for the next opening: two weeks, for the days that a time zone has
/// left out as a whole.
const DAYS_AHEAD: usize = 15;

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Day {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl Day {
    /// The whole week.
    pub const ALL: [Self; 7] = [
        Self::Mon,
        Self::Tue,
        Self::Wed,
        Self::Thu,
        Self::Fri,
        Self::Sat,
        Self::Sun,
    ];

    /// The word that configurations and forms use.
    pub fn word(self) -> &'static str {
        match self {
            Self::Mon => "mon",
            Self::Tue => "tue",
            Self::Wed => "wed",
            Self::Thu => "thu",
            Self::Fri => "fri",
            Self::Sat => "sat",
            Self::Sun => "sun",
        }
    }

    /// The word for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mon => "Monday",
            Self::Tue => "Tuesday",
            Self::Wed => "Wednesday",
            Self::Thu => "Thursday",
            Self::Fri => "Friday",
            Self::Sat => "Saturday",
            Self::Sun => "Sunday",
        }
    }

    fn of(weekday: Weekday) -> Self {
        match weekday {
            Weekday::Monday => Self::Mon,
            Weekday::Tuesday => Self::Tue,
            Weekday::Wednesday => Self::Wed,
            Weekday::Thursday => Self::Thu,
            Weekday::Friday => Self::Fri,
            Weekday::Saturday => Self::Sat,
            Weekday::Sunday => Self::Sun,
        }
    }
}

/// When a window is open, from the first instant to just before the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Opening {
    /// Open from here on.
    pub begin: Timestamp,
    /// Closed from here on.
    pub end: Timestamp,
}

/// Why something is no window.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WindowFault {
    /// The time it begins at.
    #[error("invalid time of day {0:?}; use the form \"02:30\"")]
    Start(String),
    /// How long it is.
    #[error("invalid window length of {0} minutes; it must be 1 to {LONGEST}")]
    Minutes(u32),
    /// The time zone.
    #[error("unknown time zone {0:?}; use a name such as \"Europe/Berlin\" or \"UTC\"")]
    Zone(String),
}

/// A maintenance window. Whatever is one is sound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Window {
    days: Vec<Day>,
    start: Time,
    minutes: u32,
    zone: TimeZone,
}

/// A maintenance window, as the configuration file has it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schema(as = Window)]
pub(super) struct Written {
    /// Days of the week on which the window opens; every day by default.
    #[serde(default)]
    days: Vec<Day>,
    /// Local time at which the window opens, such as `02:30`.
    start: String,
    /// Minutes for which the window is open.
    #[schema(minimum = 1, maximum = 1440)]
    minutes: u32,
    /// Time zone, such as `Europe/Berlin` or `UTC`.
    zone: String,
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days: Vec<&str> = self.days.iter().map(|day| day.name()).collect();
        let days = match days.as_slice() {
            [] => "every day".to_owned(),
            days => days.join(", "),
        };
        let (start, minutes, zone) = (self.start(), self.minutes, self.zone());
        write!(f, "{days} at {start} for {minutes} minutes ({zone})")
    }
}

impl TryFrom<Written> for Window {
    type Error = WindowFault;

    fn try_from(written: Written) -> Result<Self, WindowFault> {
        Self::new(
            &written.days,
            &written.start,
            written.minutes,
            &written.zone,
        )
    }
}

impl From<Window> for Written {
    fn from(window: Window) -> Self {
        Self {
            start: window.start(),
            zone: window.zone().to_owned(),
            minutes: window.minutes,
            days: window.days,
        }
    }
}

impl Window {
    /// A window that opens on these days (every day, if there are none) at `start` local time, as
    /// `02:30`, for 1 to 1440 minutes.
    pub fn new(days: &[Day], start: &str, minutes: u32, zone: &str) -> Result<Self, WindowFault> {
        let begins = time_of_day(start).ok_or_else(|| WindowFault::Start(start.to_owned()))?;
        if minutes == 0 || minutes > LONGEST {
            return Err(WindowFault::Minutes(minutes));
        }
        let mut days = days.to_vec();
        days.sort_unstable();
        days.dedup();
        Ok(Self {
            days,
            start: begins,
            minutes,
            zone: time_zone(zone).ok_or_else(|| WindowFault::Zone(zone.to_owned()))?,
        })
    }

    /// The days, none of them for every day.
    pub fn days(&self) -> &[Day] {
        &self.days
    }

    /// The local time that it opens at, as `02:30`.
    pub fn start(&self) -> String {
        self.start.strftime("%H:%M").to_string()
    }

    /// How long it is open.
    pub fn minutes(&self) -> u32 {
        self.minutes
    }

    /// The name of its time zone.
    pub fn zone(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    /// The opening that `now` is in, if it is open.
    pub fn open(&self, now: Timestamp) -> Option<Opening> {
        let mut openings = self.openings_around(now);
        openings.find(|opening| opening.begin <= now && now < opening.end)
    }

    /// The first opening that begins after `now`.
    pub fn next(&self, now: Timestamp) -> Option<Opening> {
        let openings = self.openings_around(now);
        openings
            .filter(|opening| opening.begin > now)
            .min_by_key(|opening| opening.begin)
    }

    /// Every opening that could matter at `now`, from the day before yesterday on.
    fn openings_around(&self, now: Timestamp) -> impl Iterator<Item = Opening> {
        let today = self.zone.to_datetime(now).date();
        let before = today.yesterday().and_then(Date::yesterday).unwrap_or(today);
        let dates = std::iter::successors(Some(before), |date| date.tomorrow().ok());
        dates
            .take(DAYS_AHEAD)
            .filter(|date| self.is_on(*date))
            .filter_map(|date| self.opening_on(date))
    }

    fn is_on(&self, date: Date) -> bool {
        self.days.is_empty() || self.days.contains(&Day::of(date.weekday()))
    }

    fn opening_on(&self, date: Date) -> Option<Opening> {
        let begin = self.begins_on(date)?;
        let long = SignedDuration::from_mins(i64::from(self.minutes));
        let end = begin.checked_add(long).ok()?;
        Some(Opening { begin, end })
    }

    fn begins_on(&self, date: Date) -> Option<Timestamp> {
        first_instant(&self.zone, date, self.start)
    }
}

/// The first instant at which clocks of this zone show this time on this day. Where that time is
/// skipped it is the next instant that exists; where it comes twice, the first.
pub fn first_instant(zone: &TimeZone, date: Date, time: Time) -> Option<Timestamp> {
    let local = date.to_datetime(time);
    let instant = zone.to_ambiguous_timestamp(local);
    match instant.offset() {
        AmbiguousOffset::Gap { after, .. } => {
            // Read by the clock as it is after it was put forward, the skipped time lies before
            // that moment; what follows next is the moment itself.
            let before = after.to_timestamp(local).ok()?;
            let forward = zone.following(before).next();
            forward.map(|moment| moment.timestamp())
        }
        _ => instant.earlier().ok(),
    }
}

/// Windows of which any will do; without one, it is always open.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Windows(pub Vec<Window>);

impl Windows {
    /// Whether there is no restriction.
    pub fn is_always(&self) -> bool {
        self.0.is_empty()
    }

    /// The opening that `now` is in; windows that meet or overlap are one.
    pub fn open(&self, now: Timestamp) -> Option<Opening> {
        let around = |instant| self.0.iter().filter_map(move |window| window.open(instant));
        let begin = around(now).map(|opening| opening.begin).min()?;
        let mut end = now;
        // Windows that follow each other without end make no end; a few days ahead will do.
        for _ in 0..MOST {
            let Some(later) = around(end).map(|opening| opening.end).max() else {
                break;
            };
            end = later;
        }
        Some(Opening { begin, end })
    }

    /// When the next of them opens after `now`.
    pub fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let next = self.0.iter().filter_map(|window| window.next(now));
        next.map(|opening| opening.begin).min()
    }
}

/// A time of day, as `02:30`.
pub fn time_of_day(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let digits =
        |part: &str| (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(hour) || minute.len() != 2 || !digits(minute) {
        return None;
    }
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

/// A time zone by its name, from those that come with the program.
pub fn time_zone(name: &str) -> Option<TimeZone> {
    if name == "UTC" {
        return Some(TimeZone::UTC);
    }
    let zone = TimeZoneDatabase::bundled().get(name).ok()?;
    // Only what has a name can be written down again.
    zone.iana_name().is_some().then_some(zone)
}
