//! The forms of this panel's own pages, and what stands around them. They work without a script.

pub(crate) mod appointments;
pub(crate) mod exposures;
pub(crate) mod local;
pub(crate) mod notifications;
pub(crate) mod policy_form;
pub(crate) mod report_form;
