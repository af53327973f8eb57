//! Records that describe no vulnerability, as the advisory database of Rust marks them.
//!
//! <https://github.com/rustsec/advisory-db>: `informational` in `database_specific`, of the record or of each of
//! its packages.

use serde_json::Value;
use spacecp_contract::NoticeKind;

use super::record::Record;

/// What a record is, if it is a notice about everything that it names.
pub(super) fn of(record: &Record) -> Option<NoticeKind> {
    if let Some(kind) = kind(record.database_specific.as_ref()) {
        return Some(kind);
    }
    let packages = record.affected.iter().flatten();
    let mut kinds = packages.map(|affected| kind(affected.database_specific.as_ref()));
    let first = kinds.next()??;
    // What is a vulnerability for one package is one.
    kinds.all(|kind| kind.is_some()).then_some(first)
}

fn kind(specific: Option<&Value>) -> Option<NoticeKind> {
    let word = specific?.get("informational")?.as_str()?;
    Some(match word {
        "unmaintained" => NoticeKind::Unmaintained,
        "unsound" => NoticeKind::Unsound,
        "notice" => NoticeKind::Notice,
        _ => NoticeKind::Other,
    })
}
