//! Recovery from stolen keys: what only a thief has listed is gone from a panel, and the vendor is followed again.

mod after;
mod epochs;
mod logged;
mod scene;
mod wire;
