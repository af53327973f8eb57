//! Cases: the vendor's side of the disclosure policy, from a report to its disclosure.
//!
//! [`course`] is the policy (what may follow on what), [`case`] one case by it, [`deadlines`] what is
//! overdue: all three pure. [`id`] is what a case is called. [`desk`] keeps cases as text files that a team
//! has in its own git, [`written`] and [`report_text`]; the finder's identity lies apart, encrypted
//! ([`finder`]). [`advisory`] is what a case says for its advisory and forbids it, [`review`] the copy of it
//! for the finder.

pub mod advisory;
pub mod case;
pub mod course;
pub mod deadlines;
pub mod desk;
pub mod finder;
pub mod id;
pub mod report_text;
pub mod review;
pub mod written;
