//! Cases: the vendor's side of the disclosure policy, from a report to its disclosure.
//!
//! [`state_machine`] has the policy's states and transitions, [`status`] how far a case is, [`case`] one case,
//! and [`deadlines`] what is overdue: all pure. [`case_store`] keeps cases as text files that a team has in its
//! own version control ([`file_format`], [`report_text`]); the finder's identity lies apart, encrypted
//! ([`finder`]). [`advisory`] is what a case says for its advisory and forbids it, [`review`] the copy of the
//! advisory for the finder, [`policy`] what the disclosure policy says of a broadcast, [`transition`] what a broadcast means for a case, and [`id`] what a case is called.

pub mod advisory;
pub mod case;
pub mod case_store;
pub mod deadlines;
pub mod file_format;
pub mod finder;
pub mod id;
pub mod policy;
pub mod report_text;
pub mod review;
pub mod state_machine;
pub mod status;
pub mod transition;
