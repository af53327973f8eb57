//! What a report rests on: two reports that rest on the same say the same.
//!
//! Who asks is not among it, for there is one report for all: what is under embargo is marked in it, and whoever
//! shows it leaves out what a reader may not see. Nor is time. A verdict knows no clock, and what does – how fresh the vendor's word is, whether a
//! decision still holds – is looked at anew by whoever shows a report.

use std::fmt::Debug;

use spacecp_contract::Digest;
use spacecp_store::Cursor;

/// Another number whenever the same grounds would lead to another answer, or be kept in another form.
const EDITION: u32 = 4;

/// Everything that the verdicts of a report follow from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheKey {
    /// The plugin whose word it is: its signed manifest, which names the component.
    pub plugin: Digest,
    /// The last document of the feed that the plugin was given.
    pub documents: Cursor,
    /// The signed index that names these documents.
    pub index: Digest,
    /// What is installed, by the fingerprint of the inventory.
    pub inventory: String,
    /// What administrators decided, and how that stands now.
    pub decisions: Digest,
    /// What the configuration says of all of this.
    pub configuration: Digest,
}

impl CacheKey {
    /// One digest for all of it, and for the form in which this program keeps reports.
    pub fn digest(&self) -> Digest {
        digest(self)
    }
}

/// One digest for the grounds of an answer, and for the form in which this program keeps it.
pub fn digest(grounds: &impl Debug) -> Digest {
    let program = env!("CARGO_PKG_VERSION");
    // Debug quotes, so that no two parts can be mistaken for one.
    Digest::of(format!("{EDITION} {program:?} {grounds:?}").as_bytes())
}
