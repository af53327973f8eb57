//! Lists that are narrowed, ordered and cut into pages.
//!
//! What a list holds is said elsewhere; here is only which part of it a reader sees.

use crate::bindings::exports::spacecp::advisories::pages::{
    Block, Filter, Listing, Order, Pager, Place, Standing,
};

/// Entries on one page of a list.
pub(super) const PAGE: usize = 50;

/// A list as somebody sees it who has not asked for anything.
pub const fn whole() -> Listing {
    Listing {
        words: String::new(),
        standing: None,
        least_severity: None,
        known_exploited: false,
        embargo: false,
        order: Order::Urgency,
        page: 1,
    }
}

/// The list of what stands so.
pub(super) fn standing(standing: Standing) -> Listing {
    Listing {
        standing: Some(standing),
        ..whole()
    }
}

/// Whether the listing leaves anything out.
pub(super) fn narrows(listing: &Listing) -> bool {
    !listing.words.trim().is_empty()
        || listing.standing.is_some()
        || listing.least_severity.is_some()
        || listing.known_exploited
        || listing.embargo
}

/// The words of a search, ready to be looked for.
pub(super) fn words(listing: &Listing) -> Vec<String> {
    let words = listing.words.split_whitespace();
    words.map(str::to_lowercase).collect()
}

/// Whether every word is somewhere in the text.
pub(super) fn has_all(text: &str, words: &[String]) -> bool {
    if words.is_empty() {
        return true;
    }
    let text = text.to_lowercase();
    words.iter().all(|word| text.contains(word.as_str()))
}

/// The fields that narrow a list.
pub(super) fn filter(place: Place, listing: &Listing) -> Block {
    Block::Filter(Filter {
        place,
        listing: listing.clone(),
    })
}

/// The entries of the page that is asked for, or of the last one there is, and the links to the others.
pub(super) fn cut<'a, T>(
    entries: &'a [T],
    place: Place,
    listing: &Listing,
) -> (&'a [T], Option<Block>) {
    let pages = entries.len().div_ceil(PAGE).max(1);
    let asked = usize::try_from(listing.page).unwrap_or(usize::MAX);
    let page = asked.clamp(1, pages);
    let begin = (page - 1) * PAGE;
    let end = entries.len().min(begin + PAGE);
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let pager = (pages > 1).then(|| {
        Block::Pages(Pager {
            place,
            listing: Listing {
                page: number(page),
                ..listing.clone()
            },
            pages: number(pages),
        })
    });
    (&entries[begin..end], pager)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_page_that_is_not_there_is_the_nearest_that_is() {
        let entries: Vec<usize> = (0..120).collect();
        for (asked, first) in [(0, 0), (1, 0), (3, 100), (4, 100), (u32::MAX, 100)] {
            let listing = Listing {
                page: asked,
                ..whole()
            };
            let (shown, pager) = cut(&entries, Place::Advisories, &listing);
            assert_eq!(shown[0], first, "page {asked}");
            assert!(matches!(pager, Some(Block::Pages(pager)) if pager.pages == 3));
        }
    }

    #[test]
    fn a_list_that_fits_has_no_other_pages() {
        assert_eq!(cut(&[1, 2], Place::Components, &whole()).1, None);
        assert_eq!(cut::<u8>(&[], Place::Components, &whole()), (&[][..], None));
    }

    proptest! {
        #[test]
        fn the_pages_of_a_list_are_the_list(length in 0usize..300) {
            let entries: Vec<usize> = (0..length).collect();
            let pages = length.div_ceil(PAGE).max(1);
            let mut all = Vec::new();
            for page in 1..=pages {
                let listing = Listing { page: u32::try_from(page).unwrap(), ..whole() };
                all.extend_from_slice(cut(&entries, Place::Advisories, &listing).0);
            }
            prop_assert_eq!(all, entries);
        }
    }
}
