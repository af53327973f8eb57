//! CSAF 2.0, section 7: a provider's directory of documents, and the metadata that leads to it.
//!
//! The role is `csaf_provider`: documents under well-known names in one folder a year, listed in
//! `index.txt`, `changes.csv`, a ROLIE feed and a page to walk through, with their hashes. A trusted provider
//! would sign each of them with `OpenPGP`, and signatures here are minisign's. A publisher gives out its own
//! documents only, so those that others wrote are left to them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256, Sha512};
use spacecp_contract::{Advisory, DocumentId};
use spacecp_formats::{
    Format,
    csaf::{Circumstances, Successor, document},
    restore,
};

use super::{
    Omission, Omitted, Public,
    addresses::{self, Addresses, CSAF, PROVIDER, ROLIE},
    listing,
    public::Disclosed,
    settings::Settings,
    site::{Site, SiteError, Turn},
};

/// The names of documents below [`CSAF`], by advisory.
pub(super) type Names = BTreeMap<DocumentId, String>;

/// A document that is given out.
struct Given<'a> {
    of: &'a Disclosed,
    name: String,
    changed: String,
}

/// Adds the documents and what lists them; says the name of each.
pub(super) fn write(
    public: &Public,
    settings: &Settings,
    addresses: &Addresses,
    site: &mut Site,
    omitted: &mut Vec<Omitted>,
) -> Result<Names, SiteError> {
    let mut given = Vec::new();
    for disclosed in &public.advisories {
        let made = match made(disclosed, public, settings, addresses) {
            None => continue,
            Some(Ok(made)) => made,
            Some(Err(reason)) => {
                let id = disclosed.advisory.id.clone();
                let format = Format::Csaf;
                omitted.push(Omitted { id, format, reason });
                continue;
            }
        };
        let name = name(disclosed, Some(&made));
        let bytes = format!("{made:#}\n");
        let path = format!("{CSAF}/{name}");
        let file = name.rsplit('/').next().unwrap_or(&name);
        for (suffix, hash) in [
            ("sha256", hex::encode(Sha256::digest(&bytes))),
            ("sha512", hex::encode(Sha512::digest(&bytes))),
        ] {
            let line = format!("{hash}  {file}\n");
            site.put(Turn::Beside, format!("{path}.{suffix}"), line)?;
        }
        site.put(Turn::Document, path, bytes)?;
        let changed = made.pointer("/document/tracking/current_release_date");
        let changed = changed
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        given.push(Given {
            of: disclosed,
            name,
            changed,
        });
    }
    list(&given, addresses, settings, site)?;
    let names = given.into_iter();
    Ok(names
        .map(|one| (one.of.advisory.id.clone(), one.name))
        .collect())
}

/// The document of an advisory; nothing where others publish it.
fn made(
    disclosed: &Disclosed,
    public: &Public,
    settings: &Settings,
    addresses: &Addresses,
) -> Option<Result<Value, Omission>> {
    let advisory = &disclosed.advisory;
    if let Some(came) = restore(Format::Csaf, advisory) {
        let ours = |came: &Value| {
            let namespace = came.pointer("/document/publisher/namespace");
            namespace.and_then(Value::as_str) == Some(&settings.issuer.namespace)
        };
        return match came {
            Ok(came) if !ours(&came) => None,
            came => Some(came.map_err(Omission::from)),
        };
    }
    let of = |name: String| addresses.of_path(&format!("{CSAF}/{name}"));
    let successors: Vec<Successor> = disclosed
        .successors
        .iter()
        .map(|one| Successor {
            url: public.get(&one.id).map(|newer| of(name(newer, None))),
            ..one.clone()
        })
        .collect();
    let circumstances = Circumstances {
        editions: &disclosed.editions,
        language: Some(&settings.language),
        address: Some(of(name(disclosed, None))),
        page: Some(addresses.of_path(&addresses::page(&advisory.id))),
        successors: &successors,
    };
    let made = document(advisory, &settings.issuer, &circumstances);
    Some(made.map_err(Omission::from))
}

/// The name of a document: by what it says itself, where it came as it is.
fn name(disclosed: &Disclosed, made: Option<&Value>) -> String {
    let said = |place: &str| {
        let said = made.and_then(|made| made.pointer(place));
        said.and_then(Value::as_str)
    };
    let id = said("/document/tracking/id").unwrap_or(&disclosed.advisory.id);
    let first = said("/document/tracking/initial_release_date");
    let first = first.and_then(|first| first.parse().ok());
    addresses::csaf(id, first.unwrap_or_else(|| disclosed.first()))
}

fn list(
    given: &[Given<'_>],
    addresses: &Addresses,
    settings: &Settings,
    site: &mut Site,
) -> Result<(), SiteError> {
    let mut by_name: Vec<&Given<'_>> = given.iter().collect();
    by_name.sort_by(|one, other| other.name.cmp(&one.name));
    let mut lines = String::new();
    for one in &by_name {
        lines.push_str(&one.name);
        lines.push('\n');
    }
    site.put(Turn::List, format!("{CSAF}/index.txt"), lines)?;
    let mut by_date: Vec<(Option<Timestamp>, &Given<'_>)> = given
        .iter()
        .map(|one| (one.changed.parse().ok(), one))
        .collect();
    by_date.sort_by(|(one, a), (other, b)| other.cmp(one).then_with(|| a.name.cmp(&b.name)));
    let line = |(_, one): &(_, &Given<'_>)| format!("\"{}\",\"{}\"\n", one.name, one.changed);
    let lines: String = by_date.iter().map(line).collect();
    site.put(Turn::List, format!("{CSAF}/changes.csv"), lines)?;
    let entries: Vec<Value> = by_date
        .iter()
        .map(|(_, one)| entry(one, addresses))
        .collect();
    let latest = by_date.first().map(|(_, one)| one.changed.clone());
    let feed = rolie(&entries, latest, settings, addresses);
    site.put(Turn::List, ROLIE, format!("{feed:#}\n"))?;
    walk(&by_name, site)
}

/// A ROLIE feed (RFC 8322) as CSAF asks for it: as JSON, with everything of one label.
fn rolie(
    entries: &[Value],
    latest: Option<String>,
    settings: &Settings,
    addresses: &Addresses,
) -> Value {
    json!({ "feed": {
        "id": "csaf-feed-tlp-white",
        "title": format!("{}: public security advisories", settings.issuer.name),
        "link": [{ "rel": "self", "href": addresses.of_path(ROLIE) }],
        "category": [{
            "scheme": "urn:ietf:params:rolie:category:information-type",
            "term": "csaf",
        }],
        // A feed without entries was never updated.
        "updated": latest.unwrap_or_else(|| Timestamp::UNIX_EPOCH.to_string()),
        "entry": entries,
    } })
}

fn entry(given: &Given<'_>, addresses: &Addresses) -> Value {
    let advisory: &Advisory = &given.of.advisory;
    let url = addresses.of_path(&format!("{CSAF}/{}", given.name));
    json!({
        "id": advisory.id,
        "title": advisory.title,
        "link": [
            { "rel": "self", "href": url },
            { "rel": "hash", "href": format!("{url}.sha256") },
            { "rel": "hash", "href": format!("{url}.sha512") },
        ],
        "published": given.of.first(),
        "updated": given.changed,
        "content": { "type": "application/json", "src": url },
        "format": {
            "schema": "https://docs.oasis-open.org/csaf/csaf/v2.0/csaf_json_schema.json",
            "version": "2.0",
        },
    })
}

/// What a server's own listing of folders would show, for servers that show none.
fn walk(given: &[&Given<'_>], site: &mut Site) -> Result<(), SiteError> {
    let mut years: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for one in given {
        if let Some((year, name)) = one.name.split_once('/') {
            let files = years.entry(year).or_default();
            files.extend(["", ".sha256", ".sha512"].map(|suffix| format!("{name}{suffix}")));
        }
    }
    let top = ["changes.csv", "csaf-feed-tlp-white.json", "index.txt"].map(str::to_owned);
    let folders = years.keys().map(|year| format!("{year}/"));
    let names: Vec<String> = folders.chain(top).collect();
    site.put(
        Turn::List,
        format!("{CSAF}/index.html"),
        listing::page("white", &names),
    )?;
    for (year, names) in &years {
        let names: Vec<String> = names.iter().cloned().collect();
        let page = listing::page(year, &names);
        site.put(Turn::List, format!("{CSAF}/{year}/index.html"), page)?;
    }
    Ok(())
}

/// Adds the metadata. Its date is that of `before` as long as nothing else changes.
pub(super) fn provider(
    settings: &Settings,
    addresses: &Addresses,
    before: Option<&[u8]>,
    now: Timestamp,
    site: &mut Site,
) -> Result<(), SiteError> {
    let mut metadata = json!({
        "canonical_url": addresses.of_path(PROVIDER),
        "distributions": [
            { "rolie": { "feeds": [{
                "summary": "All public advisories.",
                "tlp_label": "WHITE",
                "url": addresses.of_path(ROLIE),
            }] } },
            { "directory_url": addresses.of_path(&format!("{CSAF}/")) },
        ],
        "list_on_CSAF_aggregators": settings.listed,
        "metadata_version": "2.0",
        "mirror_on_CSAF_aggregators": settings.mirrored,
        "publisher": {
            "category": "vendor",
            "name": settings.issuer.name,
            "namespace": settings.issuer.namespace,
        },
        "role": "csaf_provider",
    });
    metadata["last_updated"] = json!(last_updated(&metadata, before).unwrap_or(now));
    site.put(Turn::List, PROVIDER, format!("{metadata:#}\n"))
}

/// The date of metadata that says the same.
fn last_updated(metadata: &Value, before: Option<&[u8]>) -> Option<Timestamp> {
    let mut before: Value = serde_json::from_slice(before?).ok()?;
    let date = before.as_object_mut()?.remove("last_updated")?;
    let date = date.as_str()?.parse().ok()?;
    (before == *metadata).then_some(date)
}
