//! A plugin that misbehaves on request, for the tests of the host's limits.
//!
//! Which way is asked for by the page: `advisory("loops")` loops. Natively the crate is only the
//! list of ways, so that a test which forgets one does not compile.

/// The ways to misbehave, and beside each the honest way that stays within the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// Answers with a small page.
    Honest,
    /// Loops for ever.
    Loops,
    /// Works for a while, within its time.
    Works,
    /// Allocates without end.
    Allocates,
    /// Allocates a little.
    AllocatesALittle,
    /// Panics.
    Panics,
    /// Calls itself without end.
    Recurses,
    /// Calls itself a few times.
    RecursesALittle,
    /// Answers with a page of 100 MB.
    HugePage,
    /// Answers with a page of a million blocks.
    ManyBlocks,
    /// Answers with 60,000 characters that take four bytes each when they are escaped.
    EscapedPage,
    /// Answers with 10,000 of them.
    EscapedPageALittle,
    /// Answers with a table whose rows do not fit its head.
    RaggedTable,
    /// Logs without end.
    LogsWithoutEnd,
    /// Logs one line of a hundred kilobytes, with control characters.
    LogsALongLine,
    /// Logs lines that make a megabyte together, with direction marks.
    LogsMegabytes,
    /// Remembers more than it may, and says how that ended.
    Hoards,
    /// Remembers empty values under many names, and says how that ended.
    HoardsNames,
    /// Sets and removes keys, again and again, and says how that ended.
    SetsAndRemoves,
    /// Removes what it remembered as `key-NNNNNN`, sets the same under other names, and says how that ended.
    Replaces,
    /// Remembers a little.
    Remembers,
    /// Remembers a little and panics.
    RemembersAndPanics,
    /// Says what it remembers.
    Recalls,
    /// Asks the host the same again and again, without end.
    AsksWithoutEnd,
    /// Asks the host for something slow, once.
    AsksOnce,
    /// Hands the host a state value larger than a call may hand over.
    HandsOverTooMuch,
    /// Asks for the documents that its state names under `fetch`, and says what it was given.
    Fetches,
}

impl Behaviour {
    /// Every way.
    pub const ALL: [Self; 27] = [
        Self::Honest,
        Self::Loops,
        Self::Works,
        Self::Allocates,
        Self::AllocatesALittle,
        Self::Panics,
        Self::Recurses,
        Self::RecursesALittle,
        Self::HugePage,
        Self::ManyBlocks,
        Self::EscapedPage,
        Self::EscapedPageALittle,
        Self::RaggedTable,
        Self::LogsWithoutEnd,
        Self::LogsALongLine,
        Self::LogsMegabytes,
        Self::Hoards,
        Self::HoardsNames,
        Self::SetsAndRemoves,
        Self::Replaces,
        Self::Remembers,
        Self::RemembersAndPanics,
        Self::Recalls,
        Self::AsksWithoutEnd,
        Self::AsksOnce,
        Self::HandsOverTooMuch,
        Self::Fetches,
    ];

    /// The name by which a page asks for it.
    pub fn name(self) -> String {
        format!("{self:?}")
    }

    /// The way of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|behaviour| behaviour.name() == name)
    }
}

#[cfg(target_arch = "wasm32")]
#[allow(
    missing_docs,
    unsafe_code,
    clippy::all,
    clippy::pedantic,
    reason = "generated from the *.wit files"
)]
mod bindings {
    wit_bindgen::generate!({ path: "../../../wit", world: "plugin", pub_export_macro: true });
}

#[cfg(target_arch = "wasm32")]
#[allow(unsafe_code, reason = "the exports are generated")]
mod guest;
