//! The bounds of a policy, and of its windows.

use jiff::SignedDuration;
use spacecp_contract::{Restart, Severity};

use super::{INSTANT, NOW, open};
use crate::policy::{
    Ceiling, Day, Hours, LONGEST, LONGEST_HOURS, MOST, MinimumSeverity, Policy, PolicyFault,
    Restarts, Treatment, Treatments, Window, WindowFault, Windows,
};

fn window(start: &str, minutes: u32) -> Window {
    Window::new(&[], start, minutes, "UTC").expect("a window")
}

#[test]
fn every_number_of_hours_may_be_a_year_and_not_an_hour_more() {
    for (place, what) in ["a delay", "a minimum age", "a spread"]
        .into_iter()
        .enumerate()
    {
        for hours in [LONGEST_HOURS, LONGEST_HOURS + 1] {
            let mut all = [0; 3];
            all[place] = hours;
            let [delay_hours, minimum_age_hours, wave_hours] = all;
            let policy = Policy {
                delay_hours,
                minimum_age_hours,
                wave_hours,
                ..open()
            };
            let ceiling = Ceiling {
                delay_hours,
                minimum_age_hours,
                wave_hours,
                ..Ceiling::default()
            };
            let too_long = hours > LONGEST_HOURS;
            let fault = too_long.then_some(PolicyFault::Hours { what, hours });
            assert_eq!((policy.fault(), ceiling.fault()), (fault.clone(), fault));
        }
    }
}

#[test]
fn a_policy_has_at_most_16_windows_and_1000_excluded_components() {
    let windows = |count| Windows(vec![window("02:00", 60); count]);
    let excluded = |count: usize| (0..count).map(|number| number.to_string()).collect();
    let of = |windows: Windows, excluded: std::collections::BTreeSet<String>| {
        let policy = Policy {
            windows: windows.clone(),
            excluded: excluded.clone(),
            ..open()
        };
        let ceiling = Ceiling {
            windows,
            excluded,
            ..Ceiling::default()
        };
        assert_eq!(policy.fault(), ceiling.fault());
        policy.fault()
    };
    assert_eq!(of(windows(MOST), excluded(1_000)), None);
    assert_eq!(
        of(windows(MOST + 1), excluded(0)),
        Some(PolicyFault::Windows(17))
    );
    assert_eq!(
        of(windows(0), excluded(1_001)),
        Some(PolicyFault::Excluded(1_001))
    );
}

#[test]
fn a_flaw_below_the_minimum_is_asked_about_and_one_at_it_is_not() {
    let severities = [
        Severity::Low,
        Severity::Medium,
        Severity::High,
        Severity::Critical,
    ];
    for (place, minimum) in MinimumSeverity::ALL.into_iter().enumerate() {
        let policy = Policy {
            minimum_severity: minimum,
            ..open()
        };
        for (other, severity) in severities.into_iter().enumerate() {
            let automatic = other >= place;
            let treatment = policy.treatment(severity);
            assert_eq!(treatment == Treatment::Auto, automatic, "{severity:?}");
            assert_eq!(treatment == Treatment::Ask, !automatic, "{severity:?}");
        }
        for unrated in [Severity::Unrated, Severity::None] {
            assert_eq!(policy.treatment(unrated), Treatment::Ask);
        }
    }
}

#[test]
fn a_flaw_below_the_minimum_that_is_never_corrected_stays_so() {
    let policy = Policy {
        minimum_severity: MinimumSeverity::High,
        severity: Treatments {
            low: Treatment::Never,
            ..Treatments::default()
        },
        ..open()
    };
    assert_eq!(policy.treatment(Severity::Low), Treatment::Never);
    assert_eq!(policy.treatment(Severity::Medium), Treatment::Ask);
}

#[test]
fn every_severity_has_its_own_treatment() {
    let each = Treatments {
        low: Treatment::Never,
        medium: Treatment::Ask,
        high: Treatment::Auto,
        critical: Treatment::Never,
    };
    let of = [
        Severity::Low,
        Severity::Medium,
        Severity::High,
        Severity::Critical,
    ]
    .map(|severity| each.of(severity));
    assert_eq!(of, [each.low, each.medium, each.high, each.critical]);
}

#[test]
fn a_restart_is_allowed_up_to_what_may_restart() {
    let wanted = [Restart::None, Restart::Component, Restart::Panel];
    for (place, allowed) in [Restarts::None, Restarts::Component, Restarts::Panel]
        .into_iter()
        .enumerate()
    {
        for (other, wanted) in wanted.into_iter().enumerate() {
            assert_eq!(
                allowed.allow(wanted),
                other <= place,
                "{allowed:?} {wanted:?}"
            );
        }
    }
}

#[test]
fn a_window_has_1_to_1440_minutes() {
    let of = |minutes| Window::new(&[], "02:00", minutes, "UTC").map(|window| window.minutes());
    assert_eq!(of(0), Err(WindowFault::Minutes(0)));
    assert_eq!(of(1), Ok(1));
    assert_eq!(of(LONGEST), Ok(1_440));
    assert_eq!(of(LONGEST + 1), Err(WindowFault::Minutes(1_441)));
}

#[test]
fn a_time_of_day_is_one_or_two_digits_a_colon_and_two_digits() {
    for (text, start) in [("0:00", "00:00"), ("02:30", "02:30"), ("23:59", "23:59")] {
        let window = Window::new(&[], text, 1, "UTC").expect("a time of day");
        assert_eq!(window.start(), start);
    }
    for text in [
        "", ":", "2", "24:00", "23:60", "2:3", "002:30", "02:030", ":30", "02:", "+2:30", "02:3x",
        "-1:00",
    ] {
        let fault = WindowFault::Start(text.to_owned());
        assert_eq!(Window::new(&[], text, 1, "UTC"), Err(fault));
    }
}

#[test]
fn a_window_is_open_from_its_first_instant_to_the_one_before_its_last() {
    // The instant that is now is a Friday at 08:00 in UTC.
    let hour = window("08:00", 60);
    let end = NOW + SignedDuration::from_hours(1);
    assert!(hour.open(NOW - INSTANT).is_none());
    let opening = hour.open(NOW).expect("it is open");
    assert_eq!((opening.begin, opening.end), (NOW, end));
    assert_eq!(hour.open(end - INSTANT), Some(opening));
    assert!(hour.open(end).is_none());
    assert_eq!(hour.next(NOW - INSTANT), Some(opening));
    let tomorrow = NOW + SignedDuration::from_hours(24);
    assert_eq!(hour.next(NOW).map(|next| next.begin), Some(tomorrow));
}

#[test]
fn a_window_opens_on_its_days_only() {
    for day in Day::ALL {
        let window = Window::new(&[day], "08:00", 60, "UTC").expect("a window");
        assert_eq!(window.open(NOW).is_some(), day == Day::Fri, "{day:?}");
    }
}

#[test]
fn windows_that_meet_are_one_opening_and_those_with_an_instant_between_are_not() {
    let end_of = |windows: Vec<Window>| Windows(windows).open(NOW).map(|opening| opening.end);
    let hours = |count| Some(NOW + SignedDuration::from_hours(count));
    assert_eq!(
        end_of(vec![window("08:00", 60), window("09:00", 60)]),
        hours(2)
    );
    assert_eq!(
        end_of(vec![window("08:00", 60), window("08:30", 90)]),
        hours(2)
    );
    assert_eq!(
        end_of(vec![window("08:00", 59), window("09:00", 60)]),
        hours(1).map(|end| end - SignedDuration::from_mins(1))
    );
}

#[test]
fn hours_are_open_while_every_layer_is_and_say_when_that_ends_and_comes() {
    let both = Hours::all([
        Windows(vec![window("07:00", 120)]),
        Windows(vec![window("08:00", 120)]),
        Windows::default(),
    ]);
    assert!(!both.is_always());
    assert!(Hours::all([Windows::default()]).is_always());
    assert!(!both.is_open(NOW - INSTANT));
    let end = NOW + SignedDuration::from_hours(1);
    let opening = both.opening(NOW).expect("both are open");
    assert_eq!((opening.begin, opening.end), (NOW, end));
    assert!(both.is_open(end - INSTANT));
    assert!(!both.is_open(end));
    assert_eq!(both.first_open(NOW), Some(NOW));
    assert_eq!(
        both.first_open(NOW - SignedDuration::from_hours(3)),
        Some(NOW)
    );
    let tomorrow = NOW + SignedDuration::from_hours(24);
    assert_eq!(both.first_open(end), Some(tomorrow));
    let begins: Vec<_> = both.openings(NOW, 2).iter().map(|one| one.begin).collect();
    assert_eq!(begins, [NOW, tomorrow]);
}

/// The word that configurations have for a value.
fn word(value: impl serde::Serialize) -> String {
    let word = serde_json::to_value(value).expect("a word");
    word.as_str().expect("a word").to_owned()
}

#[test]
fn forms_have_the_words_of_configurations() {
    for treatment in [Treatment::Never, Treatment::Ask, Treatment::Auto] {
        assert_eq!(treatment.word(), word(treatment));
    }
    for minimum in MinimumSeverity::ALL {
        assert_eq!(minimum.word(), word(minimum));
    }
    for restarts in [Restarts::None, Restarts::Component, Restarts::Panel] {
        assert_eq!(restarts.word(), word(restarts));
    }
    for day in Day::ALL {
        assert_eq!(day.word(), word(day));
        let begins = day.name().to_lowercase();
        assert!(begins.starts_with(day.word()), "{begins}");
    }
}

#[test]
fn a_window_is_said_with_its_days_its_length_and_its_zone() {
    let days = [Day::Sun, Day::Sat, Day::Sun];
    let window = Window::new(&days, "2:30", 120, "Europe/Berlin").expect("a window");
    assert_eq!(window.zone(), "Europe/Berlin");
    assert_eq!(
        window.to_string(),
        "Saturday, Sunday at 02:30 for 120 minutes (Europe/Berlin)"
    );
    let daily = Window::new(&[], "2:30", 1, "UTC").expect("a window");
    assert_eq!(daily.to_string(), "every day at 02:30 for 1 minutes (UTC)");
    let nowhere = Window::new(&[], "2:30", 1, "Nowhere/Else");
    assert_eq!(nowhere, Err(WindowFault::Zone("Nowhere/Else".to_owned())));
}

#[test]
fn what_a_policy_exceeds_is_said_with_what_is_allowed() {
    let ceiling = Ceiling {
        delay_hours: 6,
        ..Ceiling::default()
    };
    let said = ceiling.exceeded(&open());
    let said: Vec<String> = said.iter().map(ToString::to_string).collect();
    assert_eq!(said, ["delay-hours (at least 6)"]);
}
