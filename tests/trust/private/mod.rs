//! The private broadcast: read by those it is for, and saying nothing to anybody else.

mod entitled;
mod hostile;
mod mended;
mod payloads;
mod peer;
pub(super) mod stage;
