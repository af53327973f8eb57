//! Versions that are written with operators or in words: `<= 2.14.1`, `prior to 2.15.0`, `1.2 and earlier`.
//!
//! CSAF forbids them as the name of a `product_version` (mandatory test 6.1.31) and allows anything but VERS as a
//! free text in a `product_version_range`; both are met everywhere. What plainly is a range is read as one, and
//! what is not a version either is said to be unreadable: nothing that has an operator or one of these words in it
//! is ever a version.

use spacecp_contract::{VersionRange, VersionScheme, version::Range, version::Version};

use super::vers::{self, Comparator, Versions};

/// The longest text that is looked at, in bytes: no version has more, and few words say a range.
const LONGEST: usize = 512;

/// What a text says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// One version.
    Version(String),
    /// A range.
    Range(Versions),
    /// Neither.
    No,
}

/// What a part of a text is.
#[derive(Debug, Clone, PartialEq)]
enum Token<'a> {
    Sign(Comparator),
    Version(&'a str),
    /// In lower case.
    Word(String),
    /// What stands between ranges that are all meant.
    Or,
    /// A hyphen that stands by itself.
    Dash,
}

/// One bound, as `< 2.0`.
type Bound<'a> = (Comparator, &'a str);

/// Reads the versions of a product, whose name may stand before them.
pub(super) fn read(scheme: VersionScheme, text: &str, product: Option<&str>) -> Read {
    let text = text.trim();
    if text.len() > LONGEST {
        return Read::No;
    }
    let text = without_name(text, product);
    if !is_range(text) {
        let plain = without_label(text);
        return if is_version(scheme, plain) {
            Read::Version(plain.to_owned())
        } else {
            Read::No
        };
    }
    // Constraints as in VERS, without what says so.
    if text.contains('|') && !text.contains("||") {
        return vers::constraints(scheme, text).map_or(Read::No, Read::Range);
    }
    match bounds(&tokens(text)) {
        Some(groups) => ranges(scheme, &groups).map_or(Read::No, Read::Range),
        None => Read::No,
    }
}

/// Whether a text that says no range is one version. Every text is one to Maven and RPM: what begins with no digit is
/// more likely something else.
fn is_version(scheme: VersionScheme, text: &str) -> bool {
    let is_generic = scheme == VersionScheme::Generic;
    let begins = text.starts_with(|letter: char| letter.is_ascii_digit());
    let is_one = is_generic || begins && !text.contains(char::is_whitespace);
    is_one && Version::read(scheme, text).is_ok()
}

/// Words that no version has: those of CSAF's test 6.1.31, and their like.
const WORDS: [&str; 33] = [
    "above", "after", "all", "and", "any", "before", "below", "between", "earlier", "every",
    "from", "greater", "higher", "later", "less", "lower", "newer", "older", "onwards", "or",
    "previous", "prior", "since", "starting", "than", "through", "thru", "to", "under", "until",
    "up", "upto", "versions",
];

/// Those that CSAF forbids anywhere in the text.
const FORBIDDEN: [&str; 6] = ["after", "before", "earlier", "later", "prior", "versions"];

/// Whether a text says more than one version.
pub(super) fn is_range(text: &str) -> bool {
    let lower = text.to_lowercase();
    let is_word = |word: &str| WORDS.contains(&word);
    let ends_open = |suffix: &str| lower.ends_with(suffix) || lower.contains(&format!("{suffix} "));
    text.contains(['<', '>', '≤', '≥', '*', '|', ',', ';'])
        || lower.contains("!=")
        || FORBIDDEN.iter().any(|word| lower.contains(word))
        || lower
            .split(|letter: char| !letter.is_alphabetic())
            .any(is_word)
        || lower.contains(" - ")
        || lower.starts_with(['^', '~'])
        || ends_open(".x")
        || lower
            .strip_suffix('+')
            .is_some_and(|rest| rest.ends_with(|letter: char| letter.is_ascii_digit()))
}

/// A text without the name of its product before it.
fn without_name<'a>(text: &'a str, product: Option<&str>) -> &'a str {
    let rest = product.and_then(|product| {
        let (name, rest) = text.split_at_checked(product.len())?;
        let fits = !product.is_empty() && name.eq_ignore_ascii_case(product);
        (fits && rest.starts_with(char::is_whitespace)).then(|| rest.trim_start())
    });
    rest.filter(|rest| !rest.is_empty()).unwrap_or(text)
}

/// A version without the word "version" or the letter before it.
fn without_label(text: &str) -> &str {
    if let Some(rest) = text.strip_prefix(['v', 'V', '='])
        && rest.starts_with(|letter: char| letter.is_ascii_digit())
    {
        return rest;
    }
    let rest = text.split_once(char::is_whitespace);
    let is_label = |word: &str| {
        let word = word.trim_end_matches(['.', ':']);
        ["version", "ver", "v"]
            .iter()
            .any(|label| word.eq_ignore_ascii_case(label))
    };
    match rest {
        Some((word, rest)) if is_label(word) => without_label(rest.trim_start()),
        _ => text,
    }
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let signs = ["<=", ">=", "!=", "==", "<", ">", "="];
        if let Some(sign) = signs.iter().find(|sign| rest.starts_with(**sign)) {
            tokens.push(Token::Sign(Comparator::split(rest).0));
            rest = rest[sign.len()..].trim_start();
            continue;
        }
        let one = match first {
            '≤' => Some(Token::Sign(Comparator::AtMost)),
            '≥' => Some(Token::Sign(Comparator::AtLeast)),
            '|' | ';' => Some(Token::Or),
            ',' => Some(Token::Word(",".to_owned())),
            _ => None,
        };
        if let Some(token) = one {
            tokens.push(token);
            rest = rest[first.len_utf8()..].trim_start();
            continue;
        }
        let ends = |letter: char| letter.is_whitespace() || "<>≤≥=|;,".contains(letter);
        let end = rest.find(ends).unwrap_or(rest.len()).max(first.len_utf8());
        let (part, after) = rest.split_at(end);
        tokens.push(token(part));
        rest = after.trim_start();
    }
    tokens
}

fn token(part: &str) -> Token<'_> {
    let word = part.trim_matches(['(', ')', '.', ':']);
    match word.to_lowercase().as_str() {
        "-" | "–" => Token::Dash,
        lower if lower.contains(|letter: char| letter.is_ascii_digit()) => Token::Version(word),
        lower => Token::Word(lower.to_owned()),
    }
}

/// The bounds of each range, if that is all the text says.
fn bounds<'a>(tokens: &[Token<'a>]) -> Option<Vec<Vec<Bound<'a>>>> {
    let mut groups: Vec<Vec<Bound<'a>>> = vec![Vec::new()];
    let mut rest = tokens;
    let mut is_all = false;
    while let Some((first, after)) = rest.split_first() {
        if let Token::Or = first {
            groups.push(Vec::new());
            rest = after;
            continue;
        }
        if let Some((found, after)) = bound(rest) {
            groups.last_mut()?.extend(found);
            rest = after;
            continue;
        }
        let Token::Word(word) = first else {
            return None;
        };
        match word.as_str() {
            "*" | "all" | "any" | "every" => is_all = true,
            "versions" | "version" | "v" | "ver" | "and" | "," | "&&" | "is" | "are" => {}
            "or" => groups.push(Vec::new()),
            _ => return None,
        }
        rest = after;
    }
    groups.retain(|group| !group.is_empty());
    match (groups.is_empty(), is_all) {
        (true, false) => None,
        (true, true) => Some(vec![vec![(Comparator::AtLeast, "0")]]),
        (false, _) => Some(groups),
    }
}

/// The bounds that a text begins with, and what follows them.
fn bound<'a, 'b>(tokens: &'b [Token<'a>]) -> Option<(Vec<Bound<'a>>, &'b [Token<'a>])> {
    use Comparator::{Above, AtLeast, AtMost, Below};
    if let [Token::Sign(sign), Token::Version(version), rest @ ..] = tokens {
        return Some((vec![(*sign, version)], rest));
    }
    let (words, rest) = words(tokens);
    let words = words.join(" ");
    if let Some(comparator) = before(&words)
        && let [Token::Version(version), rest @ ..] = rest
    {
        let (lower, rest) = (vec![(comparator, *version)], rest);
        return Some(match (comparator, span(rest)) {
            // "from 1.0 to 2.0", "between 1.0 and 2.0".
            (AtLeast, Some((end, upper, rest))) => (vec![(AtLeast, *version), (end, upper)], rest),
            _ => (lower, rest),
        });
    }
    let [Token::Version(version), rest @ ..] = tokens else {
        return None;
    };
    if let Some((end, upper, rest)) = span(rest) {
        return Some((vec![(AtLeast, *version), (end, upper)], rest));
    }
    if let Some(start) = version.strip_suffix('+').filter(|_| rest.is_empty()) {
        return Some((vec![(AtLeast, start)], rest));
    }
    let (words, rest) = self::words(rest);
    match after(&words.join(" ")) {
        Some(comparator @ (Above | AtLeast | AtMost | Below)) => {
            Some((vec![(comparator, *version)], rest))
        }
        _ => None,
    }
}

/// The words that a text begins with, and what follows them.
fn words<'a, 'b>(tokens: &'b [Token<'a>]) -> (Vec<&'b str>, &'b [Token<'a>]) {
    let end = tokens
        .iter()
        .position(|token| !matches!(token, Token::Word(_)))
        .unwrap_or(tokens.len());
    let words = tokens[..end].iter().filter_map(|token| match token {
        Token::Word(word) => Some(word.as_str()),
        _ => None,
    });
    (words.collect(), &tokens[end..])
}

/// The end of a range whose start was read: "to 2.0", "- 2.0", "and before 2.0".
fn span<'a, 'b>(tokens: &'b [Token<'a>]) -> Option<(Comparator, &'a str, &'b [Token<'a>])> {
    use Comparator::{AtMost, Below};
    if let [Token::Dash, Token::Version(version), rest @ ..] = tokens {
        return Some((AtMost, version, rest));
    }
    let (words, rest) = words(tokens);
    let [Token::Version(version), rest @ ..] = rest else {
        return None;
    };
    let words = words.join(" ");
    let words = words.trim_start_matches(", ").trim_start_matches("and ");
    let end = match words {
        "to" | "and" => AtMost,
        words => before(words).filter(|end| matches!(end, Below | AtMost))?,
    };
    Some((end, version, rest))
}

/// What words before a version say of it.
fn before(words: &str) -> Option<Comparator> {
    let words = words.trim_start_matches("and ").trim_start_matches("all ");
    let words = words
        .trim_start_matches("any ")
        .trim_start_matches("versions ");
    let words = words
        .trim_start_matches("version ")
        .trim_start_matches("is ");
    let words = words
        .trim_end_matches(" versions")
        .trim_end_matches(" version");
    Some(match words {
        "prior to"
        | "prior"
        | "before"
        | "earlier than"
        | "older than"
        | "lower than"
        | "less than"
        | "below"
        | "under"
        | "previous to"
        | "up to but not including"
        | "up to (excluding)" => Comparator::Below,
        "up to" | "upto" | "through" | "thru" | "until" | "up to and including" | "to" => {
            Comparator::AtMost
        }
        "after" | "later than" | "newer than" | "greater than" | "higher than" | "above" => {
            Comparator::Above
        }
        "from" | "since" | "starting with" | "starting from" | "starting at" | "between"
        | "beginning with" | "as of" => Comparator::AtLeast,
        _ => return None,
    })
}

/// What words after a version say of it.
fn after(words: &str) -> Option<Comparator> {
    let words = words
        .trim_end_matches(" versions")
        .trim_end_matches(" version");
    let words = words.trim_end_matches(" releases");
    let words = words.trim_start_matches(", ");
    let words = words.trim_start_matches("and ").trim_start_matches("or ");
    let words = words.trim_start_matches("all ");
    Some(match words {
        "earlier" | "prior" | "before" | "below" | "older" | "lower" | "previous" | "under"
        | "less" => Comparator::AtMost,
        "later" | "newer" | "above" | "higher" | "after" | "onwards" | "up" | "greater" => {
            Comparator::AtLeast
        }
        _ => return None,
    })
}

/// The ranges of these bounds; none where a bound is no version, or a range has two starts or two ends.
fn ranges(scheme: VersionScheme, groups: &[Vec<Bound<'_>>]) -> Option<Versions> {
    let mut versions = Versions::default();
    for group in groups {
        let mut found: Option<VersionRange> = None;
        let mut start = None;
        for (comparator, text) in group {
            let text = without_label(text);
            let is_zero = *comparator == Comparator::AtLeast && text == "0";
            if !is_zero && (is_range(text) || !is_version(scheme, text)) {
                return None;
            }
            let text = text.to_owned();
            match comparator {
                Comparator::Equal => versions.listed.push(text),
                Comparator::Not => versions.excluded.push(text),
                Comparator::Above | Comparator::AtLeast => {
                    if *comparator == Comparator::Above {
                        versions.excluded.push(text.clone());
                    }
                    start.replace(text).is_none().then_some(())?;
                    found.get_or_insert_with(|| vers::range("0".to_owned()));
                }
                Comparator::Below | Comparator::AtMost => {
                    let range = found.get_or_insert_with(|| vers::range("0".to_owned()));
                    let has_end = range.fixed.is_some() || range.last_affected.is_some();
                    (!has_end).then_some(())?;
                    if *comparator == Comparator::Below {
                        range.fixed = Some(text);
                    } else {
                        range.last_affected = Some(text);
                    }
                }
            }
        }
        if let Some(mut range) = found {
            range.introduced = start.unwrap_or(range.introduced);
            Range::read(scheme, &range).ok()?;
            versions.ranges.push(range);
        }
    }
    let is_empty = versions.ranges.is_empty() && versions.listed.is_empty();
    (!is_empty).then_some(versions)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SCHEMES: [VersionScheme; 11] = VersionScheme::ALL;

    /// What a text says, in short.
    fn said(scheme: VersionScheme, text: &str) -> String {
        match read(scheme, text, Some("log4j")) {
            Read::Version(version) => version,
            Read::No => "?".to_owned(),
            Read::Range(versions) => {
                let read = |range: &VersionRange| Range::read(scheme, range).unwrap().to_string();
                let ranges = versions.ranges.iter().map(read);
                let excluded = versions
                    .excluded
                    .iter()
                    .map(|version| format!("!{version}"));
                let all: Vec<String> = ranges
                    .chain(versions.listed.clone())
                    .chain(excluded)
                    .collect();
                all.join(" ")
            }
        }
    }

    #[test]
    fn an_operator_or_words_are_the_range_that_they_plainly_are_in_every_scheme() {
        for scheme in SCHEMES {
            for (text, meaning) in [
                ("<= 2.14.1", "[0, 2.14.1]"),
                ("<=2.14.1", "[0, 2.14.1]"),
                ("≤ 2.14.1", "[0, 2.14.1]"),
                ("< 2.15.0", "[0, 2.15.0)"),
                (">= 2.0.0", "[2.0.0, …)"),
                ("> 2.0.0", "[2.0.0, …) !2.0.0"),
                (">= 2.0.0, < 2.15.0", "[2.0.0, 2.15.0)"),
                (">=2.0.0 <2.15.0", "[2.0.0, 2.15.0)"),
                (">=1.0.0|<1.1.0", "[1.0.0, 1.1.0)"),
                ("< 1.0.0 || >= 2.0.0 < 2.1.0", "[0, 1.0.0) [2.0.0, 2.1.0)"),
                ("prior to 2.15.0", "[0, 2.15.0)"),
                ("versions prior to 2.15.0", "[0, 2.15.0)"),
                ("All versions before V2.15.0", "[0, 2.15.0)"),
                ("all versions < 2.15.0", "[0, 2.15.0)"),
                ("before 2.15.0", "[0, 2.15.0)"),
                ("earlier than 2.15.0", "[0, 2.15.0)"),
                ("log4j before 2.15.0", "[0, 2.15.0)"),
                ("2.14.1 and earlier", "[0, 2.14.1]"),
                ("2.14.1 and prior versions", "[0, 2.14.1]"),
                ("2.14.1 or older", "[0, 2.14.1]"),
                ("2.14.1 and all earlier versions", "[0, 2.14.1]"),
                ("up to 2.14.1", "[0, 2.14.1]"),
                ("up to and including 2.14.1", "[0, 2.14.1]"),
                ("through 2.14.1", "[0, 2.14.1]"),
                ("2.0.0 through 2.14.1", "[2.0.0, 2.14.1]"),
                ("2.0.0 to 2.14.1", "[2.0.0, 2.14.1]"),
                ("2.0.0 - 2.14.1", "[2.0.0, 2.14.1]"),
                ("from 2.0.0 to 2.14.1", "[2.0.0, 2.14.1]"),
                ("from 2.0.0 before 2.15.0", "[2.0.0, 2.15.0)"),
                ("between 2.0.0 and 2.14.1", "[2.0.0, 2.14.1]"),
                ("2.0.0 and later", "[2.0.0, …)"),
                ("2.0.0 or newer", "[2.0.0, …)"),
                ("since 2.0.0", "[2.0.0, …)"),
                ("after 2.0.0", "[2.0.0, …) !2.0.0"),
                ("all versions", "[0, …)"),
                ("all", "[0, …)"),
                ("any version", "[0, …)"),
                ("*", "[0, …)"),
            ] {
                assert_eq!(said(scheme, text), meaning, "{scheme}: {text}");
            }
        }
    }

    #[test]
    fn the_end_of_a_distributions_version_is_kept_whole() {
        assert_eq!(
            said(VersionScheme::Rpm, "<7.76.1-26.el9"),
            "[0, 7.76.1-26.el9)"
        );
        assert_eq!(said(VersionScheme::Deb, "<< 1:7.88-1~deb12u1"), "?");
        assert_eq!(
            said(VersionScheme::Deb, "< 1:7.88-1~deb12u1"),
            "[0, 1:7.88-1~deb12u1)"
        );
    }

    #[test]
    fn words_that_say_no_plain_range_are_unreadable_and_never_a_version() {
        for scheme in SCHEMES {
            for text in [
                "versions",
                "earlier",
                "earlier versions of 2",
                "prior to the May release",
                "2.14.1 and some later builds",
                "2.x",
                "2.*",
                "^2.0.0",
                "~2.0.0",
                "< soon",
                "before",
                "all but 2.0.0",
                "> 2.0.0 > 3.0.0",
                "< 1.0.0, < 2.0.0",
                ">= 2.0.0, < 1.0.0",
                "1.0.0, 1.1.0",
            ] {
                assert_eq!(said(scheme, text), "?", "{scheme}: {text}");
            }
        }
    }

    #[test]
    fn a_version_is_a_version() {
        for (scheme, text, version) in [
            (VersionScheme::Maven, "2.14.1", "2.14.1"),
            (VersionScheme::Maven, "log4j 2.14.1", "2.14.1"),
            (VersionScheme::Maven, "Version 2.14.1", "2.14.1"),
            (VersionScheme::Semver, "1.2.3-all.in", "?"),
            (
                VersionScheme::Semver,
                "v1.2.3-alpha+install",
                "1.2.3-alpha+install",
            ),
            (VersionScheme::Rpm, "V2.14.1", "2.14.1"),
            (VersionScheme::Generic, "git-Paper-496", "git-Paper-496"),
            (VersionScheme::Maven, "n/a", "?"),
            (VersionScheme::Maven, "unspecified", "?"),
            (VersionScheme::Rpm, "1.0^20160101", "1.0^20160101"),
            (VersionScheme::Deb, "1:2.0~rc1-1", "1:2.0~rc1-1"),
            (
                VersionScheme::Generic,
                "1.20 Pre-Release 1",
                "1.20 Pre-Release 1",
            ),
            (VersionScheme::Maven, "two words", "?"),
        ] {
            assert_eq!(said(scheme, text), version, "{scheme}: {text}");
        }
    }

    proptest! {
        #[test]
        fn what_has_an_operator_or_a_forbidden_word_is_a_version_in_no_scheme(
            before in "[ -~]{0,12}",
            word in prop::sample::select(vec![
                "<", "<=", ">", ">=", "after", "before", "earlier", "later", "prior", "versions",
                "Before", "PRIOR TO", "*",
            ]),
            after in "[ -~]{0,12}",
        ) {
            for scheme in SCHEMES {
                let read = read(scheme, &format!("{before}{word}{after}"), None);
                prop_assert!(!matches!(read, Read::Version(_)), "{:?}", read);
            }
        }
    }
}
