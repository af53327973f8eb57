//! How much somebody else's document may ask of whoever reads it, in one place.

/// Steps from one part of a document to another that it names, of which each is cheap.
pub(super) const MOST_STEPS: usize = 50_000_000;

/// What is looked at before memory is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a file with one document a line.
    pub file: u64,
    /// Bytes of one document.
    pub document: usize,
    /// Arrays and objects inside one another.
    pub depth: usize,
    /// Values of all kinds in one document, names of fields included.
    pub values: usize,
    /// Documents of one import.
    pub documents: usize,
    /// Documents that are signed and written together.
    pub batch: usize,
    /// Bytes of documents as they came, after which those that are waiting are written.
    pub batch_bytes: usize,
    /// Refusals and remarks that are listed; all are counted.
    pub listed: usize,
}

impl Default for Limits {
    /// 2 GiB a file, and of one document 4 MiB, 64 deep, 200,000 values; a million documents, written
    /// 256 or 8 MiB at a time, of which 10,000 refusals and remarks are listed. Databases of advisories
    /// have a few kB a record.
    fn default() -> Self {
        Self {
            file: 2 << 30,
            document: 4 << 20,
            depth: 64,
            values: 200_000,
            documents: 1_000_000,
            batch: 256,
            batch_bytes: 8 << 20,
            listed: 10_000,
        }
    }
}
