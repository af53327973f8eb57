//! A channel as configurations have it, and what is wrong with one.

use std::{collections::BTreeSet, path::PathBuf};

use jiff::tz::TimeZone;
use lettre::message::Mailbox;
use serde::Deserialize;
use spacecp_contract::Severity;

use super::{
    Address, ChannelConfig, ChannelFault, EmailConfig, Security, Target, is_here, outgoing,
};
use crate::{
    notify::{Digest, Kind, Timing, Urgent},
    policy::{time_of_day, time_zone},
};

/// Recipients of one mail.
const MOST_RECIPIENTS: usize = 50;

/// Characters of a channel's name.
const LONGEST_NAME: usize = 64;

/// A channel as configurations have it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Written {
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
