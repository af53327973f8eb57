//! What was found by looking: it is judged by the compiled guest, shown and recorded, and never
//! corrected.

use std::{
    fs,
    os::unix::fs::{lchown, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use jiff::{SignedDuration, Timestamp};
use spacecp_advisories::{
    App, ApplyRequest, Question, ServiceError,
    config::Config,
    decisions::Wish,
    plugin::bindings::exports::spacecp::advisories::exposure::{Status, Verdict},
};
use spacecp_contract::{Advisory, VersionScheme};
use spacecp_tests::{
    artifacts,
    catalog::Fix,
    compiled,
    ground::{self, Age, Ground},
    jar::Jar,
    vendor::Vendor,
};
use tempfile::TempDir;

use crate::panel::{advisory, id};

pub(crate) const ADVISORY: &str = "SPACECP-SA-2026-0001";
const LIBRARY_CORRECTION: &str = "SPACECP-SC-2026-0001";
const SERVER_CORRECTION: &str = "SPACECP-SC-2026-0002";
const LOG4J: &str = "maven:org.apache.logging.log4j:log4j-core";

/// The server's own archive.
const SERVER: &str = "server.jar";

/// Where the library is: two archives deep in a plugin.
pub(crate) const FOUND: &str = "lobby/Shop/engine/log4j-core";

/// A correction of something in the server's folder: id, component, versions before and after.
type Corrects = (&'static str, &'static str, [&'static str; 2]);

const OF_THE_LIBRARY: Corrects = (LIBRARY_CORRECTION, LOG4J, ["2.14.1", "2.15.0"]);
const OF_THE_SERVER: Corrects = (SERVER_CORRECTION, "minecraft:server", ["1.17.1", "1.18.1"]);

/// A panel with a Minecraft server, in one of whose plugins there is a library.
pub(crate) struct Panel {
    folder: TempDir,
    pub(crate) app: App,
}

impl Panel {
    pub(crate) async fn raise() -> Result<Self> {
        Self::with(&[]).await
    }

    /// A panel whose vendor has these corrections.
    async fn with(corrections: &[Corrects]) -> Result<Self> {
        let folder = spacecp_tests::scratch::folder()?;
        let root = folder.path();
        let mut vendor = Vendor::new(&root.join("desk"), "customers", Timestamp::now())?;
        for corrects in corrections {
            publish(&mut vendor, root, *corrects)?;
        }
        vendor.publish_advisory(log4shell(corrections))?;
        vendor.sign_plugin(Path::new(artifacts::PLUGIN))?;
        vendor.broadcast()?;
        Ground::lay(&root.join("panel"), Age::Flawed)?;
        fs::create_dir_all(root.join("panel/etc"))?;
        fs::write(
            root.join("panel/etc/os-release"),
            "ID=debian\nVERSION_ID=12\n",
        )?;
        put_library(root, "2.14.1")?;
        // What the ground has in its place is made up, and no archive.
        server().put(&root.join("panel/servers/lobby").join(SERVER))?;
        fs::write(root.join("panel.toml"), configuration(root, &vendor))?;
        compiled::share(Path::new(env!("CARGO_TARGET_TMPDIR")), &root.join("state"))?;
        let app = App::open(Config::load(&root.join("panel.toml"))?).await?;
        app.panel.feed.sync().await?;
        Ok(Self { folder, app })
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    /// Puts the library there as a build leaves it that did not fill in its version.
    pub(crate) fn put_unversioned_library(&self) -> Result<()> {
        put_library(self.root(), "${project.version}")
    }

    /// How the library is judged, in a word.
    pub(crate) async fn status(&self) -> Result<&'static str> {
        Ok(
            match self.verdict().await?.context("it is judged")?.status {
                Status::Affected => "affected",
                Status::Fixed => "fixed",
                Status::NotAffected => "not affected",
                Status::Unknown => "unknown",
            },
        )
    }

    pub(crate) fn lobby(&self) -> PathBuf {
        self.folder.path().join("panel/servers/lobby")
    }

    async fn verdict(&self) -> Result<Option<Verdict>> {
        let mut verdicts = self.app.panel.exposure.report().await?.verdicts.into_iter();
        Ok(verdicts.find(|verdict| verdict.component.ends_with("/log4j-core")))
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Result<(Option<i32>, String)> {
        let output = Command::new(env!("CARGO_BIN_EXE_panel-program"))
            .args(arguments)
            .arg("--config")
            .arg(self.folder.path().join("panel.toml"))
            .env("COLUMNS", "200")
            .output()?;
        Ok((output.status.code(), String::from_utf8(output.stdout)?))
    }
}

/// Publishes a correction.
fn publish(vendor: &mut Vendor, root: &Path, (id, component, versions): Corrects) -> Result<()> {
    let grounds = root.join("grounds").join(id);
    let before = Ground::lay(&grounds.join("before"), Age::Flawed)?;
    let after = Ground::lay(&grounds.join("after"), Age::Corrected)?;
    let fix = Fix {
        id,
        component,
        folder: Ground::lobby,
        versions,
        advisories: &[ADVISORY],
        ignored: &["world/", "logs/", "server.properties"],
    };
    vendor.publish_correction(&fix, &before, &after)?;
    Ok(())
}

fn log4shell(corrections: &[Corrects]) -> Advisory {
    let mut told = advisory(ADVISORY, LOG4J, &[("2.0-beta9", Some("2.15.0"), None)]);
    told.affected[0].scheme = VersionScheme::Maven;
    told.corrections = corrections.iter().map(|(named, ..)| id(named)).collect();
    told
}

/// The archive of the server, which says the same as the file that its version is configured to be read in.
fn server() -> Jar {
    let version = ground::LOBBY[0];
    let said = format!(r#"{{"id":"{version}","name":"{version}"}}"#);
    Jar::default().with("version.json", said)
}

pub(crate) fn put_library(root: &Path, version: &str) -> Result<()> {
    let library = Jar::default().with_library("org.apache.logging.log4j", "log4j-core", version);
    let name = format!("META-INF/libraries/log4j-core-{version}.jar");
    let engine = Jar::default().with(&name, library.bytes()?);
    let plugin = Jar::default()
        .with("plugin.yml", "name: Shop\nversion: 1.2\nmain: shop.Shop\n")
        .with("BOOT-INF/lib/engine-3.0.jar", engine.bytes()?);
    plugin.put(&root.join("panel/servers/lobby/plugins/Shop-1.2.jar"))
}

fn configuration(root: &Path, vendor: &Vendor) -> String {
    let quoted = |path: &Path| format!("{:?}", path.display().to_string());
    format!(
        "state = {state}\n\
         [feed]\nfrom = {feed}\naudience = \"customers\"\nroot = {pinned}\n\
         [plugin]\nmanifest = {manifest}\ncomponent = {component}\n\
         [scan]\nfresh-seconds = 0\n\
         [[component]]\nname = \"lobby\"\nadvisory-name = \"minecraft:server\"\nscheme = \"semver\"\n\
         folder = {lobby}\nkeep = [\"world/\", \"logs/\", \"server.properties\", \"plugins/\"]\n\
         version = {{ file = \"version_history.json\", pattern = '\\(MC: ([^)]+)\\)' }}\n\
         scan = [\"minecraft\"]\n\
         [[inventory]]\nprovider = \"os\"\nplace = \"panel\"\n",
        state = quoted(&root.join("state")),
        feed = quoted(vendor.feed_dir()),
        pinned = quoted(vendor.root_path()),
        manifest = quoted(vendor.plugin_manifest()),
        component = quoted(vendor.plugin_component()),
        lobby = quoted(&root.join("panel/servers/lobby")),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_library_two_archives_deep_is_judged_and_recorded_until_it_is_replaced() -> Result<()> {
    let panel = Panel::raise().await?;
    let verdict = panel.verdict().await?.context("it is judged")?;
    assert_eq!(verdict.component, FOUND);
    assert_eq!(verdict.version.as_deref(), Some("2.14.1"));
    assert_eq!(verdict.status, Status::Affected, "{}", verdict.reason);

    let summary = panel.app.panel.exposure.report().await?.summary;
    // The server, the plugin, the library, and the system.
    assert_eq!(
        (summary.components, summary.exposed, summary.unread),
        (4, 1, 0)
    );
    let question = Question::default();
    let record = panel
        .app
        .panel
        .exposure
        .exposure_record(&question, Timestamp::now())
        .await?;
    assert_eq!(record.periods[0].component, FOUND);
    assert!(record.periods[0].until.is_none());

    put_library(panel.folder.path(), "2.17.1")?;
    let verdict = panel.verdict().await?.context("it is judged")?;
    assert_eq!(verdict.status, Status::Fixed, "{}", verdict.reason);
    let record = panel
        .app
        .panel
        .exposure
        .exposure_record(&question, Timestamp::now())
        .await?;
    assert!(record.periods[0].until.is_some());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_scan_did_not_get_to_again_is_unknown_and_a_check_says_so() -> Result<()> {
    let panel = Panel::raise().await?;
    let verdict = panel.verdict().await?.context("it is judged")?;
    assert_eq!(verdict.status, Status::Affected, "{}", verdict.reason);
    // Whoever may write there puts more files before it than a scan may look at.
    for number in 0..200 {
        fs::write(panel.lobby().join(format!("plugins/A{number}.txt")), "")?;
    }
    let config = panel.folder.path().join("panel.toml");
    let text = fs::read_to_string(&config)?;
    fs::write(&config, text.replace("[scan]\n", "[scan]\nentries = 60\n"))?;
    let (code, printed) = panel.run(&["check", "--format", "json"])?;
    assert_eq!(code, Some(1));
    let printed: serde_json::Value = serde_json::from_str(&printed)?;
    let verdicts = printed["verdicts"].as_array().context("a list")?;
    let verdict = verdicts
        .iter()
        .find(|verdict| verdict["component"] == FOUND)
        .context("it is listed still")?;
    assert_eq!(verdict["status"], "unknown", "{verdict}");
    let reason = verdict["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("2.14.1"), "{reason}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_found_is_never_corrected_itself() -> Result<()> {
    let panel = Panel::with(&[OF_THE_LIBRARY]).await?;
    let verdict = panel.verdict().await?.context("it is judged")?;
    assert_eq!(verdict.status, Status::Affected);
    assert_eq!(verdict.correction, None, "the guest proposes none");
    assert!(panel.app.panel.automation.plan().await?.is_empty());

    let correction = id(LIBRARY_CORRECTION);
    assert_eq!(
        panel
            .app
            .panel
            .corrections
            .components_for(&correction)
            .await?,
        [] as [&str; 0]
    );
    let planned = panel.app.panel.corrections.plan(&correction, FOUND).await;
    assert!(
        matches!(planned, Err(ServiceError::NotCorrectable { .. })),
        "{planned:?}"
    );
    let request = ApplyRequest {
        correction,
        component: FOUND.to_owned(),
        plan: None,
        overwrite: true,
        by: "ada".to_owned(),
    };
    let applied = panel.app.panel.corrections.apply(request, &()).await;
    assert!(
        matches!(applied, Err(ServiceError::NotCorrectable { .. })),
        "{applied:?}"
    );
    let (code, _) = panel.run(&["apply", LIBRARY_CORRECTION, "--component", FOUND, "--yes"])?;
    assert_eq!(code, Some(3));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_found_is_corrected_with_the_component_around_it() -> Result<()> {
    let panel = Panel::with(&[OF_THE_LIBRARY, OF_THE_SERVER]).await?;
    let verdict = panel.verdict().await?.context("it is judged")?;
    let named = verdict
        .correction
        .context("the server's correction ends it")?;
    assert_eq!(named.id, SERVER_CORRECTION);
    let plans = panel.app.panel.automation.plan().await?;
    assert!(
        plans.iter().all(|action| action.component == "lobby"),
        "{plans:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_risk_of_something_that_was_found_can_be_accepted() -> Result<()> {
    let panel = Panel::raise().await?;
    let wish = Wish {
        workaround: None,
        advisory: id(ADVISORY),
        shown: None,
        component: Some(FOUND.to_owned()),
        by: "ada".to_owned(),
        until: Some(Timestamp::now() + SignedDuration::from_hours(24)),
        reason: Some("The plugin is not reachable.".to_owned()),
    };
    panel.app.panel.decisions.decide(&wish).await?;
    let (code, _) = panel.run(&["check"])?;
    assert_eq!(code, Some(1), "it is exposed all the same");
    let (code, said) = panel.run(&["check", "--allow-accepted"])?;
    assert_eq!(code, Some(0), "{said}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_read_is_shown_wherever_somebody_asks_and_is_not_well() -> Result<()> {
    let panel = Panel::raise().await?;
    put_library(panel.folder.path(), "2.17.1")?;
    let (code, said) = panel.run(&["check"])?;
    assert_eq!(code, Some(0), "{said}");
    fs::write(panel.lobby().join("plugins/Broken.jar"), "no archive")?;

    let report = panel.app.panel.exposure.report().await?;
    assert_eq!(report.summary.unread, 1);
    let (code, said) = panel.run(&["check"])?;
    assert_eq!(code, Some(1));
    assert!(said.contains("1 path could not be read"), "{said}");
    for arguments in [&["components"][..], &["components", "--json"], &["doctor"]] {
        let (_, said) = panel.run(arguments)?;
        assert!(said.contains("plugins/Broken.jar"), "{arguments:?}: {said}");
        assert!(said.contains("not an archive"), "{arguments:?}: {said}");
    }
    let (_, said) = panel.run(&["components"])?;
    assert!(said.contains(FOUND), "{said}");
    assert!(said.contains("log4j-core-2.17.1.jar!/"), "{said}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_root), ignore = "only root can give files away")]
async fn a_link_of_a_components_user_has_the_scan_read_nothing_that_is_not_theirs() -> Result<()> {
    const USER: u32 = 65_534;
    let panel = Panel::raise().await?;
    let verdict = panel.verdict().await?.context("it is judged")?;
    assert_eq!(verdict.status, Status::Affected, "{}", verdict.reason);
    // What the link leads to says that all is well.
    put_library(panel.folder.path(), "2.17.1")?;
    let elsewhere = panel.folder.path().join("elsewhere");
    fs::rename(panel.lobby(), &elsewhere)?;
    symlink(&elsewhere, panel.lobby())?;
    lchown(panel.lobby(), Some(USER), None)?;
    let verdict = panel.verdict().await?.context("it is listed still")?;
    assert_eq!(verdict.status, Status::Unknown, "{}", verdict.reason);
    let (_, said) = panel.run(&["components"])?;
    assert!(said.contains("user 65534"), "{said}");
    // To what is that user's own, and where root has put it, it is followed.
    for (link, folder) in [(USER, USER), (0, 0)] {
        lchown(panel.lobby(), Some(link), None)?;
        lchown(&elsewhere, Some(folder), None)?;
        let verdict = panel.verdict().await?.context("it is judged")?;
        assert_eq!(verdict.status, Status::Fixed, "{link}: {}", verdict.reason);
    }
    Ok(())
}
