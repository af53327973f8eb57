//! What a package brings: a configuration that can be used, a unit that systemd understands, and
//! every file that the package names.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use spacecp_advisories::config::Config;
use tempfile::TempDir;

fn host_shim() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../host-shim")
}

fn unit() -> PathBuf {
    host_shim().join("packaging/spacecp-advisories.service")
}

#[test]
fn the_configuration_that_is_shipped_can_be_used_as_it_is() -> Result<()> {
    let config = Config::load(&host_shim().join("packaging/config.toml"))?;
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
    let config = Config::load(&host_shim().join("packaging/config.toml"))?;
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

#[test]
fn systemd_understands_the_unit() -> Result<()> {
    let folder = TempDir::new()?;
    let placed = folder.path().join("spacecp-advisories.service");
    // The program is not installed here; any other does for this.
    let text = fs::read_to_string(unit())?;
    fs::write(
        &placed,
        text.replace("/usr/bin/spacecp-advisories", "/bin/true"),
    )?;
    let mut verify = Command::new("systemd-analyze");
    let verified = match verify.args(["verify", "--man=no"]).arg(&placed).output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        verified => verified?,
    };
    let said = String::from_utf8(verified.stderr)?;
    let about_it = said
        .lines()
        .filter(|line| line.contains("spacecp-advisories"));
    assert_eq!(about_it.collect::<Vec<_>>(), Vec::<&str>::new(), "{said}");
    Ok(())
}

#[test]
fn every_file_that_the_package_names_is_there() -> Result<()> {
    let manifest = fs::read_to_string(host_shim().join("Cargo.toml"))?;
    let manifest: toml::Table = toml::from_str(&manifest)?;
    let assets = manifest["package"]["metadata"]["deb"]["assets"]
        .as_array()
        .context("the package has assets")?;
    assert_eq!(assets.len(), 3);
    for asset in assets {
        let source = asset[0].as_str().context("an asset has a source")?;
        // The program is there once it is built.
        if !source.starts_with("target/release/") {
            assert!(host_shim().join(source).is_file(), "{source}");
        }
    }
    Ok(())
}
