//! Compiled plugins that the panels of a test program share.
//!
//! All of them run the same plugin, and compiling it takes longer than most tests. May not: put anything
//! there; panels do, by the digest of what they compiled.

use std::{
    fs::DirBuilder,
    os::unix::fs::{DirBuilderExt, symlink},
    path::Path,
};

use anyhow::Result;

/// Has the panel with this state folder, which is made if it is not there, keep what it compiles below the
/// folder `target` of the test program.
pub fn share(target: &Path, state: &Path) -> Result<()> {
    let shared = target.join("compiled-plugins");
    let private = |folder: &Path| DirBuilder::new().recursive(true).mode(0o700).create(folder);
    private(&shared)?;
    private(state)?;
    symlink(&shared, state.join("plugin-cache"))?;
    Ok(())
}
