//! Who is told what happens, and how.

use std::{
    collections::BTreeSet,
    fmt,
    net::IpAddr,
    path::{Path, PathBuf},
};

use jiff::tz::TimeZone;
use lettre::message::Mailbox;
use serde::Deserialize;
use spacecp_contract::Severity;
use url::Url;

use crate::{
    notify::{Digest, Kind, Notice, Timing, Urgent},
    policy::{time_of_day, time_zone},
};

/// Channels that one panel may have.
const MOST_CHANNELS: usize = 32;

/// Recipients of one mail.
const MOST_RECIPIENTS: usize = 50;

/// Hours that a notice may be tried for, and that an exposure may go unmentioned: 90 days.
const MOST_HOURS: u32 = 24 * 90;

/// Characters of a channel's name.
const LONGEST_NAME: usize = 64;

/// Who is told what happens, and how.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct NotifyConfig {
    /// What this panel is called in notices.
    pub panel: String,
    /// Where its pages are, as its readers' browsers reach them.
    pub url: Option<String>,
    /// Hours after which a notice that could not be delivered is given up.
    pub give_up_after_hours: u32,
    /// Hours after which it is said that an exposure stands, without a correction and a workaround.
    pub no_correction_after_hours: u32,
    /// Seconds that one delivery may take.
    pub timeout_seconds: u32,
    /// The ways to tell it.
    #[serde(rename = "channel")]
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
    pub(super) fn fault(&self) -> Option<(String, String)> {
        let fault = |what: &str, problem: &str| Some((what.to_owned(), problem.to_owned()));
        let hours = |hours: u32| (1..=MOST_HOURS).contains(&hours);
        if !hours(self.give_up_after_hours) {
            return fault("notify.give-up-after-hours", "1 to 2160, please");
        }
        if !hours(self.no_correction_after_hours) {
            return fault("notify.no-correction-after-hours", "1 to 2160, please");
        }
        if !(1..=300).contains(&self.timeout_seconds) {
            return fault("notify.timeout-seconds", "1 to 300, please");
        }
        if self.url.is_some() && self.pages().is_none() {
            return fault("notify.url", "it is an http: or https: address");
        }
        if self.channels.len() > MOST_CHANNELS {
            return fault("notify", "it has more than 32 channels");
        }
        let mut names = BTreeSet::new();
        let twice = self
            .channels
            .iter()
            .find(|channel| !names.insert(&channel.name))?;
        let what = format!("notify.channel {:?}", twice.name);
        Some((what, "two channels have this name".to_owned()))
    }

    /// Relative paths begin at the folder of the configuration.
    pub(super) fn anchor(&mut self, folder: &Path) {
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
#[serde(try_from = "Written")]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Security {
    /// It begins in clear and goes on by TLS, or not at all.
    Starttls,
    /// TLS from the first byte on.
    Tls,
    /// None; only to a server on this machine.
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
    let url = Url::parse(text).map_err(|_| "that is no address")?;
    let Some(host) = url.host_str() else {
        return Err("the address has no host");
    };
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_here(host) => Ok(url),
        "http" => Err("http: only to this machine; use https:"),
        _ => Err("it is an https: address"),
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

/// A channel as configurations have it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Written {
    name: String,
    kind: Word,
    minimum_severity: Option<Severity>,
    events: Option<BTreeSet<Kind>>,
    digest: Option<Rhythm>,
    daily_at: Option<String>,
    zone: Option<String>,
    quiet: Option<Quiet>,
    urgent: Option<Vec<Urgent>>,
    url: Option<String>,
    url_file: Option<PathBuf>,
    secret_file: Option<PathBuf>,
    room: Option<String>,
    token_file: Option<PathBuf>,
    server: Option<String>,
    port: Option<u16>,
    security: Option<Security>,
    user: Option<String>,
    password_file: Option<PathBuf>,
    authorities: Option<PathBuf>,
    from: Option<String>,
    to: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Word {
    Email,
    Webhook,
    Discord,
    Slack,
    Matrix,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Rhythm {
    Immediate,
    Hourly,
    Daily,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Quiet {
    from: String,
    to: String,
}

impl TryFrom<Written> for ChannelConfig {
    type Error = ChannelFault;

    fn try_from(mut written: Written) -> Result<Self, ChannelFault> {
        let name = std::mem::take(&mut written.name);
        let channel = written.channel(&name);
        channel.map_err(|problem| ChannelFault { name, problem })
    }
}

impl Written {
    fn channel(mut self, name: &str) -> Result<ChannelConfig, String> {
        let length = name.chars().count();
        if length == 0 || length > LONGEST_NAME || name.contains(char::is_control) {
            return Err("its name has 1 to 64 characters, on one line".to_owned());
        }
        let timing = self.timing()?;
        let events = self.events.take().unwrap_or_else(|| Kind::ALL.into());
        if events.is_empty() {
            return Err("events names nothing; leave it out for everything".to_owned());
        }
        let minimum_severity = self.minimum_severity.unwrap_or(Severity::Unrated);
        let target = self.target()?;
        if let Some(field) = self.left() {
            return Err(format!("{field} means nothing to a channel of this kind"));
        }
        Ok(ChannelConfig {
            name: name.to_owned(),
            target,
            minimum_severity,
            events,
            timing,
        })
    }

    fn timing(&mut self) -> Result<Timing, String> {
        let time = |text: &str| {
            time_of_day(text)
                .ok_or_else(|| format!("{text:?} is no time of day; write it as \"07:30\""))
        };
        let zone = match self.zone.take() {
            None => TimeZone::UTC,
            Some(name) => time_zone(&name).ok_or_else(|| {
                format!("there is no time zone {name:?}; write it as \"Europe/Berlin\" or \"UTC\"")
            })?,
        };
        let digest = match (self.digest.take(), self.daily_at.take()) {
            (Some(Rhythm::Daily), Some(at)) => Digest::Daily(time(&at)?),
            (Some(Rhythm::Daily), None) => {
                return Err("a daily digest wants daily-at, as \"08:00\"".to_owned());
            }
            (_, Some(_)) => return Err("daily-at wants digest = \"daily\"".to_owned()),
            (Some(Rhythm::Hourly), None) => Digest::Hourly,
            (Some(Rhythm::Immediate) | None, None) => Digest::Immediate,
        };
        let quiet = match self.quiet.take() {
            None => None,
            Some(quiet) => Some((time(&quiet.from)?, time(&quiet.to)?)),
        };
        if quiet.is_some_and(|(from, to)| from == to) {
            return Err("quiet hours that never end are none; leave the channel out".to_owned());
        }
        let urgent = self.urgent.take();
        Ok(Timing {
            digest,
            quiet,
            urgent: urgent.unwrap_or_else(|| vec![Urgent::KnownExploited, Urgent::Critical]),
            zone,
        })
    }

    fn target(&mut self) -> Result<Target, String> {
        Ok(match self.kind {
            Word::Email => Target::Email(Box::new(self.email()?)),
            Word::Discord => Target::Discord(self.address()?),
            Word::Slack => Target::Slack(self.address()?),
            Word::Webhook => Target::Webhook {
                url: self.address()?,
                secret: self.secret_file.take().ok_or("it wants secret-file")?,
            },
            Word::Matrix => {
                let room = self
                    .room
                    .take()
                    .ok_or("it wants room, as \"!abc:example.com\"")?;
                if !room.starts_with('!') || room.len() > 255 {
                    return Err("room is a room's id, as \"!abc:example.com\"".to_owned());
                }
                Target::Matrix {
                    server: self.address()?,
                    room,
                    token: self.token_file.take().ok_or("it wants token-file")?,
                }
            }
        })
    }

    fn address(&mut self) -> Result<Address, String> {
        match (self.url.take(), self.url_file.take()) {
            (Some(url), None) => Ok(Address::Here(outgoing(&url)?)),
            (None, Some(path)) => Ok(Address::File(path)),
            _ => Err("it wants url, or url-file with the address in it".to_owned()),
        }
    }

    fn email(&mut self) -> Result<EmailConfig, String> {
        let server = self.server.take().ok_or("it wants server")?;
        let security = self.security.take().unwrap_or(Security::Starttls);
        if security == Security::None && !is_here(&server) {
            return Err("security = \"none\" only to a server on this machine".to_owned());
        }
        let login = match (self.user.take(), self.password_file.take()) {
            (None, None) => None,
            (Some(user), Some(path)) => Some((user, path)),
            _ => return Err("user and password-file come together".to_owned()),
        };
        let usual = match security {
            Security::Starttls => 587,
            Security::Tls => 465,
            Security::None => 25,
        };
        let mailbox = |text: String| {
            text.parse::<Mailbox>()
                .map_err(|error| format!("{text:?} is no mail address: {error}"))
        };
        let to = self.to.take().unwrap_or_default();
        if to.is_empty() || to.len() > MOST_RECIPIENTS {
            return Err("to names 1 to 50 mail addresses".to_owned());
        }
        Ok(EmailConfig {
            server,
            port: self.port.take().unwrap_or(usual),
            security,
            login,
            authorities: self.authorities.take(),
            from: mailbox(self.from.take().ok_or("it wants from")?)?,
            to: to.into_iter().map(mailbox).collect::<Result<_, _>>()?,
        })
    }

    /// A field that nothing has taken.
    fn left(&self) -> Option<&'static str> {
        let left = [
            ("url", self.url.is_some()),
            ("url-file", self.url_file.is_some()),
            ("secret-file", self.secret_file.is_some()),
            ("room", self.room.is_some()),
            ("token-file", self.token_file.is_some()),
            ("server", self.server.is_some()),
            ("port", self.port.is_some()),
            ("security", self.security.is_some()),
            ("user", self.user.is_some()),
            ("password-file", self.password_file.is_some()),
            ("authorities", self.authorities.is_some()),
            ("from", self.from.is_some()),
            ("to", self.to.is_some()),
        ];
        left.into_iter()
            .find(|(_, there)| *there)
            .map(|(field, _)| field)
    }
}
