//! Notifications: who is told what happens on this panel, and what each person has read.
//!
//! [`Notifications`] reads what is the case from the services, which do not know that anybody is notified.
//!
//! What is the case is compared with what was told; the difference goes into an outbox, in one
//! transaction with the mark that it was told, and is delivered from there at least once: by mail,
//! signed webhooks, and chats. Times, digests and quiet hours are a channel's own.
//!
//! May not: say more of an advisory under embargo than its id, to anybody, in any log; repeat a text
//! of the plugin's; follow a redirection; show a secret.
#![forbid(unsafe_code)]

pub mod config;
mod delivery;
mod dispatcher;
mod error;
mod escaping;
mod gathering;
mod known_documents;
mod mail;
mod not_applied;
mod notice;
mod notice_diff;
mod notifications;
mod outbox;
mod page;
mod pause;
mod present;
mod read_state;
mod report;
mod secret;
mod templates;
mod timing;
mod web;

pub use dispatcher::Delivered;
pub use dispatcher::Dispatcher;
pub use error::{DeliveryError, NotifyError};
pub use escaping::Escaping;
pub use notice::{Facts, Installed, Kind, Notice, Numbered, Subject};
pub use notice_diff::{Fact, Told, Topic, compare};
pub use notifications::Notifications;
pub use outbox::{again, put, tidy, told};
pub use page::page as notifications_page;
pub use present::{About, Application, Decision, Exposure, NotApplied, Present};
pub use read_state::{Dismissal, Mark, ReadState, ReadingError, Returned};
pub use read_state::{dismiss, mark_all_read, mark_read, read_state, undismiss};
pub use report::report;
pub use report::{ChannelReport, GivenUp, NotifyReport};
pub use timing::{Digest, Timing, Urgent};
pub use web::{DELIVERY, SIGNATURE, TIMESTAMP};
