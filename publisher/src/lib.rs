//! The vendor's security desk: everything that writes and signs.
//!
//! This is the only crate that can sign, and no panel depends on it. The rooms: [`keys`] (key
//! pairs and their files), [`passphrase`] (where a passphrase comes from), [`sign`] (one signature
//! over exact bytes), [`roots`] (who may sign what), [`drafts`] (advisories as people write them),
//! [`check`] (what may not be published), [`retire`] (what no longer holds), [`corrections`] (two trees into a correction),
//! [`foreign`] (other people's advisories), [`plugins`] (a component into a signed plugin), [`panels`] (who may
//! read what is under embargo), [`sealing`] (encrypting it to them), [`feed`] (the folder that panels follow),
//! [`broadcast`] (making it current), [`disclosure`] (telling everybody), [`bundle`] (the same as one file), [`requests`] (signing on
//! another machine), [`status`] (what expires when), and [`cli`], the program on top.
//!
//! Time is always passed in; nothing here asks a clock but the program.
#![forbid(unsafe_code)]

pub mod broadcast;
pub mod bundle;
pub mod cases;
pub mod check;
pub mod cli;
mod contributory;
pub mod corrections;
pub mod disclosure;
pub mod drafts;
mod durable;
pub mod feed;
pub mod foreign;
pub mod keys;
mod markdown;
pub mod panels;
pub mod passphrase;
pub mod plugins;
pub mod report;
pub mod requests;
pub mod retire;
pub mod roots;
pub mod sealing;
pub mod sign;
pub mod status;
