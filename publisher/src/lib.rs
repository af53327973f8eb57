//! The vendor's security desk: everything that writes and signs.
//!
//! This is the only crate that can sign, and no panel depends on it. Each module has one duty, and uses those
//! above it in this list:
//!
//! - Keys and files: [`keys`], [`passphrase`], [`sign`] (one signature over exact bytes), `regular_file` (files
//!   that a person named), [`private_files`] (the desk for its owner alone), `feed_directory` (every file below a published folder, by handles).
//! - Documents: [`drafts`], [`check`] (what may not be published), [`withdraw`], [`corrections`] (two trees into a
//!   correction), [`plugins`], [`roots`] (who may sign what).
//! - Cases: [`report`] (what a finder encrypted to the desk), [`cases`] (their state machine, and what the
//!   disclosure policy forbids).
//! - What panels follow: [`panels`] and [`sealing`] (who reads what is under embargo), [`record`] (what this desk has
//!   published), [`feed`] (the published folder and the desk's outbox), [`reconcile`] (the two compared, and interrupted
//!   commands finished or undone).
//! - Services: [`signing`] adds documents, [`publish`] makes them current, [`recovery`] goes on where folder and record
//!   differ, [`requests`] has signatures made on other machines, [`external`] imports and exports other people's
//!   advisories, [`disclosure`] tells everybody, [`bundle`] writes a feed as one file, [`hand_over`]
//!   what a panel is set up from, [`status`] says what expires when.
//! - [`cli`] is the program on top.
//!
//! Time is always passed in; nothing here asks a clock but the program.
#![forbid(unsafe_code)]

pub mod bundle;
pub mod cases;
pub mod check;
pub mod cli;
mod contributory;
pub mod corrections;
pub mod disclosure;
pub mod drafts;
mod durable;
pub mod external;
pub mod feed;
mod feed_directory;
pub mod hand_over;
mod keypair_files;
pub mod keys;
mod markdown;
pub mod panels;
pub mod passphrase;
pub mod plugins;
pub mod private_files;
pub mod products;
pub mod publish;
pub mod reconcile;
pub mod record;
pub mod recovery;
mod regular_file;
pub mod report;
pub mod requests;
pub mod roots;
pub mod sealing;
pub mod sign;
pub mod signing;
pub mod status;
pub mod withdraw;
