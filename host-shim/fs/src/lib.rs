//! Files and directories of the panel's own: private modes, locks between processes, digests of long files.
//!
//! The lowest crate of the panel's side: it knows the contract's digests and nothing else of the panel.
//!
//! May not: open or change anything that belongs to a component, which only the crate that applies corrections
//! does; decide where anything lies.
#![forbid(unsafe_code)]

pub mod hashing;
pub mod private_files;
mod process_lock;
pub mod regular_file;
pub mod unfinished;

use std::io;

pub use private_files::OwnPlaceError;
pub use process_lock::{OneProcess, OneProcessError};

/// Whether the system refused to write for want of space.
pub fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}
