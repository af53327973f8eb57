//! The fixture language of the whole-system tests, and the demo.

pub mod browser;
pub mod catalog;
pub mod feed_server;
pub mod ground;

/// The guests that the build script made.
pub mod artifacts {
    include!(concat!(env!("OUT_DIR"), "/artifacts.rs"));
}
