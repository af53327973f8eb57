//! The publisher killed at any call that makes something durable: the next command finishes or cleans up, and a
//! panel that follows never sees anything go back.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use spacecp_contract::{Advisory, DocumentKind, Role};
use spacecp_publisher::{
    cases::{case_store::CaseStore, id::CaseId, state_machine::Event},
    feed::Feed,
    keys::SecretKey,
    signing::SigningService,
    status::Margins,
};
use spacecp_tests::{
    catalog, siege,
    vendor::{Keys, Vendor},
};
use tempfile::TempDir;

use crate::{
    ceremony::{hours, rotated},
    follower::{Follower, put_back},
    policy::{case_about, corrected},
    private::secret,
};

/// The calls at which it is killed.
const CALLS: &str = "rename,renameat,renameat2,fsync,fdatasync,unlink,unlinkat,mkdir,mkdirat,chmod,fchmod,fchmodat,link,linkat,write,pwrite64,ftruncate";

/// How often each command is killed in the short siege.
const SHORT: usize = 5;

/// A desk and a feed on the way from one broadcast to the next, and a panel that follows.
struct Stage {
    folder: TempDir,
    panel: Follower,
    spare: SecretKey,
    /// Whether keys change, so that panels wait for what the new one signs.
    rotates: bool,
    /// The case that is about [`WAITING_SECRET`].
    case: Option<CaseId>,
}

fn public(id: &str) -> Result<Advisory> {
    let mut advisory = catalog::advisories(Timestamp::now()).remove(2);
    advisory.corrections.clear();
    advisory.id = id.parse()?;
    Ok(advisory)
}

/// Another advisory under embargo.
fn embargoed(id: &str) -> Result<Advisory> {
    let mut advisory = secret(1);
    advisory.id = id.parse()?;
    Ok(advisory)
}

const WAITING: &str = "SPACECP-SA-2026-0102";
const WAITING_SECRET: &str = "SPACECP-SA-2026-0103";

impl Stage {
    fn new(prepare: impl FnOnce(&Vendor, &Path) -> Result<()>) -> Result<Self> {
        let folder = spacecp_tests::scratch::folder()?;
        let world = folder.path().join("world");
        let keys = Keys::kept_in(&world.join("desk/keys"))?;
        let spare = spacecp_publisher::keys::paths(&world.join("desk/keys"), "spare").0;
        spacecp_publisher::keys::create(&world.join("desk/keys"), "spare", None)?;
        let spare = SecretKey::load(&spare, || None)?;
        let mut vendor = Vendor::with_keys(&world, keys, catalog::AUDIENCE, Timestamp::now())?;
        let identity = age::x25519::Identity::generate();
        let recipient = identity.to_public().to_string();
        vendor.panels().enrol("panel", &recipient, vendor.now())?;
        let text = age_core::secrecy::ExposeSecret::expose_secret(&identity.to_string()).to_owned();
        vendor.publish_advisory(public("SPACECP-SA-2026-0101")?)?;
        vendor.publish_advisory(secret(1))?;
        vendor.broadcast()?;
        let mut panel = Follower::new(vendor.pin()?, catalog::AUDIENCE, Some(text.parse()?))?;
        panel.sync(vendor.feed_dir(), Timestamp::now())?;
        vendor.publish_advisory(public(WAITING)?)?;
        vendor.publish_advisory(embargoed(WAITING_SECRET)?)?;
        prepare(&vendor, folder.path())?;
        put_back(&world, &folder.path().join("snapshot"))?;
        Ok(Self {
            folder,
            panel,
            spare,
            rotates: false,
            case: None,
        })
    }

    fn rotating(self) -> Self {
        Self {
            rotates: true,
            ..self
        }
    }

    fn world(&self) -> PathBuf {
        self.folder.path().join("world")
    }

    fn feed(&self) -> PathBuf {
        self.world().join("feed")
    }

    fn begin_again(&self) -> Result<()> {
        put_back(&self.folder.path().join("snapshot"), &self.world())
    }

    fn run_in(&self, before: &[&str], command: &[&str]) -> Result<Output> {
        let program = env!("CARGO_BIN_EXE_vendor-program");
        let (first, others) = before.split_first().unwrap_or((&program, &[]));
        let mut run = Command::new(first);
        run.args(others);
        if !before.is_empty() {
            run.arg(program);
        }
        run.arg("--desk").arg(self.world().join("desk"));
        // Every command is given relative to where the feed lies.
        run.args(command).current_dir(self.world());
        Ok(run.env("SPACECP_BY", "Ada").output()?)
    }

    fn run(&self, command: &[&str]) -> Result<Output> {
        self.run_in(&[], command)
    }

    /// The calls that a command makes, each as often as it does.
    fn points(&self, command: &[&str]) -> Result<Vec<(String, usize)>> {
        self.begin_again()?;
        let trace = self.folder.path().join("trace").display().to_string();
        let calls = format!("trace={CALLS}");
        let done = self.run_in(
            &["strace", "-f", "-qq", "-o", &trace, "-e", &calls],
            command,
        )?;
        let said = String::from_utf8_lossy(&done.stderr);
        ensure!(done.status.success(), "{command:?}: {said}");
        let text = fs::read_to_string(&trace)?;
        let main = text
            .split_whitespace()
            .next()
            .context("it made calls")?
            .to_owned();
        let mut counted: BTreeMap<String, usize> = BTreeMap::new();
        for line in text.lines() {
            let mut words = line.split_whitespace();
            if words.next() != Some(&main) {
                continue;
            }
            if let Some((call, _)) = words.next().and_then(|word| word.split_once('(')) {
                *counted.entry(call.to_owned()).or_default() += 1;
            }
        }
        let each = counted.into_iter();
        Ok(each
            .flat_map(|(call, count)| (1..=count).map(move |which| (call.clone(), which)))
            .collect())
    }

    fn kill(&self, command: &[&str], call: &str, which: usize) -> Result<()> {
        let trace = format!("trace={call}");
        let inject = format!("inject={call}:signal=KILL:when={which}");
        let strace = [
            "strace",
            "-f",
            "-qq",
            "-o",
            "/dev/null",
            "-e",
            &trace,
            "-e",
            &inject,
        ];
        self.run_in(&strace, command).map(drop)
    }

    /// Kills a command at its calls, and looks each time at what is left, at once and after the next command.
    fn besiege(&self, command: &[&str]) -> Result<()> {
        let mut points = self.points(command)?;
        let short = if self.case.is_some() {
            // Each step takes effect with a rename: it is killed before every one of them.
            points.sort_by_key(|(call, which)| (!call.starts_with("rename"), *which));
            let renames = points.iter().filter(|(call, _)| call.starts_with("rename"));
            let renames = renames.count();
            if !siege::is_long() {
                points.truncate(renames);
            }
            renames
        } else {
            SHORT
        };
        let rounds = siege::rounds(short, points.len()).clamp(1, points.len());
        for round in 0..rounds {
            let (call, which) = &points[round * points.len() / rounds];
            let at = format!("{command:?} killed at {call} {which}");
            self.begin_again()?;
            self.kill(command, call, *which)?;
            let mut panel = self.panel.clone();
            self.meets(&mut panel).with_context(|| at.clone())?;
            self.agrees_with_its_case().with_context(|| at.clone())?;
            self.goes_on(command, &mut panel)
                .with_context(|| at.clone())?;
        }
        Ok(())
    }

    /// After the next command a case says of its advisory what panels have, and once.
    fn agrees_with_its_case(&self) -> Result<()> {
        let Some(id) = &self.case else { return Ok(()) };
        let done = self.run(&["refresh", "feed"])?;
        let said = String::from_utf8_lossy(&done.stderr);
        ensure!(done.status.success(), "the next command: {said}");
        let desk = self.world().join("desk");
        let feed = Feed::at(self.feed()).with_desk(&desk)?;
        let margins = Margins {
            head: hours(0),
            root: hours(0),
        };
        let waiting = feed.status(Timestamp::now(), margins)?.waiting;
        let is_out = !waiting.iter().any(|(id, _)| **id == *WAITING_SECRET);
        let case = CaseStore::of(&desk).case(id)?;
        let told = case.entries().iter();
        let told = told.filter(|entry| matches!(entry.event, Event::Broadcast { .. }));
        ensure!(
            told.count() == usize::from(is_out),
            "{WAITING_SECRET} is out: {is_out}, and its case is {}",
            case.status().state()
        );
        Ok(())
    }

    /// A sync in between: where keys change it may be refused, and nothing else.
    fn meets(&self, panel: &mut Follower) -> Result<()> {
        match self.follows(panel) {
            Err(error) if self.rotates && format!("{error:#}").contains("without the role") => {
                Ok(())
            }
            met => met,
        }
    }

    fn follows(&self, panel: &mut Follower) -> Result<()> {
        let before = panel.sequence();
        panel.sync(&self.feed(), Timestamp::now())?;
        ensure!(panel.sequence() >= before, "the panel went back");
        Ok(())
    }

    /// The same command once more, or the refusal that it was done; then everything is as if nothing had been
    /// killed.
    fn goes_on(&self, command: &[&str], panel: &mut Follower) -> Result<()> {
        let again = self.run(command)?;
        let said = String::from_utf8_lossy(&again.stderr).into_owned();
        let was_done = [
            "already",
            "no pending revision",
            "does not have the role",
            "not newer",
            "lists nothing",
        ];
        ensure!(
            again.status.success() || was_done.iter().any(|words| said.contains(words)),
            "the same once more: {said}"
        );
        self.has_no_leftovers()?;
        self.meets(panel)?;
        let keys = ["feed", "spare"];
        let broadcast = |key| self.run(&["broadcast", "feed", "--key", key]);
        let mut said = String::new();
        for key in keys {
            let done = broadcast(key)?;
            if done.status.success() {
                said.clear();
                break;
            }
            said.push_str(&String::from_utf8_lossy(&done.stderr));
        }
        ensure!(said.is_empty(), "the next broadcast: {said}");
        self.has_no_leftovers()?;
        self.follows(panel)
    }

    fn has_no_leftovers(&self) -> Result<()> {
        for entry in walkdir::WalkDir::new(self.world()) {
            let entry = entry?;
            let path = entry.path();
            let name = entry.file_name().to_string_lossy();
            ensure!(
                !name.starts_with(".tmp") && !name.ends_with(".new"),
                "{} is left",
                path.display()
            );
            let mode = entry.metadata()?.permissions().mode();
            let in_desk = path.starts_with(self.world().join("desk/signed"));
            ensure!(
                !in_desk || mode.trailing_zeros() >= 6,
                "{} is open: {mode:o}",
                path.display()
            );
            if name.ends_with(".key") {
                ensure!(
                    path.with_extension("pub").exists(),
                    "{} has no other half",
                    path.display()
                );
            }
        }
        let feed = Feed::at(self.feed()).with_desk(&self.world().join("desk"))?;
        let margins = Margins {
            head: hours(0),
            root: hours(0),
        };
        let status = feed.status(Timestamp::now(), margins)?;
        let half_done = |problem: &&String| {
            ["interrupted", "somebody else", "record"]
                .iter()
                .any(|word| problem.contains(word))
        };
        let found: Vec<_> = status.problems.iter().filter(half_done).collect();
        ensure!(found.is_empty(), "{found:?}");
        Ok(())
    }
}

#[test]
#[cfg_attr(not(has_strace), ignore = "needs the program strace")]
fn a_broadcast_that_is_killed_is_taken_back_or_done() -> Result<()> {
    Stage::new(|_, _| Ok(()))?.besiege(&["broadcast", "feed"])
}

#[test]
#[cfg_attr(not(has_strace), ignore = "needs the program strace")]
fn a_broadcast_that_is_killed_at_any_step_is_what_its_case_says_after_the_next_command()
-> Result<()> {
    let mut case = None;
    let stage = Stage::new(|vendor, _| {
        case = Some(case_about(vendor, &WAITING_SECRET.parse()?, &corrected())?);
        Ok(())
    })?;
    let command = ["broadcast", "feed", "--without-review", "it is urgent"];
    Stage { case, ..stage }.besiege(&command)
}

#[test]
#[cfg_attr(not(has_strace), ignore = "needs the program strace")]
fn a_refresh_that_is_killed_is_taken_back_or_done() -> Result<()> {
    Stage::new(|_, _| Ok(()))?.besiege(&["refresh", "feed"])
}

#[test]
#[cfg_attr(not(has_strace), ignore = "needs the program strace")]
fn a_document_that_is_taken_back_is_gone_or_there() -> Result<()> {
    Stage::new(|_, _| Ok(()))?.besiege(&[
        "discard-pending",
        "advisory",
        WAITING_SECRET,
        "--feed",
        "feed",
    ])
}

#[test]
#[cfg_attr(not(has_strace), ignore = "needs the program strace")]
fn a_root_rotation_that_is_killed_is_published_or_not_begun() -> Result<()> {
    Stage::new(|_, _| Ok(()))?.rotating().besiege(&[
        "root", "rotate", "feed", "feed", "--old", "feed", "--new", "spare",
    ])
}

#[test]
#[cfg_attr(not(has_strace), ignore = "needs the program strace")]
fn a_key_that_is_being_made_has_both_halves_or_none() -> Result<()> {
    Stage::new(|_, _| Ok(()))?.besiege(&["keys", "new", "extra", "--unencrypted"])
}

#[test]
#[cfg_attr(not(has_strace), ignore = "needs the program strace")]
fn signing_again_can_be_killed_and_goes_on() -> Result<()> {
    let stage = Stage::new(|vendor, folder| {
        let desk = folder.join("world/desk/keys");
        let spare = SecretKey::load(&spacecp_publisher::keys::paths(&desk, "spare").0, || None)?;
        // What waits goes out first, so that everything is listed.
        vendor.publisher().broadcast(
            Timestamp::now(),
            Timestamp::now() + hours(24),
            &[&vendor.keys().feed],
        )?;
        rotated(vendor, Role::Advisory, &vendor.keys().advisory, &spare)
    })?;
    let stage = stage.rotating();
    stage.besiege(&["sign-again", "feed", "advisory", "--key", "spare"])?;
    let feed = Feed::at(stage.feed()).with_desk(&stage.world().join("desk"))?;
    assert_eq!(
        SigningService::of(&feed).sign_again(DocumentKind::Advisory, &[], &[&stage.spare])?,
        []
    );
    Ok(())
}

/// Writes a request and has it signed as far as it needs one more call.
fn requested(vendor: &Vendor, folder: &Path, arguments: &[&str], keys: &[&str]) -> Result<()> {
    let world = folder.join("world");
    let run = |arguments: &[&str]| -> Result<()> {
        let done = Command::new(env!("CARGO_BIN_EXE_vendor-program"))
            .arg("--desk")
            .arg(vendor.desk_dir())
            .args(arguments)
            .current_dir(&world)
            .output()?;
        let said = String::from_utf8_lossy(&done.stderr);
        ensure!(done.status.success(), "{arguments:?}: {said}");
        Ok(())
    };
    run(arguments)?;
    for request in fs::read_dir(world.join("requests"))? {
        let request = request?.path().display().to_string();
        let mut sign = vec!["sign-request", &request];
        sign.extend(keys.iter().flat_map(|key| ["--key", key]));
        run(&sign)?;
    }
    Ok(())
}

#[test]
#[cfg_attr(not(has_strace), ignore = "needs the program strace")]
fn a_ceremony_for_a_broadcast_can_be_killed_at_its_last_signature() -> Result<()> {
    let stage = Stage::new(|vendor, folder| {
        requested(
            vendor,
            folder,
            &["broadcast", "feed", "--request", "requests"],
            &["feed"],
        )
    })?;
    stage.besiege(&["add-signature", "requests/2.index", "--feed", "feed"])
}

#[test]
#[cfg_attr(not(has_strace), ignore = "needs the program strace")]
fn a_ceremony_for_a_root_can_be_killed_at_its_last_signature() -> Result<()> {
    let stage = Stage::new(|vendor, folder| {
        let both = [
            "root",
            "rotate",
            "feed",
            "root",
            "--new",
            "spare",
            "--request",
            "requests",
        ];
        requested(vendor, folder, &both, &["root", "spare"])
    })?;
    stage.besiege(&["add-signature", "requests/2.root", "--feed", "feed"])
}

#[test]
#[cfg_attr(not(has_strace), ignore = "needs the program strace")]
fn a_recovery_from_the_record_can_be_killed_and_goes_on() -> Result<()> {
    let stage = Stage::new(|vendor, folder| {
        let before = folder.join("before");
        put_back(vendor.feed_dir(), &before)?;
        vendor.publisher().broadcast(
            Timestamp::now(),
            Timestamp::now() + hours(24),
            &[&vendor.keys().feed],
        )?;
        put_back(&before, vendor.feed_dir())
    })?;
    stage.besiege(&[
        "recover-from",
        "record",
        "feed",
        "--reason",
        "restored",
        "--yes",
    ])
}
