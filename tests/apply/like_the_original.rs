//! What is copied into the new tree is like the original: holes, names of one file, times, access control
//! lists.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{Seek, SeekFrom, Write},
    os::unix::fs::{FileExt, MetadataExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use anyhow::{Context, Result};
use spacecp_advisories::apply::Step;
use spacecp_tests::ground::write;
use walkdir::WalkDir;

use crate::{
    own_files::applied_while_at,
    real_disks::{EXT4, disk, fresh, on_disk_of, say, words},
    site::Template,
    tree::{Panel, new, now, old},
};

async fn panel() -> Result<Panel> {
    Panel::new(&old(), &new()).await
}

/// A file of 64 MiB with some bytes in its middle and at its end.
fn sparse(path: &Path) -> Result<()> {
    let mut file = File::create(path)?;
    file.seek(SeekFrom::Start(32 << 20))?;
    file.write_all(b"middle")?;
    file.set_len(64 << 20)?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_with_holes_has_them_in_the_new_tree_as_well() -> Result<()> {
    let panel = panel().await?;
    let file = panel.component().join("world.db");
    sparse(&file)?;
    sparse(&panel.component().join("later.db"))?;
    let original = fs::metadata(&file)?;
    applied_while_at(&panel, Step::Verified, |component| {
        // This one is copied once more when the component stands still.
        Ok(File::options()
            .write(true)
            .open(component.join("later.db"))?
            .write_all_at(b"x", 9)?)
    })
    .await?;
    for name in ["world.db", "later.db"] {
        let copy = fs::metadata(panel.component().join(name))?;
        assert_eq!(copy.len(), original.len(), "{name}");
        assert!(
            copy.blocks() <= original.blocks() + 16,
            "{name} was filled: {} blocks",
            copy.blocks()
        );
    }
    let mut middle = [0; 6];
    File::open(&file)?.read_exact_at(&mut middle, 32 << 20)?;
    assert_eq!(&middle, b"middle");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_of_holes_larger_than_the_disk_is_corrected() -> Result<()> {
    let panel = panel().await?;
    let free = rustix::fs::statvfs(panel.folder.path())?;
    let file = File::create(panel.component().join("huge.db"))?;
    // Not every file system has files as long as that.
    if file.set_len(free.f_blocks * free.f_frsize * 2).is_ok() {
        panel.apply().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_one_file_are_names_of_one_file_in_the_new_tree() -> Result<()> {
    let panel = panel().await?;
    let component = panel.component();
    write(&component, "store/a", "one file")?;
    write(&component, "store/c", "another file")?;
    fs::hard_link(component.join("store/a"), component.join("b"))?;
    fs::hard_link(component.join("store/c"), component.join("d"))?;
    applied_while_at(&panel, Step::Verified, |component| {
        // One pair is written to after it was copied, and one file gets another name.
        write(component, "d", "written to under its other name")?;
        Ok(fs::hard_link(component.join("b"), component.join("lib/e"))?)
    })
    .await?;
    let inode = |name: &str| -> Result<u64> { Ok(fs::metadata(component.join(name))?.ino()) };
    assert_eq!(inode("store/a")?, inode("b")?);
    assert_eq!(inode("store/a")?, inode("lib/e")?);
    assert_eq!(inode("store/c")?, inode("d")?);
    assert_eq!(fs::metadata(component.join("b"))?.nlink(), 3);
    assert_eq!(
        fs::read_to_string(component.join("store/c"))?,
        "written to under its other name"
    );
    Ok(())
}

/// When everything in a tree was last written, but for what the correction names.
fn times(component: &Path) -> Result<BTreeMap<PathBuf, SystemTime>> {
    let mut times = BTreeMap::new();
    for entry in WalkDir::new(component) {
        let entry = entry?;
        let time = fs::symlink_metadata(entry.path())?.modified()?;
        times.insert(entry.path().strip_prefix(component)?.to_owned(), time);
    }
    Ok(times)
}

#[tokio::test(flavor = "multi_thread")]
async fn files_folders_and_links_have_the_times_that_they_had() -> Result<()> {
    let panel = panel().await?.keeping(&["data/world/"]);
    let component = panel.component();
    write(&component, "data/world/level", "played for years")?;
    write(&component, "data/readme", "own")?;
    write(&component, "own/inner/file", "own")?;
    symlink("own", component.join("link"))?;
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let ago = rustix::fs::Timespec {
        tv_sec: 1_000_000_000,
        tv_nsec: 0,
    };
    let times_ago = rustix::fs::Timestamps {
        last_access: ago,
        last_modification: ago,
    };
    let follow = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
    for entry in WalkDir::new(&component).contents_first(true) {
        rustix::fs::utimensat(rustix::fs::CWD, entry?.path(), &times_ago, follow)?;
    }
    panel.apply().await?;
    let found = times(&component)?;
    for path in [
        "data",
        "data/world",
        "data/world/level",
        "data/readme",
        "own",
        "own/inner",
        "own/inner/file",
        "link",
        "same.txt",
    ] {
        assert_eq!(found[Path::new(path)], long_ago, "{path}");
    }
    panel
        .plain()
        .roll_back("first", false, "for a test", now(), &())
        .await?;
    for (path, time) in times(&component)? {
        assert_eq!(time, long_ago, "{} after the rollback", path.display());
    }
    Ok(())
}

/// An access control list (`linux/posix_acl_xattr.h`): owner rw-, user 1234 `user`, group r--, mask `mask`,
/// others r--.
fn list(user: u8, mask: u8) -> Vec<u8> {
    let mut list = vec![2, 0, 0, 0];
    let nobody = u32::MAX;
    for (tag, bits, id) in [
        (0x01_u16, 6, nobody),
        (0x02, user, 1234),
        (0x04, 4, nobody),
        (0x10, mask, nobody),
        (0x20, 4, nobody),
    ] {
        list.extend(tag.to_le_bytes());
        list.extend([bits, 0]);
        list.extend(id.to_le_bytes());
    }
    list
}

const ACCESS: &str = "system.posix_acl_access";
const DEFAULT: &str = "system.posix_acl_default";

#[test]
#[cfg_attr(
    not(has_disks),
    ignore = "mounting file systems wants root and their tools"
)]
fn access_control_lists_stay_as_they_are_with_their_masks() -> Result<()> {
    let test = "like_the_original::this_disk_has_access_control_lists";
    assert_eq!(on_disk_of(test, EXT4)?, words(&["lists are kept"]));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "another test starts it as a process of its own"]
async fn this_disk_has_access_control_lists() -> Result<()> {
    let disk = disk()?;
    let template = Template::new(&old(), &new(), |_| {}).await?;
    let site = fresh(&template, &disk).await?;
    let component = site.component();
    write(&component, "own/notes", "own")?;
    write(&component, "own/plain", "own")?;
    // What is made beside the component would inherit this, and is to have it no more than the original.
    let around = component.parent().context("it is in a folder")?;
    xattr::set(around, DEFAULT, &list(7, 7))?;
    let kept = [
        ("own/notes", list(6, 4)),
        ("lib/a.js", list(6, 6)),
        ("same.txt", list(4, 6)),
    ];
    for (path, list) in &kept {
        xattr::set(component.join(path), ACCESS, list)?;
    }
    xattr::set(component.join("own"), DEFAULT, &list(6, 6))?;
    site.apply(&site.plain(), "first").await?;
    for (path, list) in &kept {
        let found = xattr::get(component.join(path), ACCESS)?;
        assert_eq!(found.as_ref(), Some(list), "{path}");
    }
    assert_eq!(
        xattr::get(component.join("own"), DEFAULT)?,
        Some(list(6, 6))
    );
    for path in ["own/plain", "own", "bin/run", "lib/new/b.js", "VERSION"] {
        assert_eq!(xattr::get(component.join(path), ACCESS)?, None, "{path}");
    }
    let mode = fs::metadata(component.join("bin/run"))?
        .permissions()
        .mode();
    assert_eq!(mode & 0o7777, 0o755);
    say("lists are kept");
    Ok(())
}
