//! A thief with a vendor's keys, and a panel that applies corrections by itself: before and after the recovery.

mod embargoed;
mod logged;
mod panel;
mod plugin;
mod recovered;
