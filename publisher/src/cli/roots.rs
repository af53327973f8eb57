//! The commands about roots: each makes the next one, shows it, or asks for its signatures.

use std::path::Path;

use anyhow::Result;
use serde_json::json;
use spacecp_contract::{Digest, FeedPath, Role};

use super::{
    Ending,
    desk::{Desk, references},
    root_arguments::{NextRoot, Roots},
};
use crate::{
    feed::Feed,
    requests::Wanted,
    roots::{self, Change},
    sign,
};

impl Desk<'_> {
    pub(super) fn root(&self, command: &Roots) -> Result<Ending> {
        match command {
            Roots::New {
                feed,
                audience,
                expires,
                holders,
                thresholds,
                request,
            } => {
                let named = |role: Role| {
                    let names = holders.iter().filter(move |(other, _)| *other == role);
                    let names: Vec<String> = names.map(|(_, name)| name.clone()).collect();
                    if names.is_empty() {
                        vec![role.to_string()]
                    } else {
                        names
                    }
                };
                let mut held = roots::Holders::default();
                for role in Role::ALL {
                    for name in named(role) {
                        held = held.with(role, self.public(&name)?);
                    }
                }
                for (role, threshold) in thresholds {
                    held = held.threshold(*role, *threshold);
                }
                let until = self.in_days(*expires);
                let root = roots::root(audience.clone(), 1, &held, self.now, until);
                if let Some(folder) = request {
                    return self.write_request(folder, Wanted::Root(root));
                }
                let keys = self.signers(&named(Role::Root), Role::Root)?;
                let signed = sign::sign(root, &references(&keys))?;
                Feed::at(feed).add_root(&signed)?;
                let path = feed.join(FeedPath::root(1).as_str());
                let fingerprint = Digest::of(&signed.bytes).to_string();
                let words = format!(
                    "{0} is signed. Hand it over to panels with {0}.minisig, or tell them its fingerprint by another way than the feed:\n  {fingerprint}",
                    path.display()
                );
                let value = json!({ "root": path, "version": 1, "fingerprint": fingerprint });
                self.say(&value, &words)
            }
            Roots::Show { feed } => {
                let root = Feed::at(feed).root()?;
                let mut words = format!("Root {} expires {}.", root.version, root.expires);
                for (role, held) in &root.roles {
                    words.push_str(&format!("\n  {role}: {} of", held.threshold));
                    for key in &held.keys {
                        words.push_str(&format!(
                            " {}",
                            spacecp_trust::key_id(key).as_deref().unwrap_or(key)
                        ));
                    }
                }
                let fingerprint = Digest::of(root.bytes()).to_string();
                words.push_str(&format!("\n  fingerprint {fingerprint}"));
                self.say(
                    &json!({ "root": root.document(), "fingerprint": fingerprint }),
                    &words,
                )
            }
            Roots::Rotate {
                feed,
                role,
                old,
                new,
                next,
            } => {
                let root = Feed::at(feed).root()?;
                let taken = old
                    .iter()
                    .map(|key| Ok((Some(*role), self.named(key, &root)?)));
                let given = new.iter().map(|name| Ok((*role, self.public(name)?)));
                let change = Change {
                    taken: taken.collect::<Result<_>>()?,
                    given: given.collect::<Result<_>>()?,
                    ..Change::default()
                };
                self.next_root(feed, &change, next)
            }
            Roots::Revoke {
                feed,
                key,
                instead,
                afresh,
                next,
            } => {
                let root = Feed::at(feed).root()?;
                let given = instead
                    .iter()
                    .map(|(role, name)| Ok((*role, self.public(name)?)));
                let change = Change {
                    taken: vec![(None, self.named(key, &root)?)],
                    given: given.collect::<Result<_>>()?,
                    thresholds: Vec::new(),
                    afresh: *afresh,
                };
                self.next_root(feed, &change, next)
            }
            Roots::Threshold {
                feed,
                role,
                number,
                next,
            } => {
                let change = Change {
                    thresholds: vec![(*role, *number)],
                    ..Change::default()
                };
                self.next_root(feed, &change, next)
            }
            Roots::Renew { feed, next } => self.next_root(feed, &Change::default(), next),
        }
    }

    fn next_root(&self, feed: &Path, change: &Change, next: &NextRoot) -> Result<Ending> {
        let target = Feed::at(feed);
        let before = target.root()?;
        let after = roots::next(&before, change, self.now, self.in_days(next.expires))?;
        let differences = roots::differences(&before, &after);
        let version = after.version;
        if next.dry_run {
            let value = json!({ "version": version, "changes": differences, "published": false });
            let words = format!("Root {version} would say:\n  {}", differences.join("\n  "));
            return self.say(&value, &words);
        }
        if let Some(folder) = &next.request {
            return self.write_request(folder, Wanted::Root(after));
        }
        let keys = self.signers(&next.keys, Role::Root)?;
        target.add_root(&sign::sign(after, &references(&keys))?)?;
        let value = json!({ "version": version, "changes": differences, "published": true });
        let words = format!(
            "Root {version} is published:\n  {}\nLook at \"status\" for what has to follow.",
            differences.join("\n  ")
        );
        self.say(&value, &words)
    }
}
