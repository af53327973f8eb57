//! What is in force: the stricter of policy and configuration in every respect, and what of a policy goes
//! beyond the configuration.

use jiff::SignedDuration;

use super::{NOW, open};
use crate::policy::{
    Ceiling, Day, MinimumSeverity, Policy, Restarts, Treatment, Treatments, Window, Windows,
};

/// The fields in which a policy goes beyond a ceiling.
fn exceeded(ceiling: &Ceiling, policy: &Policy) -> Vec<&'static str> {
    let beyond = ceiling.exceeded(policy).into_iter();
    beyond.map(|excess| excess.field).collect()
}

/// One number of hours: its name, and where it stands in a ceiling and in a policy.
type Hours = (
    &'static str,
    fn(&mut Ceiling) -> &mut u32,
    fn(&mut Policy) -> &mut u32,
);

const HOURS: [Hours; 3] = [
    (
        "delay-hours",
        |ceiling| &mut ceiling.delay_hours,
        |policy| &mut policy.delay_hours,
    ),
    (
        "minimum-age-hours",
        |ceiling| &mut ceiling.minimum_age_hours,
        |policy| &mut policy.minimum_age_hours,
    ),
    (
        "wave-hours",
        |ceiling| &mut ceiling.wave_hours,
        |policy| &mut policy.wave_hours,
    ),
];

#[test]
fn of_every_number_of_hours_the_longer_one_is_in_force() {
    for (name, of_ceiling, of_policy) in HOURS {
        for (configured, wanted, in_force) in [(6, 5, 6), (6, 6, 6), (6, 7, 7), (0, 0, 0)] {
            let (mut ceiling, mut policy) = (Ceiling::default(), open());
            *of_ceiling(&mut ceiling) = configured;
            *of_policy(&mut policy) = wanted;
            let mut bound = ceiling.bound(&policy, 0).policy;
            assert_eq!(*of_policy(&mut bound), in_force, "{name}");
            *of_policy(&mut bound) = wanted;
            assert_eq!(bound, policy, "{name} changes nothing else");
            let beyond = if wanted < configured {
                vec![name]
            } else {
                vec![]
            };
            assert_eq!(exceeded(&ceiling, &policy), beyond);
        }
    }
}

/// One switch: its name, and where it stands in a ceiling and in a policy.
type Switch = (
    &'static str,
    fn(&mut Ceiling) -> &mut Option<bool>,
    fn(&mut Policy) -> &mut bool,
);

const SWITCHES: [Switch; 4] = [
    (
        "automatic",
        |ceiling| &mut ceiling.automatic,
        |policy| &mut policy.automatic,
    ),
    (
        "known-exploited-at-once",
        |ceiling| &mut ceiling.known_exploited_at_once,
        |policy| &mut policy.known_exploited_at_once,
    ),
    (
        "known-exploited-skips-delay",
        |ceiling| &mut ceiling.known_exploited_skips_delay,
        |policy| &mut policy.known_exploited_skips_delay,
    ),
    (
        "known-exploited-skips-windows",
        |ceiling| &mut ceiling.known_exploited_skips_windows,
        |policy| &mut policy.known_exploited_skips_windows,
    ),
];

#[test]
fn a_switch_that_the_configuration_turns_off_stays_off() {
    for (name, of_ceiling, of_policy) in SWITCHES {
        for (configured, wanted, in_force) in [
            (None, true, true),
            (None, false, false),
            (Some(true), true, true),
            (Some(true), false, false),
            (Some(false), true, false),
            (Some(false), false, false),
        ] {
            let (mut ceiling, mut policy) = (Ceiling::default(), open());
            *of_ceiling(&mut ceiling) = configured;
            *of_policy(&mut policy) = wanted;
            let mut bound = ceiling.bound(&policy, 0).policy;
            assert_eq!(*of_policy(&mut bound), in_force, "{name}");
            *of_policy(&mut bound) = wanted;
            assert_eq!(bound, policy, "{name} changes nothing else");
            let beyond = if wanted == in_force {
                vec![]
            } else {
                vec![name]
            };
            assert_eq!(exceeded(&ceiling, &policy), beyond);
        }
    }
}

#[test]
fn a_panel_on_which_nobody_decided_begins_with_what_the_configuration_says() {
    for (name, of_ceiling, of_policy) in SWITCHES {
        for (configured, begins) in [(None, false), (Some(false), false), (Some(true), true)] {
            let mut ceiling = Ceiling::default();
            *of_ceiling(&mut ceiling) = configured;
            assert_eq!(*of_policy(&mut ceiling.initial()), begins, "{name}");
        }
    }
    for (name, of_ceiling, of_policy) in HOURS {
        let mut ceiling = Ceiling::default();
        *of_ceiling(&mut ceiling) = 6;
        assert_eq!(*of_policy(&mut ceiling.initial()), 6, "{name}");
    }
}

#[test]
fn the_higher_minimum_severity_is_in_force() {
    use MinimumSeverity::{Critical, High, Medium};

    let of = |configured, wanted| {
        let ceiling = Ceiling {
            minimum_severity: configured,
            ..Ceiling::default()
        };
        let policy = Policy {
            minimum_severity: wanted,
            ..open()
        };
        let bound = ceiling.bound(&policy, 0).policy.minimum_severity;
        (bound, exceeded(&ceiling, &policy))
    };
    assert_eq!(of(None, Medium), (Medium, vec![]));
    assert_eq!(of(Some(High), Medium), (High, vec!["minimum-severity"]));
    assert_eq!(of(Some(High), High), (High, vec![]));
    assert_eq!(of(Some(High), Critical), (Critical, vec![]));
}

#[test]
fn of_every_severity_the_stricter_treatment_is_in_force() {
    use Treatment::{Ask, Auto, Never};
    /// Where the treatment of one severity stands.
    type Of = fn(&mut Treatments) -> &mut Treatment;
    let severities: [Of; 4] = [
        |of| &mut of.low,
        |of| &mut of.medium,
        |of| &mut of.high,
        |of| &mut of.critical,
    ];
    for of in severities {
        for (configured, wanted, in_force) in [
            (Ask, Auto, Ask),
            (Ask, Ask, Ask),
            (Ask, Never, Never),
            (Never, Ask, Never),
            (Auto, Auto, Auto),
        ] {
            let (mut ceiling, mut policy) = (Ceiling::default(), open());
            *of(&mut ceiling.severity) = configured;
            *of(&mut policy.severity) = wanted;
            let mut bound = ceiling.bound(&policy, 0).policy;
            assert_eq!(*of(&mut bound.severity), in_force);
            *of(&mut bound.severity) = wanted;
            assert_eq!(bound, policy, "the other severities are as they were");
            let beyond = if wanted == in_force {
                vec![]
            } else {
                vec!["severity"]
            };
            assert_eq!(exceeded(&ceiling, &policy), beyond);
        }
    }
}

#[test]
fn the_fewest_restarts_are_in_force() {
    use Restarts::{Component, None as Nothing, Panel};

    let of = |configured, wanted| {
        let ceiling = Ceiling {
            restarts: configured,
            ..Ceiling::default()
        };
        let policy = Policy {
            restarts: wanted,
            ..open()
        };
        let bound = ceiling.bound(&policy, 0).policy.restarts;
        (bound, exceeded(&ceiling, &policy))
    };
    assert_eq!(of(None, Panel), (Panel, vec![]));
    assert_eq!(of(Some(Component), Panel), (Component, vec!["restarts"]));
    assert_eq!(of(Some(Component), Component), (Component, vec![]));
    assert_eq!(of(Some(Component), Nothing), (Nothing, vec![]));
}

#[test]
fn what_either_excludes_is_excluded() {
    let ceiling = Ceiling {
        excluded: ["one".to_owned()].into(),
        ..Ceiling::default()
    };
    let mut policy = Policy {
        excluded: ["other".to_owned()].into(),
        ..open()
    };
    let bound = ceiling.bound(&policy, 0).policy.excluded;
    assert_eq!(bound, ["one".to_owned(), "other".to_owned()].into());
    assert_eq!(exceeded(&ceiling, &policy), ["excluded"]);
    policy.excluded.insert("one".to_owned());
    assert_eq!(exceeded(&ceiling, &policy), Vec::<&str>::new());
}

#[test]
fn nothing_begins_outside_the_windows_of_either() {
    // The instant that is now is a Friday at 08:00 in UTC.
    let open_now = Windows(vec![
        Window::new(&[Day::Fri], "08:00", 60, "UTC").expect("a window"),
    ]);
    let open_later = Windows(vec![
        Window::new(&[Day::Fri], "09:00", 60, "UTC").expect("a window"),
    ]);
    let always = Windows::default();
    for (configured, wanted, is_open) in [
        (&always, &always, true),
        (&open_now, &open_now, true),
        (&open_now, &always, true),
        (&always, &open_now, true),
        (&open_now, &open_later, false),
        (&open_later, &open_now, false),
        (&open_later, &always, false),
    ] {
        let ceiling = Ceiling {
            windows: configured.clone(),
            ..Ceiling::default()
        };
        let policy = Policy {
            windows: wanted.clone(),
            ..open()
        };
        let rules = ceiling.bound(&policy, 0);
        assert_eq!(rules.hours.is_open(NOW), is_open);
        assert_eq!(exceeded(&ceiling, &policy), Vec::<&str>::new());
    }
}

#[test]
fn a_host_waits_its_share_of_the_spread_that_is_in_force() {
    let waits = |configured, wanted, seed| {
        let ceiling = Ceiling {
            wave_hours: configured,
            ..Ceiling::default()
        };
        let policy = Policy {
            wave_hours: wanted,
            ..open()
        };
        ceiling.bound(&policy, seed).wave
    };
    assert_eq!(waits(0, 0, 5_000), SignedDuration::ZERO);
    assert_eq!(waits(0, 1, 3_599), SignedDuration::from_secs(3_599));
    assert_eq!(waits(0, 1, 3_600), SignedDuration::ZERO);
    assert_eq!(waits(2, 1, 3_600), SignedDuration::from_secs(3_600));
    assert_eq!(waits(1, 2, 3_600), SignedDuration::from_secs(3_600));
    assert_eq!(waits(1, 2, 7_201), SignedDuration::from_secs(1));
}
