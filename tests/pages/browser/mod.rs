//! Pages in a real Chromium: what becomes of hostile texts, whether everybody can read and use them, and
//! what they look like with very much on them and with nothing.

mod accessible;
mod hostile;
mod keyboard;
mod readers;
mod sights;
mod tour;
