//! Draws a page: for a browser, for a terminal, for a script. One value, three drawings.
//!
//! A page's texts are a stranger's. Every drawing escapes all of them, and draws every button and
//! form itself: no markup, script, form or control sequence can come out of a page.
//!
//! May not: read or write anything, ask for the time, or know what a page is about.
#![forbid(unsafe_code)]

mod blocks;
mod chart;
mod decisions;
mod frame;
pub mod html;
pub mod json;
mod listing;
pub mod page_builder;
mod paths;
pub mod progress;
pub mod terminal;
pub mod text;

pub use decisions::LONGEST_REASON;
pub use listing::{Asked, whole};
pub use paths::path;
