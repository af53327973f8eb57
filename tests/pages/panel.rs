//! A panel with an administrator and a viewer, its pages on a free port of this machine.

use std::{fs, net::SocketAddr, path::Path};

use anyhow::{Context, Result};
use jiff::Timestamp;
use spacecp_advisories::{App, config::Config, web};
use spacecp_contract::Advisory;
use spacecp_publisher::report::key::{self as report_key, ReportKey};
use spacecp_tests::{
    artifacts, catalog, compiled,
    ground::{Age, Ground},
    vendor::Vendor,
};
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use crate::visitor::Visitor;

/// The file that cannot be read on a panel of that kind.
pub(crate) const UNREAD: &str = "apps/package-lock.json";
/// May read and act.
pub(crate) const ADMINISTRATOR: &str = "ada";
/// May read.
pub(crate) const VIEWER: &str = "victor";
/// The password of both.
pub(crate) const PASSWORD: &str = "correct horse battery staple";
/// A name by which the panel is known, beside its address.
pub(crate) const KNOWN_HOST: &str = "panel.example";

/// A panel that serves its pages until it is told to stop, or dropped.
pub(crate) struct Panel {
    folder: TempDir,
    ground: Ground,
    vendor: Vendor,
    app: App,
    address: SocketAddr,
    serving: JoinHandle<Result<(), web::ServeError>>,
    // Dropped with the panel, which ends the serving.
    running: Option<oneshot::Sender<()>>,
}

/// How a panel differs from the usual one.
#[derive(Debug, Clone, Copy, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is something that may or may not be so"
)]
pub(crate) struct Kind {
    /// Whether the plugin is there.
    pub(crate) plugin: bool,
    /// Whether its cookie demands https.
    pub(crate) secure_cookie: bool,
    /// Whether its daemon stops only when the test lets it.
    pub(crate) gated: bool,
    /// The port of this machine at which a webhook, the channel "desk", is told what happens.
    pub(crate) webhook: Option<u16>,
    /// Advisories beside those of the catalogue.
    pub(crate) further: Option<fn(Timestamp) -> Vec<Advisory>>,
    /// Requests a minute that a token and an address may send, where it is not the default.
    pub(crate) requests_per_minute: Option<u32>,
    /// Seconds in which a header must have come, where it is not the default.
    pub(crate) header_seconds: Option<u64>,
    /// Further lines of `[serve]`.
    pub(crate) serve: &'static str,
    /// Whether the API is switched off.
    pub(crate) without_api: bool,
    /// Whether it knows whom reports of vulnerabilities are encrypted to.
    pub(crate) reporting: bool,
    /// The port of this machine at which a mail server takes reports.
    pub(crate) mail: Option<u16>,
    /// Whether a lock file below its folder cannot be read.
    pub(crate) unread: bool,
    /// Whether the metrics are open to this machine, at which a proxy is believed.
    pub(crate) open_metrics: bool,
}

impl Panel {
    /// A panel that has followed the catalogue's feed and runs the plugin.
    pub(crate) async fn raise() -> Result<Self> {
        let kind = Kind {
            plugin: true,
            reporting: true,
            ..Kind::default()
        };
        Self::of(kind).await
    }

    /// A panel without its plugin, for what the shim answers by itself.
    pub(crate) async fn without_plugin() -> Result<Self> {
        Self::of(Kind::default()).await
    }

    pub(crate) async fn of(kind: Kind) -> Result<Self> {
        let folder = spacecp_tests::scratch::folder()?;
        let root = folder.path();
        let vendor = vendor(&root.join("vendor"), &root.join("state"), kind)?;
        let ground = Ground::lay(&root.join("panel"), Age::Flawed)?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let config = root.join("panel.toml");
        fs::write(&config, configuration(root, &vendor, &ground, kind)?)?;
        fs::create_dir(root.join("apps"))?;
        fs::write(root.join(UNREAD), "{")?;
        fs::write(root.join("secret"), "a secret that nobody guesses\n")?;
        compiled::share(Path::new(env!("CARGO_TARGET_TMPDIR")), &root.join("state"))?;
        let app = App::open(Config::load(&config)?).await?;
        if kind.plugin {
            app.panel.feed.sync().await?;
        }
        let (running, ended) = oneshot::channel::<()>();
        let served = app.clone();
        let serving = tokio::spawn(async move {
            web::serve(listener, served.backend(), async { drop(ended.await) }).await
        });
        Ok(Self {
            vendor,
            folder,
            ground,
            app,
            address,
            serving,
            running: Some(running),
        })
    }

    /// Stops serving, and waits until nothing goes on behind the pages: nobody acts but the test.
    pub(crate) async fn stop_serving(&mut self) -> Result<()> {
        self.running = None;
        Ok((&mut self.serving).await??)
    }

    /// Lets a gated daemon stop.
    pub(crate) fn open_gate(&self) -> Result<()> {
        Ok(fs::write(gate(self.folder.path()), "")?)
    }

    /// What the vendor serves.
    pub(crate) fn feed(&self) -> std::path::PathBuf {
        self.vendor.feed_dir().to_owned()
    }

    /// Has the vendor publish an advisory and broadcast, and follows the feed.
    pub(crate) async fn publish(&mut self, advisory: Advisory) -> Result<()> {
        let vendor = self.vendor.at(Timestamp::now());
        vendor.publish_advisory(advisory)?;
        vendor.broadcast()?;
        self.app.panel.feed.sync().await?;
        Ok(())
    }

    /// The file that cannot be read, on a panel of that kind.
    pub(crate) fn unread_path(&self) -> String {
        self.folder.path().join(UNREAD).display().to_string()
    }

    pub(crate) fn ground(&self) -> &Ground {
        &self.ground
    }

    pub(crate) fn app(&self) -> &App {
        &self.app
    }

    /// The vendor's key, which opens reports of this panel.
    pub(crate) fn report_key(&self) -> Result<ReportKey> {
        let desk = self.folder.path().join("vendor/desk");
        let (secret, _) = report_key::paths(&desk, "report");
        Ok(ReportKey::load(&secret, || None)?)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The folder of the panel's configuration, `panel.toml`.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Somebody whom the panel has not seen.
    pub(crate) fn visitor(&self) -> Visitor {
        Visitor::new(self.address)
    }

    /// Somebody who has logged in.
    pub(crate) async fn visit_as(&self, user: &str) -> Result<Visitor> {
        let mut visitor = self.visitor();
        let answer = visitor.log_in(user, PASSWORD).await?;
        answer.leads_to("/").context("the login succeeds")?;
        Ok(visitor)
    }
}

impl Drop for Panel {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn vendor(folder: &Path, state: &Path, kind: Kind) -> Result<Vendor> {
    let now = Timestamp::now();
    let mut vendor = Vendor::new(&folder.join("desk"), catalog::AUDIENCE, now)?;
    if !kind.plugin {
        return Ok(vendor);
    }
    let before = Ground::lay(&folder.join("before"), Age::Flawed)?;
    let after = Ground::lay(&folder.join("after"), Age::Corrected)?;
    let further = kind.further.map_or_else(Vec::new, |further| further(now));
    for advisory in catalog::advisories(now).into_iter().chain(further) {
        vendor.publish_advisory(advisory)?;
    }
    for correction in catalog::corrections() {
        vendor.publish_correction(&correction, &before, &after)?;
    }
    vendor.sign_plugin(Path::new(artifacts::PLUGIN))?;
    vendor.enrol("panel", state)?;
    vendor.broadcast()?;
    Ok(vendor)
}

fn configuration(root: &Path, vendor: &Vendor, ground: &Ground, kind: Kind) -> Result<String> {
    let user = |name: &str, role: &str| -> Result<String> {
        let hash = web::hash_password(PASSWORD)?;
        Ok(format!(
            "[[serve.users]]\nname = {name:?}\nrole = {role:?}\npassword-hash = {hash:?}\n"
        ))
    };
    let quoted = |path: &Path| format!("{:?}", path.display().to_string());
    Ok(format!(
        "state = {state}\n\
         [feed]\nfrom = {feed}\naudience = {audience:?}\nroot = {pinned}\n\
         [plugin]\nmanifest = {manifest}\ncomponent = {component}\n\
         [serve]\nlisten = \"127.0.0.1:0\"\nhosts = [{KNOWN_HOST:?}]\nsecure-cookie = {secure}\n{serve}\
         {administrator}{viewer}\n{notify}{report}{inventory}",
        state = quoted(&root.join("state")),
        feed = quoted(vendor.feed_dir()),
        audience = catalog::AUDIENCE,
        pinned = quoted(vendor.root_path()),
        manifest = quoted(vendor.plugin_manifest()),
        component = quoted(vendor.plugin_component()),
        secure = kind.secure_cookie,
        serve = serve(kind),
        administrator = user(ADMINISTRATOR, "administrator")?,
        viewer = user(VIEWER, "viewer")?,
        notify = kind.webhook.map_or(String::new(), webhook),
        report = report(root, kind)?,
        inventory = inventory(root, ground, kind),
    ))
}

/// What else is said of how the pages are served. Tests send more requests than people do.
fn serve(kind: Kind) -> String {
    let addresses = kind.requests_per_minute.unwrap_or(100_000);
    let mut lines = format!("requests-per-minute = {addresses}\n");
    if kind.open_metrics {
        lines.push_str("proxies = [\"127.0.0.1\"]\nmetrics = { open-on-loopback = true }\n");
    }
    if let Some(seconds) = kind.header_seconds {
        lines.push_str(&format!("header-seconds = {seconds}\n"));
    }
    lines.push_str(kind.serve);
    let tokens = kind.requests_per_minute.unwrap_or(10_000);
    let enabled = !kind.without_api;
    lines.push_str(&format!(
        "api = {{ enabled = {enabled}, requests-per-minute = {tokens} }}\n"
    ));
    lines
}

fn webhook(port: u16) -> String {
    format!(
        "[notify]\n[[notify.channel]]\nname = \"desk\"\nkind = \"webhook\"\nurl = \"http://127.0.0.1:{port}/hook\"\nsecret-file = \"secret\"\nminimum-severity = \"high\"\n"
    )
}

/// Whom reports go to, and a mail server that takes them.
fn report(root: &Path, kind: Kind) -> Result<String> {
    if !kind.reporting {
        return Ok(String::new());
    }
    let recipient = report_key::create(&root.join("vendor/desk"), "report", None)?.to_string();
    let mail = kind.mail.map_or(String::new(), |port| {
        format!(
            "mail = \"security@vendor.example\"\n[[notify.channel]]\nname = \"post\"\nkind = \"email\"\nserver = \"localhost\"\nport = {port}\nsecurity = \"none\"\nfrom = \"Node 7 <panel@example.com>\"\nto = [\"ops@example.com\"]\nevents = [\"failed\"]\n"
        )
    });
    Ok(format!("[report]\nrecipient = {recipient:?}\n{mail}"))
}

fn gate(root: &Path) -> std::path::PathBuf {
    root.join("gate")
}

/// The components; with a gate, the daemon's stop command waits for it.
fn inventory(root: &Path, ground: &Ground, kind: Kind) -> String {
    let mut inventory = ground.inventory_toml();
    if kind.unread {
        let place = root.join("apps").display().to_string();
        inventory += &format!("\n[[inventory]]\nprovider = \"npm\"\nplace = {place:?}\n");
    }
    if !kind.gated {
        return inventory;
    }
    let wait = format!(
        "while [ ! -e {} ]; do sleep 0.05; done",
        gate(root).display()
    );
    let control = format!(
        "[component.control]\nstop = [\"sh\", \"-c\", {wait:?}]\nstart = [\"true\"]\nrunning = [\"true\"]\n\n"
    );
    // It belongs to the first component, which ends where the second begins.
    let (daemon, others) = inventory
        .split_once("\n\n")
        .expect("there are several components");
    format!("{daemon}\n{control}{others}")
}
