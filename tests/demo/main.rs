//! The main job, end to end: the demo's own program, a real browser, files on a real disk.

mod disclosure;
mod enrolled;
mod journey;
mod offline;
mod program;

use std::path::Path;

use anyhow::Result;
use spacecp_tests::demo::{Demo, Login};

/// A demo of its own for a test.
async fn rehearse(login: Login) -> Result<Demo> {
    Demo::rehearse(login, Path::new(env!("CARGO_TARGET_TMPDIR"))).await
}
