//! Maven's versions, in the order of `ComparableVersion` of Maven 3.9.
//!
//! Every text is one. `.` separates; `-`, and a change from digits to letters or back, begin a list within the
//! list; so does a word that ends its list or that a number follows. Trailing zeros and words for a release are
//! left out of each list. At one place, a word comes before a list, and a list before a number; what one version
//! has and the other has not is compared with nothing. Words have their order without regard to case: `alpha` <
//! `beta` < `milestone` < `rc` = `cr` < `snapshot` < nothing = `final` = `ga` = `release` < `sp` < all others.
//!
//! Maven's comparison is no order for a few texts that nobody writes: `1.sp.1` is after `1`, `1` after `1-alpha`,
//! and `1-alpha` after `1.sp.1`. Here what is before nothing comes first then.

use super::key::{Key, KeyWriter};

/// What may stand at one place, the lowest first.
mod rank {
    pub(super) const EARLY_WORD: u8 = 0x10;
    pub(super) const NO_WORD_THEN_EARLY: u8 = 0x18;
    pub(super) const EARLY_LIST: u8 = 0x20;
    pub(super) const ZERO_THEN_EARLY: u8 = 0x30;
    pub(super) const END: u8 = 0x40;
    pub(super) const NO_WORD: u8 = 0x48;
    pub(super) const LATE_WORD: u8 = 0x50;
    pub(super) const LATE_LIST: u8 = 0x60;
    pub(super) const NUMBER: u8 = 0x70;
}

#[derive(Debug, Clone, Copy)]
enum Item<'a> {
    Number(&'a str),
    Word(Word<'a>),
    /// All that follows is a list of its own: nothing comes after one.
    List,
}

#[derive(Debug, Clone, Copy)]
enum Word<'a> {
    /// Before the version without it; the lower the earlier.
    Early(u8),
    /// As good as nothing.
    Release,
    ServicePack,
    Other(&'a str),
}

pub(super) fn read(text: &str) -> Key {
    let text = text.to_lowercase();
    let items = flat(lists(&text));
    let mut key = KeyWriter::default();
    for (place, item) in items.iter().enumerate() {
        let early = is_early(&items[place..]);
        match item {
            Item::Number(digits) if early && is_zero(digits) => key.rank(rank::ZERO_THEN_EARLY),
            Item::Number(digits) => key.rank(rank::NUMBER).number(digits),
            Item::List if early => key.rank(rank::EARLY_LIST),
            Item::List => key.rank(rank::LATE_LIST),
            Item::Word(Word::Early(order)) => key.rank(rank::EARLY_WORD).rank(*order),
            Item::Word(Word::Release) if early => key.rank(rank::NO_WORD_THEN_EARLY),
            Item::Word(Word::Release) => key.rank(rank::NO_WORD),
            Item::Word(Word::ServicePack) => key.rank(rank::LATE_WORD).rank(1),
            Item::Word(Word::Other(word)) => key.rank(rank::LATE_WORD).rank(2).word(word),
        };
    }
    key.rank(rank::END);
    key.finish()
}

/// Whether what is here comes before nothing.
fn is_early(items: &[Item<'_>]) -> bool {
    let decides = |item: &&Item<'_>| match item {
        Item::Number(digits) => !is_zero(digits),
        Item::Word(word) => !matches!(word, Word::Release),
        Item::List => false,
    };
    matches!(items.iter().find(decides), Some(Item::Word(Word::Early(_))))
}

fn is_zero(digits: &str) -> bool {
    digits.bytes().all(|digit| digit == b'0')
}

/// The lists of a version, each within the one before it.
fn lists(text: &str) -> Vec<Vec<Item<'_>>> {
    let mut lists = vec![Vec::new()];
    let mut rest = text;
    loop {
        let end = rest.find(['.', '-']).unwrap_or(rest.len());
        split(&rest[..end], end == rest.len(), &mut lists);
        let Some(separator) = rest[end..].chars().next() else {
            return lists;
        };
        if separator == '-' {
            lists.push(Vec::new());
        }
        rest = &rest[end + 1..];
    }
}

/// Splits what stands between two separators where digits and letters meet. Nothing is a zero, but at the end.
fn split<'a>(text: &'a str, is_last: bool, lists: &mut Vec<Vec<Item<'a>>>) {
    if text.is_empty() && !is_last {
        put(lists, Item::Number("0"));
    }
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let digits = first.is_ascii_digit();
        let end = rest.find(|letter: char| letter.is_ascii_digit() != digits);
        let (part, after) = rest.split_at(end.unwrap_or(rest.len()));
        if digits {
            put(lists, Item::Number(part));
        } else {
            let is_apart = !after.is_empty() || is_last;
            if is_apart && lists.last().is_some_and(|list| !list.is_empty()) {
                lists.push(Vec::new());
            }
            put(lists, Item::Word(word(part, !after.is_empty())));
        }
        if !after.is_empty() {
            lists.push(Vec::new());
        }
        rest = after;
    }
}

fn put<'a>(lists: &mut [Vec<Item<'a>>], item: Item<'a>) {
    if let Some(list) = lists.last_mut() {
        list.push(item);
    }
}

/// All lists in one sequence, each without what is as good as nothing at its end.
fn flat(lists: Vec<Vec<Item<'_>>>) -> Vec<Item<'_>> {
    let mut items = Vec::new();
    // Lists that are empty count as long as another one is within them.
    let mut kept = 0;
    let mut lists = lists.into_iter().peekable();
    while let Some(mut list) = lists.next() {
        let begins_with_number =
            |list: &Vec<Item<'_>>| matches!(list.first(), Some(Item::Number(_)));
        let names_release = matches!(list.as_slice(), [Item::Word(Word::Release)]);
        // `1-ga-1` is `1-1`, as the POM reference has it.
        if names_release && lists.peek().is_some_and(begins_with_number) {
            continue;
        }
        let counts = |item: &Item<'_>| match item {
            Item::Number(digits) => !is_zero(digits),
            Item::Word(word) => !matches!(word, Word::Release),
            Item::List => true,
        };
        let end = list.iter().rposition(counts).map_or(0, |last| last + 1);
        list.truncate(end);
        let is_empty = list.is_empty();
        items.append(&mut list);
        if !is_empty {
            kept = items.len();
        }
        items.push(Item::List);
    }
    items.truncate(kept);
    items
}

fn word(text: &str, number_follows: bool) -> Word<'_> {
    match text {
        "alpha" => Word::Early(1),
        "beta" => Word::Early(2),
        "milestone" => Word::Early(3),
        "a" if number_follows => Word::Early(1),
        "b" if number_follows => Word::Early(2),
        "m" if number_follows => Word::Early(3),
        "rc" | "cr" => Word::Early(4),
        "snapshot" => Word::Early(5),
        "final" | "ga" | "release" => Word::Release,
        "sp" => Word::ServicePack,
        other => Word::Other(other),
    }
}
