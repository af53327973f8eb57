//! File capabilities (`capabilities(7)`): whose contents get them, and a panel that may not give them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, ensure};
use spacecp_advisories::apply::ApplyError;
use spacecp_tests::apart;

use crate::{
    own_files::panel_with_own_files,
    site::{Site, Template, see},
    tree::{new, old},
};

/// `cap_net_bind_service=ep`, as `setcap` writes it.
const MAY_BIND: [u8; 20] = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// The capabilities of what replaces `bin/run`, which had some and was this before.
async fn capabilities_after(prepare: impl FnOnce(&Path) -> Result<()>) -> Result<Option<Vec<u8>>> {
    let panel = panel_with_own_files().await?;
    let replaced = panel.component().join("bin/run");
    prepare(&replaced)?;
    xattr::set(&replaced, "security.capability", &MAY_BIND)?;
    panel
        .apply_with(&panel.plain(), "first", None, true)
        .await?;
    assert_eq!(fs::read_to_string(&replaced)?, "#!/bin/sh\necho new\n");
    Ok(xattr::get(&replaced, "security.capability")?)
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_root), ignore = "only root can give capabilities")]
async fn capabilities_are_for_contents_of_the_vendors_that_have_no_other_name() -> Result<()> {
    let kept = capabilities_after(|_| Ok(())).await?;
    assert_eq!(kept.as_deref(), Some(MAY_BIND.as_slice()));
    let anothers = capabilities_after(|file| Ok(fs::write(file, "somebody else's")?)).await?;
    assert_eq!(anothers, None);
    let named_twice =
        capabilities_after(|file| Ok(fs::hard_link(file, file.with_file_name("other"))?)).await?;
    assert_eq!(named_twice, None);
    Ok(())
}

const FOLDER: &str = "SPACECP_TEST_FOLDER";
const FILE: &str = "SPACECP_TEST_FILE";

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_root), ignore = "only root can give capabilities")]
async fn a_panel_that_may_not_give_capabilities_names_the_file_before_anything_changes()
-> Result<()> {
    let template = Template::new(&old(), &new(), |_| {}).await?;
    // One that is copied, and one that the correction replaces.
    for file in ["same.txt", "bin/run"] {
        let copy = template.copy()?;
        let component = copy.path().join("panel/component");
        xattr::set(component.join(file), "security.capability", &MAY_BIND)?;
        let before = see(&component)?;
        let without = ["--bounding-set", "-setfcap", "--inh-caps", "-setfcap"];
        let ended = Command::new("setpriv")
            .args(without)
            .arg(std::env::current_exe()?)
            .args(apart::arguments("capabilities::a_panel_without_the_right"))
            .env(FOLDER, copy.path())
            .env(FILE, file)
            .output()?;
        let said = String::from_utf8_lossy(&ended.stdout);
        ensure!(
            ended.status.success() && said.contains("1 passed"),
            "{said}"
        );
        ensure!(see(&component)? == before, "{file}: the tree was changed");
        let site = copy.open().await?;
        ensure!(site.left_over()?.is_empty(), "{:?}", site.left_over()?);
        site.close().await;
    }
    Ok(())
}

/// The parent has taken the right away.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "another test starts it as a process of its own"]
async fn a_panel_without_the_right() -> Result<()> {
    let (folder, file) = (apart::given(FOLDER)?, apart::text(FILE)?);
    let site = Site::open(&PathBuf::from(folder)).await?;
    let refused = site.apply(&site.plain(), "first").await;
    let Err(ApplyError::Capabilities { path, .. }) = &refused else {
        anyhow::bail!("{refused:?}")
    };
    ensure!(*path == site.component().join(file), "{refused:?}");
    Ok(())
}
