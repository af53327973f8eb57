//! Maven's versions: the "Version Order Specification" of the POM reference.
//!
//! Every text is one. Words have their order without regard to case, and those that Maven knows come
//! first: `alpha` < `beta` < `milestone` < `rc` = `cr` < `snapshot` < nothing = `final` = `ga` =
//! `release` < `sp` < all others; then numbers after a hyphen, then numbers after a dot.

use super::{
    key::{Key, KeyWriter},
    sequence::{Meaning, Reading},
};

const MAVEN: Reading = Reading {
    is_hyphen: |letter| letter == '-',
    meaning,
};

pub(super) fn read(text: &str) -> Key {
    MAVEN.key(KeyWriter::default(), &text.to_lowercase())
}

fn meaning(word: &str, number_follows: bool) -> Meaning {
    match word {
        "alpha" => Meaning::Before(1),
        "beta" => Meaning::Before(2),
        "milestone" => Meaning::Before(3),
        "a" if number_follows => Meaning::Before(1),
        "b" if number_follows => Meaning::Before(2),
        "m" if number_follows => Meaning::Before(3),
        "rc" | "cr" => Meaning::Before(4),
        "snapshot" => Meaning::Before(5),
        "final" | "ga" | "release" => Meaning::Nothing,
        "sp" => Meaning::After,
        _ => Meaning::Other,
    }
}
