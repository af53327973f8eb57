//! Compiles the plugin and the hostile guest, turns each into a component, and hands their paths
//! to the crate as constants.
//!
//! A guest needs the standard library for `wasm32-unknown-unknown`. Where it is missing this
//! script looks for a distribution's compiler with the sources beside it (Debian: `rustc-web` and
//! `rust-web-src`), then asks rustup for the target, and otherwise stops with one sentence.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use wit_component::ComponentEncoder;

const TARGET: &str = "wasm32-unknown-unknown";

/// The guests: package, and the constant that names its component.
const GUESTS: [(&str, &str); 2] = [
    ("spacecp-advisories-plugin", "PLUGIN"),
    ("spacecp-hostile-guest", "HOSTILE"),
];

fn main() -> Result<()> {
    for path in [
        "build.rs",
        "guests",
        "../plugin",
        "../wit",
        "../Cargo.toml",
        "../Cargo.lock",
    ] {
        println!("cargo::rerun-if-changed={path}");
    }
    println!("cargo::rerun-if-env-changed=SPACECP_GUEST_RUSTC");
    announce("has_browser", &["chromium", "chromedriver"]);
    announce("has_minisign", &["minisign"]);
    announce("has_age", &["age"]);
    announce("has_unshare", &["unshare", "mount"]);
    announce("has_strace", &["strace"]);
    announce_root();
    announce_fusepy();
    let out = PathBuf::from(env::var_os("OUT_DIR").context("cargo sets OUT_DIR")?);
    // A folder of its own beside the profile's: the running cargo holds the lock of that one.
    let target_dir = out
        .ancestors()
        .nth(4)
        .context("OUT_DIR lies in the target folder")?
        .join("guests");
    let toolchain = Toolchain::find()?;
    let mut constants = String::new();
    for (package, constant) in GUESTS {
        let module = toolchain.build(package, &target_dir)?;
        let component = componentize(&module)
            .with_context(|| format!("cannot turn {package} into a component"))?;
        let path = out.join(format!("{package}.wasm"));
        fs::write(&path, component)?;
        constants.push_str(&format!(
            "/// The component of `{package}`.\npub const {constant}: &str = {:?};\n",
            path.display().to_string()
        ));
    }
    fs::write(out.join("artifacts.rs"), constants)?;
    Ok(())
}

/// Sets a `cfg` when all of these programs can be run, so that tests that need them are reported as
/// ignored where they are missing. In CI it is always set: there, their absence is a failure.
fn announce(cfg: &str, programs: &[&str]) {
    println!("cargo::rustc-check-cfg=cfg({cfg})");
    println!("cargo::rerun-if-env-changed=CI");
    println!("cargo::rerun-if-env-changed=PATH");
    let path = env::var_os("PATH").unwrap_or_default();
    let there =
        |program: &&str| env::split_paths(&path).any(|folder| folder.join(program).is_file());
    if env::var_os("CI").is_some() || programs.iter().all(there) {
        println!("cargo::rustc-cfg={cfg}");
    }
}

/// Says whether the tests run as root, who can give files away and start processes of other users; and
/// whether file systems can be made and mounted, which wants root beside the programs.
fn announce_root() {
    let programs = [
        "mkfs.ext4",
        "mkfs.xfs",
        "mkfs.btrfs",
        "fuse2fs",
        "mount",
        "unshare",
    ];
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let is_root = status.lines().any(|line| line.starts_with("Uid:\t0\t"));
    if is_root || env::var_os("CI").is_some() {
        announce("has_root", &[]);
        announce("has_disks", &programs);
    } else {
        println!("cargo::rustc-check-cfg=cfg(has_root, has_disks)");
    }
}

/// Says whether Debian's Python can serve file systems.
fn announce_fusepy() {
    println!("cargo::rustc-check-cfg=cfg(has_fusepy)");
    let is_there = Path::new("/usr/lib/python3/dist-packages/fusepy.py").exists();
    if is_there || env::var_os("CI").is_some() {
        println!("cargo::rustc-cfg=has_fusepy");
    }
}

/// Wraps a core module that carries its WIT in a custom section into a component.
fn componentize(module: &Path) -> Result<Vec<u8>> {
    ComponentEncoder::default()
        .module(&fs::read(module)?)?
        .validate(true)
        .encode()
}

/// Which compiler can make guests here.
enum Toolchain {
    /// The one that runs this build: it has the target.
    Ours,
    /// Another, with the sources of its standard library.
    FromSources { rustc: PathBuf },
}

impl Toolchain {
    fn find() -> Result<Self> {
        let ours = PathBuf::from(env::var_os("RUSTC").context("cargo sets RUSTC")?);
        if let Some(rustc) = env::var_os("SPACECP_GUEST_RUSTC").map(PathBuf::from) {
            if !has_sources(&rustc) {
                bail!(
                    "SPACECP_GUEST_RUSTC is {}, which has no sources of its standard library",
                    rustc.display()
                );
            }
            return Ok(Self::FromSources { rustc });
        }
        if has_target(&ours) {
            return Ok(Self::Ours);
        }
        let debian = PathBuf::from("/usr/bin/rustc");
        if debian.exists() && has_sources(&debian) {
            return Ok(Self::FromSources { rustc: debian });
        }
        let added = Command::new("rustup")
            .args(["target", "add", TARGET])
            .status();
        if added.is_ok_and(|status| status.success()) && has_target(&ours) {
            return Ok(Self::Ours);
        }
        bail!(
            "the plugin is a WebAssembly component and this Rust cannot compile one: run \"rustup target add {TARGET}\", \
             or install the Debian packages rustc-web and rust-web-src"
        )
    }

    fn build(&self, package: &str, target_dir: &Path) -> Result<PathBuf> {
        let mut cargo = Command::new(env::var_os("CARGO").context("cargo sets CARGO")?);
        cargo.args([
            "rustc",
            "--locked",
            "--lib",
            "--crate-type",
            "cdylib",
            "--profile",
            "guest",
            "--target",
            TARGET,
        ]);
        cargo
            .args(["--package", package, "--target-dir"])
            .arg(target_dir);
        // What the outer cargo was told to do to native code is not for the guest.
        for variable in [
            "CARGO_ENCODED_RUSTFLAGS",
            "RUSTFLAGS",
            "RUSTC_WRAPPER",
            "RUSTC_WORKSPACE_WRAPPER",
            "RUSTC",
        ] {
            cargo.env_remove(variable);
        }
        if let Self::FromSources { rustc } = self {
            cargo
                .args(["-Zbuild-std=std,panic_abort"])
                .env("RUSTC", rustc)
                .env("RUSTC_BOOTSTRAP", "1");
            cargo.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", rust_lld()?);
        }
        let status = cargo.status().context("cannot run cargo")?;
        if !status.success() {
            bail!("{package} does not compile to {TARGET}");
        }
        Ok(target_dir
            .join(TARGET)
            .join("guest")
            .join(format!("{}.wasm", package.replace('-', "_"))))
    }
}

fn sysroot(rustc: &Path) -> Option<PathBuf> {
    let output = Command::new(rustc)
        .args(["--print", "sysroot"])
        .output()
        .ok()?;
    Some(PathBuf::from(String::from_utf8(output.stdout).ok()?.trim()))
}

fn has_target(rustc: &Path) -> bool {
    sysroot(rustc).is_some_and(|root| root.join("lib/rustlib").join(TARGET).join("lib").is_dir())
}

fn has_sources(rustc: &Path) -> bool {
    sysroot(rustc).is_some_and(|root| root.join("lib/rustlib/src/rust/library/std").is_dir())
}

/// The linker that rustup's toolchains bring along.
fn rust_lld() -> Result<PathBuf> {
    let host = env::var("HOST").context("cargo sets HOST")?;
    let root = sysroot(Path::new(
        &env::var_os("RUSTC").context("cargo sets RUSTC")?,
    ))
    .context("rustc has a sysroot")?;
    Ok(root.join("lib/rustlib").join(host).join("bin/rust-lld"))
}
