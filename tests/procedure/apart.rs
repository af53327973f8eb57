//! Feed keys on machines of their own: what becomes current is signed there and carried back, the index
//! and its head apart.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use serde_json::Value;
use spacecp_contract::{Head, Index};
use spacecp_publisher::{
    feed::{Feed, FeedError},
    requests::{self, Request, RequestError, Wanted},
    sign::sign,
};
use spacecp_tests::vendor::Vendor;

use crate::ceremony::{desk, hours, program, vendor, well};

fn text(value: &Value) -> Result<&str> {
    value.as_str().context("it is text")
}

/// What `minisign` makes of a request on a machine that has this key and nothing else of ours.
fn by_minisign(machine: &Path, asked: &Value, name: &str) -> Result<String> {
    let signed = Command::new("minisign")
        .args(["-S", "-W", "-s", "feed.key", "-x", name])
        .args(["-m", text(&asked["request"])?])
        .args(["-t", text(&asked["comment"])?])
        .current_dir(machine)
        .output()
        .context("cannot run minisign (Debian: minisign)")?;
    let said = String::from_utf8_lossy(&signed.stderr);
    ensure!(signed.status.success(), "{said}");
    Ok(machine.join(name).display().to_string())
}

#[test]
#[cfg_attr(
    not(has_minisign),
    ignore = "needs the program minisign (Debian: minisign)"
)]
fn two_keys_on_two_machines_make_a_broadcast_current_by_minisign() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let (desk, feed) = desk(folder.path())?;
    let both = ["root", "rotate", &feed, "feed", "--new", "spare"];
    well(&desk, &both)?;
    well(&desk, &["root", "threshold", &feed, "feed", "2"])?;
    let machines = ["feed", "spare"].map(|key| (folder.path().join(format!("{key}-machine")), key));
    for (machine, key) in &machines {
        fs::create_dir(machine)?;
        fs::rename(
            desk.join(format!("keys/{key}.key")),
            machine.join("feed.key"),
        )?;
    }
    let before = fs::read(Path::new(&feed).join("head"))?;
    let out = folder.path().join("stick");
    let stick = out.display().to_string();
    let asked = well(&desk, &["broadcast", &feed, "--request", &stick])?;
    assert_eq!(asked["plan"]["sequence"], 2);
    let mut endings = Vec::new();
    for (machine, _) in &machines {
        for half in ["index", "head"] {
            let signature = by_minisign(machine, &asked[half], &format!("{half}.sig"))?;
            assert_eq!(fs::read(Path::new(&feed).join("head"))?, before, "not yet");
            let request = text(&asked[half]["request"])?;
            let done = ["add-signature", request, &signature, "--feed", &feed];
            endings.push(program(&desk, &done)?.status.code());
        }
    }
    assert_eq!(endings, [Some(1), Some(1), Some(1), Some(0)]);
    let feed = Feed::at(&feed);
    assert_eq!(feed.head()?.context("a head")?.sequence, 2);
    assert_eq!(
        feed.status(Timestamp::now(), margins())?.problems,
        [""; 0],
        "and panels take it"
    );
    Ok(())
}

fn margins() -> spacecp_publisher::status::Margins {
    spacecp_publisher::status::Margins {
        head: hours(1),
        root: hours(1),
    }
}

/// The two requests of a broadcast that has not been signed yet.
fn requested(vendor: &Vendor, folder: &Path) -> Result<(Request, Request)> {
    let now = vendor.now();
    let (plan, index) = vendor
        .publisher()
        .plan_broadcast(now, now + hours(24 * 7))?;
    let head = vendor.publisher().planned_head(&plan, &index, now)?;
    fs::create_dir_all(folder)?;
    let index = requests::write(folder, Wanted::Index(index))?;
    Ok((index, requests::write(folder, Wanted::Head(head))?))
}

#[test]
fn what_is_missing_of_either_half_is_said_with_the_name_of_its_file() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let vendor = vendor(folder.path())?;
    let (index, head) = requested(&vendor, folder.path())?;
    index.sign(&[&vendor.keys().feed])?;
    let progress = index.publish(&vendor.publisher(), vendor.now())?;
    assert_eq!(
        progress.missing,
        [format!(
            "1 by keys of role feed under {}",
            head.path().display()
        )]
    );
    let progress = head.publish(&vendor.publisher(), vendor.now())?;
    assert_eq!(progress.missing, ["1 by keys of role feed"]);
    head.sign(&[&vendor.keys().feed])?;
    let progress = index.publish(&vendor.publisher(), vendor.now())?;
    assert_eq!(progress.missing, [""; 0]);
    assert_eq!(vendor.feed().head()?.context("a head")?.sequence, 2);
    // Once more is as good as once.
    let before = fs::read(vendor.feed_dir().join("head.minisig"))?;
    let progress = head.publish(&vendor.publisher(), vendor.now())?;
    assert_eq!(progress.missing, [""; 0]);
    assert_eq!(fs::read(vendor.feed_dir().join("head.minisig"))?, before);
    Ok(())
}

#[test]
fn a_broadcast_that_was_overtaken_is_refused_and_says_so() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let mut vendor = vendor(folder.path())?;
    let (index, head) = requested(&vendor, folder.path())?;
    for request in [&index, &head] {
        request.sign(&[&vendor.keys().feed])?;
    }
    // Meanwhile a timer has refreshed the head.
    let asked = vendor.now();
    vendor.at(asked + hours(1)).broadcast()?;
    let before = fs::read(vendor.feed_dir().join("head"))?;
    let refused = head.publish(&vendor.publisher(), vendor.now());
    assert!(
        matches!(
            refused,
            Err(RequestError::Feed(FeedError::Overtaken {
                asked: 2,
                next: 3
            }))
        ),
        "{refused:?}"
    );
    assert_eq!(fs::read(vendor.feed_dir().join("head"))?, before);
    Ok(())
}

#[test]
fn halves_of_two_broadcasts_do_not_go_together() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let mut vendor = vendor(folder.path())?;
    let (index, head) = requested(&vendor, &folder.path().join("one"))?;
    let mut advisory = spacecp_tests::catalog::advisories(vendor.now()).remove(1);
    advisory.corrections.clear();
    vendor.publish_advisory(advisory)?;
    let (other, _) = requested(&vendor, &folder.path().join("other"))?;
    fs::copy(other.path(), index.path())?;
    for request in [Request::read(index.path())?, head] {
        request.sign(&[&vendor.keys().feed])?;
        let refused = request.publish(&vendor.publisher(), vendor.now());
        assert!(
            matches!(refused, Err(RequestError::Apart(..))),
            "{refused:?}"
        );
    }
    fs::remove_file(index.path())?;
    let alone = Request::read(&folder.path().join("one/2.head"))?;
    let refused = alone.publish(&vendor.publisher(), vendor.now());
    assert!(
        matches!(&refused, Err(RequestError::File { path, .. }) if path == index.path()),
        "{refused:?}"
    );
    assert_eq!(vendor.feed().head()?.context("a head")?.sequence, 1);
    Ok(())
}

#[test]
fn what_was_signed_elsewhere_is_refused_where_panels_would_refuse_it() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let vendor = vendor(folder.path())?;
    let (now, key) = (vendor.now(), &vendor.keys().feed);
    let (plan, index) = vendor.publisher().plan_broadcast(now, now + hours(24))?;
    let publish = |index: Index, change: &dyn Fn(Head) -> Head, at: Timestamp| -> Result<_> {
        let head = change(vendor.publisher().planned_head(&plan, &index, now)?);
        let (head, index) = (sign(head, &[key])?, sign(index, &[key])?);
        Ok(vendor.publisher().broadcast_signed(&head, &index, at))
    };
    let same = |head| head;
    // An advisory that panels have may not vanish.
    let without = Index {
        documents: Vec::new(),
        ..index.clone()
    };
    let mut unknown = index.clone();
    unknown.documents[0].revision = 9;
    let late = now + hours(24 * 2);
    let beyond = |head: Head| Head {
        root_version: 9,
        ..head
    };
    for (what, refused) in [
        ("without", publish(without, &same, now)?),
        ("unknown", publish(unknown, &same, now)?),
        ("late", publish(index.clone(), &same, late)?),
        ("another root", publish(index.clone(), &beyond, now)?),
    ] {
        assert!(
            matches!(
                refused,
                Err(FeedError::Refused { .. } | FeedError::Unfollowable { .. })
            ),
            "{what}: {refused:?}"
        );
        assert_eq!(vendor.feed().head()?.context("a head")?.sequence, 1);
    }
    publish(index, &same, now)??;
    assert_eq!(vendor.feed().head()?.context("a head")?.sequence, 2);
    Ok(())
}
