//! What somebody else puts into the component's place at the wrong moment: it is never taken for one
//! of the two trees, and nothing is removed for it.

use std::{fs, path::PathBuf, sync::Arc};

use anyhow::Result;
use spacecp_advisories::apply::{ApplyError, Exchange, Interrupted, Outcome, Step, Steps};
use spacecp_tests::ground::write;

use crate::{
    ends::EndAfter,
    site::{Site, Template},
    tree::{new, now, old},
};

/// Makes the component's folder anew in the moment when there is none, as a program does that logs.
#[derive(Debug)]
struct MadeAnew(PathBuf);

impl Steps for MadeAnew {
    fn reached(&self, step: Step) -> Result<(), Interrupted> {
        if step == Step::MovedAside {
            write(&self.0, "logs/today", "written meanwhile").expect("it can be written");
        }
        Ok(())
    }
}

async fn site(template: &Template) -> Result<(crate::site::Copy, Site)> {
    let copy = template.copy()?;
    let site = copy.open().await?;
    Ok((copy, site))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_made_anew_between_two_renames_is_set_aside_and_the_old_tree_returns() -> Result<()>
{
    let template = Template::new(&old(), &new(), |_| {}).await?;
    let (copy, site) = site(&template).await?;
    let applier = site.ending(Exchange::Renames, Arc::new(MadeAnew(site.component())));
    let refused = site.apply(&applier, "first").await;
    assert!(
        matches!(refused, Err(ApplyError::File { .. })),
        "{refused:?}"
    );
    assert_eq!(site.seen()?, template.old()?);
    let set_aside = copy
        .path()
        .join("panel/.spacecp-advisories/first/set-aside/0/component");
    let kept = fs::read_to_string(set_aside.join("logs/today"))?;
    assert_eq!(kept, "written meanwhile", "nothing is lost");
    assert_eq!(site.plain().history(1).await?[0].outcome, Outcome::Failed);
    site.apply(&site.plain(), "second").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_neither_tree_holds_everything_back_until_one_of_them_is_there()
-> Result<()> {
    let template = Template::new(&old(), &new(), |_| {}).await?;
    let (copy, site) = site(&template).await?;
    let applier = site.ending(Exchange::Atomic, Arc::new(EndAfter(Step::Exchanged)));
    assert!(site.apply(&applier, "first").await.is_err());
    let away = copy.path().join("away");
    fs::rename(site.component(), &away)?;
    write(&site.component(), "VERSION", "1.0.0\n")?;
    site.plain().recover(now()).await?;
    assert_eq!(
        site.plain().history(1).await?[0].outcome,
        Outcome::InProgress
    );
    let refused = site.apply(&site.plain(), "second").await;
    assert!(
        matches!(refused, Err(ApplyError::Stranger { .. })),
        "{refused:?}"
    );
    let other = copy.path().join("panel/.spacecp-advisories/first/tree");
    assert!(
        other.join("same.txt").exists(),
        "the old tree is still there"
    );
    fs::remove_dir_all(site.component())?;
    fs::rename(&away, site.component())?;
    site.plain().recover(now()).await?;
    assert_eq!(site.plain().history(1).await?[0].outcome, Outcome::Failed);
    assert_eq!(site.seen()?, template.old()?);
    Ok(())
}
