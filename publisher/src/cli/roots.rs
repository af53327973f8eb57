//! The commands about roots: each makes the next one, shows it, or asks for its signatures.

use std::path::Path;

use anyhow::Result;
use serde_json::json;
use spacecp_contract::{Digest, FeedPath, Role};

use super::{
    Ending,
    cli_context::{CliContext, references},
    root_arguments::{NextRoot, Roots},
};
use crate::{
    feed::Feed,
    requests::Wanted,
    roots::{self, Change},
    sign,
    signing::SigningService,
};

impl CliContext<'_> {
    pub(super) fn root(&self, command: &Roots) -> Result<Ending> {
        match command {
            Roots::New {
                feed,
                audience,
                expires,
                holders,
                thresholds,
                bounds,
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
                let mut root = roots::root(audience.clone(), 1, &held, self.now, until);
                root.time_bounds = (*bounds).into();
                if let Some(folder) = request {
                    return self.write_request(folder, Wanted::Root(root));
                }
                let keys = self.signers(&named(Role::Root), Role::Root)?;
                let signed = sign::sign(root, &references(&keys))?;
                let target = Feed::of_desk(feed, &self.arguments.desk, audience);
                SigningService::of(&target).add_root(&signed)?;
                let path = feed.join(FeedPath::root(1).as_str());
                let fingerprint = Digest::of(&signed.bytes).to_string();
                let words = format!(
                    "Signed {0}. Give it to panels with {0}.minisig, or give them its fingerprint over another channel than the feed:\n  {fingerprint}",
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
                words.push_str(&format!(
                    "\n  heads: valid for at most {} days, issued at most {} minutes ahead of a panel's clock",
                    root.time_bounds.head_lifetime().as_hours() / 24,
                    root.time_bounds.ahead().as_mins()
                ));
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
                    afresh: *afresh,
                    ..Change::default()
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
        // After keys were stolen the head may be anybody's: sequences start afresh whatever it is.
        let target = if next.dry_run {
            self.feed(feed)?
        } else if change.afresh {
            self.swept_feed(feed)?
        } else {
            self.tidy_feed(feed)?
        };
        let before = target.root()?;
        let change = Change {
            time_bounds: next.bounds.into(),
            ..change.clone()
        };
        let after = roots::next(&before, &change, self.now, self.in_days(next.expires))?;
        let differences = roots::differences(&before, &after);
        let version = after.version;
        if next.dry_run {
            let value = json!({ "version": version, "changes": differences, "published": false });
            let words = format!("Preview of root {version}:\n  {}", differences.join("\n  "));
            return self.say(&value, &words);
        }
        if let Some(folder) = &next.request {
            return self.write_request(folder, Wanted::Root(after));
        }
        let keys = self.signers(&next.keys, Role::Root)?;
        SigningService::of(&target).add_root(&sign::sign(after, &references(&keys))?)?;
        let value = json!({ "version": version, "changes": differences, "published": true });
        let words = format!(
            "Published root {version}:\n  {}\nPanels fetch it when the head changes: run \"broadcast\" or \"refresh\" now. \"status\" \
             shows further steps.",
            differences.join("\n  ")
        );
        self.say(&value, &words)
    }
}
