//! The Debian packages, installed by dpkg into a fresh root: what they bring, what the unit may do, and that they lead
//! from nothing to a first verdict.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::from_nothing::{Machine, OVERLAYS, succeeded};

fn packaging() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging")
}

/// Builds both packages of this test's programs, lightly compressed, in the machine's `packages`.
fn build(machine: &Machine) -> Result<()> {
    let architecture = Command::new("dpkg").arg("--print-architecture").output()?;
    succeeded(&architecture)?;
    let architecture = String::from_utf8(architecture.stdout)?;
    let programs = machine.path("bin");
    let built = Command::new(packaging().join("build"))
        .arg("--programs")
        .arg(format!("{}={}", architecture.trim(), programs.display()))
        .arg("--plugin")
        .arg(machine.path("advisories.wasm"))
        .arg("--out")
        .arg(machine.path("packages"))
        // Whoever develops may have a newer system than whoever runs it.
        .args(["--fast", "--glibc", "99"])
        .env("SOURCE_DATE_EPOCH", "1767225600")
        .output()?;
    succeeded(&built)
}

/// Installs or removes packages in the machine's `root`. What they need of the system is taken for granted.
fn dpkg(machine: &Machine, arguments: &str) -> Result<String> {
    machine.runs(&format!(
        "dpkg --root ~/root --log /dev/null --force-script-chrootless --force-depends {arguments}"
    ))
}

fn install(machine: &Machine) -> Result<()> {
    for folder in ["info", "updates", "triggers"] {
        fs::create_dir_all(machine.path("root/var/lib/dpkg").join(folder))?;
    }
    fs::write(machine.path("root/var/lib/dpkg/status"), "")?;
    dpkg(machine, "--install ~/packages/*.deb")?;
    Ok(())
}

#[test]
#[cfg_attr(
    not(all(has_root, has_unshare)),
    ignore = "needs root and the program unshare (Debian: util-linux)"
)]
fn both_packages_install_lead_to_a_first_verdict_and_leave_what_they_did_not_bring() -> Result<()> {
    let machine = Machine::new()?;
    build(&machine)?;
    machine.runs("cd ~/packages && sha256sum --check --quiet SHA256SUMS")?;
    install(&machine)?;
    assert_eq!(dpkg(&machine, "--verify")?, "", "as it was packaged");
    machine.runs("bash -n ~/root/usr/share/bash-completion/completions/spacecp-advisories")?;
    machine.runs(
        "zcat ~/root/usr/share/man/man1/spacecp-publisher-broadcast.1.gz | grep -q '^.SH SYNOPSIS'",
    )?;

    // From here on only what was installed is run.
    machine.runs("rm ~/bin/spacecp-* && ln -s ~/root/usr/bin/* ~/bin/ && cp ~/root/usr/share/spacecp-publisher/advisories.wasm ~")?;
    machine.sets_up()?;
    let script = format!(
        "{OVERLAYS}
        digest=$(sha256sum ~/hand-over.tar | cut -d' ' -f1)
        spacecp-advisories init ~/hand-over.tar --sha256 $digest >&2
        spacecp-advisories check --json || test $? = 1"
    );
    let output = machine.shell("exec unshare --mount sh -c \"$1\"", &script)?;
    succeeded(&output)?;
    let json: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let verdicts = json["verdicts"].as_array().context("verdicts")?;
    let houston = verdicts
        .iter()
        .find(|verdict| verdict["component"] == "houston");
    assert_eq!(houston.context("a verdict")?["status"], "affected");

    fs::create_dir_all(machine.path("root/etc/spacecp-advisories"))?;
    fs::write(
        machine.path("root/etc/spacecp-advisories/config.toml"),
        "# by hand",
    )?;
    dpkg(&machine, "--purge spacecp-advisories")?;
    assert!(!machine.path("root/usr/bin/spacecp-advisories").exists());
    assert!(
        machine
            .path("root/etc/spacecp-advisories/config.toml")
            .exists()
    );
    Ok(())
}

#[test]
fn a_program_that_needs_a_newer_glibc_or_an_unknown_library_is_not_packaged() -> Result<()> {
    let machine = Machine::new()?;
    let output = machine.shell(
        "exec sh -c \"$1\"",
        &format!(
            "{} --programs $(dpkg --print-architecture)=$HOME/bin --plugin ~/advisories.wasm --fast --glibc 2.2 --out ~/packages",
            packaging().join("build").display()
        ),
    )?;
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr)?;
    assert!(said.contains("needs glibc 2."), "{said}");
    assert!(!machine.path("packages/SHA256SUMS").exists());
    Ok(())
}

/// What systemd-analyze says of the unit, with the program at its place and the targets of this system.
fn analyze(arguments: &[&str]) -> Result<Option<std::process::Output>> {
    let root = tempfile::TempDir::new()?;
    let units = root.path().join("usr/lib/systemd/system");
    fs::create_dir_all(&units)?;
    fs::create_dir_all(root.path().join("usr/bin"))?;
    let program = root.path().join("usr/bin/spacecp-advisories");
    fs::write(&program, "#!/bin/sh\n")?;
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
    for target in [
        "basic",
        "multi-user",
        "network-online",
        "shutdown",
        "sysinit",
    ] {
        let name = format!("{target}.target");
        fs::write(units.join(&name), format!("[Unit]\nDescription={name}\n"))?;
    }
    let unit = "spacecp-advisories.service";
    fs::copy(packaging().join(unit), units.join(unit))?;
    let mut analyze = Command::new("systemd-analyze");
    let analyzed = analyze
        .args(arguments)
        .arg(format!("--root={}", root.path().display()))
        .arg(unit)
        .output();
    match analyzed {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        analyzed => Ok(Some(analyzed?)),
    }
}

#[test]
fn systemd_understands_the_unit() -> Result<()> {
    let Some(output) = analyze(&["verify", "--man=no"])? else {
        return Ok(());
    };
    succeeded(&output)?;
    assert_eq!(String::from_utf8(output.stderr)?, "");
    Ok(())
}

#[test]
fn the_unit_is_exposed_to_no_more_than_its_duty_asks_for() -> Result<()> {
    let Some(output) = analyze(&["security", "--offline=true", "--threshold=30"])? else {
        return Ok(());
    };
    succeeded(&output)
}
