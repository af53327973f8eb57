//! A panel that follows a published folder with the real workflow, and nothing around it.

use std::{fs, path::Path};

use anyhow::Result;
use jiff::Timestamp;
use spacecp_advisories::trust::{
    Identity,
    workflow::{
        Answer, Held, News, Outcome, Pin, PrivateSide, Reading, Trusted, Workflow, WorkflowError,
    },
};
use spacecp_contract::{Audience, FeedPath, Limits};

/// What a panel trusts after what it has seen so far.
#[derive(Clone)]
pub(crate) struct Follower {
    pin: Pin,
    audience: Audience,
    identity: Option<Identity>,
    trusted: Trusted,
}

impl Follower {
    pub(crate) fn new(pin: Pin, audience: &str, identity: Option<Identity>) -> Result<Self> {
        Ok(Self {
            pin,
            audience: audience.parse()?,
            identity,
            trusted: Trusted::default(),
        })
    }

    /// The sequence that it trusts.
    pub(crate) fn sequence(&self) -> Option<u64> {
        self.trusted.head.as_ref().map(|head| head.sequence)
    }

    /// The ids of the documents that it reads under embargo.
    pub(crate) fn private(&self) -> Vec<String> {
        let documents = self.trusted.private.keys();
        documents.map(|(_, id)| id.to_string()).collect()
    }

    /// One run over a folder at `now`. A run that is refused changes nothing but the roots.
    pub(crate) fn sync(&mut self, feed: &Path, now: Timestamp) -> Result<(), WorkflowError> {
        let mut run = Workflow::new(
            self.pin.clone(),
            self.audience.clone(),
            self.trusted.clone(),
            Held::new(),
            Limits::default(),
            now,
        )
        .reading_as(self.identity.clone());
        while let Some(request) = run.next_request() {
            let answer = answer(feed, &request.path);
            if let Some(News::Root(root)) = run.answer(&request.path, answer)? {
                self.trusted.root = Some(root);
            }
        }
        if let Some(Outcome::Changed(update)) = run.outcome() {
            self.trusted.head = Some(update.head);
            self.trusted.index = Some(update.index);
            self.trusted.sequence_epoch = update.sequence_epoch;
            if let PrivateSide::Read {
                recipient,
                documents,
                ..
            } = update.private
            {
                let key = |entry: spacecp_contract::IndexEntry| {
                    ((entry.kind, entry.id), (entry.revision, entry.digest))
                };
                self.trusted.private = documents.into_iter().map(key).collect();
                self.trusted.reading = Some(Reading {
                    recipient,
                    entitled: true,
                });
            }
        }
        Ok(())
    }
}

fn answer(feed: &Path, path: &FeedPath) -> Answer {
    match fs::read(feed.join(path.as_str())) {
        Ok(bytes) => Answer::File {
            bytes,
            signatures: fs::read(feed.join(path.signatures().as_str())).ok(),
            validator: None,
        },
        Err(_) => Answer::Missing,
    }
}

/// Puts a copy of a folder in the place of another.
pub(crate) fn put_back(copy: &Path, place: &Path) -> Result<()> {
    if place.exists() {
        fs::remove_dir_all(place)?;
    }
    for entry in walkdir::WalkDir::new(copy) {
        let entry = entry?;
        let to = place.join(entry.path().strip_prefix(copy)?);
        if entry.file_type().is_dir() {
            fs::create_dir_all(&to)?;
        } else {
            fs::copy(entry.path(), &to)?;
        }
        fs::set_permissions(&to, entry.metadata()?.permissions())?;
    }
    Ok(())
}
