//! Which part of a list an address names, and the form and the links that lead there.
//!
//! An address is a reader's: what is not understood in it counts as not said.

use maud::{Markup, html};
use serde::Deserialize;

use super::{frame::Site, paths::path, text::visible};
use spacecp_plugin_host::bindings::exports::spacecp::advisories::pages::{
    Filter, Listing, Order, Pager, Place, Severity, Standing,
};

/// The longest search, in characters.
const LONGEST_SEARCH: usize = 200;

/// The standings, each with its word in an address and in a form for advisories and for components.
const STANDINGS: [(Standing, &str, &str, &str); 5] = [
    (Standing::Exposed, "exposed", "affected", "affected"),
    (Standing::Undecided, "undecided", "unknown", "unknown"),
    (Standing::Clear, "clear", "not affected", "not affected"),
    (
        Standing::Unrelated,
        "unrelated",
        "not installed",
        "no advisory",
    ),
    (Standing::Notice, "notice", "notices", "notices"),
];

/// The severities that a list can begin at, with the word for each in an address and in a form.
const SEVERITIES: [(Severity, &str, &str); 4] = [
    (Severity::Critical, "critical", "critical"),
    (Severity::High, "high", "high or worse"),
    (Severity::Medium, "medium", "medium or worse"),
    (Severity::Low, "low", "low or worse"),
];

/// The orders, with the word for each in an address and in a form.
const ORDERS: [(Order, &str, &str); 5] = [
    (Order::Urgency, "urgency", "most urgent first"),
    (Order::Severity, "severity", "most severe first"),
    (Order::Changed, "changed", "last changed first"),
    (Order::Published, "published", "last published first"),
    (Order::Name, "name", "by name"),
];

/// A list as somebody sees it who has not asked for anything.
pub fn whole() -> Listing {
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

/// The query of an address, as it was typed or as a form made it.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    q: Option<String>,
    standing: Option<String>,
    severity: Option<String>,
    exploited: Option<String>,
    embargo: Option<String>,
    order: Option<String>,
    page: Option<String>,
}

impl Asked {
    /// What is asked for.
    pub fn listing(&self) -> Listing {
        let standing = self.standing.as_deref();
        let severity = self.severity.as_deref();
        let order = self.order.as_deref();
        let words = self.q.as_deref().unwrap_or_default();
        let page = self.page.as_deref().and_then(|page| page.parse().ok());
        Listing {
            words: words.chars().take(LONGEST_SEARCH).collect(),
            standing: STANDINGS
                .iter()
                .find(|known| Some(known.1) == standing)
                .map(|known| known.0),
            least_severity: SEVERITIES
                .iter()
                .find(|known| Some(known.1) == severity)
                .map(|known| known.0),
            known_exploited: self.exploited.is_some(),
            embargo: self.embargo.is_some(),
            order: ORDERS
                .iter()
                .find(|known| Some(known.1) == order)
                .map_or(Order::Urgency, |known| known.0),
            page: page.unwrap_or(1).max(1),
        }
    }
}

/// The address of a part of a list.
pub(super) fn address(place: &Place, listing: &Listing) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    if !listing.words.is_empty() {
        query.append_pair("q", &listing.words);
    }
    for (standing, word, ..) in &STANDINGS {
        if listing.standing == Some(*standing) {
            query.append_pair("standing", word);
        }
    }
    for (severity, word, _) in &SEVERITIES {
        if listing.least_severity == Some(*severity) {
            query.append_pair("severity", word);
        }
    }
    if listing.known_exploited {
        query.append_pair("exploited", "yes");
    }
    if listing.embargo {
        query.append_pair("embargo", "yes");
    }
    for (order, word, _) in &ORDERS {
        if listing.order == *order && *order != Order::Urgency {
            query.append_pair("order", word);
        }
    }
    if listing.page > 1 {
        query.append_pair("page", &listing.page.to_string());
    }
    let query = query.finish();
    if query.is_empty() {
        path(place)
    } else {
        format!("{}?{query}", path(place))
    }
}

/// The fields that narrow a list.
pub(super) fn form(filter: &Filter, site: Site<'_>) -> Markup {
    let Filter { place, listing } = filter;
    let components = matches!(place, Place::Components);
    html! {
        form.filter method="get" action=(site.at(&path(place))) role="search" {
            label.words { span { "Search" } input type="search" name="q" value=(visible(&listing.words)) maxlength=(LONGEST_SEARCH); }
            label { span { "This panel" }
                select name="standing" {
                    option value="" { "any" }
                    @for (standing, word, advisories, of_components) in STANDINGS.iter().filter(|known| !components || known.0 != Standing::Notice) {
                        option value=(word) selected[listing.standing == Some(*standing)] { (if components { of_components } else { advisories }) }
                    }
                }
            }
            @if !components {
                label { span { "Severity" }
                    select name="severity" {
                        option value="" { "any" }
                        @for (severity, word, words) in &SEVERITIES {
                            option value=(word) selected[listing.least_severity == Some(*severity)] { (words) }
                        }
                    }
                }
            }
            label { span { "Order" }
                select name="order" {
                    @for (order, word, words) in ORDERS.iter().filter(|(order, ..)| !components || matches!(order, Order::Urgency | Order::Name)) {
                        option value=(word) selected[listing.order == *order] { (words) }
                    }
                }
            }
            @if !components {
                label.tick { input type="checkbox" name="exploited" value="yes" checked[listing.known_exploited]; " known exploited" }
                label.tick { input type="checkbox" name="embargo" value="yes" checked[listing.embargo]; " under embargo" }
            }
            button type="submit" { "Show" }
        }
    }
}

/// The links to the other pages of a list.
pub(super) fn pager(pager: &Pager, site: Site<'_>) -> Markup {
    let Pager {
        place,
        listing,
        pages,
    } = pager;
    let at = |page: u32| {
        let listing = Listing {
            page,
            ..listing.clone()
        };
        site.at(&address(place, &listing))
    };
    let page = listing.page;
    html! {
        nav.pages aria-label="Pages" {
            @if page > 1 { a href=(at(page - 1)) rel="prev" { "Previous" } }
            span { "Page " (page) " of " (pages) }
            @if page < *pages { a href=(at(page + 1)) rel="next" { "Next" } }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn asked(address: &str) -> Listing {
        let query = address.split_once('?').map_or("", |(_, query)| query);
        let pairs: std::collections::BTreeMap<String, String> =
            url::form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect();
        let value = |name: &str| pairs.get(name).cloned();
        Asked {
            q: value("q"),
            standing: value("standing"),
            severity: value("severity"),
            exploited: value("exploited"),
            embargo: value("embargo"),
            order: value("order"),
            page: value("page"),
        }
        .listing()
    }

    #[test]
    fn what_is_not_understood_counts_as_not_said() {
        let odd = "/advisories?standing=sideways&severity=terrible&order=random&page=minus-one";
        assert_eq!(asked(odd), whole());
        assert_eq!(asked("/advisories?page=0"), whole());
        assert_eq!(asked("/advisories"), whole());
    }

    proptest! {
        #[test]
        fn an_address_names_the_part_that_it_was_made_for(
            words in ".{0,200}",
            standing in 0usize..6,
            severity in 0usize..5,
            flags in any::<(bool, bool)>(),
            order in 0usize..5,
            page in 1u32..,
        ) {
            let listing = Listing {
                words,
                standing: STANDINGS.get(standing).map(|known| known.0),
                least_severity: SEVERITIES.get(severity).map(|known| known.0),
                known_exploited: flags.0,
                embargo: flags.1,
                order: ORDERS[order].0,
                page,
            };
            prop_assert_eq!(asked(&address(&Place::Advisories, &listing)), listing);
        }
    }
}
