//! Fixtures.

/// The guests that the build script made.
pub mod artifacts {
    include!(concat!(env!("OUT_DIR"), "/artifacts.rs"));
}
