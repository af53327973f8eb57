//! What applying and taking back do to the files.

use std::{fs, os::unix::fs::MetadataExt};

use anyhow::Result;
use proptest::{prelude::*, test_runner::TestRunner};
use spacecp_advisories::apply::{Exchange, NoFaults, Outcome};
use spacecp_tests::ground::write;
use std::sync::Arc;

use crate::tree::{Panel, Tree, look, new, old, tree};

#[tokio::test(flavor = "multi_thread")]
async fn applying_gives_exactly_the_new_tree_and_taking_back_exactly_the_old_one() -> Result<()> {
    for exchange in [Exchange::Atomic, Exchange::Renames] {
        let panel = Panel::new(&old(), &new()).await?;
        let applier = panel.applier(exchange, Arc::new(NoFaults));
        let applied = panel.apply_with(&applier, "first", None, false).await?;
        assert_eq!(
            (applied.outcome, applied.reversible),
            (Outcome::Applied, true)
        );
        assert!(panel.holds(&new())?, "{:#?}", look(&panel.component())?);
        let back = applier
            .roll_back("first", false, "for a test", crate::tree::now(), &())
            .await?;
        assert_eq!(
            (back.outcome, back.reversible),
            (Outcome::RolledBack, false)
        );
        assert!(panel.holds(&old())?, "{:#?}", look(&panel.component())?);
        assert_eq!(panel.left_over()?, ["first"], "the new tree, for a while");
        let again = panel.apply_with(&applier, "second", None, false).await?;
        assert_eq!(again.outcome, Outcome::Applied);
        assert_eq!(panel.plain().history(10).await?.len(), 2);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_component_writes_at_run_time_is_carried_both_ways() -> Result<()> {
    let panel = Panel::new(&old(), &new())
        .await?
        .keeping(&["data/", "settings.json"]);
    write(&panel.component(), "data/world/level", "played for years")?;
    write(&panel.component(), "settings.json", "mine")?;
    panel.apply().await?;
    assert_eq!(
        fs::read_to_string(panel.component().join("data/world/level"))?,
        "played for years"
    );
    write(
        &panel.component(),
        "data/world/level",
        "played with the new version",
    )?;
    write(&panel.component(), "data/later", "written by it")?;
    panel
        .plain()
        .roll_back("first", false, "for a test", crate::tree::now(), &())
        .await?;
    assert_eq!(
        fs::read_to_string(panel.component().join("data/world/level"))?,
        "played with the new version"
    );
    assert_eq!(
        fs::read_to_string(panel.component().join("data/later"))?,
        "written by it"
    );
    assert_eq!(
        fs::read_to_string(panel.component().join("settings.json"))?,
        "mine"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn links_modes_times_and_attributes_of_what_does_not_change_are_kept() -> Result<()> {
    let panel = Panel::new(&old(), &new()).await?;
    let same = panel.component().join("same.txt");
    std::os::unix::fs::symlink("same.txt", panel.component().join("link"))?;
    std::os::unix::fs::symlink("/nowhere/at/all", panel.component().join("dangling"))?;
    let marked = xattr::set(&same, "user.test", b"kept").is_ok();
    let before = fs::metadata(&same)?;
    panel.apply().await?;
    let after = fs::metadata(&same)?;
    assert_eq!(
        (before.mtime(), before.mode(), before.uid()),
        (after.mtime(), after.mode(), after.uid())
    );
    assert_eq!(
        fs::read_link(panel.component().join("link"))?
            .display()
            .to_string(),
        "same.txt"
    );
    assert_eq!(
        fs::read_link(panel.component().join("dangling"))?
            .display()
            .to_string(),
        "/nowhere/at/all"
    );
    if marked {
        assert_eq!(
            xattr::get(&same, "user.test")?.as_deref(),
            Some(b"kept".as_slice())
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_two_paths_share_is_fetched_once() -> Result<()> {
    let panel = Panel::new(
        &old(),
        &tree(
            "1.0.1",
            &[("one", "the same contents"), ("two", "the same contents")],
        ),
    )
    .await?;
    let one = panel
        .correction
        .files
        .iter()
        .find(|file| file.path.as_str() == "one")
        .and_then(|file| file.after);
    let blob = one.expect("it is added").blob;
    let distinct: u64 = panel.correction.download();
    assert!(distinct < 2 * blob.length + 64, "{distinct}");
    panel.apply().await?;
    Ok(())
}

fn any_tree(version: &'static str) -> impl Strategy<Value = Tree> {
    let path = prop::sample::select(vec!["a", "b", "d/x", "d/y", "d/e/z", "f/g/h/i", "k"]);
    prop::collection::btree_map(path, "(#!)?[a-c]{0,3}", 0..7).prop_map(move |files| {
        let files: Vec<(&str, &str)> = files
            .iter()
            .map(|(path, text)| (*path, text.as_str()))
            .collect();
        tree(version, &files)
    })
}

#[test]
fn any_tree_becomes_any_other_and_returns() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("threads");
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 24,
        ..ProptestConfig::default()
    });
    let outcome = runner.run(&(any_tree("1.0.0"), any_tree("1.0.1")), |(old, new)| {
        runtime
            .block_on(async {
                let panel = Panel::new(&old, &new).await?;
                panel.apply().await?;
                anyhow::ensure!(
                    panel.holds(&new)?,
                    "not the new tree: {:?}",
                    look(&panel.component())?
                );
                panel
                    .plain()
                    .roll_back("first", false, "for a test", crate::tree::now(), &())
                    .await?;
                anyhow::ensure!(
                    panel.holds(&old)?,
                    "not the old tree: {:?}",
                    look(&panel.component())?
                );
                anyhow::Ok(())
            })
            .map_err(|error| TestCaseError::fail(format!("{error:#}")))
    });
    assert!(outcome.is_ok(), "{outcome:?}");
}
