//! Gives every component a name of its own, the same one at every scan.
//!
//! Mostly it has one: the path of whatever it was found in and its own. Where the same package is there
//! in several versions, each has its version behind the name; the same version in several places is
//! one component that was found in several places.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use spacecp_contract::{ComponentName, VersionScheme};

use crate::{Found, Provider, findings::Entry, scanner::Job};

/// One component as it was found.
#[derive(Debug)]
pub(crate) struct Sighting {
    /// The path of its name.
    pub(crate) name: String,
    pub(crate) advisory_name: ComponentName,
    pub(crate) scheme: VersionScheme,
    pub(crate) version: Result<String, String>,
    pub(crate) at: String,
    pub(crate) provider: Provider,
}

impl Sighting {
    /// What a provider found for a job in a file.
    pub(crate) fn of(job: &Job, provider: Provider, at: String, entry: Entry) -> Self {
        let labels = entry.path.iter().map(String::as_str);
        let name = std::iter::once(job.name.as_str()).chain(labels);
        Self {
            name: name.collect::<Vec<_>>().join("/"),
            advisory_name: entry.advisory_name,
            scheme: entry.scheme,
            version: entry.version,
            at: at.replace(char::is_control, "_"),
            provider,
        }
    }
}

/// The same package in the same version, wherever it lies.
type Same = (ComponentName, Result<String, String>);

/// Names what was found. `taken` are the names of components that are there already.
pub(crate) fn named(sightings: Vec<Sighting>, taken: &BTreeSet<String>) -> Vec<Found> {
    let mut by_name: BTreeMap<String, BTreeMap<Same, Vec<Sighting>>> = BTreeMap::new();
    for sighting in sightings {
        let same = (sighting.advisory_name.clone(), sighting.version.clone());
        let kinds = by_name.entry(sighting.name.clone()).or_default();
        kinds.entry(same).or_default().push(sighting);
    }
    // Those that have their name for themselves keep it, whatever others would be called.
    let (alone, shared): (Vec<_>, Vec<_>) = by_name
        .into_iter()
        .partition(|(name, kinds)| kinds.len() == 1 && !taken.contains(name));
    let mut names = taken.clone();
    names.extend(alone.iter().map(|(name, _)| name.clone()));
    let alone = alone.into_iter().flat_map(|(name, kinds)| {
        let kinds = kinds.into_values();
        kinds.map(move |sightings| one(name.clone(), sightings))
    });
    let mut found: Vec<Found> = alone.collect();
    // Where counting goes on for each name: there may be very many of one.
    let mut numbers: HashMap<String, u32> = HashMap::new();
    for (name, kinds) in shared {
        for ((advisory_name, version), sightings) in kinds {
            let version = version.as_deref().unwrap_or("unknown");
            let name = free(&name, version, &advisory_name, &names, &mut numbers);
            names.insert(name.clone());
            found.push(one(name, sightings));
        }
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found
}

/// The plainest name that nobody has.
fn free(
    name: &str,
    version: &str,
    advisory_name: &ComponentName,
    names: &BTreeSet<String>,
    numbers: &mut HashMap<String, u32>,
) -> String {
    let full = format!("{name}@{version} ({advisory_name})");
    let plain = [format!("{name}@{version}"), full.clone()];
    if let Some(plain) = plain.into_iter().find(|name| !names.contains(name)) {
        return plain;
    }
    let next = numbers.entry(full.clone()).or_insert(2);
    loop {
        let numbered = format!("{full} #{next}");
        // There are more numbers than a scan finds components.
        *next = next.saturating_add(1);
        if !names.contains(&numbered) {
            return numbered;
        }
    }
}

fn one(name: String, sightings: Vec<Sighting>) -> Found {
    let places: BTreeSet<&str> = sightings.iter().map(|sighting| &*sighting.at).collect();
    let first = places.first().copied().unwrap_or_default();
    let found_at = match places.len() {
        0 | 1 => first.to_owned(),
        more => format!("{first} and {} more", more - 1),
    };
    let sighting = sightings.into_iter().next();
    let sighting = sighting.expect("a kind is made by its first sighting");
    Found {
        name,
        advisory_name: sighting.advisory_name,
        scheme: sighting.scheme,
        version: sighting.version,
        found_at,
        provider: sighting.provider,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sighting(name: &str, package: &str, version: &str, at: &str) -> Sighting {
        Sighting {
            name: name.to_owned(),
            advisory_name: package.parse().unwrap(),
            scheme: VersionScheme::Npm,
            version: Ok(version.to_owned()),
            at: at.to_owned(),
            provider: Provider::Npm,
        }
    }

    fn names(sightings: Vec<Sighting>, taken: &[&str]) -> Vec<String> {
        let taken = taken.iter().map(|name| (*name).to_owned()).collect();
        let found = named(sightings, &taken).into_iter();
        found.map(|found| found.name).collect()
    }

    #[test]
    fn one_package_in_two_versions_is_listed_twice_and_in_two_places_once() {
        let found = named(
            vec![
                sighting("h/a", "npm:a", "1.0.0", "x"),
                sighting("h/a", "npm:a", "2.0.0", "y"),
                sighting("h/b", "npm:b", "1.0.0", "y"),
                sighting("h/b", "npm:b", "1.0.0", "x"),
            ],
            &BTreeSet::new(),
        );
        let listed: Vec<_> = found
            .iter()
            .map(|found| (found.name.as_str(), found.found_at.as_str()))
            .collect();
        assert_eq!(
            listed,
            [
                ("h/a@1.0.0", "x"),
                ("h/a@2.0.0", "y"),
                ("h/b", "x and 1 more")
            ]
        );
    }

    #[test]
    fn two_things_of_one_name_are_told_apart_and_a_name_that_is_taken_is_left_alone() {
        let both = || {
            vec![
                sighting("h/a", "npm:a", "1", "x"),
                sighting("h/a", "cargo:a", "1", "y"),
            ]
        };
        assert_eq!(names(both(), &[]), ["h/a@1", "h/a@1 (npm:a)"]);
        let one = vec![sighting("h/a", "npm:a", "1", "x")];
        assert_eq!(names(one, &["h/a", "h/a@1"]), ["h/a@1 (npm:a)"]);
    }

    proptest! {
        #[test]
        fn names_are_unique_and_do_not_depend_on_the_order(
            things in prop::collection::vec(("[ab](@1)?", "[ab]", "[12]", "[xy]"), 0..20),
            taken in prop::collection::vec("[ab](@[12])?", 0..3),
        ) {
            let made = |things: &mut dyn Iterator<Item = &(String, String, String, String)>| -> Vec<Sighting> {
                things.map(|(name, package, version, at)| sighting(name, &format!("npm:{package}"), version, at)).collect()
            };
            let taken: BTreeSet<String> = taken.into_iter().collect();
            let found = named(made(&mut things.iter()), &taken);
            prop_assert_eq!(&found, &named(made(&mut things.iter().rev()), &taken));
            let mut names = taken.clone();
            for one in &found {
                prop_assert!(names.insert(one.name.clone()), "{} twice", one.name);
            }
            for (name, package, version, _) in &things {
                let is_it = |one: &&Found| one.name.starts_with(name.as_str())
                    && one.advisory_name.as_str() == format!("npm:{package}")
                    && one.version.as_ref() == Ok(version);
                prop_assert!(found.iter().any(|one| is_it(&one)), "{name} {version} is lost");
            }
        }
    }
}
