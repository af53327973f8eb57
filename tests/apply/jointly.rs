//! Several corrections as one plan: all of them are applied, or none.

use std::{fs, path::PathBuf, sync::Arc};

use anyhow::{Context, Result};
use spacecp_advisories::{
    apply::{
        Applier, ApplyError, Exchange, Interrupted, NoFaults, Order, Outcome, Part, Step, Steps,
    },
    config::{ComponentConfig, HttpHealth},
    control::Configured,
    fetch::{Patience, Source},
    inventory::Inventory,
    store::Store,
    sync::{Follower, Mirror},
    trust::{AnyDocument, Verified},
};
use spacecp_contract::{Correction, DocumentKind, Requirement, Restart};
use spacecp_publisher::corrections;
use spacecp_tests::vendor::Vendor;
use tempfile::TempDir;

use crate::{
    service::Service,
    tree::{Tree, configured, facts_of, lay, look, new, now, old},
};

const NAMES: [&str; 3] = ["one", "two", "three"];

/// A panel with three components in their old version, and a correction for each.
struct Three {
    /// Before the folder: they are ended by what is written there. None where nothing runs.
    services: Vec<Service>,
    ill: Option<usize>,
    folder: TempDir,
    store: Store,
    source: Source,
    corrections: Vec<Verified<Correction>>,
}

/// The id of a component's correction.
fn id(place: usize) -> String {
    format!("SPACECP-SC-2026-000{}", place + 1)
}

impl Three {
    async fn new(change: impl Fn(usize, &mut corrections::Built)) -> Result<Self> {
        let folder = spacecp_tests::scratch::folder()?;
        let at = |name: &str| folder.path().join(name);
        lay(&at("vendor/old"), &old())?;
        lay(&at("vendor/new"), &new())?;
        let mut vendor = Vendor::new(&at("vendor/desk"), "customers", now())?;
        for (place, name) in NAMES.iter().enumerate() {
            lay(&at("panel").join(name), &old())?;
            let facts = facts_of(&id(place), name, "1.0.0", "1.0.1")?;
            let mut built = corrections::build(&at("vendor/old"), &at("vendor/new"), facts)?;
            change(place, &mut built);
            vendor.publish_answering(built)?;
        }
        vendor.broadcast()?;
        let store = Store::open(&at("store.sqlite")).await?;
        let address = vendor.feed_dir().display().to_string();
        let source = Source::new(&address, Patience::default())?;
        let mirror = Mirror {
            address,
            source: Arc::new(source.clone()),
        };
        Follower::new(
            vec![mirror],
            store.clone(),
            vendor.pin()?,
            "customers".parse()?,
        )
        .sync(now())
        .await?;
        let mut corrections = Vec::new();
        for place in 0..NAMES.len() {
            match store.document(DocumentKind::Correction, &id(place)).await? {
                Some(AnyDocument::Correction(correction)) => corrections.push(correction),
                other => anyhow::bail!("no correction: {other:?}"),
            }
        }
        Ok(Self {
            services: Vec::new(),
            ill: None,
            folder,
            store,
            source,
            corrections,
        })
    }

    /// The same with components that run; the health check of this one never succeeds.
    async fn running(ill: Option<usize>) -> Result<Self> {
        let mut three = Self::new(|_, built| {
            built.correction.restart = Restart::Component;
            built.correction.health = Some("http".to_owned());
        })
        .await?;
        for name in NAMES {
            let service = Service::new(three.folder.path(), name)?;
            service.start().await?;
            three.services.push(service);
        }
        three.ill = ill;
        Ok(three)
    }

    fn configured(&self) -> Vec<ComponentConfig> {
        let of = |(place, name): (usize, &&str)| {
            let service = self.services.get(place);
            let mut health = service.map(Service::health).unwrap_or_default();
            for check in health.iter_mut().filter(|_| self.ill == Some(place)) {
                // A port where nobody is.
                check.http = check.http.as_ref().map(|_| HttpHealth {
                    url: "http://127.0.0.1:1/".to_owned(),
                    status: 200,
                });
                check.within = 1;
            }
            configured(
                self.folder.path(),
                name,
                service.map(Service::control),
                health,
            )
        };
        NAMES.iter().enumerate().map(of).collect()
    }

    fn component(&self, place: usize) -> PathBuf {
        self.folder.path().join("panel").join(NAMES[place])
    }

    fn inventory(&self) -> Inventory {
        Inventory::read(&self.configured())
    }

    fn applier(&self, steps: Arc<dyn Steps>) -> Applier {
        Applier::new(self.store.clone())
            .controlled_by(Arc::new(Configured::new(&self.configured())))
            .with(Exchange::Atomic, steps)
    }

    /// Applies all three, asked for in this order, and gives the order in which it was done.
    async fn apply(
        &self,
        order: [usize; 3],
        steps: Arc<dyn Steps>,
    ) -> Result<Vec<String>, ApplyError> {
        let inventory = self.inventory();
        let parts = order.map(|place| Part {
            correction: &self.corrections[place],
            component: &inventory.components[place],
        });
        let applier = self.applier(steps);
        let plan = applier.plan_jointly(&parts, &inventory).await?;
        let order = Order {
            parts: parts.to_vec(),
            inventory: &inventory,
            shown: Some(plan.digest),
            overwrite: false,
            by: "a test",
            id: "all".to_owned(),
            now: now(),
        };
        let applied = applier.apply(order, &self.source, &()).await?;
        Ok(applied.into_iter().map(|one| one.component).collect())
    }

    fn all_are(&self, tree: &Tree) -> Result<bool> {
        let wanted = spacecp_tests::scratch::folder()?;
        lay(wanted.path(), tree)?;
        for place in 0..NAMES.len() {
            if look(&self.component(place))? != look(wanted.path())? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn outcomes(&self) -> Result<Vec<Outcome>> {
        let history = self.applier(Arc::new(NoFaults)).history(10).await?;
        Ok(history.iter().map(|one| one.outcome).collect())
    }
}

/// Has a component require another one in its new version.
fn require(built: &mut corrections::Built, name: &str) {
    built.correction.requires.push(Requirement {
        component: format!("spacecp:{name}").parse().expect("a name"),
        at_least: "1.0.1".to_owned(),
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_require_comes_first_whatever_was_asked_for() -> Result<()> {
    let three = Three::new(|place, built| match place {
        0 => require(built, "two"),
        1 => require(built, "three"),
        _ => {}
    })
    .await?;
    let done = three.apply([0, 1, 2], Arc::new(NoFaults)).await?;
    assert_eq!(done, ["three", "two", "one"]);
    assert!(three.all_are(&new())?);
    assert_eq!(three.outcomes().await?, [Outcome::Applied; 3]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn corrections_that_require_each_other_in_a_circle_are_refused_by_name() -> Result<()> {
    let three = Three::new(|place, built| match place {
        0 => require(built, "two"),
        1 => require(built, "one"),
        _ => {}
    })
    .await?;
    let refused = three.apply([0, 1, 2], Arc::new(NoFaults)).await;
    let Err(ApplyError::Circle { corrections }) = refused else {
        panic!("{refused:?}")
    };
    assert!(corrections.contains(&id(0)) && corrections.contains(&id(1)));
    assert!(!corrections.contains(&id(2)), "{corrections:?}");
    assert_eq!(corrections.first(), corrections.last());
    assert!(three.all_are(&old())?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_fails_takes_those_before_it_back() -> Result<()> {
    // Its contents lead to another version than it says: seen only after the exchange.
    let three = Three::new(|place, built| {
        if place == 2 {
            built.correction.to = "1.0.9".to_owned();
        }
    })
    .await?;
    let refused = three.apply([0, 1, 2], Arc::new(NoFaults)).await;
    assert!(
        matches!(refused, Err(ApplyError::Unhealthy { .. })),
        "{refused:?}"
    );
    assert!(three.all_are(&old())?);
    assert_eq!(three.outcomes().await?, [Outcome::Failed; 3]);
    let history = three.applier(Arc::new(NoFaults)).history(10).await?;
    for application in history.iter().filter(|one| one.component != "three") {
        let reason = application.reason.clone().context("a reason")?;
        assert!(reason.contains(&id(2)), "it names what failed: {reason}");
    }
    Ok(())
}

/// Ends everything when a step is reached for the second time.
#[derive(Debug)]
struct EndAtSecond(Step, std::sync::atomic::AtomicUsize);

impl Steps for EndAtSecond {
    fn reached(&self, step: Step) -> Result<(), Interrupted> {
        let is_it = step == self.0;
        if is_it && self.1.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 1 {
            return Err(Interrupted(step));
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_is_cut_off_in_the_middle_is_undone_whole() -> Result<()> {
    for step in [
        Step::Staged,
        Step::Verified,
        Step::Swapping,
        Step::Exchanged,
        Step::Carried,
        Step::Swapped,
        Step::Healthy,
    ] {
        let three = Three::new(|_, _| {}).await?;
        let steps = Arc::new(EndAtSecond(step, 0.into()));
        let cut_off = three.apply([0, 1, 2], steps).await;
        assert!(
            matches!(cut_off, Err(ApplyError::Interrupted(_))),
            "{step:?}"
        );
        three.applier(Arc::new(NoFaults)).recover(now()).await?;
        assert!(three.all_are(&old())?, "{step:?}");
        assert_eq!(three.outcomes().await?, [Outcome::Failed; 3], "{step:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_corrections_of_one_folder_are_refused() -> Result<()> {
    let three = Three::new(|_, _| {}).await?;
    let mut inventory = three.inventory();
    inventory.components[1].folder = inventory.components[0].folder.clone();
    let parts = [0, 1].map(|place| Part {
        correction: &three.corrections[place],
        component: &inventory.components[place],
    });
    let applier = three.applier(Arc::new(NoFaults));
    let refused = applier.plan_jointly(&parts, &inventory).await;
    assert!(
        matches!(&refused, Err(ApplyError::SameFolder { first, .. }) if *first == id(0)),
        "{refused:?}"
    );
    assert!(fs::metadata(three.component(0)).is_ok());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn components_of_one_plan_are_stopped_and_started_one_after_the_other() -> Result<()> {
    let three = Three::running(None).await?;
    three.apply([0, 1, 2], Arc::new(NoFaults)).await?;
    assert!(three.all_are(&new())?);
    for service in &three.services {
        assert_eq!(service.seen().await.as_deref(), Some("1.0.1"));
        assert_eq!(
            service.happened(),
            ["start 1.0.0", "stop 1.0.0", "start 1.0.1"]
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn where_one_of_a_plan_is_ill_all_of_them_run_from_their_old_trees() -> Result<()> {
    for ill in 0..NAMES.len() {
        let three = Three::running(Some(ill)).await?;
        let failed = three.apply([0, 1, 2], Arc::new(NoFaults)).await;
        assert!(
            matches!(failed, Err(ApplyError::Unwell { .. })),
            "{failed:?}"
        );
        assert!(three.all_are(&old())?);
        assert_eq!(three.outcomes().await?, [Outcome::Failed; 3]);
        for service in &three.services {
            assert_eq!(service.seen().await.as_deref(), Some("1.0.0"));
            let happened = service.happened();
            assert!(!happened.contains(&"started twice".to_owned()));
        }
    }
    Ok(())
}

/// What the panel's program says when it is asked to apply these; with how it ended.
fn program(three: &Three, arguments: &[&str]) -> Result<(Option<i32>, String)> {
    let at = |name: &str| format!("{:?}", three.folder.path().join(name).display().to_string());
    let mut config = format!(
        "state = {}\n[feed]\nfrom = {}\naudience = \"customers\"\nroot = {}\n\
         [plugin]\nmanifest = \"none\"\ncomponent = \"none\"\n",
        at("."),
        at("vendor/desk/feed"),
        at("vendor/desk/hand-over/1.root"),
    );
    for name in NAMES {
        config.push_str(&format!(
            "[[component]]\nname = {name:?}\nadvisory-name = \"spacecp:{name}\"\nscheme = \"semver\"\n\
             folder = {}\nversion = {{ file = \"VERSION\" }}\n",
            at(&format!("panel/{name}"))
        ));
    }
    let path = three.folder.path().join("panel.toml");
    fs::write(&path, config)?;
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_panel-program"))
        .arg("--config")
        .arg(path)
        .args(arguments)
        .stdin(std::process::Stdio::null())
        .output()?;
    let said = String::from_utf8(output.stdout)? + &String::from_utf8(output.stderr)?;
    Ok((output.status.code(), said))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_applies_several_or_none_of_them() -> Result<()> {
    let three = Three::new(|place, built| {
        if place == 0 {
            require(built, "two");
        }
    })
    .await?;
    let alone = program(&three, &["apply", &id(0), "--yes"])?;
    assert_eq!(alone.0, Some(3), "{}", alone.1);
    assert!(alone.1.contains("spacecp:two"), "{}", alone.1);
    // The second one is not what its tree says.
    fs::write(three.component(1).join("lib/a.js"), "changed here")?;
    let (ended, said) = program(&three, &["apply", &id(0), &id(1), &id(2), "--yes"])?;
    assert_eq!(ended, Some(3), "{said}");
    assert!(said.contains("lib/a.js"), "{said}");
    assert_eq!(three.outcomes().await?, []);
    fs::write(three.component(1).join("lib/a.js"), "a of 1")?;
    let (ended, said) = program(&three, &["apply", &id(0), &id(1), &id(2), "--yes"])?;
    assert_eq!(ended, Some(0), "{said}");
    assert!(three.all_are(&new())?);
    assert_eq!(three.outcomes().await?, [Outcome::Applied; 3]);
    Ok(())
}
