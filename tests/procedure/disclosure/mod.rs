//! Public disclosure: what everybody is told, by whom that is judged, and what nobody is told.

mod documents;
mod feed;
mod kinds;
mod retired;
mod secret;
mod sights;
mod stage;
mod written;
