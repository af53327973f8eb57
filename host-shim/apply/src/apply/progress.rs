//! How far an application has come, for whoever waits for it.
//!
//! May not: hold an application up, or stop it.

/// Receives the progress of an application.
pub trait Progress: Send + Sync {
    /// A step has begun; the words are those of the journal, as `staged`.
    fn step(&self, step: &str);
    /// So many of so many files of this step are done.
    fn files(&self, done: u64, of: u64);
}

impl Progress for () {
    fn step(&self, _: &str) {}
    fn files(&self, _: u64, _: u64) {}
}
