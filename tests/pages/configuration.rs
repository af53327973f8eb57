//! What an administrator is told about a configuration that cannot be used.

use std::fs;

use anyhow::{Context, Result};
use insta::assert_snapshot;
use spacecp_advisories::config::Config;

const SOUND: &str = r#"state = "state"

[feed]
from = "https://advisories.example/feed/"
audience = "customers"
root = "1.root"

[plugin]
manifest = "advisories.manifest"
component = "advisories.wasm"

[[component]]
name = "houston"
advisory-name = "spacecp:houston"
scheme = "semver"
folder = "houston"
version = { file = "package.json", pointer = "/version" }
"#;

/// The complaint about the sound configuration with `old` replaced by `new`.
fn complaint(old: &str, new: &str) -> Result<String> {
    let folder = spacecp_tests::scratch::folder()?;
    fs::create_dir(folder.path().join("houston"))?;
    assert!(SOUND.contains(old), "{old:?} is not in it");
    let path = folder.path().join("panel.toml");
    fs::write(&path, SOUND.replace(old, new))?;
    let error = Config::load(&path).err().context("it was taken")?;
    Ok(error
        .to_string()
        .replace(&folder.path().display().to_string(), "/etc"))
}

#[test]
fn a_sound_configuration_is_taken_and_its_paths_begin_at_its_folder() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    fs::create_dir(folder.path().join("houston"))?;
    let path = folder.path().join("panel.toml");
    fs::write(&path, SOUND)?;
    let config = Config::load(&path)?;
    assert_eq!(config.state, folder.path().join("state"));
    assert_eq!(config.components[0].folder, folder.path().join("houston"));
    assert_eq!(
        config.feed.from.iter().collect::<Vec<_>>(),
        ["https://advisories.example/feed/"]
    );
    Ok(())
}

#[test]
fn a_component_whose_disk_is_not_mounted_is_no_mistake_of_the_configuration() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let path = folder.path().join("panel.toml");
    fs::write(&path, SOUND)?;
    // The rest can be put right only if the configuration is taken; the component is unknown.
    let config = Config::load(&path)?;
    let inventory = spacecp_advisories::inventory::Inventory::read(&config.components);
    let version = inventory.components[0].version.as_ref();
    let problem = version.err().context("nobody can read it")?.to_string();
    assert!(problem.contains("houston"), "{problem}");
    Ok(())
}

#[test]
fn a_file_that_is_not_there_is_named() -> Result<()> {
    let error = Config::load("/nowhere/panel.toml".as_ref())
        .err()
        .context("it was taken")?;
    assert_snapshot!(error);
    Ok(())
}

#[test]
fn a_mistake_is_shown_with_its_line_and_column() -> Result<()> {
    assert_snapshot!(
        "not_toml",
        complaint("audience = \"customers\"", "audience = ")?
    );
    assert_snapshot!("wrong_type", complaint("root = \"1.root\"", "root = 1")?);
    assert_snapshot!("unknown_field", complaint("root = ", "roots = ")?);
    assert_snapshot!("missing_field", complaint("root = \"1.root\"\n", "")?);
    assert_snapshot!("unknown_scheme", complaint("\"semver\"", "\"calver\"")?);
    Ok(())
}

#[test]
fn what_does_not_fit_this_machine_is_named_with_what_to_do() -> Result<()> {
    assert_snapshot!(
        "short_interval",
        complaint("[plugin]", "interval = 1\n\n[plugin]")?
    );
    assert_snapshot!(
        "bad_pattern",
        complaint("pointer = \"/version\"", "pattern = \"(\"")?
    );
    assert_snapshot!(
        "pattern_and_pointer",
        complaint(
            "pointer = \"/version\"",
            "pointer = \"/version\", pattern = \"(.*)\""
        )?
    );
    let (_, component) = SOUND.split_once("[[component]]").context("it has one")?;
    let twice = format!("[[component]]{component}\n[[component]]{component}");
    assert_snapshot!(
        "one_name_twice",
        complaint(&format!("[[component]]{component}"), &twice)?
    );
    Ok(())
}

#[test]
fn a_user_who_could_not_log_in_is_named() -> Result<()> {
    let user = |name: &str, hash: &str| {
        format!("[[serve.users]]\nname = {name:?}\nrole = \"viewer\"\npassword-hash = {hash:?}\n\n")
    };
    let with = |users: String| complaint("[[component]]", &format!("{users}[[component]]"));
    assert_snapshot!("password_in_clear", with(user("victor", "hunter2"))?);
    let hash = spacecp_advisories::web::hash_password("hunter2")?;
    assert_snapshot!("one_user_twice", with(user("victor", &hash).repeat(2))?);
    assert_snapshot!("nameless_user", with(user("", &hash))?);
    Ok(())
}
