//! OSV records, laid out as OSV's own buckets are: one file a record, `modified_id.csv` and `all.zip`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};
use spacecp_contract::DocumentId;
use spacecp_formats::{Format, osv, restore};

use super::{
    DisclosureError, Omission, Omitted, Public,
    addresses::{self, Addresses, OSV},
    archive,
    public::Disclosed,
    site::{Site, SiteError, SitePath, Turn},
};

/// The names of records below [`OSV`], by advisory.
pub(super) type Names = BTreeMap<DocumentId, String>;

/// Adds the records and what lists them; says the name of each.
pub(super) fn write(
    public: &Public,
    addresses: &Addresses,
    site: &mut Site,
    omitted: &mut Vec<Omitted>,
) -> Result<Names, DisclosureError> {
    let mut names = Names::new();
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut rows: Vec<(Timestamp, String)> = Vec::new();
    for disclosed in &public.advisories {
        let advisory = &disclosed.advisory;
        let record = match record(disclosed, addresses) {
            Ok(record) => record,
            Err(reason) => {
                let (id, format) = (advisory.id.clone(), Format::Osv);
                omitted.push(Omitted { id, format, reason });
                continue;
            }
        };
        let id = file_id(disclosed);
        let name = format!("{id}.json");
        let bytes = format!("{record:#}\n").into_bytes();
        site.put(Turn::Document, format!("{OSV}/{name}"), bytes.clone())?;
        files.insert(name.clone(), bytes);
        rows.push((advisory.modified, id));
        names.insert(advisory.id.clone(), name);
    }
    rows.sort_by(|one, other| other.cmp(one));
    let rows = rows
        .iter()
        .map(|(modified, id)| format!("{modified},{id}\n"));
    site.put(
        Turn::List,
        format!("{OSV}/modified_id.csv"),
        rows.collect::<String>(),
    )?;
    let zip = archive::zip(&files).map_err(DisclosureError::Archive)?;
    site.put(Turn::List, format!("{OSV}/all.zip"), zip)?;
    Ok(names)
}

/// The id of a record as the name of its file; ours where that of its source is no name.
fn file_id(disclosed: &Disclosed) -> String {
    let id = osv::id(&disclosed.advisory);
    let is_name: Result<SitePath, SiteError> = SitePath::new(format!("{id}.json"));
    if is_name.is_ok() && !id.contains('/') && !id.starts_with('.') {
        return id;
    }
    format!("x_{}", disclosed.advisory.id)
}

fn record(disclosed: &Disclosed, addresses: &Addresses) -> Result<Value, Omission> {
    let advisory = &disclosed.advisory;
    if let Some(came) = restore(Format::Osv, advisory) {
        return came.map_err(Omission::from);
    }
    let mut record = osv::document(advisory);
    let page = addresses.of_path(&addresses::page(&advisory.id));
    let page = json!({ "type": "ADVISORY", "url": page });
    match record.get_mut("references").and_then(Value::as_array_mut) {
        Some(references) => references.insert(0, page),
        None => record["references"] = json!([page]),
    }
    Ok(record)
}
