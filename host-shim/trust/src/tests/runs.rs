//! Whole runs: how many roots one walks, which clock decides, and what is asked for.

use std::collections::BTreeMap;

use jiff::Timestamp;
use spacecp_contract::{Digest, DocumentKind, FeedPath, Head, Index, Limits, Role, RoleKeys, Root};

use super::{
    DAY, INSTANT, Key, NOW, Signed, Vendor, advisory, audience, entry, head_of, index, sign,
    verified,
};
use crate::{
    TrustError, Verified,
    workflow::{
        Answer, Held, HeldDocument, MOST_ROOTS, News, Outcome, Pin, Request, SeenHead, Trusted,
        Workflow, WorkflowError,
    },
};

/// What a feed has, by path.
pub(super) type Files = BTreeMap<FeedPath, Signed>;

/// A feed with roots up to this version, and a head and an index of sequence 1.
fn feed(vendor: &Vendor, roots: u64) -> Files {
    feed_of(vendor, roots, &index(1, Vec::new()))
}

/// The same with this index.
pub(super) fn feed_of(vendor: &Vendor, roots: u64, index: &Index) -> Files {
    let index = vendor.sign(index);
    let head = vendor.sign(&head_of(&index, 1));
    let roots = (1..=roots).map(|version| {
        let root = vendor.sign(&vendor.root(version));
        (FeedPath::root(version), root)
    });
    let mut files: Files = roots.collect();
    files.insert(FeedPath::head(), head);
    files.insert(FeedPath::index(1), index);
    files
}

fn run(vendor: &Vendor, trusted: Trusted, now: Timestamp) -> Workflow {
    let pin = vendor.sign(&vendor.root(1));
    let customers = audience("customers");
    let pin = Pin::root(pin.offered(), &customers).expect("it is signed");
    Workflow::new(pin, customers, trusted, Held::new(), Limits::default(), now)
}

/// What a panel trusts after it followed this feed: the head counts by the keys that the root gives that role.
pub(super) fn after(files: &Files, root: Root) -> Trusted {
    let head = files[&FeedPath::head()].clone();
    let index = files[&FeedPath::index(1)].clone();
    let limits = Limits::default();
    let mut trusted_head: Verified<Head> =
        verified(spacecp_contract::decode(&head.bytes, &limits).expect("a head"));
    trusted_head.signers = root.roles[&Role::Feed].keys.clone();
    Trusted {
        root: Some(verified(root)),
        head: Some(trusted_head),
        index: Some(verified(
            spacecp_contract::decode(&index.bytes, &limits).expect("an index"),
        )),
        ..Trusted::default()
    }
}

pub(super) fn file(signed: &Signed) -> Answer {
    Answer::File {
        bytes: signed.bytes.clone(),
        signatures: Some(signed.signatures.clone().into_bytes()),
        validator: None,
    }
}

/// Follows the feed to the end; what it asked for, what that brought, and how it ended.
pub(super) fn follow(
    run: &mut Workflow,
    files: &Files,
) -> (Vec<Request>, Vec<News>, Result<(), WorkflowError>) {
    let (mut asked, mut news) = (Vec::new(), Vec::new());
    while let Some(request) = run.next_request() {
        let answer = files.get(&request.path).map_or(Answer::Missing, file);
        let path = request.path.clone();
        asked.push(request);
        match run.answer(&path, answer) {
            Ok(brought) => news.extend(brought),
            Err(error) => return (asked, news, Err(error)),
        }
    }
    (asked, news, Ok(()))
}

/// The newest root that a run came to trust.
fn newest(news: &[News]) -> Option<u64> {
    let roots = news.iter().filter_map(|news| match news {
        News::Root(root) => Some(root.version),
        _ => None,
    });
    roots.max()
}

/// The paths that were asked for.
pub(super) fn paths(asked: &[Request]) -> Vec<&str> {
    asked.iter().map(|request| request.path.as_str()).collect()
}

#[test]
fn one_run_walks_256_roots_and_not_one_more() {
    let vendor = Vendor::new();
    let most = u64::try_from(MOST_ROOTS).expect("it is small");
    let mut files = feed(&vendor, 1 + most);
    let mut whole = run(&vendor, Trusted::default(), NOW);
    let (_, news, ended) = follow(&mut whole, &files);
    assert_eq!((newest(&news), ended), (Some(257), Ok(())));
    assert!(matches!(whole.outcome(), Some(Outcome::Changed(_))));

    let next = 2 + most;
    files.insert(FeedPath::root(next), vendor.sign(&vendor.root(next)));
    let mut cut_off = run(&vendor, Trusted::default(), NOW);
    let (_, news, ended) = follow(&mut cut_off, &files);
    assert_eq!(newest(&news), Some(257));
    assert_eq!(ended, Err(WorkflowError::LongChain { reached: 257 }));
    assert!(cut_off.outcome().is_none());
}

#[test]
fn every_file_is_asked_for_with_the_most_bytes_that_it_may_have() {
    let vendor = Vendor::new();
    let files = feed(&vendor, 1);
    let (asked, _, ended) = follow(&mut run(&vendor, Trusted::default(), NOW), &files);
    assert_eq!(ended, Ok(()));
    let limits: Vec<(&str, u64, bool)> = asked
        .iter()
        .map(|request| (request.path.as_str(), request.limit, request.signed))
        .collect();
    let index = files[&FeedPath::index(1)].bytes.len() as u64;
    assert_eq!(
        limits,
        [
            ("head", 4 << 10, true),
            ("root/2.root", 256 << 10, true),
            ("index/1.index", index, true)
        ]
    );
}

#[test]
fn a_clock_that_goes_back_does_not_go_behind_the_latest_time() {
    let vendor = Vendor::new();
    let late = NOW + DAY;
    let trusted = Trusted {
        latest_time: late,
        ..Trusted::default()
    };
    assert_eq!(run(&vendor, trusted.clone(), NOW).now(), late);
    assert_eq!(run(&vendor, trusted, late + INSTANT).now(), late + INSTANT);
}

#[test]
fn a_run_at_the_instant_at_which_the_root_expires_decides_nothing() {
    let vendor = Vendor::new();
    let files = feed(&vendor, 1);
    let expires = vendor.root(1).expires;
    let (_, _, ended) = follow(&mut run(&vendor, Trusted::default(), expires), &files);
    let refused = TrustError::RootExpired {
        version: 1,
        expires,
        digest: Digest::of(&spacecp_contract::encode(&vendor.root(1))),
    };
    assert_eq!(ended, Err(WorkflowError::Refused(refused)));
}

#[test]
fn what_is_trusted_is_fresh_until_the_instant_before_head_or_root_expires() {
    let vendor = Vendor::new();
    let files = feed(&vendor, 1);
    let trusted = after(&files, vendor.root(1));
    let expires = NOW + DAY;
    assert!(trusted.fresh_head(expires - INSTANT).is_some());
    assert!(trusted.fresh_head(expires).is_none());

    let mut short = vendor.root(1);
    short.expires = NOW;
    let trusted = after(&files, short);
    assert!(trusted.fresh_head(NOW - INSTANT).is_some());
    assert!(trusted.fresh_head(NOW).is_none());
}

#[test]
fn a_head_that_was_seen_expired_is_not_fresh_and_another_one_is() {
    let vendor = Vendor::new();
    let files = feed(&vendor, 1);
    let mut trusted = after(&files, vendor.root(1));
    let head = &files[&FeedPath::head()].bytes;
    let seen = |sequence, bytes: &[u8]| SeenHead {
        epoch: 0,
        sequence,
        digest: Digest::of(bytes),
    };
    trusted.seen_expired.head = Some(seen(1, b"another head"));
    trusted.seen_expired.root = Some(Digest::of(b"another root"));
    assert!(trusted.fresh_head(NOW).is_some());
    for expired in [seen(1, head), seen(2, b"a later head")] {
        trusted.seen_expired.head = Some(expired);
        assert!(trusted.fresh_head(NOW).is_none());
    }
    trusted.seen_expired.head = None;
    let root = spacecp_contract::encode(&vendor.root(1));
    trusted.seen_expired.root = Some(Digest::of(&root));
    assert!(trusted.fresh_head(NOW).is_none());
}

#[test]
fn a_head_is_fresh_while_a_threshold_of_its_keys_holds_the_role() {
    let vendor = Vendor::new();
    let files = feed(&vendor, 1);
    let [one, two, other] = [Key::new(), Key::new(), Key::new()].map(|key| key.public());
    let mut trusted = after(&files, vendor.root(1));
    let head = trusted.head.as_mut().expect("there is a head");
    head.signers = vec![one.clone(), two.clone()];
    for (keys, threshold, is_fresh) in [
        (vec![&one, &two], 2, true),
        // Every key of the head has lost the role, then all but one of two that are wanted.
        (vec![&other], 1, false),
        (vec![], 1, false),
        (vec![&one, &other], 2, false),
        // And enough have it still, or again.
        (vec![&one, &other], 1, true),
        (vec![&other, &two, &one], 2, true),
        (vec![&other, &two, &one], 3, false),
    ] {
        let mut root = vendor.root(2);
        let held = RoleKeys {
            keys: keys.into_iter().cloned().collect(),
            threshold,
        };
        root.roles.insert(Role::Feed, held.clone());
        trusted.root = Some(verified(root));
        assert_eq!(trusted.fresh_head(NOW).is_some(), is_fresh, "{held:?}");
    }
}

#[test]
fn an_unchanged_head_is_no_news_only_while_it_is_fresh() {
    let vendor = Vendor::new();
    let files = feed(&vendor, 1);
    let expires = NOW + DAY;
    for (now, unchanged) in [(expires - INSTANT, true), (expires, false)] {
        let trusted = after(&files, vendor.root(1));
        let mut run = run(&vendor, trusted, now).knowing(Some("tag".to_owned()));
        let request = run.next_request().expect("the head is asked for");
        assert_eq!(request.validator.is_some(), unchanged);
        let taken = run.answer(&request.path, file(&files[&FeedPath::head()]));
        assert!(taken.is_ok());
        let outcome = run.outcome();
        assert_eq!(
            matches!(outcome, Some(Outcome::Unchanged { .. })),
            unchanged
        );
    }
}

#[test]
fn an_answer_that_nobody_asked_for_is_refused() {
    let vendor = Vendor::new();
    let files = feed(&vendor, 1);
    let mut run = run(&vendor, Trusted::default(), NOW);
    let head = file(&files[&FeedPath::head()]);
    let unasked = |path: FeedPath| Err(WorkflowError::Unasked { path });
    let too_early = run.answer(&FeedPath::head(), head.clone()).map(drop);
    assert_eq!(too_early, unasked(FeedPath::head()));
    let request = run.next_request().expect("the head is asked for");
    assert_eq!(request.path, FeedPath::head());
    assert_eq!(run.next_request(), None, "one at a time");
    let other = run.answer(&FeedPath::index(1), head.clone()).map(drop);
    assert_eq!(other, unasked(FeedPath::index(1)));
    assert!(run.answer(&FeedPath::head(), head.clone()).is_ok());
    let again = run.answer(&FeedPath::head(), head).map(drop);
    assert_eq!(again, unasked(FeedPath::head()));
}

#[test]
fn a_stored_root_below_the_pinned_one_is_not_begun_with() {
    let vendor = Vendor::new();
    let pin = vendor.sign(&vendor.root(3));
    let customers = audience("customers");
    let begins_at = |stored: u64| {
        let pin = Pin::root(pin.offered(), &customers).expect("it is signed");
        let trusted = Trusted {
            root: Some(verified(vendor.root(stored))),
            ..Trusted::default()
        };
        let limits = Limits::default();
        let mut run = Workflow::new(pin, customers.clone(), trusted, Held::new(), limits, NOW);
        let files = feed(&vendor, 9);
        let (asked, _, _) = follow(&mut run, &files);
        asked[1].path.to_string()
    };
    assert_eq!(begins_at(2), "root/4.root");
    assert_eq!(begins_at(3), "root/4.root");
    assert_eq!(begins_at(4), "root/5.root");
}

#[test]
fn only_a_higher_epoch_lets_a_sequence_go_back() {
    let vendor = Vendor::new();
    for (before, epoch, accepted) in [(0, 0, false), (1, 1, false), (0, 1, true), (1, 2, true)] {
        let mut root = vendor.root(2);
        root.sequence_epoch = epoch;
        let mut files = feed(&vendor, 1);
        files.insert(FeedPath::root(2), sign(&root, &[vendor.key(Role::Root)]));
        let mut trusted = after(&files, vendor.root(1));
        trusted.sequence_epoch = before;
        let ahead = head_of(&files[&FeedPath::index(1)], 9);
        trusted.head = Some(verified(ahead));
        trusted.index = Some(verified(index(9, Vec::new())));
        let (_, _, ended) = follow(&mut run(&vendor, trusted, NOW), &files);
        let rollback = TrustError::Sequence {
            trusted: 9,
            found: 1,
        };
        let expected = if accepted {
            Ok(())
        } else {
            Err(WorkflowError::Refused(rollback))
        };
        assert_eq!(ended, expected, "from epoch {before} to {epoch}");
    }
}

/// A feed whose root 2 gives heads and indexes to a new key, as a panel follows it that trusts what the old key
/// signed; `index_by` signs the index that is served.
fn after_a_new_feed_key(index_by: &[&Key], new: &Key, vendor: &Vendor) -> (Files, Trusted) {
    let mut files = feed(vendor, 1);
    let trusted = after(&files, vendor.root(1));
    let mut root = vendor.root(2);
    let held = RoleKeys {
        keys: vec![new.public()],
        threshold: 1,
    };
    root.roles.insert(Role::Feed, held);
    files.insert(FeedPath::root(2), vendor.sign(&root));
    let served = sign(&index(2, Vec::new()), index_by);
    files.insert(FeedPath::head(), sign(&head_of(&served, 2), &[new]));
    files.insert(FeedPath::index(2), served);
    (files, trusted)
}

#[test]
fn an_index_is_signed_by_the_keys_of_the_newest_root() {
    let vendor = Vendor::new();
    let new = Key::new();
    let old = vendor.key(Role::Feed);
    for (index_by, accepted) in [(&new, true), (old, false)] {
        let (files, trusted) = after_a_new_feed_key(&[index_by], &new, &vendor);
        let (_, _, ended) = follow(&mut run(&vendor, trusted, NOW), &files);
        assert_eq!(ended.is_ok(), accepted);
        let refused = matches!(
            ended,
            Err(WorkflowError::Refused(TrustError::Signatures {
                role: Role::Feed,
                good: 0,
                ..
            }))
        );
        assert_eq!(refused, !accepted);
    }
}

#[test]
fn a_stored_index_counts_only_with_signatures_by_the_keys_of_today() {
    let vendor = Vendor::new();
    let new = Key::new();
    let stored = vendor.sign(&index(1, Vec::new()));
    for rotated in [false, true] {
        let mut files = feed(&vendor, 1);
        let mut trusted = after(&files, vendor.root(1));
        let held = Verified {
            document: index(1, Vec::new()),
            bytes: stored.bytes.clone(),
            signatures: stored.signatures.clone(),
            signers: Vec::new(),
        };
        trusted.index = Some(held);
        // The head is issued again under a sequence of its own, and names the index that is stored.
        trusted.head = None;
        if rotated {
            let mut root = vendor.root(2);
            let held = RoleKeys {
                keys: vec![new.public()],
                threshold: 1,
            };
            root.roles.insert(Role::Feed, held);
            files.insert(FeedPath::root(2), vendor.sign(&root));
            let head = head_of(&stored, 1);
            files.insert(FeedPath::head(), sign(&head, &[&new]));
            files.insert(FeedPath::index(1), sign(&index(1, Vec::new()), &[&new]));
        }
        let (asked, _, ended) = follow(&mut run(&vendor, trusted, NOW), &files);
        assert_eq!(ended, Ok(()));
        let fetched = paths(&asked).contains(&"index/1.index");
        assert_eq!(fetched, rotated, "it is fetched anew under new keys only");
    }
}

#[test]
fn a_document_that_is_held_is_not_fetched_again_and_one_that_differs_in_anything_is() {
    let vendor = Vendor::new();
    let document = vendor.sign(&advisory(3));
    let listed = entry(
        DocumentKind::Advisory,
        "SPACECP-SA-2026-0001",
        3,
        &document.bytes,
    );
    let mut files = feed_of(&vendor, 1, &index(1, vec![listed.clone()]));
    let path = FeedPath::document(listed.kind, &listed.id, 3);
    files.insert(path.clone(), document);
    let held = HeldDocument {
        revision: 3,
        digest: listed.digest,
        waiting_under: None,
        private: false,
    };
    let under = |waiting_under| HeldDocument {
        waiting_under,
        ..held
    };
    let earlier = HeldDocument {
        revision: 2,
        ..held
    };
    let another = HeldDocument {
        digest: Digest::of(b"another"),
        ..held
    };
    let sealed = HeldDocument {
        private: true,
        ..held
    };
    for (held, afresh, fetched) in [
        (None, false, true),
        (Some(held), false, false),
        (Some(earlier), false, true),
        (Some(another), false, true),
        (Some(sealed), false, true),
        (Some(under(Some(1))), false, false),
        (Some(under(Some(2))), false, true),
        (Some(held), true, true),
        (Some(under(Some(1))), true, false),
    ] {
        let mut files = files.clone();
        let mut root = vendor.root(1);
        root.sequence_epoch = u64::from(afresh);
        let root = vendor.sign(&root);
        files.insert(FeedPath::root(1), root.clone());
        let pin = Pin::root(root.offered(), &audience("customers")).expect("it is signed");
        let key = (listed.kind, listed.id.clone());
        let held: Held = held.map(|held| (key, held)).into_iter().collect();
        let limits = Limits::default();
        let trusted = Trusted::default();
        let mut run = Workflow::new(
            pin,
            audience("customers"),
            trusted,
            held.clone(),
            limits,
            NOW,
        );
        let (asked, news, ended) = follow(&mut run, &files);
        assert_eq!(ended, Ok(()));
        assert_eq!(paths(&asked).contains(&path.as_str()), fetched, "{held:?}");
        let brought = news.iter().any(|news| matches!(news, News::Document(..)));
        assert_eq!(brought, fetched);
    }
}

#[test]
fn a_run_ends_when_the_last_document_has_come_and_not_when_it_is_asked_for() {
    let vendor = Vendor::new();
    let document = vendor.sign(&advisory(3));
    let listed = entry(
        DocumentKind::Advisory,
        "SPACECP-SA-2026-0001",
        3,
        &document.bytes,
    );
    let path = FeedPath::document(listed.kind, &listed.id, 3);
    let files = feed_of(&vendor, 1, &index(1, vec![listed]));
    let mut run = run(&vendor, Trusted::default(), NOW);
    while let Some(request) = run.next_request() {
        assert!(run.outcome().is_none(), "{} is on its way", request.path);
        let answer = match files.get(&request.path) {
            Some(signed) => file(signed),
            None if request.path == path => file(&document),
            None => Answer::Missing,
        };
        run.answer(&request.path, answer).expect("it is honest");
    }
    assert!(matches!(run.outcome(), Some(Outcome::Changed(_))));
}

#[test]
fn a_delta_may_have_half_the_bytes_of_the_index_and_is_done_without_where_there_is_none() {
    let vendor = Vendor::new();
    let entries: Vec<_> = (0..300)
        .map(|number| {
            let id = format!("SPACECP-SA-2026-{number:04}");
            entry(DocumentKind::Advisory, &id, 1, id.as_bytes())
        })
        .collect();
    let files = feed_of(&vendor, 1, &index(1, entries.clone()));
    let mut trusted = after(&files, vendor.root(1));
    trusted.sequence_epoch = 0;
    let next = vendor.sign(&index(2, entries));
    let mut files = files;
    files.insert(FeedPath::head(), vendor.sign(&head_of(&next, 2)));
    let length = next.bytes.len() as u64;
    files.insert(FeedPath::index(2), next);
    let mut run = run(&vendor, trusted, NOW);
    let (asked, news, _) = follow(&mut run, &files);
    let delta = asked
        .iter()
        .find(|request| request.path == FeedPath::delta(2, 1));
    let delta = delta.expect("it is asked for");
    assert_eq!((delta.limit, delta.optional), (length / 2, true));
    assert!(matches!(news[0], News::PassedOver { .. }));
    assert!(paths(&asked).contains(&"index/2.index"));
}
