//! The main job on one machine: a vendor with fresh keys, its feed over HTTP, a panel with the
//! plugin.

use std::{
    fs,
    net::SocketAddr,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use spacecp_advisories::{Shim, config::Config, web};
use tempfile::TempDir;
use tokio::{net::TcpListener, signal, sync::oneshot, task::JoinHandle};

use crate::{
    artifacts, catalog,
    feed_server::FeedServer,
    ground::{Age, Ground},
    vendor::Vendor,
};

/// Who may log in to the demo's panel.
#[derive(Debug, Clone)]
pub struct Login {
    /// The name.
    pub name: String,
    /// The password.
    pub password: String,
}

impl Login {
    /// An administrator with a password of the caller's choice.
    pub fn with_password(password: String) -> Self {
        Self {
            name: "admin".to_owned(),
            password,
        }
    }

    /// An administrator with a password that nobody has seen before.
    pub fn with_random_password() -> Result<Self> {
        let mut bytes = [0; 9];
        getrandom::fill(&mut bytes).context("the system has no randomness to give")?;
        Ok(Self::with_password(hex::encode(bytes)))
    }
}

/// A running demo.
#[derive(Debug)]
pub struct Demo {
    folder: Folder,
    ground: Ground,
    login: Login,
    address: SocketAddr,
    config_path: PathBuf,
    feed: FeedServer,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<Result<()>>,
}

/// Where a demo writes: a folder that goes with it, or one that stays.
#[derive(Debug)]
enum Folder {
    Temporary(TempDir),
    Kept(PathBuf),
}

impl Folder {
    fn open(asked: Option<&Path>) -> Result<Self> {
        let Some(path) = asked else {
            let temporary =
                TempDir::with_prefix("spacecp-demo-").context("cannot make a temporary folder")?;
            return Ok(Self::Temporary(temporary));
        };
        fs::create_dir_all(path)
            .with_context(|| format!("cannot make the folder {}", path.display()))?;
        if fs::read_dir(path)?.next().is_some() {
            bail!(
                "the folder {} is not empty: name another, or empty it first",
                path.display()
            );
        }
        Ok(Self::Kept(path.canonicalize()?))
    }

    fn path(&self) -> &Path {
        match self {
            Self::Temporary(folder) => folder.path(),
            Self::Kept(path) => path,
        }
    }
}

impl Demo {
    /// Sets everything up below `dir` (or a temporary folder) and serves the panel on `port` of
    /// 127.0.0.1, or on a free one if that is in use.
    pub async fn raise(dir: Option<&Path>, port: u16, login: Login) -> Result<Self> {
        let folder = Folder::open(dir)?;
        let root = folder.path();
        let now = Timestamp::now();
        let vendor = vendor(&root.join("vendor"), &root.join("state"), now)?;
        let ground = Ground::lay(&root.join("panel"), Age::Flawed)?;
        let feed = FeedServer::start(vendor.feed_dir().to_owned()).await?;
        let listener = listen(port).await?;
        let address = listener.local_addr()?;
        let config_path = root.join("panel.toml");
        fs::write(
            &config_path,
            configuration(root, &vendor, &ground, &feed, address, &login)?,
        )?;
        let shim = Shim::open(Config::load(&config_path)?).await?;
        shim.sync()
            .await
            .context("the first sync with the demo's own feed failed")?;
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(async move {
            let shutdown = async { drop(stopped.await) };
            Ok(web::serve(listener, shim, shutdown).await?)
        });
        Ok(Self {
            folder,
            ground,
            login,
            address,
            config_path,
            feed,
            stop: Some(stop),
            serving,
        })
    }

    /// The panel's address, with a `/` at its end.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// The panel's port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The feed's address.
    pub fn feed_url(&self) -> String {
        self.feed.url()
    }

    /// Who may log in.
    pub fn login(&self) -> &Login {
        &self.login
    }

    /// What is installed.
    pub fn ground(&self) -> &Ground {
        &self.ground
    }

    /// Where everything is written.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The panel's configuration.
    pub fn config_path(&self) -> &Path {
        &self.config_path
    }

    /// Gives the panel's identity to another folder of state: whoever begins there is the same panel, and reads
    /// what is encrypted to it.
    pub fn lend_identity(&self, state: &Path) -> Result<()> {
        fs::DirBuilder::new().mode(0o700).create(state)?;
        let own = self.folder().join("state/identity.txt");
        fs::copy(own, state.join("identity.txt"))?;
        Ok(())
    }

    /// Whether the folder outlives the demo.
    pub fn stays(&self) -> bool {
        matches!(self.folder, Folder::Kept(_))
    }

    /// Serves until Ctrl-C or a request to terminate, then ends in good order.
    pub async fn run_until_interrupted(mut self) -> Result<()> {
        let mut terminate = signal::unix::signal(signal::unix::SignalKind::terminate())?;
        tokio::select! {
            interrupted = signal::ctrl_c() => interrupted?,
            _ = terminate.recv() => {}
            ended = &mut self.serving => return ended?,
        }
        if let Some(stop) = self.stop.take() {
            // Nobody to hear it means that it has ended already.
            let _ = stop.send(());
        }
        self.serving.await?
    }
}

/// The vendor: fresh keys, four advisories, three corrections, the signed plugin, the panel enrolled, and one
/// broadcast, of which a part is for that panel alone.
fn vendor(folder: &Path, panel: &Path, now: Timestamp) -> Result<Vendor> {
    let before = Ground::lay(&folder.join("trees/before"), Age::Flawed)?;
    let after = Ground::lay(&folder.join("trees/after"), Age::Corrected)?;
    let mut vendor = Vendor::new(&folder.join("desk"), catalog::AUDIENCE, now)?;
    for advisory in catalog::advisories(now) {
        vendor.publish_advisory(advisory)?;
    }
    for correction in catalog::corrections() {
        vendor.publish_correction(&correction, &before, &after)?;
    }
    vendor.sign_plugin(Path::new(artifacts::PLUGIN))?;
    vendor.enrol("demo", panel)?;
    vendor.broadcast()?;
    Ok(vendor)
}

async fn listen(port: u16) -> Result<TcpListener> {
    if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)).await {
        return Ok(listener);
    }
    TcpListener::bind(("127.0.0.1", 0))
        .await
        .context("no port of 127.0.0.1 is free")
}

fn configuration(
    root: &Path,
    vendor: &Vendor,
    ground: &Ground,
    feed: &FeedServer,
    address: SocketAddr,
    login: &Login,
) -> Result<String> {
    let quoted = |path: &Path| format!("{:?}", path.display().to_string());
    let hash = web::hash_password(&login.password)?;
    Ok(format!(
        r#"# The configuration of the demo's panel.
state = {state}

[feed]
from = {feed:?}
audience = {audience:?}
root = {pinned}

[plugin]
manifest = {manifest}
component = {component}

[serve]
listen = "{address}"
secure-cookie = false

[[serve.users]]
name = {name:?}
role = "administrator"
password-hash = {hash:?}

{inventory}"#,
        state = quoted(&root.join("state")),
        feed = feed.url(),
        audience = catalog::AUDIENCE,
        pinned = quoted(vendor.root_path()),
        manifest = quoted(vendor.plugin_manifest()),
        component = quoted(vendor.plugin_component()),
        name = login.name,
        inventory = ground.inventory_toml(),
    ))
}
