//! Every scheme orders the pairs of `data/` as whoever made them says.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so and ends"
)]

use std::cmp::Ordering::{self, Equal, Greater, Less};

use spacecp_contract::{
    VersionScheme::{self, Alpine, Composer, Deb, Gem, Maven, Nuget, Pypi, Rpm, Semver},
    version::compare,
};

fn pairs(data: &str) -> impl Iterator<Item = (&str, Ordering, &str)> {
    let lines = data.lines().map(str::trim);
    let is_comment = |line: &str| line.starts_with('#') || line.starts_with("//");
    let lines = lines.filter(move |line| !line.is_empty() && !is_comment(line));
    lines.map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        let [one, order, other] = words.as_slice() else {
            panic!("{line:?} is no pair")
        };
        let order = match *order {
            "<" => Less,
            "=" => Equal,
            ">" => Greater,
            _ => panic!("{line:?} has no order"),
        };
        (*one, order, *other)
    })
}

/// The pairs that are ordered otherwise here.
fn otherwise(scheme: VersionScheme, data: &str) -> Vec<String> {
    let differs = |(one, order, other): (&str, Ordering, &str)| {
        let found = compare(scheme, one, other);
        (found != Some(order)).then(|| format!("{one} {order:?} {other}: {found:?}"))
    };
    pairs(data).filter_map(differs).collect()
}

const NONE: [String; 0] = [];

#[test]
fn debian_pairs_are_ordered_as_written() {
    assert_eq!(otherwise(Deb, include_str!("data/debian.txt")), NONE);
}

#[test]
fn rpm_pairs_are_ordered_as_written() {
    assert_eq!(otherwise(Rpm, include_str!("data/redhat.txt")), NONE);
}

#[test]
fn semver_pairs_are_ordered_as_written() {
    assert_eq!(otherwise(Semver, include_str!("data/semver.txt")), NONE);
}

#[test]
fn maven_pairs_are_ordered_as_written() {
    assert_eq!(otherwise(Maven, include_str!("data/maven.txt")), NONE);
}

#[test]
fn maven_pairs_are_ordered_as_maven_itself_orders_them() {
    assert_eq!(otherwise(Maven, include_str!("data/maven-3.9.txt")), NONE);
}

#[test]
fn alpine_pairs_are_ordered_as_apk_tools_tests_say() {
    assert_eq!(otherwise(Alpine, include_str!("data/alpine.txt")), NONE);
}

#[test]
fn nuget_pairs_are_ordered_as_nugets_tests_say() {
    assert_eq!(otherwise(Nuget, include_str!("data/nuget.txt")), NONE);
}

#[test]
fn composer_pairs_are_ordered_as_composer_itself_orders_them() {
    assert_eq!(otherwise(Composer, include_str!("data/composer.txt")), NONE);
}

#[test]
fn python_pairs_are_ordered_as_pythons_packaging_orders_them() {
    assert_eq!(otherwise(Pypi, include_str!("data/pypi.txt")), NONE);
}

#[test]
fn gem_pairs_are_ordered_as_rubygems_itself_orders_them() {
    assert_eq!(otherwise(Gem, include_str!("data/gem.txt")), NONE);
}
