//! What a panel asks the network for, of a correction under embargo, whatever somebody does with it here.

use std::{collections::BTreeSet, fs, path::PathBuf, sync::Mutex};

use anyhow::Result;
use spacecp_advisories::{
    App, ServiceError,
    apply::{ApplyError, Progress},
};
use spacecp_contract::Tlp;
use spacecp_tests::{
    feed_server::FeedServer,
    hand_signed::{HandSigned, Side, Unsigned},
};

use super::panel::{DAEMON, Panel};

/// A panel that knows of a correction under embargo, of which no file comes, and the web server that it asks.
async fn without_payloads(lists_payloads: bool) -> Result<(Panel, HandSigned, FeedServer)> {
    let panel = Panel::new("").await?;
    let mut vendor = panel.vendor.clone();
    vendor.lists_payloads = lists_payloads;
    let before = sealed(&panel);
    panel.told_by(&mut vendor, 3, Side::Sealed).await?;
    for path in sealed(&panel).difference(&before) {
        fs::remove_file(path)?;
    }
    let server = FeedServer::start(panel.vendor.folder().to_owned()).await?;
    let panel = panel.following(&server.url()).await?;
    server.asked();
    Ok((panel, vendor, server))
}

/// Every sealed file of the feed.
fn sealed(panel: &Panel) -> BTreeSet<PathBuf> {
    let files = walkdir::WalkDir::new(panel.vendor.folder().join("sealed"));
    let files = files.into_iter().filter_map(Result::ok);
    let files = files.filter(|entry| entry.file_type().is_file());
    files.map(walkdir::DirEntry::into_path).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_done_with_a_sealed_correction_asks_for_it_by_an_open_name() -> Result<()> {
    for lists_payloads in [true, false] {
        let (panel, _, server) = without_payloads(lists_payloads).await?;
        let request = Panel::request(3)?;
        let id = request.correction.clone();
        panel.app.panel.corrections.plan(&id, DAEMON).await?;
        // What changes is shown without the contents that did not come.
        panel
            .app
            .panel
            .corrections
            .changes(&id, DAEMON, "ada")
            .await?;
        let changed = panel.folder.path().join(DAEMON).join("a.js");
        fs::write(&changed, "changed here")?;
        panel.app.panel.corrections.differences(&id, DAEMON).await?;
        fs::write(&changed, "old")?;
        let applied = panel.app.panel.corrections.apply(request, &()).await;
        applied.expect_err("no file comes");
        panel.run().await?;
        let asked = server.asked();
        let feeds = ["head", "root/", "index/"];
        let named: Vec<_> = asked
            .iter()
            .filter(|one| !one.path.starts_with("sealed/"))
            .filter(|one| !feeds.iter().any(|known| one.path.starts_with(known)))
            .collect();
        assert!(named.is_empty(), "{named:?}");
        let tried = asked.iter().any(|one| one.path.starts_with("sealed/"));
        assert_eq!(tried, lists_payloads, "{asked:?}");
    }
    Ok(())
}

/// Discloses everything, and has the panel follow, right before the payloads are fetched.
struct Disclosing {
    vendor: Mutex<HandSigned>,
    app: App,
}

impl Progress for Disclosing {
    fn step(&self, step: &str) {
        if step != "fetched" {
            return;
        }
        let mut vendor = self.vendor.lock().unwrap();
        for (document, side) in vendor.listed.values_mut() {
            if let Unsigned::Advisory(advisory) = document
                && advisory.tlp != Tlp::Clear
            {
                advisory.revision += 1;
                advisory.tlp = Tlp::Clear;
            }
            *side = Side::Public;
        }
        vendor.publish().unwrap();
        let sync = async { self.app.panel.feed.sync().await.unwrap() };
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(sync));
    }

    fn files(&self, _: u64, _: u64) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disclosure_right_before_a_fetch_has_no_payload_asked_for_that_was_sealed() -> Result<()>
{
    let (panel, vendor, server) = without_payloads(true).await?;
    let disclosing = Disclosing {
        vendor: Mutex::new(vendor),
        app: panel.app.clone(),
    };
    let applied = panel
        .app
        .panel
        .corrections
        .apply(Panel::request(3)?, &disclosing)
        .await;
    assert!(
        matches!(applied, Err(ServiceError::Apply(ApplyError::Payload(_)))),
        "{applied:?}"
    );
    let asked = server.asked();
    assert!(asked.iter().any(|one| one.path.starts_with("sealed/")));
    let named: Vec<_> = asked
        .iter()
        .filter(|one| one.path.starts_with("blob/"))
        .collect();
    assert!(named.is_empty(), "{named:?}");
    // Whoever asks anew asks for what is public by now.
    panel
        .app
        .panel
        .corrections
        .apply(Panel::request(3)?, &())
        .await?;
    assert!(
        server
            .asked()
            .iter()
            .any(|one| one.path.starts_with("blob/"))
    );
    Ok(())
}
