//! An Atom feed (RFC 4287) of the newest advisories.
//!
//! Ids are `tag:` URIs (RFC 4151) of the vendor's own name and the day of publication, which no revision
//! changes; `updated` moves with each.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::{
    Public,
    addresses::{self, ATOM, Addresses, PAGES},
    pages::{self, state},
    public::Disclosed,
    settings::Settings,
    site::{Site, SiteError, Turn},
};

/// Adds the feed.
pub(super) fn write(
    public: &Public,
    settings: &Settings,
    addresses: &Addresses,
    site: &mut Site,
) -> Result<(), SiteError> {
    let newest = public.advisories.first();
    // A feed without entries was never updated.
    let updated = newest.map_or(Timestamp::UNIX_EPOCH, |one| one.advisory.modified);
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
    let name = escaped(&settings.issuer.name);
    let language = escaped(&settings.language);
    let address = escaped(&addresses.of_path(ATOM));
    let index = escaped(&addresses.of_path(&format!("{PAGES}/index.html")));
    let _ = write!(
        xml,
        "<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"{language}\">\n  \
         <id>{address}</id>\n  <title>{name}: security advisories</title>\n  \
         <updated>{updated}</updated>\n  <author><name>{name}</name></author>\n  \
         <link rel=\"self\" type=\"application/atom+xml\" href=\"{address}\"/>\n  \
         <link rel=\"alternate\" type=\"text/html\" href=\"{index}\"/>\n"
    );
    for disclosed in public.advisories.iter().take(settings.newest) {
        entry(disclosed, settings, addresses, &mut xml);
    }
    xml.push_str("</feed>\n");
    site.put(Turn::List, ATOM, xml)
}

fn entry(disclosed: &Disclosed, settings: &Settings, addresses: &Addresses, xml: &mut String) {
    let advisory = &disclosed.advisory;
    let day = advisory.published.strftime("%Y-%m-%d");
    let id = format!("tag:{},{day}:{}", settings.authority(), advisory.id);
    let page = addresses.of_path(&addresses::page(&advisory.id));
    let state = state(disclosed);
    let title = match &state {
        Some((word, _)) => format!("{word}: {}", advisory.title),
        None => advisory.title.clone(),
    };
    let mut summary = format!("{}. {}.", advisory.id, pages::severity_in_words(advisory));
    if let Some((_, words)) = &state {
        summary.push_str(&format!(" {words}"));
    }
    let content = pages::markdown(&advisory.issue).into_string();
    let _ = write!(
        xml,
        "  <entry>\n    <id>{}</id>\n    <title>{}</title>\n    <published>{}</published>\n    \
         <updated>{}</updated>\n    <link rel=\"alternate\" type=\"text/html\" href=\"{}\"/>\n    \
         <summary>{}</summary>\n    <content type=\"html\">{}</content>\n  </entry>\n",
        escaped(&id),
        escaped(&title),
        disclosed.first().min(advisory.modified),
        advisory.modified,
        escaped(&page),
        escaped(&summary),
        escaped(&content),
    );
}

/// A text as XML 1.0 can have it: what means something is written as a reference, and characters that no
/// document may have are replaced.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\t' | '\n' => escaped.push(letter),
            letter if letter.is_control() || "\u{fffe}\u{ffff}".contains(letter) => {
                escaped.push('\u{fffd}');
            }
            letter => escaped.push(letter),
        }
    }
    escaped
}
