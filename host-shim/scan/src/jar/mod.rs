//! What is in a JAR: the plugins and mods that it describes, the libraries that were put into it, and
//! the archives inside it, as deep as the limits allow.
//!
//! A library counts as found where Maven left its `pom.properties` or `pom.xml`, where Forge is told what it is, where
//! an archive lies at the path that Maven's layout gives it, or where manifest and file name agree. Where its build
//! left nothing but its classes, and they are of a library that is known ([`known`]), it is found in an unknown
//! version. An archive with code that says in none of these ways what it is is named as unread.
//!
//! Entries are looked at by their contents, whatever they are called, but for classes: one that is an archive itself
//! is not found.

mod archive;
mod artifact;
mod contents;
mod deflated;
mod describe;
mod known;
mod loader;
mod pom;
mod server;
mod walk;

pub(crate) use artifact::is_archive as is_archive_by_name;
pub(crate) use artifact::is_packed_archive;
pub(crate) use loader::Loader;
pub(crate) use walk::{Role, is_in, read, read_bytes};
