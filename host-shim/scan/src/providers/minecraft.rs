//! A Minecraft server or proxy: the archives at its top and in `versions/`, `cache/`, `libraries/`,
//! `plugins/` and `mods/`.
//!
//! Folders that plugins make for themselves are not looked into: they hold worlds, maps and databases,
//! and no code that the server loads.

use std::path::{Path, PathBuf};

use crate::{
    Why,
    ground::Kind,
    jar::{self, Role},
    look::Look,
};

/// Folders of archives that a server loads, and whether there are folders inside.
const FOLDERS: [(&str, bool); 5] = [
    ("cache", false),
    ("libraries", true),
    ("mods", false),
    ("plugins", false),
    ("versions", true),
];

pub(super) fn look(look: &mut Look<'_>) {
    let unpacked = look.is_folder(Path::new("versions"));
    let mut found = false;
    for (path, kind) in look.list(Path::new("")) {
        if kind != Kind::Folder && is_archive(&path) {
            found = true;
            archive(look, &path, Role::Server { unpacked });
        }
    }
    for (folder, deep) in FOLDERS {
        // The server that a bundle unpacked says what the bundle does not.
        let role = match folder {
            "cache" | "versions" => Role::Server { unpacked },
            _ => Role::Part,
        };
        found |= archives_in(look, Path::new(folder), role, deep);
    }
    if !found {
        let why = Why::Missing(
            "what is installed: there is no archive of a server, a plugin or a mod".to_owned(),
        );
        look.unread(Path::new(""), why);
    }
}

/// Whether there is an archive in the folder, or inside that.
fn archives_in(look: &mut Look<'_>, folder: &Path, role: Role, deep: bool) -> bool {
    let mut found = false;
    // Depth is bounded by what `list` is willing to list.
    let mut folders: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for (path, kind) in look.list(&folder) {
            if is_archive(&path) && kind != Kind::Folder {
                found = true;
                // Forge has the game among its libraries.
                let role = if path.starts_with("libraries/net/minecraft/server") {
                    Role::Server { unpacked: true }
                } else {
                    role
                };
                archive(look, &path, role);
            } else if deep && matches!(kind, Kind::Folder | Kind::Link) {
                folders.push(path);
            }
        }
    }
    found
}

fn archive(look: &mut Look<'_>, path: &Path, role: Role) {
    let reader = match role {
        Role::Server { unpacked: true } => "server-unpacked",
        Role::Server { unpacked: false } => "server",
        Role::Part => "jar",
    };
    look.file(path, reader, |file, budget| {
        jar::read(file, path, role, budget)
    });
}

fn is_archive(path: &Path) -> bool {
    let extension = path.extension();
    extension.is_some_and(|extension| extension.eq_ignore_ascii_case("jar"))
}
