//! Follows a feed: fetches its files, has them verified, and makes what they say durable.
//!
//! [`fetch`] brings bytes and believes nothing; [`sync`] asks for what the verifier wants and puts it into the
//! store; [`identity`] is what this panel reads with what is encrypted to it alone.
//!
//! May not: decide what to believe, which is `spacecp-trust`'s; know what is installed or done with the news.
#![forbid(unsafe_code)]

mod config;
pub mod fetch;
pub mod identity;
pub mod sync;

pub use config::{FeedConfig, Places};
