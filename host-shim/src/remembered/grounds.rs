//! What a report rests on: two reports that rest on the same say the same.
//!
//! Time is not among it. A verdict knows no clock, and what does – how fresh the vendor's word is, whether a
//! decision still holds – is looked at anew by whoever shows a report.

use spacecp_contract::Digest;

use crate::store::Cursor;

/// Another number whenever the same grounds would lead to another report, or be kept in another form.
const EDITION: u32 = 1;

/// Everything that the verdicts of a report follow from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grounds {
    /// The component of the plugin whose word it is, as its signed manifest names it.
    pub plugin: Digest,
    /// The last document of the feed that the plugin was given.
    pub documents: Cursor,
    /// The signed index that names these documents.
    pub index: Digest,
    /// What is installed, by the fingerprint of the inventory.
    pub inventory: String,
    /// What administrators decided, and how that stands now.
    pub decisions: Digest,
}

impl Grounds {
    /// One digest for all of it, and for the form in which this program keeps reports.
    pub fn digest(&self) -> Digest {
        let program = env!("CARGO_PKG_VERSION");
        // Debug quotes, so that no two parts can be mistaken for one.
        Digest::of(format!("{EDITION} {program:?} {self:?}").as_bytes())
    }
}
