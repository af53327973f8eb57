//! When maintenance windows are open, on the days on which clocks are put forward and back above all.

use anyhow::{Context, Result};
use jiff::{
    SignedDuration, Timestamp,
    tz::{TimeZone, TimeZoneDatabase},
};
use proptest::prelude::*;
use spacecp_advisories::policy::{Day, Hours, Window, WindowFault, Windows};

const BERLIN: &str = "Europe/Berlin";
const NEW_YORK: &str = "America/New_York";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn window(days: &[Day], start: &str, minutes: u32, zone: &str) -> Window {
    Window::new(days, start, minutes, zone).unwrap()
}

/// The first opening after an instant, as begin and end.
fn next(window: &Window, after: &str) -> Result<(String, String)> {
    let opening = window.next(at(after)).context("it opens again")?;
    Ok((opening.begin.to_string(), opening.end.to_string()))
}

fn pair(begin: &str, end: &str) -> (String, String) {
    (begin.to_owned(), end.to_owned())
}

#[test]
fn a_window_keeps_its_local_time_in_summer_and_winter() -> Result<()> {
    let daily = window(&[], "04:00", 120, BERLIN);
    assert_eq!(
        next(&daily, "2027-01-10T12:00:00Z")?,
        pair("2027-01-11T03:00:00Z", "2027-01-11T05:00:00Z")
    );
    assert_eq!(
        next(&daily, "2027-07-10T12:00:00Z")?,
        pair("2027-07-11T02:00:00Z", "2027-07-11T04:00:00Z")
    );
    Ok(())
}

#[test]
fn a_window_that_begins_in_a_skipped_hour_begins_at_the_next_instant_that_exists() -> Result<()> {
    // On 28 March 2027 Berlin goes from 02:00 to 03:00, which is 01:00 UTC.
    let berlin = window(&[Day::Sun], "02:30", 60, BERLIN);
    assert_eq!(
        next(&berlin, "2027-03-27T12:00:00Z")?,
        pair("2027-03-28T01:00:00Z", "2027-03-28T02:00:00Z")
    );
    // On 14 March 2027 New York goes from 02:00 to 03:00, which is 07:00 UTC.
    let new_york = window(&[Day::Sun], "02:00", 60, NEW_YORK);
    assert_eq!(
        next(&new_york, "2027-03-13T12:00:00Z")?,
        pair("2027-03-14T07:00:00Z", "2027-03-14T08:00:00Z")
    );
    Ok(())
}

#[test]
fn a_window_that_begins_in_a_repeated_hour_opens_once_and_the_first_time() -> Result<()> {
    // On 31 October 2027 Berlin goes from 03:00 back to 02:00, which is 01:00 UTC.
    let berlin = window(&[Day::Sun], "02:30", 60, BERLIN);
    assert_eq!(
        next(&berlin, "2027-10-30T12:00:00Z")?,
        pair("2027-10-31T00:30:00Z", "2027-10-31T01:30:00Z")
    );
    assert_eq!(berlin.open(at("2027-10-31T01:30:00Z")), None, "02:30 again");
    assert_eq!(
        next(&berlin, "2027-10-31T00:30:00Z")?,
        pair("2027-11-07T01:30:00Z", "2027-11-07T02:30:00Z")
    );
    // On 7 November 2027 New York goes from 02:00 back to 01:00, which is 06:00 UTC.
    let new_york = window(&[Day::Sun], "01:15", 30, NEW_YORK);
    assert_eq!(
        next(&new_york, "2027-11-06T12:00:00Z")?,
        pair("2027-11-07T05:15:00Z", "2027-11-07T05:45:00Z")
    );
    assert_eq!(new_york.open(at("2027-11-07T06:20:00Z")), None);
    Ok(())
}

#[test]
fn a_window_over_the_change_is_as_long_as_it_says() -> Result<()> {
    let night = window(&[Day::Sat], "23:00", 300, BERLIN);
    assert_eq!(
        next(&night, "2027-03-27T12:00:00Z")?,
        pair("2027-03-27T22:00:00Z", "2027-03-28T03:00:00Z")
    );
    assert_eq!(
        next(&night, "2027-10-30T12:00:00Z")?,
        pair("2027-10-30T21:00:00Z", "2027-10-31T02:00:00Z")
    );
    Ok(())
}

#[test]
fn a_zone_without_summer_time_opens_at_the_same_instant_all_year() -> Result<()> {
    let tokyo = window(&[], "02:30", 60, "Asia/Tokyo");
    for day in ["2027-03-28", "2027-07-01", "2027-10-31"] {
        let (begin, _) = next(&tokyo, &format!("{day}T12:00:00Z"))?;
        assert_eq!(begin, format!("{day}T17:30:00Z"));
    }
    Ok(())
}

#[test]
fn a_window_on_a_day_that_a_zone_left_out_begins_when_the_next_day_does() -> Result<()> {
    // Samoa had no 30 December 2011: it stepped over the date line.
    let friday = window(&[Day::Fri], "10:00", 60, "Pacific/Apia");
    assert_eq!(
        next(&friday, "2011-12-29T12:00:00Z")?,
        pair("2011-12-30T10:00:00Z", "2011-12-30T11:00:00Z")
    );
    Ok(())
}

#[test]
fn a_window_over_midnight_belongs_to_the_day_it_begins_on() {
    let saturday = window(&[Day::Sat], "23:00", 240, "UTC");
    assert!(saturday.open(at("2027-03-07T02:59:59Z")).is_some());
    assert!(saturday.open(at("2027-03-07T03:00:00Z")).is_none());
    assert!(saturday.open(at("2027-03-07T23:30:00Z")).is_none());
}

#[test]
fn windows_that_meet_are_one_opening() -> Result<()> {
    let windows = Windows(vec![
        window(&[Day::Mon], "02:00", 60, "UTC"),
        window(&[Day::Mon], "03:00", 60, "UTC"),
    ]);
    let opening = windows.open(at("2027-03-01T02:30:00Z")).context("open")?;
    assert_eq!(opening.begin, at("2027-03-01T02:00:00Z"));
    assert_eq!(opening.end, at("2027-03-01T04:00:00Z"));
    Ok(())
}

#[test]
fn nothing_is_open_unless_the_policys_and_the_configured_windows_are() {
    let policy = Windows(vec![window(&[], "01:00", 180, "UTC")]);
    let configured = Windows(vec![window(&[Day::Sun], "03:00", 180, "UTC")]);
    let hours = Hours::all([policy, configured]);
    let monday = at("2027-03-01T03:30:00Z");
    assert!(!hours.is_open(monday));
    assert_eq!(hours.first_open(monday), Some(at("2027-03-07T03:00:00Z")));
    let openings = hours.openings(monday, 2);
    assert_eq!(openings[0].begin, at("2027-03-07T03:00:00Z"));
    assert_eq!(openings[0].end, at("2027-03-07T04:00:00Z"));
    assert_eq!(openings[1].begin, at("2027-03-14T03:00:00Z"));
}

#[test]
fn windows_that_are_never_open_together_are_found_to_be_so() {
    let mondays = Windows(vec![window(&[Day::Mon], "01:00", 60, "UTC")]);
    let sundays = Windows(vec![window(&[Day::Sun], "01:00", 60, "UTC")]);
    let hours = Hours::all([mondays, sundays]);
    assert_eq!(hours.first_open(at("2027-03-01T00:00:00Z")), None);
    assert_eq!(hours.openings(at("2027-03-01T00:00:00Z"), 3), []);
}

#[test]
fn what_is_no_window_is_refused_by_name() {
    for start in ["24:00", "2:5", "02:60", "noon", "02:30:00", "+2:30", ""] {
        assert_eq!(
            Window::new(&[], start, 60, "UTC"),
            Err(WindowFault::Start(start.to_owned()))
        );
    }
    for minutes in [0, 1_441] {
        assert_eq!(
            Window::new(&[], "02:00", minutes, "UTC"),
            Err(WindowFault::Minutes(minutes))
        );
    }
    for zone in ["Mars/Olympus", "", "../../etc/localtime"] {
        assert_eq!(
            Window::new(&[], "02:00", 60, zone),
            Err(WindowFault::Zone(zone.to_owned()))
        );
    }
}

/// When a window opens on a date, found by looking at the clock on the wall minute by minute: the
/// first instant at which it shows the time or a later one.
fn first_reached(zone: &TimeZone, date: jiff::civil::Date, hour: i8, minute: i8) -> Timestamp {
    let wanted = date.at(hour, minute, 0, 0);
    let about = TimeZone::UTC.to_timestamp(wanted).unwrap();
    let earliest = about - SignedDuration::from_hours(30);
    (0..60 * 60)
        .map(|minutes| earliest + SignedDuration::from_mins(minutes))
        .find(|instant| zone.to_datetime(*instant) >= wanted)
        .unwrap()
}

const ZONES: [&str; 7] = [
    "UTC",
    BERLIN,
    NEW_YORK,
    "Asia/Tokyo",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Apia",
];

/// A window as a test makes it: days, hour, minute, minutes, time zone.
type Made = (Vec<Day>, i8, i8, u32, &'static str);

/// Changes of clocks: where, when, and at about which local hour.
const CHANGES: [(&str, &str, i8); 8] = [
    (BERLIN, "2027-03-28T01:00:00Z", 2),
    (BERLIN, "2027-10-31T01:00:00Z", 2),
    (NEW_YORK, "2027-03-14T07:00:00Z", 2),
    (NEW_YORK, "2027-11-07T06:00:00Z", 1),
    ("Australia/Lord_Howe", "2027-04-03T15:00:00Z", 1),
    ("Australia/Lord_Howe", "2027-10-02T15:30:00Z", 2),
    ("Pacific/Apia", "2011-12-30T10:00:00Z", 10),
    ("UTC", "2027-03-28T01:00:00Z", 1),
];

fn any_window() -> impl Strategy<Value = Made> {
    let days = prop::sample::subsequence(Day::ALL.to_vec(), 1..=7);
    let zone = prop::sample::select(ZONES.to_vec());
    (days, 0i8..24, 0i8..60, 1u32..=1_440, zone)
}

fn any_instant() -> impl Strategy<Value = Timestamp> {
    let anywhere = 1_300_000_000i64..2_000_000_000;
    anywhere.prop_map(|second| Timestamp::from_second(second).unwrap())
}

/// A window and an instant, most often both close to a change of clocks in the window's time zone.
fn any_window_and_instant() -> impl Strategy<Value = (Made, Timestamp)> {
    let change = prop::sample::select(CHANGES.to_vec());
    let close = (change, any_window(), -1i8..=1, -180i64..180).prop_map(
        |((zone, change, about), (days, _, minute, minutes, _), beside, off)| {
            let made = (days, about + beside, minute, minutes % 180 + 1, zone);
            (made, at(change) + SignedDuration::from_mins(off))
        },
    );
    prop_oneof![3 => close, 1 => (any_window(), any_instant())]
}

proptest! {
    #[test]
    fn a_window_is_open_exactly_from_when_the_wall_clock_reaches_its_start_for_its_length(
        ((days, hour, minute, minutes, zone), now) in any_window_and_instant(),
    ) {
        let made = window(&days, &format!("{hour:02}:{minute:02}"), minutes, zone);
        let zone = TimeZoneDatabase::bundled().get(zone).unwrap();
        let today = zone.to_datetime(now).date();
        let mut date = today.yesterday().unwrap().yesterday().unwrap();
        let mut expected = false;
        for _ in 0..4 {
            let day = Day::ALL[usize::try_from(date.weekday().to_monday_zero_offset()).unwrap()];
            let begin = first_reached(&zone, date, hour, minute);
            let end = begin + SignedDuration::from_mins(i64::from(minutes));
            expected |= days.contains(&day) && begin <= now && now < end;
            date = date.tomorrow().unwrap();
        }
        prop_assert_eq!(made.open(now).is_some(), expected);
    }

    #[test]
    fn what_is_said_to_be_next_is_the_next_and_nothing_opens_before_it(
        some in prop::collection::vec(any_window(), 0..3), (close, now) in any_window_and_instant(), steps in prop::collection::vec(0.0f64..1.0, 8),
    ) {
        let made = some.iter().chain([&close]).map(|(days, hour, minute, minutes, zone)| window(days, &format!("{hour:02}:{minute:02}"), *minutes, zone));
        let hours = Hours::all([Windows(made.collect())]);
        let first = hours.first_open(now).unwrap();
        prop_assert!(first >= now);
        prop_assert!(hours.is_open(first));
        prop_assert_eq!(hours.is_open(now), first == now);
        let opening = hours.opening(first).unwrap();
        prop_assert!(opening.begin <= first && first < opening.end);
        let between = |from: Timestamp, to: Timestamp, share: f64| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "any instant between will do")]
            let seconds = (to.duration_since(from).as_secs() as f64 * share) as i64;
            from + SignedDuration::from_secs(seconds)
        };
        for share in steps {
            if now < first {
                let before = between(now, first, share);
                prop_assert!(before == first || !hours.is_open(before), "open at {} already", before);
            }
            prop_assert!(hours.is_open(between(first, opening.end, share)));
        }
    }
}
