//! Every scheme orders the pairs of `data/` as whoever made them says.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so and ends"
)]

use std::cmp::Ordering::{self, Equal, Greater, Less};

use spacecp_contract::{
    VersionScheme::{self, Deb, Maven, Rpm, Semver},
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
