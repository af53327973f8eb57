//! What a package brings: a configuration that can be used, and a unit that fits it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use spacecp_advisories::config::Config;

fn packaging() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging")
}

fn unit() -> PathBuf {
    packaging().join("spacecp-advisories.service")
}

#[test]
fn the_configuration_that_is_shipped_can_be_used_as_it_is() -> Result<()> {
    let config = Config::load(&packaging().join("config.toml"))?;
    assert!(
        config.serve.users.is_empty(),
        "nobody knows a password that is shipped"
    );
    assert!(config.serve.listen.ip().is_loopback());
    assert!(config.serve.secure_cookie);
    assert!(
        !config.policy.initial().automatic,
        "nothing is applied unasked"
    );
    let folders = config.components.iter().map(|component| &component.folder);
    for folder in folders {
        assert!(folder.starts_with("/home/SpaceCP/spacecp"), "{folder:?}");
    }
    Ok(())
}

#[test]
fn the_unit_lets_the_shim_write_where_the_configuration_says_and_starts_it_with_that() -> Result<()>
{
    let unit = fs::read_to_string(unit())?;
    let config = Config::load(&packaging().join("config.toml"))?;
    let state = config.state.file_name().and_then(|name| name.to_str());
    let state = state.context("the state has a folder")?;
    assert!(unit.contains(&format!(
        "\nStateDirectory={state}\nStateDirectoryMode=0700\n"
    )));
    let writable = unit
        .lines()
        .find_map(|line| line.strip_prefix("ReadWritePaths=-"))
        .context("it names what may be written")?;
    for component in &config.components {
        // The exchange renames folders, so the one around them has to be written, too.
        let around = component.folder.parent().context("it is in a folder")?;
        assert!(around.starts_with(writable), "{}", component.name);
    }
    assert!(unit.contains("--config /etc/spacecp-advisories/config.toml serve\n"));
    Ok(())
}
