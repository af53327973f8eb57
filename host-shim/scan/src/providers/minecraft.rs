//! A Minecraft server or proxy: the archives at its top, where its loaders look for them, and everywhere else in its
//! folder.
//!
//! Where servers and loaders load from ([`CODE`]) every file is looked at by its contents, whatever it is called:
//! Bukkit and `BungeeCord` load `plugins/*.jar`, `BungeeCord` `modules/*.jar` too; Forge and Quilt go into folders of
//! any name within `mods/`; Mojang's bundler and Paper unpack into `versions/`, `libraries/`, `cache/` and `bundler/`.
//! In other folders plugins keep what they have downloaded, beside worlds, maps and databases: files that are called
//! like data ([`DATA`]) are not opened there.

use std::path::{Path, PathBuf};

use crate::{
    Why,
    findings::Findings,
    ground::Kind,
    jar::{self, Loader, Role},
    look::Look,
};

/// Folders that are loaded from, and whether the folders inside are.
const CODE: [(&str, bool); 15] = [
    ("", false),
    (".fabric", true),
    (".quilt", true),
    ("bundler", true),
    ("cache", true),
    ("coremods", true),
    ("extensions", true),
    ("lib", true),
    ("libraries", true),
    ("libs", true),
    ("mods", true),
    ("modules", true),
    ("plugins", false),
    ("plugins/.paper-remapped", true),
    ("versions", true),
];

/// Folders in which a server's own archive may lie.
const SERVERS: [&str; 5] = [
    ".fabric/server",
    "bundler/versions",
    "cache",
    "libraries/net/minecraft/server",
    "versions",
];

/// What the names of files end with that hold no code, where none is loaded from.
const DATA: [&str; 60] = [
    "asc",
    "bat",
    "bbmodel",
    "bin",
    "bmp",
    "cfg",
    "conf",
    "css",
    "csv",
    "dat",
    "dat_old",
    "db",
    "flac",
    "gif",
    "gz",
    "hash",
    "hocon",
    "htm",
    "html",
    "ico",
    "ini",
    "jpeg",
    "jpg",
    "js",
    "json",
    "json5",
    "lang",
    "litematic",
    "lock",
    "log",
    "map",
    "mca",
    "mcc",
    "mcfunction",
    "mcmeta",
    "mcr",
    "md",
    "md5",
    "mp3",
    "mp4",
    "nbt",
    "ogg",
    "png",
    "properties",
    "schem",
    "schematic",
    "sha1",
    "sha256",
    "sh",
    "sqlite",
    "svg",
    "toml",
    "ttf",
    "txt",
    "wav",
    "webp",
    "xml",
    "yaml",
    "yml",
    "zip",
];

pub(super) fn look(look: &mut Look<'_>) {
    let before = look.count();
    let unpacked = look.is_folder(Path::new("versions"));
    let top = look.list(Path::new(""));
    let (mut found, mut folders) = (false, Vec::new());
    let mut archives = Archives {
        look,
        unpacked,
        loader: Loader::Any,
    };
    for (path, kind) in top {
        found |= archives.one(path, kind, &mut folders);
    }
    archives.loader = loader(archives.look);
    // What is loaded from comes first: should there be too much in the others, it has been read.
    folders.sort_by_key(|folder| !is_code(folder));
    folders.reverse();
    // Depth is bounded by what `list` is willing to list.
    while let Some(folder) = folders.pop() {
        for (path, kind) in archives.look.list(&folder) {
            found |= archives.one(path, kind, &mut folders);
        }
    }
    if !found && look.count() == before {
        let why = Why::Missing(
            "what is installed: there is no archive of a server, a plugin or a mod".to_owned(),
        );
        look.unread(Path::new(""), why);
    }
}

/// Who loads what is in `plugins/`, by the server that was found, or by what a proxy leaves beside itself.
fn loader(look: &Look<'_>) -> Loader {
    let mut bungee = ["bungeecord", "waterfall", "travertine", "flamecord"].into_iter();
    let bukkit = [
        "bukkit.yml",
        "spigot.yml",
        "paper.yml",
        "config/paper-global.yml",
    ];
    if bungee.any(|make| look.has_found(&format!("minecraft:{make}"))) {
        Loader::Bungee
    } else if bukkit.iter().any(|file| look.is_there(Path::new(file)))
        || look.has_found("minecraft:server")
    {
        Loader::Bukkit
    } else if look.is_folder(Path::new("libraries/net/neoforged/neoforge")) {
        Loader::NeoForge
    } else if look.is_there(Path::new("modules.yml")) || look.is_folder(Path::new("modules")) {
        Loader::Bungee
    } else {
        Loader::Any
    }
}

/// The archives in the folder.
struct Archives<'a, 'b> {
    look: &'a mut Look<'b>,
    unpacked: bool,
    loader: Loader,
}

impl Archives<'_, '_> {
    /// Reads a file if it may be an archive, and keeps a folder for later. Whether it is one by its name.
    fn one(&mut self, path: PathBuf, kind: Kind, folders: &mut Vec<PathBuf>) -> bool {
        let named = is_archive(&path);
        let is_folder = match kind {
            Kind::Folder => true,
            Kind::Link => !named && self.look.is_folder(&path),
            Kind::File | Kind::Other => false,
        };
        if is_folder {
            folders.push(path);
            return false;
        }
        if named {
            self.archive(&path);
        } else if kind == Kind::Other {
            return false;
        } else if path
            .file_name()
            .is_some_and(|name| jar::is_packed_archive(&name.to_string_lossy()))
        {
            self.look
                .unread(&path, Why::NotRead("a packed archive".to_owned()));
        } else if path.parent().is_some_and(is_code) || !is_data(&path) {
            self.perhaps_archive(&path);
        }
        named
    }

    fn archive(&mut self, path: &Path) {
        let role = self.role(path);
        self.look.file(path, reader(role), |file, budget| {
            jar::read(file, path, role, budget)
        });
    }

    fn perhaps_archive(&mut self, path: &Path) {
        let role = self.role(path);
        let reader = format!("{} by contents", reader(role));
        self.look.file(path, &reader, |file, budget| {
            if !jar::is_in(file)? {
                return Ok(Findings::default());
            }
            jar::read(file, path, role, budget)
        });
    }

    fn role(&self, path: &Path) -> Role {
        let folder = path.parent().unwrap_or(Path::new(""));
        let of_servers = SERVERS.iter().any(|servers| folder.starts_with(servers));
        if folder.starts_with("libraries/net/minecraft/server") {
            // Forge has the game among its libraries.
            Role::Server { unpacked: true }
        } else if of_servers || folder.as_os_str().is_empty() {
            Role::Server {
                unpacked: self.unpacked,
            }
        } else {
            Role::Part(self.loader)
        }
    }
}

/// The same file is read in another way for another role.
fn reader(role: Role) -> &'static str {
    match role {
        Role::Server { unpacked: true } => "server-unpacked 2",
        Role::Server { unpacked: false } => "server 2",
        Role::Part(Loader::Any) => "jar 2",
        Role::Part(Loader::Bukkit) => "jar of bukkit 2",
        Role::Part(Loader::Bungee) => "jar of bungee 2",
        Role::Part(Loader::NeoForge) => "jar of neoforge",
    }
}

fn is_code(folder: &Path) -> bool {
    CODE.iter().any(|(code, deep)| {
        let code = Path::new(code);
        folder == code || *deep && folder.starts_with(code)
    })
}

fn is_archive(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    jar::is_archive_by_name(&name)
}

fn is_data(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    DATA.iter().any(|data| extension.eq_ignore_ascii_case(data))
}
