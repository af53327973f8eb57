//! The fixture language of the whole-system tests, and the demo.

pub mod apart;
pub mod authority;
pub mod axe;
pub mod browser;
pub mod catalog;
pub mod compiled;
pub mod corpus;
pub mod demo;
pub mod feed_server;
pub mod ground;
pub mod hand_signed;
pub mod http;
pub mod jar;
pub mod npm;
pub mod object_server;
pub mod scratch;
pub mod settings;
pub mod siege;
pub mod vendor;

/// The guests that the build script made.
pub mod artifacts {
    include!(concat!(env!("OUT_DIR"), "/artifacts.rs"));
}
