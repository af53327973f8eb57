//! Where on the site everything lies: the paths of files, and their addresses.

use spacecp_contract::DocumentId;
use spacecp_formats::csaf::Edition;

use super::settings::Settings;

pub(super) const PROVIDER: &str = ".well-known/csaf/provider-metadata.json";
pub(super) const SECURITY_TXT: &str = ".well-known/security.txt";
/// CSAF 2.0 calls "WHITE" what TLP 2.0 calls "CLEAR".
pub(super) const CSAF: &str = ".well-known/csaf/white";
pub(super) const ROLIE: &str = ".well-known/csaf/white/csaf-feed-tlp-white.json";
pub(super) const OSV: &str = "osv";
pub(super) const ATOM: &str = "advisories.atom";
pub(super) const PAGES: &str = "advisories";
pub(super) const REPORT_KEY: &str = "advisories/report-key.txt";

/// The page of an advisory.
pub(super) fn page(id: &DocumentId) -> String {
    format!("{PAGES}/{id}.html")
}

/// The signed document itself.
pub(super) fn signed(id: &DocumentId) -> String {
    format!("{PAGES}/{id}.signed")
}

/// The name of a CSAF document below [`CSAF`]: the year in which it first appeared, and its id by the rule
/// of CSAF 2.0, section 5.1.
pub(super) fn csaf(tracking_id: &str, first: jiff::Timestamp) -> String {
    let year = first.strftime("%Y");
    let mut name = String::new();
    for letter in tracking_id.chars() {
        let letter = letter.to_ascii_lowercase();
        let stays = letter.is_ascii_alphanumeric() || "+-".contains(letter);
        if stays {
            name.push(letter);
        } else if !name.ends_with('_') {
            name.push('_');
        }
    }
    format!("{year}/{name}.json")
}

/// When the CSAF document of an advisory first appeared.
pub(super) fn first(editions: &[Edition], published: jiff::Timestamp) -> jiff::Timestamp {
    editions.first().map_or(published, |edition| edition.at)
}

/// The site's own address.
#[derive(Debug, Clone)]
pub(super) struct Addresses {
    base: String,
}

impl Addresses {
    pub(super) fn of(settings: &Settings) -> Self {
        Self {
            base: settings.address().trim_end_matches('/').to_owned(),
        }
    }

    /// The address of a file of the site.
    pub(super) fn of_path(&self, path: &str) -> String {
        format!("{}/{path}", self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rule_of_csaf() {
        let first = "2026-12-31T23:59:59Z".parse().unwrap();
        for (id, name) in [
            ("SPACECP-SA-2026-0007", "2026/spacecp-sa-2026-0007.json"),
            (
                "Example Company - 2019-YH3234",
                "2026/example_company_-_2019-yh3234.json",
            ),
            ("RHBA-2019:0024", "2026/rhba-2019_0024.json"),
            ("2022 #01-A", "2026/2022_01-a.json"),
            ("../../etc", "2026/_etc.json"),
        ] {
            assert_eq!(csaf(id, first), name);
        }
    }
}
