//! The two notations of Java's versions. Until Java 8 runtimes call themselves `1.8.0_392` (JEP 223, "Motivation"), and
//! advisories call the same `8u392` or `8.0.392`; from 9 on there is one.

use std::borrow::Cow;

/// A version with the feature number first: `8.0.392` for `1.8.0_392`, `1.8.0_392-b08` and `8u392`. What follows the
/// numbers stays, but for the number of a build, which the new notation has behind a `+`. Others are as they were.
pub(super) fn feature_first(version: &str) -> Cow<'_, str> {
    let text = version.trim();
    let read = old(text).or_else(|| short(text));
    read.map_or(Cow::Borrowed(version), Cow::Owned)
}

/// `1.8.0_392-b08`.
fn old(text: &str) -> Option<String> {
    let (feature, rest) = number(text.strip_prefix("1.")?)?;
    let (minor, rest) = after('.', rest);
    let (update, rest) = after('_', rest);
    Some(format!("{feature}.{minor}.{update}{}", without_build(rest)))
}

/// `8u392-b08`.
fn short(text: &str) -> Option<String> {
    let (feature, rest) = number(text)?;
    let (update, rest) = number(rest.strip_prefix(['u', 'U'])?)?;
    Some(format!("{feature}.0.{update}{}", without_build(rest)))
}

/// The number behind a separator, and what follows it; 0 where there is none.
fn after(separator: char, text: &str) -> (&str, &str) {
    let found = text.strip_prefix(separator).and_then(number);
    found.unwrap_or(("0", text))
}

/// The number that a text begins with, without leading zeros, and what follows it.
fn number(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|letter: char| !letter.is_ascii_digit());
    let (digits, rest) = text.split_at(end.unwrap_or(text.len()));
    let significant = digits.trim_start_matches('0');
    match (digits, significant) {
        ("", _) => None,
        (_, "") => Some(("0", rest)),
        _ => Some((significant, rest)),
    }
}

fn without_build(text: &str) -> &str {
    let is_build = text
        .strip_prefix("-b")
        .is_some_and(|number| number.starts_with(|letter: char| letter.is_ascii_digit()));
    if is_build { "" } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_old_notations_become_the_new_one() {
        for (old, new) in [
            ("1.8.0_392", "8.0.392"),
            ("1.8.0_392-b08", "8.0.392"),
            ("8u392", "8.0.392"),
            ("8u392-b08", "8.0.392"),
            ("1.8.0_05", "8.0.5"),
            ("1.8.0_00", "8.0.0"),
            ("1.8.0", "8.0.0"),
            ("1.8", "8.0.0"),
            ("7u80", "7.0.80"),
            ("1.8.0_392-ea", "8.0.392-ea"),
            ("1.8.0-internal", "8.0.0-internal"),
        ] {
            assert_eq!(feature_first(old), new, "{old}");
        }
    }

    #[test]
    fn what_is_in_the_new_notation_or_in_none_stays() {
        for version in [
            "8",
            "8.0.392",
            "8.0.392+8",
            "17.0.9",
            "21",
            "1.x",
            "nightly",
            "u",
            "",
        ] {
            assert_eq!(feature_first(version), version);
        }
    }
}
