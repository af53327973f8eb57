//! Any tree, any correction of it, any end of the world: what is left is one of the two trees.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    os::unix::{
        ffi::OsStrExt,
        fs::{PermissionsExt, symlink},
    },
    path::Path,
};

use anyhow::{Context, Result};
use proptest::{prelude::*, test_runner::TestRunner};
use spacecp_advisories::apply::Exchange;
use spacecp_tests::ground::write;

use crate::{
    every_instant::Fault,
    site::{Template, Trees},
    tree::{Panel, Tree, tree},
};

/// What lies in a component beside the vendor's files.
#[derive(Debug, Clone)]
enum Own {
    Folder(u32),
    Link(String),
    File(Vec<u8>, u32),
}

fn any_tree(version: &'static str) -> impl Strategy<Value = Tree> {
    let path = prop::sample::select(vec![
        "a", "b", "d/x", "d/y", "d/e/z", "f/g/h/i", "data.d/k", "l",
    ]);
    prop::collection::btree_map(path, "(#!)?[a-c]{0,3}", 0..8).prop_map(move |files| {
        let files: Vec<(&str, &str)> = files
            .iter()
            .map(|(path, text)| (*path, text.as_str()))
            .collect();
        tree(version, &files)
    })
}

/// Things under names that no vendor's file has, among them names that are no text.
fn any_own() -> impl Strategy<Value = BTreeMap<Vec<u8>, Own>> {
    let name = prop::sample::select(vec![
        b"own".to_vec(),
        b"own \xff".to_vec(),
        b"d/own".to_vec(),
        b"d/e/\xfe".to_vec(),
        b"o/w/n".to_vec(),
        b"data/world".to_vec(),
        b"deep/run/now".to_vec(),
        b"settings.json".to_vec(),
    ]);
    let mode = prop::sample::select(vec![0o600u32, 0o644, 0o755, 0o444, 0o4711, 0o000]);
    let thing = prop_oneof![
        mode.clone().prop_map(Own::Folder),
        prop::sample::select(vec!["a", "../..", "/nowhere", "."])
            .prop_map(|to| Own::Link(to.to_owned())),
        (prop::collection::vec(any::<u8>(), 0..40), mode)
            .prop_map(|(bytes, mode)| Own::File(bytes, mode)),
    ];
    prop::collection::btree_map(name, thing, 0..6)
}

fn lay(component: &Path, own: &BTreeMap<Vec<u8>, Own>) -> Result<()> {
    for (name, thing) in own {
        let path = component.join(OsStr::from_bytes(name));
        let around = path.parent().context("it lies in the component")?;
        if fs::create_dir_all(around).is_err() || path.symlink_metadata().is_ok() {
            continue;
        }
        match thing {
            Own::Folder(mode) => {
                fs::create_dir(&path)?;
                fs::set_permissions(&path, fs::Permissions::from_mode(*mode))?;
            }
            Own::Link(to) => symlink(to, &path)?,
            Own::File(bytes, mode) => {
                fs::write(&path, bytes)?;
                fs::set_permissions(&path, fs::Permissions::from_mode(*mode))?;
            }
        }
    }
    write(component, "VERSION", "1.0.0\n")?;
    Ok(())
}

/// One case: the world ends at some of the actions of an application, each time anew.
async fn survives(
    old: &Tree,
    new: &Tree,
    own: &BTreeMap<Vec<u8>, Own>,
    places: &[prop::sample::Index],
) -> Result<()> {
    let panel = Panel::new(old, new).await?;
    lay(&panel.component(), own)?;
    let template = Template::of(panel).await?;
    let copy = template.copy()?;
    let site = copy.open().await?;
    let counted = Fault::never();
    site.apply(&site.applier(Exchange::Atomic, counted.clone()), "first")
        .await?;
    let trees = Trees {
        old: template.old()?,
        new: site.seen()?,
    };
    site.close().await;
    for (place, exchange) in places
        .iter()
        .zip([Exchange::Atomic, Exchange::Renames].into_iter().cycle())
    {
        let at = place.index(counted.reached());
        let copy = template.copy()?;
        let site = copy.open().await?;
        let _ = site
            .apply(&site.applier(exchange, Fault::for_good(at)), "first")
            .await;
        site.close().await;
        let site = copy.open().await?;
        let survived = site.survived(&trees).await;
        survived.with_context(|| format!("{exchange:?}, failing from action {at} on"))?;
        site.close().await;
    }
    Ok(())
}

#[test]
fn any_tree_survives_any_end_of_the_world() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("threads");
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 20,
        max_shrink_iters: 30,
        ..ProptestConfig::default()
    });
    let places = prop::collection::vec(any::<prop::sample::Index>(), 6);
    let case = (any_tree("1.0.0"), any_tree("1.0.1"), any_own(), places);
    let outcome = runner.run(&case, |(old, new, own, places)| {
        let survived = runtime.block_on(survives(&old, &new, &own, &places));
        survived.map_err(|error| TestCaseError::fail(format!("{error:#}")))
    });
    assert!(outcome.is_ok(), "{outcome:?}");
}
