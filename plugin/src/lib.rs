//! The advisories plugin: decisions and presentation, compiled to a WebAssembly component.
//!
//! It has no I/O, no clock and no randomness of its own: what it knows, the panel hands to it
//! through the interfaces of `wit/`, and the only thing it can do is to answer. Everything but
//! [`guest`] is plain Rust that runs anywhere, so it is tested and measured natively as well.

#[allow(
    missing_docs,
    unsafe_code,
    clippy::all,
    clippy::pedantic,
    unreachable_pub,
    reason = "generated from the *.wit files"
)]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../wit",
        world: "plugin",
        pub_export_macro: true,
        additional_derives: [PartialEq],
    });
}

pub mod decisions;
pub mod exposure;
#[allow(unsafe_code, reason = "the exports are generated")]
pub mod guest;
pub mod headline;
pub mod knowledge;
pub mod markdown;
pub mod pages;
pub mod plan;
mod running;
pub mod severity;
mod supersession;
mod verdicts;
mod words;
