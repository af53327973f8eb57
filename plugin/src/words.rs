//! Comparing texts eight bytes at a time: in a guest the comparison of bytes is a loop over each of them, and
//! ids begin alike.

use std::cmp::Ordering;

/// Compares as `str` does.
pub(crate) fn compare(one: &str, other: &str) -> Ordering {
    let (words, _) = one.as_bytes().as_chunks::<8>();
    let (others, _) = other.as_bytes().as_chunks::<8>();
    let mut pairs = words.iter().zip(others);
    let unlike = pairs.find(|(word, other)| word != other);
    if let Some((word, other)) = unlike {
        return u64::from_be_bytes(*word).cmp(&u64::from_be_bytes(*other));
    }
    let alike = words.len().min(others.len()) * 8;
    one.as_bytes()[alike..].cmp(&other.as_bytes()[alike..])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn texts_compare_as_they_do_elsewhere(
            beginning in "[a-zé]{0,20}",
            one in "\\PC{0,12}",
            other in "\\PC{0,12}",
        ) {
            let (one, other) = (format!("{beginning}{one}"), format!("{beginning}{other}"));
            prop_assert_eq!(super::compare(&one, &other), one.cmp(&other));
        }
    }
}
