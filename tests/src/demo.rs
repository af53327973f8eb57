//! The main job on one machine: a vendor with fresh keys, its feed over HTTP, a panel with the
//! plugin; beside it another customer who is enrolled, and somebody who is not.

use std::{
    fs, io,
    net::SocketAddr,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use spacecp_advisories::{App, config::Config, web};
use spacecp_contract::{Advisory, Tlp};
use spacecp_publisher::report::key as report_key;
use tempfile::TempDir;
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
    task::JoinHandle,
};

use crate::{
    artifacts, catalog, compiled,
    feed_server::FeedServer,
    ground::{Age, Ground},
    settings,
    vendor::{Keys, Vendor},
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
        Self::raise_in(Folder::open(dir)?, port, login, None).await
    }

    /// The same for a test: in a temporary folder, on a free port, with the compiled plugins of other tests,
    /// which lie below `target`.
    pub async fn rehearse(login: Login, target: &Path) -> Result<Self> {
        Self::raise_in(Folder::open(None)?, 0, login, Some(target)).await
    }

    async fn raise_in(
        folder: Folder,
        port: u16,
        login: Login,
        target: Option<&Path>,
    ) -> Result<Self> {
        let root = folder.path();
        let now = Timestamp::now();
        let vendor = vendor(root, now)?;
        let feed = FeedServer::start(vendor.feed_dir().to_owned()).await?;
        let listener = listen(port).await?;
        let address = listener.local_addr()?;
        let hand_over = HandOver {
            vendor: &vendor,
            feed: &feed,
            login: &login,
        };
        let ground = hand_over.install(root, address)?;
        for other in [ENROLLED, STRANGER] {
            hand_over.install(&root.join(other), SocketAddr::from(([127, 0, 0, 1], 0)))?;
        }
        if let Some(target) = target {
            for home in [root, &root.join(ENROLLED), &root.join(STRANGER)] {
                compiled::share(target, &home.join("state"))?;
            }
        }
        let config_path = root.join("panel.toml");
        let app = App::open(Config::load(&config_path)?).await?;
        app.panel
            .feed
            .sync()
            .await
            .context("the first sync with the demo's own feed failed")?;
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(async move {
            let shutdown = async { drop(stopped.await) };
            Ok(web::serve(listener, app.backend(), shutdown).await?)
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

    /// The configuration of another customer's panel, whom the vendor has enrolled.
    pub fn enrolled_config(&self) -> PathBuf {
        self.folder().join(ENROLLED).join("panel.toml")
    }

    /// The configuration of a panel that the vendor has not enrolled.
    pub fn stranger_config(&self) -> PathBuf {
        self.folder().join(STRANGER).join("panel.toml")
    }

    /// The vendor's desk, with the keys to everything.
    pub fn desk(&self) -> PathBuf {
        self.folder().join("vendor/desk")
    }

    /// The folder of the feed.
    pub fn feed_dir(&self) -> PathBuf {
        self.folder().join("vendor/feed")
    }

    /// The next revision of what is under embargo, which makes it public once it is signed and broadcast.
    pub fn public_draft(&self) -> PathBuf {
        self.desk()
            .join("drafts")
            .join(format!("{}.toml", catalog::BACKUP))
    }

    /// Where the vendor may tell everybody.
    pub fn web_root(&self) -> PathBuf {
        self.folder().join("vendor/web")
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

    /// Serves until an interruption, then ends in good order.
    pub async fn run_until(mut self, mut interruption: Interruption) -> Result<()> {
        tokio::select! {
            () = interruption.comes() => {}
            ended = &mut self.serving => return ended?,
        }
        if let Some(stop) = self.stop.take() {
            // Nobody to hear it means that it has ended already.
            let _ = stop.send(());
        }
        self.serving.await?
    }
}

/// Ctrl-C, or a request to terminate. From when it is made neither ends the process by itself.
#[derive(Debug)]
pub struct Interruption {
    interrupt: Signal,
    terminate: Signal,
}

impl Interruption {
    /// Has this process hear of both; to be made before anybody is told to press Ctrl-C.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn comes(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Another customer who is enrolled.
const ENROLLED: &str = "neighbour";
/// Somebody who is not.
const STRANGER: &str = "stranger";

/// The vendor: fresh keys, four advisories, three corrections, the signed plugin, two panels enrolled, and one
/// broadcast, of which a part is for those two alone.
fn vendor(root: &Path, now: Timestamp) -> Result<Vendor> {
    let folder = root.join("vendor");
    let before = Ground::lay(&folder.join("trees/before"), Age::Flawed)?;
    let after = Ground::lay(&folder.join("trees/after"), Age::Corrected)?;
    let keys = Keys::kept_in(&folder.join("desk/keys"))?;
    let mut vendor = Vendor::with_keys(&folder, keys, catalog::AUDIENCE, now)?;
    for advisory in catalog::advisories(now) {
        vendor.publish_advisory(advisory)?;
    }
    for correction in catalog::corrections() {
        vendor.publish_correction(&correction, &before, &after)?;
    }
    vendor.sign_plugin(Path::new(artifacts::PLUGIN))?;
    report_key::create(&vendor.desk_dir().join("keys"), "report", None)?;
    vendor.enrol("demo", &root.join("state"))?;
    vendor.enrol(ENROLLED, &root.join(ENROLLED).join("state"))?;
    vendor.broadcast()?;
    write_public_draft(&vendor.desk_dir(), now)?;
    fs::write(
        vendor.desk_dir().join("publisher.toml"),
        settings::text(now),
    )?;
    Ok(vendor)
}

fn write_public_draft(desk: &Path, now: Timestamp) -> Result<()> {
    let advisories = catalog::advisories(now).into_iter();
    let mut secret = advisories.filter(Advisory::is_under_embargo);
    let secret = secret.next().context("one is under embargo")?;
    let public = Advisory {
        revision: secret.revision + 1,
        tlp: Tlp::Clear,
        embargo_until: None,
        modified: now,
        ..secret
    };
    let drafts = desk.join("drafts");
    fs::create_dir_all(&drafts)?;
    let path = drafts.join(format!("{}.toml", public.id));
    Ok(fs::write(path, toml::to_string(&public)?)?)
}

async fn listen(port: u16) -> Result<TcpListener> {
    if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)).await {
        return Ok(listener);
    }
    TcpListener::bind(("127.0.0.1", 0))
        .await
        .context("no port of 127.0.0.1 is free")
}

/// What a customer gets from the vendor, and where it is put.
struct HandOver<'a> {
    vendor: &'a Vendor,
    feed: &'a FeedServer,
    login: &'a Login,
}

impl HandOver<'_> {
    /// Lays what is installed on a customer's machine, and configures the panel for it.
    fn install(&self, home: &Path, address: SocketAddr) -> Result<Ground> {
        let ground = Ground::lay(&home.join("panel"), Age::Flawed)?;
        let text = self.configuration(home, &ground, address)?;
        fs::write(home.join("panel.toml"), text)?;
        Ok(ground)
    }

    fn configuration(&self, home: &Path, ground: &Ground, address: SocketAddr) -> Result<String> {
        let quoted = |path: &Path| format!("{:?}", path.display().to_string());
        let hash = web::hash_password(&self.login.password)?;
        let recipient = report_key::paths(&self.vendor.desk_dir().join("keys"), "report").1;
        Ok(format!(
            r#"# The configuration of a panel of the demo.
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

[report]
recipient = {recipient:?}

{inventory}"#,
            state = quoted(&home.join("state")),
            feed = self.feed.url(),
            audience = catalog::AUDIENCE,
            pinned = quoted(self.vendor.root_path()),
            manifest = quoted(self.vendor.plugin_manifest()),
            component = quoted(self.vendor.plugin_component()),
            name = self.login.name,
            recipient = fs::read_to_string(recipient)?.trim(),
            inventory = ground.inventory_toml(),
        ))
    }
}
