//! A chain of roots of any length costs one run only so much, and the next goes on.

use anyhow::Result;
use spacecp_advisories::trust::workflow::{
    Answer, Held, MOST_ROOTS, News, Trusted, Workflow, WorkflowError,
};
use spacecp_contract::{FeedPath, Limits};
use spacecp_publisher::sign::{Signed, sign};

use crate::{
    rotation::root,
    scene::{Scene, noon},
};

fn file(signed: &Signed<spacecp_contract::Root>) -> Answer {
    Answer::File {
        bytes: signed.bytes.clone(),
        signatures: Some(signed.signatures.clone().into_bytes()),
        validator: None,
    }
}

#[tokio::test]
async fn ten_thousand_roots_are_walked_in_bounded_steps() -> Result<()> {
    const LAST: u64 = 10_001;
    let scene = Scene::new().await?;
    let keys = scene.vendor.keys();
    let holders = keys.holders();
    let feed = scene.vendor.feed_dir();
    let head = Answer::File {
        bytes: std::fs::read(feed.join(FeedPath::head().as_str()))?,
        signatures: Some(std::fs::read(
            feed.join(FeedPath::head().signatures().as_str()),
        )?),
        validator: None,
    };
    let mut trusted = Trusted::default();
    let mut runs = 0;
    loop {
        let mut run = Workflow::new(
            scene.vendor.pin()?,
            "customers".parse()?,
            trusted.clone(),
            Held::new(),
            Limits::default(),
            noon(),
        );
        let mut walked = 0;
        let ended = loop {
            let request = run.next_request().expect("it has not ended");
            let path = request.path;
            if path == FeedPath::index(1) {
                break Ok(());
            }
            let answer = match path.as_str().strip_prefix("root/") {
                None => head.clone(),
                Some(name) => {
                    let version: u64 = name.trim_end_matches(".root").parse()?;
                    if version > LAST {
                        Answer::Missing
                    } else {
                        file(&sign(root(version, &holders), &[&keys.root])?)
                    }
                }
            };
            match run.answer(&path, answer) {
                Ok(Some(News::Root(root))) => {
                    walked += 1;
                    trusted.root = Some(root);
                }
                Ok(_) => {}
                Err(error) => break Err(error),
            }
        };
        assert!(walked <= MOST_ROOTS, "one run walks only so far");
        runs += 1;
        match ended {
            Ok(()) => break,
            Err(WorkflowError::LongChain { reached }) => {
                assert_eq!(
                    trusted.root.as_ref().map(|root| root.version),
                    Some(reached)
                );
            }
            Err(other) => return Err(other.into()),
        }
    }
    assert_eq!(trusted.root.map(|root| root.version), Some(LAST));
    assert_eq!(runs, 10_000_usize.div_ceil(MOST_ROOTS));
    Ok(())
}
