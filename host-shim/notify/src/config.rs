//! Who is told what happens, and how.

mod written;

use std::{
    collections::BTreeSet,
    fmt,
    net::IpAddr,
    path::{Path, PathBuf},
};

use lettre::message::Mailbox;
use serde::Deserialize;
use spacecp_contract::Severity;
use spacecp_services::ReportConfig;
use url::Url;
use utoipa::ToSchema;

use crate::{Kind, Notice, Timing};

/// Channels that one panel may have.
const MOST_CHANNELS: usize = 32;

/// Hours that a notice may be tried for, and that an exposure may go unmentioned: 90 days.
const MOST_HOURS: u32 = 24 * 90;

/// Notifications: how this panel is named in them, retries, and channels.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct NotifyConfig {
    /// Name of this panel in notifications.
    pub panel: String,
    /// URL of the pages as browsers reach them, for links in notifications.
    pub url: Option<String>,
    /// Hours after which a delivery that keeps failing is given up.
    #[schema(minimum = 1, maximum = 2160)]
    pub give_up_after_hours: u32,
    /// Hours after which `no-correction` is sent for an affected component that has no correction and no decision.
    #[schema(minimum = 1, maximum = 2160)]
    pub no_correction_after_hours: u32,
    /// Seconds that one delivery may take.
    #[schema(minimum = 1, maximum = 300)]
    pub timeout_seconds: u32,
    /// Channels, one `[[notify.channel]]` table for each.
    #[serde(rename = "channel")]
    #[schema(value_type = Vec<written::Written>, default = json!([]), max_items = 32)]
    pub channels: Vec<ChannelConfig>,
}

impl Default for NotifyConfig {
    fn default() -> Self {
        Self {
            panel: "SpaceCP panel".to_owned(),
            url: None,
            give_up_after_hours: 72,
            no_correction_after_hours: 24,
            timeout_seconds: 20,
            channels: Vec::new(),
        }
    }
}

impl NotifyConfig {
    /// The first thing that does not fit: where, and what to do.
    pub fn fault(&self) -> Option<(String, String)> {
        let fault = |what: &str, problem: &str| Some((what.to_owned(), problem.to_owned()));
        let hours = |hours: u32| (1..=MOST_HOURS).contains(&hours);
        if !hours(self.give_up_after_hours) {
            return fault("notify.give-up-after-hours", "must be 1 to 2160");
        }
        if !hours(self.no_correction_after_hours) {
            return fault("notify.no-correction-after-hours", "must be 1 to 2160");
        }
        if !(1..=300).contains(&self.timeout_seconds) {
            return fault("notify.timeout-seconds", "must be 1 to 300");
        }
        if self.url.is_some() && self.pages().is_none() {
            return fault("notify.url", "must be an http: or https: address");
        }
        if self.channels.len() > MOST_CHANNELS {
            return fault("notify", "more than 32 channels");
        }
        let mut names = BTreeSet::new();
        let twice = self
            .channels
            .iter()
            .find(|channel| !names.insert(&channel.name))?;
        let what = format!("notify.channel {:?}", twice.name);
        Some((what, "duplicate channel name".to_owned()))
    }

    /// How a report to the vendor is mailed, and to whom; nothing where it is not.
    pub fn report_mail(&self, report: &ReportConfig) -> Option<(&EmailConfig, Mailbox)> {
        let to: Mailbox = report.mail.as_ref()?.parse().ok()?;
        let mut channels = self.channels.iter().filter(|channel| {
            let named = report.by.as_ref().is_none_or(|name| *name == channel.name);
            named && matches!(channel.target, Target::Email(_))
        });
        match &channels.next()?.target {
            Target::Email(mail) => Some((mail, to)),
            _ => None,
        }
    }

    /// The first thing about reports to the vendor that does not fit: where, and what to do.
    pub fn report_fault(&self, report: &ReportConfig) -> Option<(String, String)> {
        let fault = |what: &str, problem: &str| Some((what.to_owned(), problem.to_owned()));
        let Some(mail) = &report.mail else {
            let named = report.by.is_some();
            return named
                .then(|| fault("report.by", "mail is required: the address to send to"))?;
        };
        if report.recipient.is_none() {
            return fault(
                "report.mail",
                "recipient is required: reports are sent encrypted only. Set it to the vendor's recipient",
            );
        }
        if mail.parse::<Mailbox>().is_err() {
            return fault("report.mail", "must be an e-mail address");
        }
        if self.report_mail(report).is_none() {
            return fault(
                "report.mail",
                "sending reports requires a [[notify.channel]] of kind \"email\"; name it in report.by",
            );
        }
        None
    }

    /// Relative paths begin at the folder of the configuration.
    pub fn anchor(&mut self, folder: &Path) {
        for channel in &mut self.channels {
            for file in channel.target.files() {
                *file = folder.join(&*file);
            }
        }
    }

    /// Where the pages of this panel are.
    pub fn pages(&self) -> Option<String> {
        let url = Url::parse(self.url.as_ref()?).ok()?;
        matches!(url.scheme(), "http" | "https").then(|| url.to_string())
    }

    /// The channel of this name.
    pub fn channel(&self, name: &str) -> Option<&ChannelConfig> {
        self.channels.iter().find(|channel| channel.name == name)
    }
}

/// One way to tell it: whom, and what of it. Whatever is one is sound.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "written::Written")]
pub struct ChannelConfig {
    /// Its name.
    pub name: String,
    /// Where it leads.
    pub target: Target,
    /// The least severity that is told. What is not rated, or known to be exploited, is always told.
    pub minimum_severity: Severity,
    /// What is told.
    pub events: BTreeSet<Kind>,
    /// When.
    pub timing: Timing,
}

impl ChannelConfig {
    /// Whether this is told here.
    pub fn wants(&self, notice: &Notice) -> bool {
        let is_grave = notice.kind.is_about_the_panel()
            || notice.known_exploited
            || notice.severity == Severity::Unrated
            || notice.severity >= self.minimum_severity;
        is_grave && self.events.contains(&notice.kind)
    }
}

/// Where a channel leads.
#[derive(Debug, Clone)]
pub enum Target {
    /// Mail.
    Email(Box<EmailConfig>),
    /// A program that reads JSON.
    Webhook {
        /// Its address.
        url: Address,
        /// The file of the secret that its messages are signed with.
        secret: PathBuf,
    },
    /// A channel on Discord.
    Discord(Address),
    /// A channel on Slack, or on what takes the same messages.
    Slack(Address),
    /// A room on Matrix.
    Matrix {
        /// The home server.
        server: Address,
        /// The room's id, as `!abc:example.com`.
        room: String,
        /// The file of the access token.
        token: PathBuf,
    },
}

/// How mail is sent.
#[derive(Debug, Clone)]
pub struct EmailConfig {
    /// The name of the mail server.
    pub server: String,
    /// Its port.
    pub port: u16,
    /// How the connection is secured.
    pub security: Security,
    /// Who logs in, and the file of their password.
    pub login: Option<(String, PathBuf)>,
    /// A file of certificates (PEM) to believe beside those that this machine trusts.
    pub authorities: Option<PathBuf>,
    /// Whose mail it is.
    pub from: Mailbox,
    /// Who gets it.
    pub to: Vec<Mailbox>,
}

/// How a connection to a mail server is secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Security {
    /// STARTTLS is required.
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// No encryption; only to a server on this machine.
    None,
}

/// An address that may be a secret: many chats let in whoever knows it. It is never shown as a whole.
#[derive(Clone, PartialEq, Eq)]
pub enum Address {
    /// This one.
    Here(Url),
    /// The one in this file.
    File(PathBuf),
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

impl Address {
    /// As much of it as may be shown.
    pub fn shown(&self) -> String {
        match self {
            Self::Here(url) => url.host_str().unwrap_or("nowhere").to_owned(),
            Self::File(path) => format!("the address in {}", path.display()),
        }
    }

    fn file(&mut self) -> Option<&mut PathBuf> {
        match self {
            Self::Here(_) => None,
            Self::File(path) => Some(path),
        }
    }
}

/// The address if something may be sent there: `https:`, or `http:` on this machine.
pub fn outgoing(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "invalid address")?;
    let Some(host) = url.host_str() else {
        return Err("the address has no host");
    };
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_here(host) => Ok(url),
        "http" => Err("http: is allowed to this machine only; use https:"),
        _ => Err("must be an https: address"),
    }
}

fn is_here(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let address: Result<IpAddr, _> = bare.parse();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

impl Target {
    /// The word for it in the configuration.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Email(_) => "email",
            Self::Webhook { .. } => "webhook",
            Self::Discord(_) => "discord",
            Self::Slack(_) => "slack",
            Self::Matrix { .. } => "matrix",
        }
    }

    /// Where it leads, as far as that may be shown.
    pub fn shown(&self) -> String {
        match self {
            Self::Email(mail) => {
                let to: Vec<String> = mail.to.iter().map(|to| to.email.to_string()).collect();
                format!("{} by {}", to.join(", "), mail.server)
            }
            Self::Webhook { url, .. } | Self::Discord(url) | Self::Slack(url) => url.shown(),
            Self::Matrix { server, room, .. } => format!("{room} by {}", server.shown()),
        }
    }

    fn files(&mut self) -> Vec<&mut PathBuf> {
        match self {
            Self::Email(mail) => {
                let password = mail.login.as_mut().map(|(_, path)| path);
                password.into_iter().chain(&mut mail.authorities).collect()
            }
            Self::Webhook { url, secret } => url.file().into_iter().chain([secret]).collect(),
            Self::Discord(url) | Self::Slack(url) => url.file().into_iter().collect(),
            Self::Matrix { server, token, .. } => {
                server.file().into_iter().chain([token]).collect()
            }
        }
    }
}

/// Why something is no channel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the channel {name:?}: {problem}")]
pub struct ChannelFault {
    name: String,
    problem: String,
}
