//! A notification's copy for one channel.

use crate::{notice::Numbered, templates::Message};

/// A message with the notices in it; a trial has none.
#[derive(Debug)]
pub(super) struct Delivery {
    /// The same whenever these notices are sent again.
    pub(super) id: String,
    pub(super) notices: Vec<Numbered>,
    pub(super) message: Message,
}
