//! What is in a JAR: the plugins and mods that it describes, the libraries that were put into it, and
//! the archives inside it, as deep as the limits allow.
//!
//! A library counts as found where Maven left its `pom.properties`, or where an archive lies at the
//! path that Maven's layout gives it. One whose build removed both is not found: there is no name then
//! that could be told from its bytes.

mod archive;
mod artifact;
mod describe;
mod server;
mod walk;

pub(crate) use walk::{Role, read, read_bytes};
