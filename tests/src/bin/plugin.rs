//! `cargo plugin FILE`: writes the component of the plugin, which the build of this package compiles.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};
use clap::Parser;
use spacecp_tests::artifacts;

/// Write the plugin's component, for the vendor to sign.
#[derive(Debug, Parser)]
#[command(name = "plugin", version)]
struct Arguments {
    /// File to write.
    #[arg(default_value = "advisories.wasm")]
    file: PathBuf,
}

fn main() -> Result<()> {
    let file = Arguments::parse().file;
    fs::copy(artifacts::PLUGIN, &file)
        .with_context(|| format!("cannot write {}", file.display()))?;
    Ok(())
}
