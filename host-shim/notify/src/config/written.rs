//! A channel as configurations have it, and what is wrong with one.

use std::{collections::BTreeSet, path::PathBuf};

use jiff::tz::TimeZone;
use lettre::message::Mailbox;
use serde::Deserialize;
use spacecp_contract::Severity;
use utoipa::ToSchema;

use super::{
    Address, ChannelConfig, ChannelFault, EmailConfig, Security, Target, is_here, outgoing,
};
use crate::{Digest, Kind, Timing, Urgent};
use spacecp_services::policy::{time_of_day, time_zone};

/// Recipients of one mail.
const MOST_RECIPIENTS: usize = 50;

/// Characters of a channel's name.
const LONGEST_NAME: usize = 64;

/// One channel, as the configuration file has it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schema(as = Channel)]
pub(super) struct Written {
    /// Name of the channel, unique.
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    /// Kind of the channel.
    kind: Word,
    /// Lowest severity that is sent: `low`, `medium`, `high` or `critical`; everything by default. Advisories that are
    /// not rated or known to be exploited are always sent.
    #[schema(value_type = Option<String>)]
    minimum_severity: Option<Severity>,
    /// Events that are sent; all of them by default.
    events: Option<BTreeSet<Kind>>,
    /// How notifications are gathered; `immediate` by default.
    digest: Option<Rhythm>,
    /// Time of day of a daily digest, such as `08:00`. Required with `digest = "daily"`.
    daily_at: Option<String>,
    /// Time zone of `daily-at` and `quiet`, such as `Europe/Berlin`; UTC by default.
    zone: Option<String>,
    /// Hours of the day in which nothing is sent that is not urgent.
    quiet: Option<Quiet>,
    /// What is sent in quiet hours all the same; both by default, `[]` for nothing.
    urgent: Option<Vec<Urgent>>,
    /// URL of a webhook or chat, or of the Matrix home server: `https:`, or `http:` to this machine. `webhook`,
    /// `discord`, `slack` and `matrix` require it or `url-file`.
    url: Option<String>,
    /// File that contains the URL, for URLs that are secrets. Excludes `url`.
    #[schema(value_type = Option<String>, format = "path")]
    url_file: Option<PathBuf>,
    /// File of the secret that signs messages; `webhook` requires it.
    #[schema(value_type = Option<String>, format = "path")]
    secret_file: Option<PathBuf>,
    /// Room id, such as `!abc:example.com`; `matrix` requires it.
    room: Option<String>,
    /// File of the access token; `matrix` requires it.
    #[schema(value_type = Option<String>, format = "path")]
    token_file: Option<PathBuf>,
    /// Host name of the mail server; `email` requires it.
    server: Option<String>,
    /// Port of the mail server; by default 587 for `starttls`, 465 for `tls` and 25 for `none`.
    port: Option<u16>,
    /// How the connection to the mail server is secured; `starttls` by default.
    security: Option<Security>,
    /// User name at the mail server. Requires `password-file`.
    user: Option<String>,
    /// File of the password at the mail server. Requires `user`.
    #[schema(value_type = Option<String>, format = "path")]
    password_file: Option<PathBuf>,
    /// PEM file of certificate authorities of the mail server, in addition to those of the system.
    #[schema(value_type = Option<String>, format = "path")]
    authorities: Option<PathBuf>,
    /// Sender of mails, such as `Node 7 <panel@example.com>`; `email` requires it.
    from: Option<String>,
    /// Recipients of mails; `email` requires at least one.
    #[schema(min_items = 1, max_items = 50)]
    to: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Word {
    Email,
    Webhook,
    Discord,
    Slack,
    Matrix,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Rhythm {
    Immediate,
    Hourly,
    Daily,
}

/// Quiet hours, on the clocks of the channel's time zone.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Quiet {
    /// Time of day at which quiet hours begin, such as `22:00`.
    from: String,
    /// Time of day at which quiet hours end, such as `07:00`.
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
            return Err("invalid name: it must have 1 to 64 characters on one line".to_owned());
        }
        let timing = self.timing()?;
        let events = self.events.take().unwrap_or_else(|| Kind::ALL.into());
        if events.is_empty() {
            return Err("events is empty; omit it to receive all events".to_owned());
        }
        let minimum_severity = self.minimum_severity.unwrap_or(Severity::Unrated);
        let target = self.target()?;
        if let Some(field) = self.left() {
            return Err(format!("{field} is not supported by channels of this kind"));
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
                .ok_or_else(|| format!("invalid time of day {text:?}; use the form \"07:30\""))
        };
        let zone = match self.zone.take() {
            None => TimeZone::UTC,
            Some(name) => time_zone(&name).ok_or_else(|| {
                format!(
                    "unknown time zone {name:?}; use a name such as \"Europe/Berlin\" or \"UTC\""
                )
            })?,
        };
        let digest = match (self.digest.take(), self.daily_at.take()) {
            (Some(Rhythm::Daily), Some(at)) => Digest::Daily(time(&at)?),
            (Some(Rhythm::Daily), None) => {
                return Err("a daily digest requires daily-at, such as \"08:00\"".to_owned());
            }
            (_, Some(_)) => return Err("daily-at requires digest = \"daily\"".to_owned()),
            (Some(Rhythm::Hourly), None) => Digest::Hourly,
            (Some(Rhythm::Immediate) | None, None) => Digest::Immediate,
        };
        let quiet = match self.quiet.take() {
            None => None,
            Some(quiet) => Some((time(&quiet.from)?, time(&quiet.to)?)),
        };
        if quiet.is_some_and(|(from, to)| from == to) {
            return Err("quiet hours never end; remove the channel instead".to_owned());
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
                secret: self.secret_file.take().ok_or("secret-file is required")?,
            },
            Word::Matrix => {
                let room = self
                    .room
                    .take()
                    .ok_or("room is required, such as \"!abc:example.com\"")?;
                if !room.starts_with('!') || room.len() > 255 {
                    return Err("room must be a room id such as \"!abc:example.com\"".to_owned());
                }
                Target::Matrix {
                    server: self.address()?,
                    room,
                    token: self.token_file.take().ok_or("token-file is required")?,
                }
            }
        })
    }

    fn address(&mut self) -> Result<Address, String> {
        match (self.url.take(), self.url_file.take()) {
            (Some(url), None) => Ok(Address::Here(outgoing(&url)?)),
            (None, Some(path)) => Ok(Address::File(path)),
            _ => Err("url is required, or url-file with the address in it".to_owned()),
        }
    }

    fn email(&mut self) -> Result<EmailConfig, String> {
        let server = self.server.take().ok_or("server is required")?;
        let security = self.security.take().unwrap_or(Security::Starttls);
        if security == Security::None && !is_here(&server) {
            return Err(
                "security = \"none\" is allowed only for a server on this machine".to_owned(),
            );
        }
        let login = match (self.user.take(), self.password_file.take()) {
            (None, None) => None,
            (Some(user), Some(path)) => Some((user, path)),
            _ => return Err("user and password-file must be set together".to_owned()),
        };
        let usual = match security {
            Security::Starttls => 587,
            Security::Tls => 465,
            Security::None => 25,
        };
        let mailbox = |text: String| {
            text.parse::<Mailbox>()
                .map_err(|error| format!("invalid e-mail address {text:?}: {error}"))
        };
        let to = self.to.take().unwrap_or_default();
        if to.is_empty() || to.len() > MOST_RECIPIENTS {
            return Err("to must list 1 to 50 e-mail addresses".to_owned());
        }
        Ok(EmailConfig {
            server,
            port: self.port.take().unwrap_or(usual),
            security,
            login,
            authorities: self.authorities.take(),
            from: mailbox(self.from.take().ok_or("from is required")?)?,
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
