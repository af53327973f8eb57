//! What is refused, before anything is changed or with everything put back.

use std::{fs, os::unix::net::UnixListener, path::Path};

use anyhow::Result;
use rustix::fs::{CWD, FileType, Mode};
use spacecp_advisories::apply::{ApplyError, Gravity, Outcome, Step};
use spacecp_contract::{Digest, FeedPath, Requirement};
use spacecp_tests::ground::write;

use crate::own_files;
use crate::tree::{Panel, look, new, now, old};

/// The findings of a plan, as check and gravity.
async fn findings(panel: &Panel) -> Result<Vec<(String, Gravity)>> {
    Ok(panel
        .plan()
        .await?
        .findings
        .into_iter()
        .map(|finding| (finding.check, finding.gravity))
        .collect())
}

async fn panel() -> Result<Panel> {
    Panel::new(&old(), &new()).await
}

async fn obstacle(panel: &Panel, check: &str) -> Result<()> {
    let before = look(&panel.component())?;
    let found = findings(panel).await?;
    assert!(
        found.contains(&(check.to_owned(), Gravity::Obstacle)),
        "{check} is not in {found:?}"
    );
    let refused = panel.apply().await;
    assert!(
        matches!(refused, Err(ApplyError::Obstacle { .. })),
        "{refused:?}"
    );
    assert_eq!(look(&panel.component())?, before);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_untouched_component_has_no_findings() -> Result<()> {
    assert_eq!(findings(&panel().await?).await?, []);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_the_correction_is_not_for() -> Result<()> {
    let panel = panel().await?;
    write(&panel.component(), "VERSION", "0.9.0\n")?;
    obstacle(&panel, "version").await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_applied_already() -> Result<()> {
    let panel = panel().await?;
    panel.apply().await?;
    let refused = panel
        .apply_with(&panel.plain(), "second", None, false)
        .await;
    let Err(ApplyError::Obstacle { plan }) = refused else {
        panic!("{refused:?}")
    };
    assert!(
        plan.obstacles()
            .any(|finding| finding.check == "already-applied"),
        "{:?}",
        plan.findings
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_requirement_that_is_not_met() -> Result<()> {
    let requirement = Requirement {
        component: "spacecp:other".parse()?,
        at_least: "2.0.0".to_owned(),
    };
    let panel = Panel::with(&old(), &new(), |built| {
        built.correction.requires.push(requirement);
    })
    .await?;
    obstacle(&panel, "requirements").await
}

fn make(file: &Path, kind: FileType, device: u64) -> Result<()> {
    rustix::fs::mknodat(CWD, file, kind, Mode::RWXU, device)?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_and_pipes_are_left_out_unless_they_are_run_time_data() -> Result<()> {
    let panel = panel().await?;
    let component = panel.component();
    let _socket = UnixListener::bind(component.join("socket"))?;
    make(&component.join("lib/pipe"), FileType::Fifo, 0)?;
    let found = panel.plan().await?.findings;
    let [found] = found.as_slice() else {
        panic!("{found:?}")
    };
    let said = (found.check.as_str(), found.gravity);
    assert_eq!(said, ("special-files", Gravity::Information));
    assert!(found.found.contains("socket") && found.found.contains("lib/pipe"));
    panel.apply().await?;
    assert!(panel.holds(&new())?, "{:#?}", look(&component)?);
    assert!(!component.join("socket").exists() && !component.join("lib/pipe").exists());
    let back = panel.plain();
    back.roll_back("first", false, "for a test", now(), &())
        .await?;
    let panel = panel.keeping(&["socket", "lib/pipe"]);
    assert_eq!(findings(&panel).await?, []);
    panel
        .apply_with(&panel.plain(), "second", None, false)
        .await?;
    assert!(component.join("socket").exists() && component.join("lib/pipe").exists());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_becomes_a_pipe_while_its_tree_is_copied_is_left_out() -> Result<()> {
    let panel = panel().await?;
    write(&panel.component(), "notes.txt", "own")?;
    own_files::applied_while_at(&panel, Step::Verified, |component| {
        let notes = component.join("notes.txt");
        fs::remove_file(&notes)?;
        make(&notes, FileType::Fifo, 0)
    })
    .await?;
    assert!(panel.holds(&new())?, "{:#?}", look(&panel.component())?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipe_where_the_correction_has_a_file_is_in_the_way() -> Result<()> {
    let panel = panel().await?;
    let file = panel.component().join("lib/a.js");
    fs::remove_file(&file)?;
    make(&file, FileType::Fifo, 0)?;
    obstacle(&panel, "special-files").await
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_disks), ignore = "only root makes devices")]
async fn a_device_in_the_tree() -> Result<()> {
    let panel = panel().await?;
    let null = rustix::fs::makedev(1, 3);
    make(
        &panel.component().join("null"),
        FileType::CharacterDevice,
        null,
    )?;
    obstacle(&panel, "special-files").await
}

/// Directories in each other, as deep as nothing but an attack on whoever walks down is.
fn nest(directory: &Path) -> Result<()> {
    Ok(fs::create_dir_all(directory.join("d/".repeat(400)))?)
}

#[tokio::test(flavor = "multi_thread")]
async fn directories_nested_without_end() -> Result<()> {
    let panel = panel().await?;
    nest(&panel.component().join("nested"))?;
    obstacle(&panel, "special-files").await
}

#[tokio::test(flavor = "multi_thread")]
async fn directories_nested_without_end_in_run_time_data_are_nobodys_business() -> Result<()> {
    let panel = panel().await?.keeping(&["nested/"]);
    nest(&panel.component().join("nested"))?;
    panel.apply().await?;
    let deep = panel.component().join("nested").join("d/".repeat(400));
    assert!(deep.is_dir(), "it went along");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_on_the_way_to_a_file() -> Result<()> {
    let panel = panel().await?;
    let outside = panel.folder.path().join("outside");
    fs::rename(panel.component().join("lib"), &outside)?;
    std::os::unix::fs::symlink(&outside, panel.component().join("lib"))?;
    let before = look(&outside)?;
    obstacle(&panel, "special-files").await?;
    assert_eq!(look(&outside)?, before, "nothing outside is touched");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_of_what_is_run_time_data() -> Result<()> {
    obstacle(&panel().await?.keeping(&["lib/"]), "kept-paths").await
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_were_changed_here_want_a_word() -> Result<()> {
    let panel = panel().await?;
    write(&panel.component(), "lib/a.js", "changed here")?;
    write(&panel.component(), "lib/new/b.js", "in the way")?;
    fs::remove_file(panel.component().join("lib/gone.js"))?;
    let before = look(&panel.component())?;
    let found = findings(&panel).await?;
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(matches!(
        panel.apply().await,
        Err(ApplyError::WantsWord { .. })
    ));
    assert_eq!(look(&panel.component())?, before);
    panel
        .apply_with(&panel.plain(), "second", None, true)
        .await?;
    assert!(panel.holds(&new())?);
    panel
        .plain()
        .roll_back("second", false, "for a test", now(), &())
        .await?;
    assert_eq!(
        look(&panel.component())?,
        before,
        "with what was changed here"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_something_has_drifted_from() -> Result<()> {
    let panel = panel().await?;
    let shown = panel.plan().await?.digest;
    assert_eq!(
        panel.plan().await?.digest,
        shown,
        "the same situation has the same plan"
    );
    write(&panel.component(), "lib/a.js", "changed meanwhile")?;
    let refused = panel
        .apply_with(&panel.plain(), "first", Some(shown), true)
        .await;
    assert!(
        matches!(refused, Err(ApplyError::Drifted { .. })),
        "{refused:?}"
    );
    let other = panel
        .apply_with(&panel.plain(), "first", Some(Digest::of(b"another")), true)
        .await;
    assert!(
        matches!(other, Err(ApplyError::Drifted { .. })),
        "{other:?}"
    );
    assert_eq!(panel.plain().history(10).await?.len(), 0);
    Ok(())
}

/// Spoils a payload in the feed and shows that nothing comes of it.
async fn spoiled(spoil: impl FnOnce(&mut Vec<u8>)) -> Result<ApplyError> {
    let panel = panel().await?;
    let after = panel
        .correction
        .files
        .iter()
        .find_map(|file| file.after)
        .expect("a file has contents");
    let path = panel
        .vendor
        .feed_dir()
        .join(FeedPath::blob(&after.blob.digest).as_str());
    let mut bytes = fs::read(&path)?;
    spoil(&mut bytes);
    fs::write(&path, bytes)?;
    let refused = panel.apply().await.expect_err("it was applied");
    assert!(panel.holds(&old())?);
    assert_eq!(panel.left_over()?, Vec::<String>::new());
    let history = panel.plain().history(1).await?;
    assert_eq!(history[0].outcome, Outcome::Failed);
    assert_eq!(
        history[0].reason,
        Some(refused.to_string()),
        "the journal says why"
    );
    Ok(refused)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_that_is_not_the_one_announced() -> Result<()> {
    for (words, spoil) in [
        (
            "digest",
            Box::new(|bytes: &mut Vec<u8>| bytes[0] ^= 1) as Box<dyn FnOnce(&mut Vec<u8>)>,
        ),
        (
            "announced bytes",
            Box::new(|bytes: &mut Vec<u8>| bytes.truncate(bytes.len() - 1)),
        ),
        (
            "endless data",
            Box::new(|bytes: &mut Vec<u8>| bytes.extend([0; 1_000])),
        ),
    ] {
        let refused = spoiled(spoil).await?.to_string();
        assert!(refused.contains(words), "{words:?} is not in: {refused}");
    }
    Ok(())
}

/// A correction whose payload is genuine and whose contents are not what the correction says.
async fn lying(
    change: impl FnOnce(&mut spacecp_publisher::corrections::Built),
) -> Result<ApplyError> {
    let panel = Panel::with(&old(), &new(), change).await?;
    let refused = panel.apply().await.expect_err("it was applied");
    assert!(panel.holds(&old())?);
    Ok(refused)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_that_grows_beyond_what_was_announced() -> Result<()> {
    let refused = lying(|built| {
        let file = built
            .correction
            .files
            .iter_mut()
            .find(|file| file.after.is_some())
            .expect("a file has contents");
        let bomb = zstd::bulk::compress(&vec![0; 64 << 20], 3).expect("zeros compress");
        let after = file.after.as_mut().expect("it has");
        after.blob = spacecp_contract::Blob {
            digest: Digest::of(&bomb),
            length: bomb.len() as u64,
        };
        built.payload.insert(after.blob.digest, bomb);
    });
    let refused = refused.await?;
    assert!(
        matches!(&refused, ApplyError::Contents { reason, .. } if reason.contains("longer")),
        "{refused}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_that_does_not_lead_where_it_says() -> Result<()> {
    let refused = lying(|built| built.correction.to = "1.0.9".to_owned()).await?;
    assert!(matches!(refused, ApplyError::Unhealthy { .. }), "{refused}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_at_once() -> Result<()> {
    let panel = panel().await?;
    let (first, second) = (panel.plain(), panel.plain());
    let (one, other) = tokio::join!(
        panel.apply_with(&first, "one", None, false),
        panel.apply_with(&second, "other", None, false)
    );
    assert_eq!(
        [&one, &other]
            .iter()
            .filter(|outcome| outcome.is_ok())
            .count(),
        1,
        "{one:?} {other:?}"
    );
    assert!(panel.holds(&new())?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn taking_back_what_was_changed_since_wants_a_word() -> Result<()> {
    let panel = panel().await?;
    panel.apply().await?;
    write(&panel.component(), "lib/a.js", "changed since")?;
    let refused = panel
        .plain()
        .roll_back("first", false, "for a test", now(), &())
        .await
        .expect_err("it was taken back");
    assert!(refused.to_string().contains("lib/a.js"), "{refused}");
    panel
        .plain()
        .roll_back("first", true, "for a test", now(), &())
        .await?;
    assert!(panel.holds(&old())?);
    let twice = panel
        .plain()
        .roll_back("first", true, "for a test", now(), &())
        .await;
    assert!(
        matches!(twice, Err(ApplyError::Irreversible { .. })),
        "{twice:?}"
    );
    let unknown = panel
        .plain()
        .roll_back("nothing", true, "for a test", now(), &())
        .await;
    assert!(
        matches!(unknown, Err(ApplyError::Irreversible { .. })),
        "{unknown:?}"
    );
    Ok(())
}
