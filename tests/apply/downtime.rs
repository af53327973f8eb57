//! While a component is stopped its files are read once, and nothing that is written then is lost all the same.
//!
//! The panels lie on file systems where times do not say what was written, so that contents have to.

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use spacecp_advisories::apply::{ApplyError, Exchange, Interrupted, Outcome, Step, Steps};
use spacecp_contract::Restart;

use crate::{
    mapping::{How, Mapping},
    panel::panel_with,
    real_disks::{disk, on_disk_of, say, words},
    restarts::running,
    tree::{CORRECTION, Panel, new, old},
};

const OVERLAY: &str = "mkdir \"$GROUND/below\" \"$GROUND/above\" \"$GROUND/work\"\n\
    mount -t overlay overlay -o \"lowerdir=$GROUND/below,upperdir=$GROUND/above,workdir=$GROUND/work\" \"$DISK\"";
const MEMORY: &str = "mount -t tmpfs none \"$DISK\"";

/// Runs a test of this file whose panels lie on what these commands mount.
fn on(mount: &str, test: &str, says: &str) -> Result<()> {
    let mount = format!("{mount}\nexport TMPDIR=\"$DISK\"");
    let found = on_disk_of(&format!("downtime::{test}"), &mount)?;
    assert_eq!(found, words(&[says]));
    Ok(())
}

#[test]
#[cfg_attr(
    not(all(has_disks, has_strace)),
    ignore = "mounting file systems wants root and their tools; what is read is seen with strace"
)]
fn a_stopped_components_files_are_read_once_and_twice_where_they_are_copied() -> Result<()> {
    for mount in [OVERLAY, MEMORY] {
        on(mount, "files_are_read_on_this_disk", "reads once")?;
    }
    Ok(())
}

const SIZE: usize = 1 << 20;

/// How many bytes of a file were read, of the tree that leaves and of the one that comes.
#[derive(Debug, Default, PartialEq, Eq)]
struct Reads {
    old: usize,
    new: usize,
}

/// What the program read of each file between the stop and the start, by its name.
fn reads(trace: &str) -> BTreeMap<String, Reads> {
    let mut reads = BTreeMap::<String, Reads>::new();
    let (mut is_stopped, mut is_exchanged) = (false, false);
    let mut begun = BTreeMap::new();
    for line in trace.lines() {
        let (process, call) = line.split_once(' ').unwrap_or_default();
        is_stopped |= call.contains("execve(") && call.contains("\"stop\"");
        is_stopped &= !(call.contains("execve(") && call.contains("\"start\""));
        is_exchanged |= call.contains("RENAME_EXCHANGE") && call.contains("\"component\"");
        let is_read = call.trim_start().starts_with("read(") || call.contains("pread64(");
        let path = call
            .split_once('<')
            .and_then(|(_, path)| path.split_once('>'))
            .map(|(path, _)| path.to_owned());
        let path = match path {
            Some(path) if is_read && call.contains("unfinished") => {
                begun.insert(process, path);
                continue;
            }
            Some(_) if call.contains("read resumed") || call.contains("pread64 resumed") => {
                begun.remove(process)
            }
            Some(path) if is_read => Some(path),
            _ => None,
        };
        let read = call
            .rsplit_once("= ")
            .and_then(|(_, read)| read.trim().parse().ok());
        if let (true, Some(path), Some(read)) = (is_stopped, path, read) {
            let name = Path::new(&path).file_name().unwrap_or_default();
            let of = reads.entry(name.display().to_string()).or_default();
            let is_live = path.contains("/panel/component/");
            let read: usize = read;
            if is_live == is_exchanged {
                of.new += read;
            } else {
                of.old += read;
            }
        }
    }
    reads
}

/// Waits until the correction has come to its end; whether it is applied then.
async fn applied(panel: &Panel) -> Result<bool> {
    for _ in 0..2_400 {
        match panel.plain().history(1).await?.first() {
            Some(run) if run.outcome != Outcome::InProgress => {
                return Ok(run.outcome == Outcome::Applied);
            }
            _ => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
    anyhow::bail!("it has no end")
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "another test starts it as a process of its own"]
async fn files_are_read_on_this_disk() -> Result<()> {
    disk()?;
    let (panel, config) = panel_with(Restart::Component, &old(), &new()).await?;
    let at = |name: &str| panel.folder.path().join(name);
    for name in ["same.bin", "changed.bin"] {
        fs::write(panel.component().join(name), vec![b'x'; SIZE])?;
    }
    let changed = panel.component().join("changed.bin");
    fs::write(
        at("stop"),
        format!("echo more >> {}\nexec \"$@\"\n", changed.display()),
    )?;
    let mut strace = Command::new("strace")
        .args(["-f", "-y", "-qq", "-s", "200", "-I", "1", "-o"])
        .arg(at("trace"))
        .args(["-e", "trace=execve,read,pread64,renameat2"])
        .arg(env!("CARGO_BIN_EXE_panel-program"))
        .arg("--config")
        .arg(&config)
        .args(["apply", CORRECTION, "--yes"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let applied = applied(&panel).await;
    // It follows the component, which goes on.
    kill_process(Pid::from_child(&strace), Signal::TERM)?;
    strace.wait()?;
    ensure!(applied?, "it was not applied");
    let copied = fs::read(&changed)?;
    ensure!(copied.len() == SIZE + 5 && copied.ends_with(b"more\n"));
    let reads = reads(&fs::read_to_string(at("trace"))?);
    let of = |name: &str| {
        reads
            .get(name)
            .with_context(|| format!("{name}: {reads:?}"))
    };
    let once = Reads { old: SIZE, new: 0 };
    ensure!(*of("same.bin")? == once, "{reads:?}");
    // Copied, and looked at when the trees were exchanged; the copy is read back.
    ensure!(of("changed.bin")?.old == 2 * (SIZE + 5), "{reads:?}");
    say("reads once");
    Ok(())
}

#[test]
#[cfg_attr(
    not(has_disks),
    ignore = "mounting file systems wants root and their tools"
)]
fn what_is_stored_after_the_stop_is_in_the_new_tree_or_keeps_the_old_one() -> Result<()> {
    for mount in [OVERLAY, MEMORY] {
        on(mount, "something_goes_on_on_this_disk", "loses nothing")?;
    }
    Ok(())
}

/// Something that is not stopped with the component stores in a file once.
#[derive(Debug)]
struct Store {
    at: Step,
    file: Mapping,
}

impl Steps for Store {
    fn reached(&self, step: Step) -> Result<(), Interrupted> {
        if step == self.at {
            let stored = self.file.write(How::Store, 3, "PAID");
            stored.expect("it may write to its file");
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "another test starts it as a process of its own"]
async fn something_goes_on_on_this_disk() -> Result<()> {
    disk()?;
    let mut tree = old();
    tree.insert("lib/a.js".to_owned(), "0 of version 1".to_owned());
    for at in [
        Step::Stopped,
        Step::CaughtUp,
        Step::Exchanged,
        Step::Carried,
    ] {
        for name in ["own.db", "lib/a.js"] {
            let panel = running(&tree, &new(), None).await?;
            let file = panel.component().join(name);
            if name == "own.db" {
                fs::write(&file, "0".repeat(100))?;
            }
            let store = Store {
                at,
                file: Mapping::of(&file)?,
            };
            let applier = panel.applier(Exchange::Atomic, Arc::new(store));
            let ended = panel.apply_with(&applier, "first", None, false).await;
            match (name, &ended) {
                ("own.db", Ok(_)) => {
                    ensure!(panel.service().seen().await.as_deref() == Some("1.0.1"));
                }
                ("lib/a.js", Err(ApplyError::ChangedMeanwhile { path, .. })) if path == name => {
                    ensure!(panel.service().seen().await.as_deref() == Some("1.0.0"));
                }
                _ => anyhow::bail!("{at:?} {name}: {ended:?}"),
            }
            let held = fs::read(&file)?;
            ensure!(held[3..].starts_with(b"PAID"), "{at:?} {name}: it is lost");
        }
    }
    say("loses nothing");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_saved_anew_in_the_new_tree_does_not_set_the_untouched_old_file_aside() -> Result<()>
{
    let panel = Panel::new(&old(), &new()).await?;
    let component = panel.component();
    crate::own_files::applied_while_at(&panel, Step::Carried, |component| {
        let mut file = fs::File::create(component.join("new"))?;
        file.write_all(b"same, and saved anew")?;
        Ok(fs::rename(
            component.join("new"),
            component.join("same.txt"),
        )?)
    })
    .await?;
    let held = fs::read_to_string(component.join("same.txt"))?;
    assert_eq!(held, "same, and saved anew");
    let beside = panel.folder.path().join("panel/.spacecp-advisories/first");
    assert!(!beside.join("set-aside").exists());
    Ok(())
}
