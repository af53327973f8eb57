//! Databases that are damaged, a page at a time: what can be fetched again is, and what cannot be is named; nothing
//! that is damaged keeps anybody from recovering or rolling back.

mod feed;
mod full;
mod lost;
mod own;
pub(crate) mod stage;
