//! Other people's advisories, imported into a feed and exported from it.
//!
//! [`document_files`] finds the documents in files, [`importer`] decides what each is to a feed, and
//! [`exporter`] writes what a feed has broadcast. The formats themselves are [`spacecp_formats`].

pub mod document_files;
pub mod exporter;
pub mod importer;
