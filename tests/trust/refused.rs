//! Everything that a panel must not believe, one test each.

use std::{fs, path::Path};

use anyhow::Result;
use jiff::Timestamp;
use spacecp_contract::{
    Digest, Document, DocumentKind, FeedPath, Head, Index, Limits, Role, TrustedComment, decode,
};
use spacecp_publisher::{
    keys::SecretKey,
    roots,
    sign::{Signed, sign, sign_bytes},
};
use spacecp_tests::vendor::Vendor;

use crate::scene::{Scene, advisory, hours, noon};

fn path(vendor: &Vendor, path: &FeedPath) -> std::path::PathBuf {
    vendor.feed_dir().join(path.as_str())
}

fn document() -> FeedPath {
    FeedPath::document(DocumentKind::Advisory, &advisory(2).id, 2)
}

fn flip(path: &Path) -> Result<()> {
    let mut bytes = fs::read(path)?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    Ok(fs::write(path, bytes)?)
}

fn truncate(path: &Path) -> Result<()> {
    let bytes = fs::read(path)?;
    Ok(fs::write(path, &bytes[..bytes.len() / 2])?)
}

fn read<T: Document>(vendor: &Vendor, at: &FeedPath) -> Result<T> {
    Ok(decode(&fs::read(path(vendor, at))?, &Limits::default())?)
}

/// Puts a document into the feed, signed by whoever.
fn put<T: Document>(
    vendor: &Vendor,
    at: &FeedPath,
    document: T,
    key: &SecretKey,
) -> Result<Vec<u8>> {
    let signed = sign(document, &[key])?;
    fs::write(path(vendor, at), &signed.bytes)?;
    fs::write(path(vendor, &at.signatures()), &signed.signatures)?;
    Ok(signed.bytes)
}

/// A head that is honest but for what `change` does to it.
fn put_head(vendor: &Vendor, change: impl FnOnce(&mut Head)) -> Result<()> {
    let mut head: Head = read(vendor, &FeedPath::head())?;
    change(&mut head);
    put(vendor, &FeedPath::head(), head, &vendor.keys().feed).map(drop)
}

/// An index that is honest but for what `change` does to it, with a head that names it.
fn put_index(vendor: &Vendor, change: impl FnOnce(&mut Index)) -> Result<()> {
    let at = FeedPath::index(2);
    let mut index: Index = read(vendor, &at)?;
    change(&mut index);
    let bytes = put(vendor, &at, index, &vendor.keys().feed)?;
    put_head(vendor, |head| {
        head.index = Digest::of(&bytes);
        head.index_length = bytes.len() as u64;
    })
}

/// The advisory of revision 2 as these bytes with these signatures, named by an honest index.
fn put_document(vendor: &Vendor, bytes: &[u8], signatures: &str) -> Result<()> {
    fs::write(path(vendor, &document()), bytes)?;
    fs::write(path(vendor, &document().signatures()), signatures)?;
    put_index(vendor, |index| {
        index.documents[0].digest = Digest::of(bytes);
        index.documents[0].length = bytes.len() as u64;
    })
}

/// One test: what is refused, the words of the error, and how the feed is spoiled.
macro_rules! refused {
    ($($name:ident: $words:literal, $tamper:expr;)*) => {$(
        #[tokio::test]
        async fn $name() -> Result<()> {
            Scene::followed().await?.refuses($words, $tamper).await
        }
    )*};
}

refused! {
    a_bit_flipped_head: "head is not sufficiently signed", |vendor| flip(&path(vendor, &FeedPath::head()));
    a_truncated_head: "head is not sufficiently signed", |vendor| truncate(&path(vendor, &FeedPath::head()));
    a_head_without_signatures: "head.minisig", |vendor| Ok(fs::remove_file(path(vendor, &FeedPath::head().signatures()))?);
    a_head_with_an_empty_signature_file: "four lines", |vendor| Ok(fs::write(path(vendor, &FeedPath::head().signatures()), "")?);
    a_signature_with_a_changed_trusted_comment: "head is not sufficiently signed", |vendor| {
        let at = path(vendor, &FeedPath::head().signatures());
        let text = fs::read_to_string(&at)?.replace("revision=2", "revision=3");
        Ok(fs::write(at, text)?)
    };
    a_head_signed_by_the_advisory_key: "head is not sufficiently signed", |vendor| {
        let head: Head = read(vendor, &FeedPath::head())?;
        put(vendor, &FeedPath::head(), head, &vendor.keys().advisory).map(drop)
    };
    a_head_signed_by_a_stranger: "head is not sufficiently signed", |vendor| {
        let head: Head = read(vendor, &FeedPath::head())?;
        put(vendor, &FeedPath::head(), head, &SecretKey::generate()?).map(drop)
    };
    one_key_signing_nine_times_for_nobody: "head is not sufficiently signed", |vendor| {
        let at = path(vendor, &FeedPath::head());
        let stranger = SecretKey::generate()?;
        let comment = TrustedComment::for_parts(DocumentKind::Head, "head", 2);
        let nine = sign_bytes(&fs::read(at)?, &comment, &[&stranger; 9])?;
        Ok(fs::write(path(vendor, &FeedPath::head().signatures()), nine)?)
    };
    an_expired_head: "freeze", |vendor| put_head(vendor, |head| {
        head.issued = noon() - hours(48);
        head.expires = noon() - hours(24);
    });
    a_head_with_a_lifetime_of_years: "excessive lifetime", |vendor| put_head(vendor, |head| {
        head.expires = noon() + hours(24 * 365 * 3);
    });
    a_head_issued_years_ahead: "after the current time", |vendor| put_head(vendor, |head| {
        head.issued = noon() + hours(24 * 365 * 72);
        head.expires = head.issued + hours(24);
    });
    a_head_of_the_same_sequence_with_another_index: "equivocation", |vendor| put_head(vendor, |head| {
        head.sequence = 1;
        head.index = Digest::of(b"another");
    });
    a_head_for_another_audience: "another feed", |vendor| put_head(vendor, |head| {
        head.audience = "others".parse().expect("an audience");
    });
    a_head_made_under_a_root_that_is_withheld: "root 7", |vendor| put_head(vendor, |head| head.root_version = 7);
    a_bit_flipped_index: "mix-and-match", |vendor| flip(&path(vendor, &FeedPath::index(2)));
    a_truncated_index: "were announced", |vendor| truncate(&path(vendor, &FeedPath::index(2)));
    the_index_of_another_sequence: "bytes", |vendor| {
        fs::write(path(vendor, &FeedPath::index(2)), b"short")?;
        Ok(())
    };
    an_index_that_is_longer_than_announced: "endless data", |vendor| {
        let at = path(vendor, &FeedPath::index(2));
        let mut bytes = fs::read(&at)?;
        bytes.extend_from_slice(&[0; 5_000]);
        Ok(fs::write(at, bytes)?)
    };
    an_index_with_a_sequence_of_its_own: "mix-and-match", |vendor| put_index(vendor, |index| index.sequence = 9);
    an_advisory_removed_from_the_index: "no longer in the index", |vendor| put_index(vendor, |index| index.documents.clear());
    an_advisory_listed_twice: "inconsistent", |vendor| {
        let at = FeedPath::index(2);
        let mut index: Index = read(vendor, &at)?;
        index.documents.push(index.documents[0].clone());
        let bytes = spacecp_contract::encode(&index);
        let signatures = sign_bytes(&bytes, &TrustedComment::of(&index), &[&vendor.keys().feed])?;
        fs::write(path(vendor, &at), &bytes)?;
        fs::write(path(vendor, &at.signatures()), signatures)?;
        put_head(vendor, |head| {
            head.index = Digest::of(&bytes);
            head.index_length = bytes.len() as u64;
        })
    };
    an_advisory_that_changed_without_a_new_revision: "equivocation", |vendor| put_index(vendor, |index| {
        index.documents[0].revision = 1;
        index.documents[0].digest = Digest::of(b"something else");
    });
    an_advisory_of_a_lower_revision: "rollback", |vendor| put_index(vendor, |index| index.documents[0].revision = 0);
    a_bit_flipped_advisory: "mix-and-match", |vendor| flip(&path(vendor, &document()));
    a_truncated_advisory: "were announced", |vendor| truncate(&path(vendor, &document()));
    an_advisory_that_is_not_there: "the feed lacks the required file", |vendor| Ok(fs::remove_file(path(vendor, &document()))?);
    an_advisory_signed_by_the_feed_key: "is not sufficiently signed", |vendor| {
        let signed = sign(advisory(2), &[&vendor.keys().feed])?;
        put_document(vendor, &signed.bytes, &signed.signatures)
    };
    an_advisory_signed_by_the_correction_key: "is not sufficiently signed", |vendor| {
        let signed = sign(advisory(2), &[&vendor.keys().correction])?;
        put_document(vendor, &signed.bytes, &signed.signatures)
    };
    an_advisory_served_as_another: "moved document", |vendor| {
        let mut other = advisory(2);
        other.id = "SPACECP-SA-2026-0666".parse()?;
        let signed = sign(other, &[&vendor.keys().advisory])?;
        put_document(vendor, &signed.bytes, &signed.signatures)
    };
    a_revision_served_as_another: "moved document", |vendor| {
        let signed = sign(advisory(1), &[&vendor.keys().advisory])?;
        put_document(vendor, &signed.bytes, &signed.signatures)
    };
    a_signature_moved_from_another_document: "moved document", |vendor| {
        let bytes = spacecp_contract::encode(&advisory(2));
        let comment = TrustedComment::for_parts(DocumentKind::Advisory, "SPACECP-SA-2026-0666", 2);
        let signatures = sign_bytes(&bytes, &comment, &[&vendor.keys().advisory])?;
        put_document(vendor, &bytes, &signatures)
    };
    an_advisory_for_another_customer: "another feed", |vendor| {
        let mut other = advisory(2);
        other.audience = "customer-b".parse()?;
        let signed = sign(other, &[&vendor.keys().advisory])?;
        put_document(vendor, &signed.bytes, &signed.signatures)
    };
    an_advisory_nested_ten_thousand_deep: "deep", |vendor| {
        let bytes = vec![0x91; 10_000];
        let comment = TrustedComment::of(&advisory(2));
        let signatures = sign_bytes(&bytes, &comment, &[&vendor.keys().advisory])?;
        put_document(vendor, &bytes, &signatures)
    };
    an_array_that_announces_four_billion_values: "values announced", |vendor| {
        let bytes = [0xdd, 0xff, 0xff, 0xff, 0xff];
        let comment = TrustedComment::of(&advisory(2));
        let signatures = sign_bytes(&bytes, &comment, &[&vendor.keys().advisory])?;
        put_document(vendor, &bytes, &signatures)
    };
    an_advisory_of_a_higher_schema: "schema 2", |vendor| {
        #[derive(serde::Serialize)]
        struct Later {
            schema: u32,
            kind: &'static str,
        }
        let bytes = rmp_serde::to_vec_named(&Later { schema: 2, kind: "advisory" })?;
        let comment = TrustedComment::of(&advisory(2));
        let signatures = sign_bytes(&bytes, &comment, &[&vendor.keys().advisory])?;
        put_document(vendor, &bytes, &signatures)
    };
    a_root_that_is_not_signed_by_the_old_one: "root 2 is not sufficiently signed", |vendor| {
        let stranger = SecretKey::generate()?;
        let holders = vendor.keys().holders();
        let root = roots::root("customers".parse()?, 2, &holders, noon(), noon() + hours(24));
        put(vendor, &FeedPath::root(2), root, &stranger).map(drop)
    };
    a_root_that_skips_a_version: "does not directly follow", |vendor| {
        let holders = vendor.keys().holders();
        let root = roots::root("customers".parse()?, 3, &holders, noon(), noon() + hours(24));
        put(vendor, &FeedPath::root(2), root, &vendor.keys().root).map(drop)
    };
    a_root_that_its_own_new_keys_did_not_sign: "root 2 is not sufficiently signed", |vendor| {
        let holders = vendor.keys().holders().with(Role::Root, SecretKey::generate()?.public().clone()).threshold(Role::Root, 2);
        let root = roots::root("customers".parse()?, 2, &holders, noon(), noon() + hours(24));
        put(vendor, &FeedPath::root(2), root, &vendor.keys().root).map(drop)
    };
    a_head_issued_again_under_its_old_sequence: "equivocation", |vendor| put_head(vendor, |head| {
        // The same index; only the time differs.
        let index: Vec<u8> = fs::read(path(vendor, &FeedPath::index(1))).expect("the first index");
        head.sequence = 1;
        head.index = Digest::of(&index);
        head.index_length = index.len() as u64;
        head.expires = noon() + hours(24 * 300);
    });
}

#[tokio::test]
async fn a_lower_sequence_is_refused() -> Result<()> {
    let mut scene = Scene::followed().await?;
    let old = scene.folder.path().join("old");
    crate::scene::copy(scene.vendor.feed_dir(), &old)?;
    scene.vendor.publish_advisory(advisory(2))?;
    scene.vendor.broadcast()?;
    scene.sync().await?;
    let before = scene.trusted().await?;
    let error = scene
        .sync_with(&old.display().to_string())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("rollback"), "{error}");
    assert_eq!(scene.trusted().await?, before);
    Ok(())
}

#[derive(serde::Serialize)]
struct More<'a, T> {
    schema: u32,
    kind: DocumentKind,
    from_the_future: &'static str,
    #[serde(flatten)]
    document: &'a T,
}

/// A document with a field that nobody here knows, signed as it is.
fn with_more<T: Document>(document: T, key: &SecretKey) -> Result<Signed<T>> {
    let bytes = rmp_serde::to_vec_named(&More {
        schema: 1,
        kind: T::KIND,
        from_the_future: "kept",
        document: &document,
    })?;
    let signatures = sign_bytes(&bytes, &TrustedComment::of(&document), &[key])?;
    Ok(Signed {
        document,
        bytes,
        signatures,
    })
}

#[tokio::test]
async fn unknown_fields_of_every_document_are_ignored_and_kept() -> Result<()> {
    use crate::{roles, rotation};
    let scene = Scene::followed().await?;
    let keys = scene.vendor.keys();
    let next = with_more(rotation::root(2, &keys.holders()), &keys.root)?;
    let advisory = with_more(advisory(2), &keys.advisory)?;
    let correction = with_more(roles::correction(), &keys.correction)?;
    let mut index: Index = read(&scene.vendor, &FeedPath::index(1))?;
    index.sequence = 2;
    index.documents = vec![roles::entry(&advisory)?, roles::entry(&correction)?];
    let index = with_more(index, &keys.feed)?;
    let mut head: Head = read(&scene.vendor, &FeedPath::head())?;
    head.sequence = 2;
    head.index = Digest::of(&index.bytes);
    head.index_length = index.bytes.len() as u64;
    let head = with_more(head, &keys.feed)?;
    roles::put(&scene, &FeedPath::root(2), &next)?;
    roles::put(&scene, &document(), &advisory)?;
    let id = &correction.document.id;
    let at = FeedPath::document(DocumentKind::Correction, id, 1);
    roles::put(&scene, &at, &correction)?;
    roles::put(&scene, &FeedPath::index(2), &index)?;
    roles::put(&scene, &FeedPath::head(), &head)?;
    assert!(scene.sync().await?.changed);
    let trusted = scene.believed().await?;
    assert_eq!(trusted.root.expect("a root").bytes(), next.bytes);
    assert_eq!(trusted.head.expect("a head").bytes(), head.bytes);
    assert_eq!(trusted.index.expect("an index").bytes(), index.bytes);
    let held = scene.store.documents_since(None, 10).await?.documents;
    let held: Vec<&[u8]> = held.iter().map(|held| held.bytes.as_slice()).collect();
    assert!(held.contains(&advisory.bytes.as_slice()));
    assert!(held.contains(&correction.bytes.as_slice()));
    Ok(())
}

#[tokio::test]
async fn two_documents_in_each_others_place_are_refused() -> Result<()> {
    let mut scene = Scene::followed().await?;
    let mut other = advisory(1);
    other.id = "SPACECP-SA-2026-0666".parse()?;
    let [one, two] = [(advisory(2).id, 2), (other.id.clone(), 1)]
        .map(|(id, revision)| FeedPath::document(DocumentKind::Advisory, &id, revision));
    scene.vendor.publish_advisory(advisory(2))?;
    scene.vendor.publish_advisory(other)?;
    scene.vendor.broadcast()?;
    let before = scene.trusted().await?;
    let swap = || -> Result<()> {
        for (one, two) in [(&one, &two), (&one.signatures(), &two.signatures())] {
            let (one, two) = (path(&scene.vendor, one), path(&scene.vendor, two));
            let (first, second) = (fs::read(&one)?, fs::read(&two)?);
            fs::write(one, second)?;
            fs::write(two, first)?;
        }
        Ok(())
    };
    swap()?;
    let error = scene
        .sync()
        .await
        .expect_err("they were swapped")
        .to_string();
    let named = error.contains("mix-and-match") || error.contains("announced");
    assert!(named, "{error}");
    assert_eq!(scene.trusted().await?, before);
    swap()?;
    assert!(scene.sync().await?.changed, "the next honest sync succeeds");
    Ok(())
}

#[tokio::test]
async fn what_was_private_does_not_come_back_after_it_was_disclosed() -> Result<()> {
    let mut scene = Scene::new().await?;
    scene.vendor.enrol("panel", &scene.state())?;
    let mut private = advisory(2);
    private.id = "SPACECP-SA-2026-0099".parse()?;
    private.tlp = spacecp_contract::Tlp::AmberStrict;
    scene.vendor.publish_advisory(private)?;
    scene.vendor.broadcast()?;
    scene.sync().await?;
    let broadcast = scene.folder.path().join("private");
    crate::scene::copy(scene.vendor.feed_dir(), &broadcast)?;
    let mut public = advisory(3);
    public.id = "SPACECP-SA-2026-0099".parse()?;
    public.tlp = spacecp_contract::Tlp::Clear;
    scene.vendor.publish_advisory(public)?;
    scene.vendor.broadcast()?;
    scene.sync().await?;
    let held = scene.store.documents_since(None, 10).await?.documents;
    let held = held.iter().filter(|one| one.id == "SPACECP-SA-2026-0099");
    let held: Vec<u64> = held.map(|one| one.revision).collect();
    assert_eq!(held, [3], "the public revision has taken its place");
    let again = scene.sync_with(&broadcast.display().to_string()).await;
    let error = again.expect_err("it is the past").to_string();
    assert!(error.contains("rollback"), "{error}");
    Ok(())
}

#[tokio::test]
async fn one_bad_signature_among_enough_good_ones_does_no_harm() -> Result<()> {
    let mut scene = Scene::followed().await?;
    scene.vendor.publish_advisory(advisory(2))?;
    scene.vendor.broadcast()?;
    let at = path(&scene.vendor, &FeedPath::head());
    let comment = TrustedComment::for_parts(DocumentKind::Head, "head", 2);
    let stranger = SecretKey::generate()?;
    let both = sign_bytes(
        &fs::read(at)?,
        &comment,
        &[&stranger, &scene.vendor.keys().feed],
    )?;
    fs::write(path(&scene.vendor, &FeedPath::head().signatures()), both)?;
    assert!(scene.sync().await?.changed);
    Ok(())
}

#[tokio::test]
async fn a_root_signed_by_old_and_new_keys_is_followed_and_the_old_feed_key_is_over() -> Result<()>
{
    let scene = Scene::followed().await?;
    let vendor = &scene.vendor;
    let feed = SecretKey::generate()?;
    let keys = vendor.keys();
    let holders = roots::Holders::default()
        .with(Role::Root, keys.root.public().clone())
        .with(Role::Feed, feed.public().clone())
        .with(Role::Advisory, keys.advisory.public().clone())
        .with(Role::Correction, keys.correction.public().clone())
        .with(Role::Plugin, keys.plugin.public().clone());
    let root = roots::root(
        "customers".parse()?,
        2,
        &holders,
        noon(),
        noon() + hours(24 * 30),
    );
    let root = sign(root, &[&keys.root])?;
    vendor.signing().add_root(&root)?;
    let refused = vendor
        .publisher()
        .broadcast(noon(), noon() + hours(24), &[&keys.feed]);
    assert!(refused.is_err(), "the publisher refuses what a panel would");
    vendor
        .publisher()
        .broadcast(noon(), noon() + hours(24), &[&feed])?;
    assert!(scene.sync().await?.changed);
    assert_eq!(
        scene.believed().await?.root.map(|root| root.version),
        Some(2)
    );
    Ok(())
}

#[test]
fn a_pinned_root_that_is_not_signed_by_its_own_keys_is_refused() -> Result<()> {
    use spacecp_advisories::trust::{Unverified, pinned_root};
    let folder = spacecp_tests::scratch::folder()?;
    let vendor = Vendor::new(folder.path(), "customers", Timestamp::UNIX_EPOCH)?;
    let bytes = fs::read(vendor.root_path())?;
    let good = fs::read(vendor.root_path().with_extension("root.minisig"))?;
    let audience = "customers".parse()?;
    assert!(
        pinned_root(
            Unverified {
                bytes: &bytes,
                signatures: &good
            },
            &audience
        )
        .is_ok()
    );
    let root: spacecp_contract::Root = decode(&bytes, &Limits::default())?;
    let stranger = sign_bytes(
        &bytes,
        &TrustedComment::of(&root),
        &[&SecretKey::generate()?],
    )?;
    assert!(
        pinned_root(
            Unverified {
                bytes: &bytes,
                signatures: stranger.as_bytes()
            },
            &audience
        )
        .is_err()
    );
    assert!(
        pinned_root(
            Unverified {
                bytes: &bytes,
                signatures: &good
            },
            &"others".parse()?
        )
        .is_err()
    );
    // A document of another kind, well signed.
    vendor.publisher().broadcast(
        Timestamp::UNIX_EPOCH,
        Timestamp::UNIX_EPOCH + hours(24),
        &[&vendor.keys().feed],
    )?;
    let (head, signatures) = (
        fs::read(path(&vendor, &FeedPath::head()))?,
        fs::read(path(&vendor, &FeedPath::head().signatures()))?,
    );
    let offered = Unverified {
        bytes: &head,
        signatures: &signatures,
    };
    let error = pinned_root(offered, &audience).expect_err("it is a head");
    assert!(
        error.to_string().contains("expected a root, found a head"),
        "{error}"
    );
    let mut flipped = bytes.clone();
    flipped[40] ^= 1;
    assert!(
        pinned_root(
            Unverified {
                bytes: &flipped,
                signatures: &good
            },
            &audience
        )
        .is_err()
    );
    Ok(())
}

#[tokio::test]
async fn a_withdrawn_advisory_does_not_come_back_at_its_revision() -> Result<()> {
    let mut scene = Scene::followed().await?;
    let mut withdrawn = advisory(2);
    withdrawn.withdrawn = Some(noon());
    scene.vendor.publish_advisory(withdrawn)?;
    scene.vendor.broadcast()?;
    scene.sync().await?;
    let before = scene.trusted().await?;
    let bytes = put(
        &scene.vendor,
        &document(),
        advisory(2),
        &scene.vendor.keys().advisory,
    )?;
    let mut index: Index = read(&scene.vendor, &FeedPath::index(2))?;
    index.sequence = 3;
    index.documents[0].digest = Digest::of(&bytes);
    index.documents[0].length = bytes.len() as u64;
    let index = put(
        &scene.vendor,
        &FeedPath::index(3),
        index,
        &scene.vendor.keys().feed,
    )?;
    put_head(&scene.vendor, |head| {
        head.sequence = 3;
        head.index = Digest::of(&index);
        head.index_length = index.len() as u64;
    })?;
    let refused = scene.sync().await.expect_err("it came back").to_string();
    assert!(refused.contains("without a new revision"), "{refused}");
    assert_eq!(scene.trusted().await?, before);
    // Three is used up by whoever forged it: the vendor's next word is four.
    scene.vendor.believe_folder()?;
    scene.vendor.publish_advisory(advisory(3))?;
    assert_eq!(scene.vendor.broadcast()?.sequence, 4);
    assert!(scene.sync().await?.changed);
    Ok(())
}
