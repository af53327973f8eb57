//! Components in the folders of others: a tree that is exchanged takes along what is in it.

use std::{path::PathBuf, sync::Arc};

use anyhow::Result;
use spacecp_advisories::apply::{
    Action, Applier, ApplyError, Exchange, Faults, Interrupted, NoFaults, Operation, Outcome, Part,
    Step, Steps,
};

use crate::{
    ends::EndAfter,
    tree::{Panel, lay, new, now, old},
};

/// A component, and another one around it, of which only the folder matters here.
struct Nested {
    inner: Panel,
    around: PathBuf,
}

impl Nested {
    async fn new() -> Result<Self> {
        let inner = Panel::new(&old(), &new()).await?;
        // The folder of the panel is a component of its own.
        let around = inner.folder.path().join("panel");
        Ok(Self { inner, around })
    }

    fn among(&self, applier: Applier) -> Applier {
        applier.among(vec![self.around.clone(), self.inner.component()])
    }

    fn plain(&self) -> Applier {
        self.among(self.inner.plain())
    }

    /// Applies to the outer one what was made for the inner one: same files, another folder.
    async fn apply_around(&self, applier: &Applier) -> Result<(), ApplyError> {
        let mut inventory = self.inner.inventory();
        let component = &mut inventory.components[0];
        component.folder.clone_from(&self.around);
        "around".clone_into(&mut component.name);
        component.version = Ok("1.0.0".to_owned());
        component.keep = vec!["component/".to_owned(), ".spacecp-advisories/".to_owned()];
        let order = spacecp_advisories::apply::Order {
            parts: vec![Part {
                correction: &self.inner.correction,
                component: &inventory.components[0],
            }],
            inventory: &inventory,
            shown: None,
            overwrite: false,
            by: "a test",
            id: "around".to_owned(),
            now: now(),
        };
        applier
            .apply(order, &self.inner.source, &())
            .await
            .map(drop)
    }
}

/// Tries the outer one while the inner one is on its way.
#[derive(Debug)]
struct Tries {
    /// Whether the outer one was refused, once it has been tried.
    refused: std::sync::Mutex<Option<bool>>,
    folders: Vec<PathBuf>,
    store: spacecp_advisories::store::Store,
}

impl Steps for Tries {
    fn reached(&self, step: Step) -> Result<(), Interrupted> {
        if step == Step::Exchanged {
            let applier = Applier::new(self.store.clone()).among(self.folders.clone());
            let tried = tokio::task::block_in_place(|| {
                tokio::runtime::Handle::current().block_on(applier.settle_all(now()))
            });
            // What somebody is at is left to them.
            let left_alone = tried
                .is_ok_and(|settled| settled.iter().all(|one| one.outcome == Outcome::InProgress));
            *self.refused.lock().expect("nobody panics with it") = Some(left_alone);
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_process_is_at_is_not_settled() -> Result<()> {
    let nested = Nested::new().await?;
    let tries = Arc::new(Tries {
        refused: std::sync::Mutex::default(),
        folders: vec![nested.around.clone(), nested.inner.component()],
        store: nested.inner.store.clone(),
    });
    let applier = nested.among(nested.inner.applier(Exchange::Atomic, tries.clone()));
    nested
        .inner
        .apply_with(&applier, "first", None, false)
        .await?;
    assert_eq!(*tries.refused.lock().expect("whole"), Some(true));
    assert!(nested.inner.holds(&new())?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_cut_off_in_a_folder_is_settled_before_the_folder_around_it_moves() -> Result<()> {
    let nested = Nested::new().await?;
    lay(&nested.around, &old())?;
    let ending = nested
        .inner
        .applier(Exchange::Atomic, Arc::new(EndAfter(Step::Exchanged)));
    let ending = nested.among(ending);
    let cut_off = nested.inner.apply_with(&ending, "first", None, false).await;
    assert!(matches!(cut_off, Err(ApplyError::Interrupted(_))));
    assert!(nested.inner.holds(&new())?, "unproven, and live");
    nested.apply_around(&nested.plain()).await?;
    assert!(nested.inner.holds(&old())?, "and was undone first");
    let outcomes = nested.plain().history(10).await?;
    let outcomes: Vec<_> = outcomes
        .iter()
        .map(|one| (one.component.as_str(), one.outcome))
        .collect();
    assert!(outcomes.contains(&("around", Outcome::Applied)));
    assert!(outcomes.contains(&("component", Outcome::Failed)));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_corrections_of_which_one_moves_the_other_are_no_plan() -> Result<()> {
    let nested = Nested::new().await?;
    let mut inventory = nested.inner.inventory();
    let mut around = inventory.components[0].clone();
    around.folder.clone_from(&nested.around);
    "around".clone_into(&mut around.name);
    inventory.components.push(around);
    let parts = [0, 1].map(|place: usize| Part {
        correction: &nested.inner.correction,
        component: &inventory.components[place],
    });
    let applier = nested.among(nested.inner.applier(Exchange::Atomic, Arc::new(NoFaults)));
    let refused = applier.plan_jointly(&parts, &inventory).await;
    assert!(
        matches!(refused, Err(ApplyError::SameFolder { .. })),
        "{refused:?}"
    );
    Ok(())
}

/// A folder in which nobody may make anything.
#[derive(Debug)]
struct NotWritable(PathBuf);

impl Faults for NotWritable {
    fn before(&self, action: &Action<'_>) -> std::io::Result<()> {
        if action.operation == Operation::MakeFolder && action.path.parent() == Some(&self.0) {
            return Err(std::io::ErrorKind::PermissionDenied.into());
        }
        Ok(())
    }

    fn after(&self, _: &Action<'_>) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_around_it_that_can_never_move_keeps_no_component_from_its_correction()
-> Result<()> {
    let nested = Nested::new().await?;
    let fault = NotWritable(nested.inner.folder.path().to_owned());
    let applier = nested.plain().with_faults(Arc::new(fault));
    nested
        .inner
        .apply_with(&applier, "first", None, false)
        .await?;
    assert!(nested.inner.holds(&new())?);
    Ok(())
}
