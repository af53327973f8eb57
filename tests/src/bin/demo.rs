//! `cargo demo`: a vendor, its feed, and a panel with the plugin, on this machine.
//!
//! Called by the name of one of the two programs it is that program: the demo prints commands that run at once,
//! with nothing more to compile.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result};
use clap::Parser;
use spacecp_tests::{
    catalog,
    demo::{Demo, Interruption, Login},
};

/// A vendor with fresh keys broadcasts four advisories and three corrections, one of each under embargo; a
/// panel follows the feed over HTTP, loads the plugin, and serves its pages until you press Ctrl-C. Beside it
/// are another customer's panel that is enrolled, and one that is not, and the vendor's desk.
///
/// Everything is written below one temporary folder, which goes when the demo ends; with --dir it
/// is written there and stays.
#[derive(Debug, Parser)]
#[command(name = "demo", version)]
struct Arguments {
    /// Where to write; it must be empty or not there yet, and it stays.
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,

    /// The port of the panel on 127.0.0.1; another is taken if it is in use.
    #[arg(long, default_value_t = 8420)]
    port: u16,

    /// The password of the administrator; a random one if it is not given.
    #[arg(long, env = "SPACECP_DEMO_PASSWORD", hide_env_values = true)]
    password: Option<String>,
}

const PANEL: &str = "spacecp-advisories";
const VENDOR: &str = "spacecp-publisher";

fn main() -> ExitCode {
    let called = std::env::args_os().next().map(PathBuf::from);
    let name = called.as_deref().and_then(Path::file_name);
    if name == Some(OsStr::new(PANEL)) {
        return spacecp_advisories::cli::main();
    }
    if name == Some(OsStr::new(VENDOR)) {
        return spacecp_publisher::cli::main();
    }
    demo()
}

#[tokio::main]
async fn demo() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into()),
        )
        .with_writer(std::io::stderr)
        .init();
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

#[expect(
    clippy::print_stdout,
    reason = "it is what the reader of the demo came for"
)]
async fn run(arguments: Arguments) -> Result<()> {
    let login = match arguments.password {
        Some(password) => Login::with_password(password),
        None => Login::with_random_password()?,
    };
    println!("Setting up a vendor, a feed and a panel ...");
    let demo = Demo::raise(arguments.dir.as_deref(), arguments.port, login).await?;
    if demo.port() != arguments.port && arguments.port != 0 {
        println!(
            "Port {} is in use, so the panel takes {}.",
            arguments.port,
            demo.port()
        );
    }
    println!();
    println!("  The panel     {}", demo.url());
    println!(
        "  Log in as     {}  with  {}",
        demo.login().name,
        demo.login().password
    );
    println!("  The feed      {}", demo.feed_url());
    println!("  Everything    {}", demo.folder().display());
    println!();
    println!("  From a terminal, on the same panel:");
    let programs = demo.folder().join("bin");
    link_programs(&programs)?;
    let panel = format!("{} --config", programs.join(PANEL).display());
    println!("    {panel} {} check", demo.config_path().display());
    println!();
    print_procedure(&demo, &panel, &programs.join(VENDOR));
    println!("SpaceCP's own two advisories are invented; Log4Shell and the flaw of ws are real.");
    let interruption = Interruption::listen()?;
    println!(
        "Press Ctrl-C to end it{}.",
        if demo.stays() { "" } else { " and clean up" }
    );
    demo.run_until(interruption).await?;
    println!("\nThe demo has ended.");
    Ok(())
}

/// Links this program into `folder` under the names of the two programs.
fn link_programs(folder: &Path) -> Result<()> {
    let this = std::env::current_exe().context("cannot find this program's own path")?;
    fs::create_dir(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    for name in [PANEL, VENDOR] {
        let link = folder.join(name);
        std::os::unix::fs::symlink(&this, &link)
            .with_context(|| format!("cannot link {}", link.display()))?;
    }
    Ok(())
}

#[expect(
    clippy::print_stdout,
    reason = "it is what the reader of the demo came for"
)]
fn print_procedure(demo: &Demo, panel: &str, vendor: &Path) {
    let desk = format!("{} --desk {}", vendor.display(), demo.desk().display());
    let (feed, draft) = (demo.feed_dir(), demo.public_draft());
    println!(
        "  {} is under embargo. Another customer who is enrolled sees it,",
        catalog::BACKUP
    );
    println!("  and somebody who is not learns nothing (sync first, then list):");
    for config in [demo.enrolled_config(), demo.stranger_config()] {
        println!("    {panel} {} sync", config.display());
        println!("    {panel} {} list", config.display());
    }
    println!();
    println!(
        "  A report from the page \"Report a vulnerability\" becomes a case on the vendor's desk:"
    );
    println!("    {desk} case open spacecp-report.age");
    println!();
    println!("  And the vendor makes public what is under embargo:");
    println!(
        "    {desk} advisory sign {} --feed {}",
        draft.display(),
        feed.display()
    );
    println!(
        "    {desk} broadcast {} --disclose {}",
        feed.display(),
        catalog::BACKUP
    );
    println!("  with pages, CSAF, OSV and the rest for everybody in a web root:");
    println!(
        "    {desk} disclose {} --out {}",
        feed.display(),
        demo.web_root().display()
    );
    println!();
}
