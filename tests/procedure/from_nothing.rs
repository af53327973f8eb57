//! The guides' commands, run as they are printed: a vendor from nothing to the first broadcast, and a customer's
//! machine from the hand-over to the first verdict.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::{Command, Output},
};

use anyhow::{Context, Result, ensure};
use spacecp_contract::hand_over::Part;
use spacecp_tests::artifacts;
use tempfile::TempDir;

/// The address that the vendor's guide has, where a test has a directory.
const ADDRESS: &str = "https://advisories.example.com/customers/";

/// What an editor leaves in the draft.
const DRAFT: &str = r#"
id = "SPACECP-SA-2026-0001"
revision = 1
audience = "customers"
published = "2026-01-01T00:00:00Z"
modified = "2026-01-01T00:00:00Z"
title = "The panel lists the files of other customers"
tlp = "TLP:CLEAR"
severity = ["CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N"]
issue = "A request for a path with two dots is answered."
impacts = "Customers read the files of other customers."
solution = "Update to 1.2.4."

[[affected]]
component = "spacecp:houston"
scheme = "semver"
ranges = [{ introduced = "0", fixed = "1.2.4" }]
"#;

/// A directory with both programs under their own names, and the home of whoever runs them.
pub(crate) struct Machine {
    home: TempDir,
}

impl Machine {
    pub(crate) fn new() -> Result<Self> {
        let home = TempDir::new()?;
        let bin = home.path().join("bin");
        fs::create_dir(&bin)?;
        symlink(
            env!("CARGO_BIN_EXE_vendor-program"),
            bin.join("spacecp-publisher"),
        )?;
        symlink(
            env!("CARGO_BIN_EXE_panel-program"),
            bin.join("spacecp-advisories"),
        )?;
        fs::copy(artifacts::PLUGIN, home.path().join("advisories.wasm"))?;
        fs::write(home.path().join("filled.toml"), DRAFT)?;
        let editor = bin.join("editor");
        fs::write(
            &editor,
            "#!/bin/sh\ngrep -q '^id = ' \"$1\" && cp ~/filled.toml \"$1\"\n",
        )?;
        fs::set_permissions(&editor, fs::Permissions::from_mode(0o755))?;
        Ok(Self { home })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub(crate) fn shell(&self, program: &str, script: &str) -> Result<Output> {
        let path = std::env::var("PATH").unwrap_or_default();
        Ok(Command::new("sh")
            .args(["-c", program, "sh"])
            .arg(script)
            .current_dir(self.home.path())
            .env("HOME", self.home.path())
            .env("PATH", format!("{}:{path}", self.path("bin").display()))
            .env("EDITOR", "editor")
            .env("SPACECP_PASSPHRASE", "one for every key")
            .env_remove("SPACECP_ADVISORIES_CONFIG")
            .output()?)
    }

    pub(crate) fn runs(&self, script: &str) -> Result<String> {
        let output = self.shell("exec sh -eu -c \"$1\"", script)?;
        succeeded(&output)?;
        Ok(String::from_utf8(output.stdout)?)
    }

    /// The vendor's guide, from nothing to the first broadcast.
    fn publishes(&self) -> Result<String> {
        let commands = commands("vendors-guide.md", "## Set up")?;
        let own = commands
            .iter()
            .filter(|line| line.starts_with("spacecp-publisher"));
        assert!(own.count() <= 6, "{commands:#?}");
        let feed = self.path("feed").display().to_string();
        self.runs(&commands.join("\n").replace(ADDRESS, &feed))
    }

    /// The same without passphrases, which take their time.
    pub(crate) fn sets_up(&self) -> Result<()> {
        let commands = commands("vendors-guide.md", "## Set up")?.join("\n");
        let feed = self.path("feed").display().to_string();
        let unencrypted = "--plugin advisories.wasm --unencrypted";
        let commands = commands.replace("--plugin advisories.wasm", unencrypted);
        self.runs(&commands.replace(ADDRESS, &feed))?;
        Ok(())
    }
}

pub(crate) fn succeeded(output: &Output) -> Result<()> {
    ensure!(
        output.status.success(),
        "{}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// The lines of the first console block of a section.
fn commands(guide: &str, section: &str) -> Result<Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../docs")
        .join(guide);
    let text = fs::read_to_string(path)?;
    let (_, after) = text
        .split_once(&format!("\n{section}\n"))
        .context("the section")?;
    let (_, block) = after.split_once("```console\n").context("its block")?;
    let (block, _) = block.split_once("```").context("the end of the block")?;
    Ok(block.lines().map(str::to_owned).collect())
}

#[test]
fn the_vendors_guide_leads_from_nothing_to_the_first_broadcast() -> Result<()> {
    let machine = Machine::new()?;
    let output = machine.publishes()?;
    assert!(machine.path("feed/head").is_file());
    // What was printed is what a customer compares.
    let digest = spacecp_contract::Digest::of(&fs::read(machine.path("hand-over.tar"))?);
    assert!(output.contains(&digest.to_string()), "{output}");
    Ok(())
}

#[test]
fn a_desk_that_is_set_up_again_keeps_its_keys_and_its_root_and_hands_them_over_again() -> Result<()>
{
    let machine = Machine::new()?;
    machine.sets_up()?;
    let before = parts(&machine.path("hand-over.tar"))?;
    let output = machine.runs(
        "spacecp-publisher --desk ~/desk init ~/feed --audience customers --from /elsewhere --plugin advisories.wasm --json",
    )?;
    let output: serde_json::Value = serde_json::from_str(&output)?;
    assert_eq!(output["created-keys"], serde_json::json!([]));
    let after = parts(&machine.path("hand-over.tar"))?;
    assert_eq!(before[1..4], after[1..4], "the root and the component");
    assert_ne!(before[0], after[0], "the address is the new one");
    Ok(())
}

#[test]
fn a_desk_is_set_up_with_one_passphrase_and_another_one_makes_no_key() -> Result<()> {
    let machine = Machine::new()?;
    let init = format!(
        "spacecp-publisher --desk ~/desk init ~/feed --audience customers --from {ADDRESS} --plugin advisories.wasm"
    );
    machine.runs(&init)?;
    // As if it had been killed before it made this one.
    for half in ["desk/keys/report.key", "desk/keys/report.recipient"] {
        fs::remove_file(machine.path(half))?;
    }
    let other = format!("SPACECP_PASSPHRASE=another {init}");
    let refused = machine.shell("exec sh -c \"$1\"", &other)?;
    assert_eq!(refused.status.code(), Some(4));
    assert!(!machine.path("desk/keys/report.key").exists());
    machine.runs(&init)?;
    assert!(machine.path("desk/keys/report.key").exists());
    Ok(())
}

#[test]
fn a_hand_over_has_the_newest_root_and_a_plugin_that_it_vouches_for() -> Result<()> {
    let machine = Machine::new()?;
    machine.sets_up()?;
    let desk = "spacecp-publisher --desk ~/desk";
    machine.runs(&format!(
        "{desk} keys new plugin-2 --unencrypted && {desk} root rotate ~/feed plugin --old plugin --new plugin-2"
    ))?;
    let init = format!(
        "{desk} init ~/feed --audience customers --from /elsewhere --plugin advisories.wasm --unencrypted"
    );
    let before = fs::read(machine.path("hand-over.tar"))?;
    let refused = machine.shell("exec sh -c \"$1\"", &init)?;
    assert_eq!(refused.status.code(), Some(4), "the key lost its role");
    assert_eq!(fs::read(machine.path("hand-over.tar"))?, before);
    machine.runs("cd ~/desk/keys && mv plugin-2.key plugin.key && mv plugin-2.pub plugin.pub")?;
    machine.runs(&init)?;
    let root = &parts(&machine.path("hand-over.tar"))?[1];
    assert_eq!(*root, fs::read(machine.path("feed/root/2.root"))?);
    Ok(())
}

#[test]
fn what_is_no_plugin_is_not_signed() -> Result<()> {
    let machine = Machine::new()?;
    machine.sets_up()?;
    fs::write(machine.path("module.wasm"), b"\0asm\x01\0\0\0")?;
    let refused = machine.shell(
        "exec sh -c \"$1\"",
        "spacecp-publisher --desk ~/desk plugin sign module.wasm --version 2.0.0 --release 2",
    )?;
    assert_eq!(refused.status.code(), Some(4));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("core module"), "{said}");
    assert!(!machine.path("advisories.manifest").exists());
    Ok(())
}

#[test]
fn a_hand_over_is_used_only_with_the_digest_that_the_vendor_gave_and_never_over_a_configuration()
-> Result<()> {
    let machine = Machine::new()?;
    machine.sets_up()?;
    let archive = fs::read(machine.path("hand-over.tar"))?;
    let digest = spacecp_contract::Digest::of(&archive);
    let init = |file: &str, digest: &str| {
        let script = format!(
            "spacecp-advisories --config ~/panel/config.toml init {file} {digest} --state ~/state --root ~/empty --no-sync </dev/null"
        );
        machine.shell("exec sh -c \"$1\"", &script)
    };
    let unasked = init("hand-over.tar", "")?;
    assert_eq!(unasked.status.code(), Some(3), "nobody compared the digest");
    // Somebody on the way put another address in: root and plugin are still signed.
    let mut changed = archive.clone();
    let place = changed
        .windows(6)
        .position(|bytes| bytes == b"from =")
        .context("the facts")?;
    changed[place + 12] ^= 1;
    fs::write(machine.path("changed.tar"), &changed)?;
    let refused = init("changed.tar", &format!("--sha256 {digest}"))?;
    assert_eq!(refused.status.code(), Some(3));
    assert!(!machine.path("panel").exists() && !machine.path("state").exists());
    // A root that nobody signed, with the digest of just that file.
    let mut forged = archive;
    let place = forged
        .windows(9)
        .position(|bytes| bytes == b"feed.root")
        .context("the root")?;
    forged[place + 512 + 100] ^= 1;
    fs::write(machine.path("forged.tar"), &forged)?;
    let of_it = spacecp_contract::Digest::of(&forged);
    let refused = init("forged.tar", &format!("--sha256 {of_it}"))?;
    assert_eq!(refused.status.code(), Some(3));
    assert!(!machine.path("panel").exists() && !machine.path("state").exists());
    succeeded(&init("hand-over.tar", &format!("--sha256 {digest}"))?)?;
    let config = fs::read(machine.path("panel/config.toml"))?;
    let again = init("hand-over.tar", &format!("--sha256 {digest}"))?;
    assert_eq!(again.status.code(), Some(3));
    assert_eq!(fs::read(machine.path("panel/config.toml"))?, config);
    Ok(())
}

/// `/etc`, `/var/lib` and `/home` as they are, with what is written kept in memory; then SpaceCP, installed.
pub(crate) const OVERLAYS: &str = r#"
set -eu
mkdir -p ~/over && mount -t tmpfs tmpfs ~/over
for folder in /etc /var/lib /home; do
    name=$(basename $folder); mkdir -p ~/over/$name/up ~/over/$name/work
    mount -t overlay overlay -o lowerdir=$folder,upperdir=$HOME/over/$name/up,workdir=$HOME/over/$name/work $folder
done
mkdir -p /home/SpaceCP/spacecp
echo '{ "version": "1.2.3" }' > /home/SpaceCP/spacecp/package.json
"#;

#[test]
#[cfg_attr(
    not(all(has_root, has_unshare)),
    ignore = "needs root and the program unshare (Debian: util-linux)"
)]
fn the_administrators_guide_leads_from_the_hand_over_to_the_first_verdict() -> Result<()> {
    let machine = Machine::new()?;
    machine.sets_up()?;
    let lines = commands("administrators-guide.md", "## Install")?;
    let [init, check, serve] = lines.as_slice() else {
        panic!("three commands: {lines:?}");
    };
    // At a terminal, as whoever reads the guide: the digest is compared, then a password is chosen.
    let script = format!(
        "{OVERLAYS}
        (sleep 2; echo y; sleep 1; echo correct horse; sleep 1; echo correct horse) | script -qec '{init}' /dev/null >&2
        set +e
        {check} --json; echo $? > ~/check.code
        sed -i 's/:8420/:0/' /etc/spacecp-advisories/config.toml
        timeout --signal INT 3 {serve} > ~/serve.out
        cp /etc/spacecp-advisories/config.toml ~/config.toml"
    );
    let output = machine.shell("exec unshare --mount sh -c \"$1\"", &script)?;
    succeeded(&output)?;
    let json: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    assert_eq!(fs::read_to_string(machine.path("check.code"))?.trim(), "1");
    let verdicts = json["verdicts"].as_array().context("verdicts")?;
    let houston: Vec<_> = verdicts
        .iter()
        .filter(|verdict| verdict["component"] == "houston")
        .map(|verdict| &verdict["status"])
        .collect();
    assert_eq!(houston, ["affected"], "{json:#}");
    let config = fs::read_to_string(machine.path("config.toml"))?;
    assert!(
        config.contains("name = \"admin\"") && config.contains("$argon2id$"),
        "{config}"
    );
    let serve = fs::read_to_string(machine.path("serve.out"))?;
    assert!(
        serve.starts_with("Listening on http://127.0.0.1:"),
        "{serve}"
    );
    Ok(())
}

/// The parts of a hand-over, in order.
fn parts(path: &Path) -> Result<Vec<Vec<u8>>> {
    let archive = fs::read(path)?;
    let places =
        spacecp_contract::hand_over::parts(std::io::Cursor::new(&archive), archive.len() as u64)?;
    let part = |part: Part| {
        let place = places[&part];
        let begin = usize::try_from(place.begin)?;
        Ok(archive[begin..begin + usize::try_from(place.length)?].to_vec())
    };
    Part::ALL.into_iter().map(part).collect()
}
