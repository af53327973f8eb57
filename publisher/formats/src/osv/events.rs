//! The events of a range, as intervals.
//!
//! The semantics are those of the OSV schema ("Evaluation"): events are put in the order of their
//! versions, and each from there on says whether what follows is affected; of events at one version
//! the later in the document has the last word, `last_affected` only after its own version. A range
//! with limits says nothing of what is at or behind the highest of them.
//!
//! The schema has no range with both `fixed` and `last_affected`. Where there is one, the last of the two ends what was
//! introduced: nothing is called well that the other calls affected.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use spacecp_contract::{VersionRange, VersionScheme, version::Version};

/// One event: an object with exactly one of these names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Event {
    Introduced(String),
    Fixed(String),
    LastAffected(String),
    Limit(String),
}

/// Why events are no range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum EventsError {
    #[error("{0}")]
    Version(#[from] spacecp_contract::version::VersionError),
    #[error("cannot compare {one:?} with {other:?}")]
    Unrelated { one: String, other: String },
    #[error("no introduced version")]
    NotIntroduced,
}

/// A version as an event has it; none is before all versions.
type Place = Option<Version>;

/// The intervals of versions that are affected. One that no version is in is left out.
pub(super) fn intervals(
    scheme: VersionScheme,
    events: &[Event],
) -> Result<Vec<VersionRange>, EventsError> {
    let mut limits: Vec<Version> = Vec::new();
    let mut unlimited = false;
    let mut turns: Vec<(Place, &Event)> = Vec::new();
    for event in events {
        match event {
            Event::Introduced(text) if text == "0" => turns.push((None, event)),
            Event::Introduced(text) | Event::Fixed(text) | Event::LastAffected(text) => {
                turns.push((Some(Version::read(scheme, text)?), event));
            }
            Event::Limit(text) if text == "*" => unlimited = true,
            Event::Limit(text) => limits.push(Version::read(scheme, text)?),
        }
    }
    if !turns
        .iter()
        .any(|(_, event)| matches!(event, Event::Introduced(_)))
    {
        return Err(EventsError::NotIntroduced);
    }
    related(
        turns
            .iter()
            .filter_map(|(place, _)| place.as_ref())
            .chain(&limits),
    )?;
    // Sorting is stable: what is at one version stays in the order of the document.
    turns.sort_by(|(one, event), (other, next)| {
        order(one.as_ref(), other.as_ref()).then_with(|| is_after(event).cmp(&is_after(next)))
    });
    let limit = if unlimited {
        None
    } else {
        limits
            .into_iter()
            .max_by(|one, other| order(Some(one), Some(other)))
    };
    Ok(between(&turns, limit.as_ref()))
}

fn between(turns: &[(Place, &Event)], limit: Option<&Version>) -> Vec<VersionRange> {
    let mut found = Vec::new();
    let mut open: Option<(&Place, &str)> = None;
    let is_mixed = is_mixed(turns.iter().map(|(_, event)| *event));
    for (number, (place, event)) in turns.iter().enumerate() {
        let next = turns.get(number + 1).map(|(_, next)| *next);
        if is_mixed && is_end(event) && next.is_some_and(is_end) {
            continue;
        }
        match event {
            Event::Introduced(text) => {
                open.get_or_insert((place, text));
            }
            Event::Fixed(_) | Event::LastAffected(_) => {
                if let Some((begin, text)) = open.take() {
                    found.extend(interval(begin.as_ref(), text, Some((place, event)), limit));
                }
            }
            Event::Limit(_) => {}
        }
    }
    if let Some((begin, text)) = open {
        found.extend(interval(begin.as_ref(), text, None, limit));
    }
    found
}

fn interval(
    begin: Option<&Version>,
    introduced: &str,
    end: Option<(&Place, &Event)>,
    limit: Option<&Version>,
) -> Option<VersionRange> {
    let mut range = VersionRange {
        introduced: introduced.to_owned(),
        fixed: None,
        last_affected: None,
        limit: None,
    };
    if limit.is_some_and(|limit| order(begin, Some(limit)).is_ge()) {
        return None;
    }
    match end {
        // A fix at the limit is known to be one.
        Some((Some(place), Event::Fixed(text)))
            if limit.is_none_or(|limit| order(Some(place), Some(limit)).is_le()) =>
        {
            if order(begin, Some(place)).is_ge() {
                return None;
            }
            range.fixed = Some(text.clone());
        }
        Some((Some(place), Event::LastAffected(text)))
            if limit.is_none_or(|limit| order(Some(place), Some(limit)).is_lt()) =>
        {
            range.last_affected = Some(text.clone());
        }
        _ => range.limit = limit.map(|limit| limit.as_str().to_owned()),
    }
    Some(range)
}

fn is_end(event: &Event) -> bool {
    matches!(event, Event::Fixed(_) | Event::LastAffected(_))
}

/// Whether one end follows another of the other kind, so that they contradict each other.
pub(super) fn ends_twice(events: &[Event]) -> bool {
    let mut pairs = events.windows(2);
    pairs.any(|pair| pair.iter().all(is_end) && is_mixed(pair.iter()))
}

/// Whether events say in two ways where a range ends.
fn is_mixed<'a>(mut events: impl Iterator<Item = &'a Event> + Clone) -> bool {
    let is_fix = |event: &Event| matches!(event, Event::Fixed(_));
    let is_last = |event: &Event| matches!(event, Event::LastAffected(_));
    events.clone().any(is_fix) && events.any(is_last)
}

fn is_after(event: &Event) -> bool {
    matches!(event, Event::LastAffected(_))
}

/// All of one scheme, and checked to have an order.
fn order(one: Option<&Version>, other: Option<&Version>) -> Ordering {
    match (one, other) {
        (Some(one), Some(other)) => one.compare(other).unwrap_or(Ordering::Equal),
        (one, other) => one.is_some().cmp(&other.is_some()),
    }
}

/// Refuses versions that have no order between them.
fn related<'a>(mut versions: impl Iterator<Item = &'a Version>) -> Result<(), EventsError> {
    let Some(first) = versions.next() else {
        return Ok(());
    };
    let stranger = versions.find(|version| first.compare(version).is_none());
    stranger.map_or(Ok(()), |other| {
        Err(EventsError::Unrelated {
            one: first.to_string(),
            other: other.to_string(),
        })
    })
}

/// The events of intervals: what is introduced, then what ends it.
pub(super) fn events(ranges: &[VersionRange]) -> Vec<Event> {
    let mut events = Vec::new();
    for range in ranges {
        events.push(Event::Introduced(range.introduced.clone()));
        events.extend(range.fixed.clone().map(Event::Fixed));
        events.extend(range.last_affected.clone().map(Event::LastAffected));
        events.extend(range.limit.clone().map(Event::Limit));
    }
    events
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use spacecp_contract::version::Range;

    use super::*;

    fn event(text: &str) -> Event {
        let (word, version) = text.split_once(' ').unwrap();
        let version = version.to_owned();
        match word {
            "introduced" => Event::Introduced(version),
            "fixed" => Event::Fixed(version),
            "last" => Event::LastAffected(version),
            _ => Event::Limit(version),
        }
    }

    fn written(events: &[&str]) -> Result<Vec<String>, EventsError> {
        let events: Vec<Event> = events.iter().map(|text| event(text)).collect();
        let read = |range: &VersionRange| Range::read(VersionScheme::Semver, range).unwrap();
        let ranges = intervals(VersionScheme::Semver, &events)?;
        Ok(ranges.iter().map(|range| read(range).to_string()).collect())
    }

    fn ranges(events: &[&str]) -> Vec<String> {
        written(events).unwrap()
    }

    #[test]
    fn several_branches_in_one_range_are_several_intervals() {
        let events = [
            "introduced 0",
            "fixed 1.2.0",
            "introduced 2.0.0",
            "fixed 2.1.0",
        ];
        assert_eq!(ranges(&events), ["[0, 1.2.0)", "[2.0.0, 2.1.0)"]);
    }

    #[test]
    fn the_order_of_events_in_the_document_does_not_matter() {
        let events = [
            "fixed 2.1.0",
            "introduced 2.0.0",
            "fixed 1.2.0",
            "introduced 0",
        ];
        assert_eq!(ranges(&events), ["[0, 1.2.0)", "[2.0.0, 2.1.0)"]);
    }

    #[test]
    fn what_was_never_fixed_is_affected_for_good() {
        assert_eq!(ranges(&["introduced 1.0.0"]), ["[1.0.0, …)"]);
    }

    #[test]
    fn of_a_fix_and_a_last_affected_version_the_later_one_ends_a_range() {
        for (events, range) in [
            (["introduced 0", "last 1.5.0", "fixed 2.0.0"], "[0, 2.0.0)"),
            (["introduced 0", "fixed 1.5.0", "last 1.6.0"], "[0, 1.6.0]"),
            (["introduced 0", "fixed 1.5.0", "last 1.5.0"], "[0, 1.5.0]"),
        ] {
            assert_eq!(ranges(&events), [range], "{events:?}");
        }
        let apart = [
            "introduced 0",
            "last 1.0.0",
            "introduced 2.0.0",
            "fixed 2.1.0",
        ];
        assert_eq!(ranges(&apart), ["[0, 1.0.0]", "[2.0.0, 2.1.0)"]);
    }

    #[test]
    fn a_last_affected_version_is_in_it_also_where_it_is_the_first() {
        assert_eq!(
            ranges(&["introduced 1.0.0", "last 1.0.0"]),
            ["[1.0.0, 1.0.0]"]
        );
        assert_eq!(
            ranges(&["last 1.0.0", "introduced 1.0.0"]),
            ["[1.0.0, 1.0.0]"]
        );
    }

    #[test]
    fn what_is_fixed_where_it_was_introduced_never_affected_a_version() {
        assert_eq!(ranges(&["introduced 1.0.0", "fixed 1.0.0"]), [""; 0]);
        let twice = [
            "introduced 0",
            "fixed 1.0.0",
            "introduced 1.0.0",
            "fixed 2.0.0",
        ];
        assert_eq!(ranges(&twice), ["[0, 1.0.0)", "[1.0.0, 2.0.0)"]);
    }

    #[test]
    fn beyond_the_highest_limit_nothing_is_said() {
        let events = [
            "introduced 1.0.0",
            "fixed 3.0.0",
            "limit 2.0.0",
            "limit 1.5.0",
        ];
        assert_eq!(ranges(&events), ["[1.0.0, 2.0.0)"]);
        assert_eq!(ranges(&["introduced 3.0.0", "limit 2.0.0"]), [""; 0]);
        assert_eq!(
            ranges(&["introduced 0", "limit *", "limit 2.0.0"]),
            ["[0, …)"]
        );
    }

    #[test]
    fn a_range_that_introduces_nothing_or_has_an_unreadable_version_is_refused() {
        assert_eq!(written(&["fixed 1.0.0"]), Err(EventsError::NotIntroduced));
        assert!(matches!(
            written(&["introduced 0", "fixed soon"]),
            Err(EventsError::Version(_))
        ));
    }

    /// OSV's own algorithm, word for word: walk over the sorted events.
    fn is_affected(events: &[Event], version: u8) -> bool {
        let number = |text: &str| text.split('.').next().unwrap().parse::<u8>().unwrap();
        let limits: Vec<u8> = events
            .iter()
            .filter_map(|event| match event {
                Event::Limit(text) => Some(number(text)),
                _ => None,
            })
            .collect();
        if !limits.is_empty() && !limits.iter().any(|limit| version < *limit) {
            return false;
        }
        let mut sorted: Vec<&Event> = events.iter().collect();
        sorted.sort_by_key(|event| match event {
            Event::Introduced(text) | Event::Fixed(text) | Event::Limit(text) => {
                (number(text), false)
            }
            Event::LastAffected(text) => (number(text), true),
        });
        let mut vulnerable = false;
        for event in sorted {
            match event {
                Event::Introduced(text) if version >= number(text) => vulnerable = true,
                Event::Fixed(text) if version >= number(text) => vulnerable = false,
                Event::LastAffected(text) if version > number(text) => vulnerable = false,
                _ => {}
            }
        }
        vulnerable
    }

    fn any_event() -> impl Strategy<Value = Event> {
        (0..4u8, 1..9u8).prop_map(|(kind, number)| {
            let version = format!("{number}.0.0");
            match kind {
                0 => Event::Introduced(version),
                1 => Event::Fixed(version),
                2 => Event::LastAffected(version),
                _ => Event::Limit(version),
            }
        })
    }

    proptest! {
        #[test]
        fn intervals_hold_the_versions_that_osvs_algorithm_calls_affected(
            mut events in prop::collection::vec(any_event(), 0..8),
        ) {
            events.insert(0, Event::Introduced("0.0.0".to_owned()));
            let ranges = intervals(VersionScheme::Semver, &events).unwrap();
            let read: Vec<Range> = ranges
                .iter()
                .map(|range| Range::read(VersionScheme::Semver, range).unwrap())
                .collect();
            for number in 0..10u8 {
                let version = Version::read(VersionScheme::Semver, &format!("{number}.0.0")).unwrap();
                let held = read.iter().any(|range| range.contains(&version) == Some(true));
                let is_affected = is_affected(&events, number);
                if is_mixed(events.iter()) {
                    prop_assert!(held || !is_affected, "{} in {:?}", number, events);
                } else {
                    prop_assert_eq!(held, is_affected, "{} in {:?}", number, events);
                }
            }
        }
    }
}
