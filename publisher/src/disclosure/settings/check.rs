//! What each setting may be; whatever it is not is refused with its field.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use url::Url;

use super::{Contact, Encryption, SettingsError, Written, WrittenContact};
use crate::report::key::Recipient;

/// The longest text of a setting, in bytes.
const LONGEST_TEXT: usize = 500;

/// The most addresses of one kind.
const MOST: usize = 16;

/// The checks of one file.
pub(super) struct Check<'a> {
    pub(super) path: &'a Path,
}

impl Check<'_> {
    pub(super) fn nothing_is_missing(&self, written: &Written) -> Result<(), SettingsError> {
        let contact = written.security_txt.as_ref();
        let has = |found: Option<bool>| found.unwrap_or(false);
        let fields = [
            ("name", written.name.is_some()),
            ("namespace", written.namespace.is_some()),
            ("address", written.address.is_some()),
            (
                "security-txt.contact",
                has(contact.map(|contact| !contact.contact.is_empty())),
            ),
            (
                "security-txt.policy",
                has(contact.map(|contact| contact.policy.is_some())),
            ),
            (
                "security-txt.expires",
                has(contact.map(|contact| contact.expires.is_some())),
            ),
        ];
        let fields = fields.into_iter().filter(|(_, there)| !there);
        let fields: Vec<&'static str> = fields.map(|(field, _)| field).collect();
        if fields.is_empty() {
            return Ok(());
        }
        let path = self.path.to_owned();
        Err(SettingsError::Missing { path, fields })
    }

    pub(super) fn contact(
        &self,
        written: WrittenContact,
        language: &str,
        recipient: Option<&Recipient>,
        now: Timestamp,
    ) -> Result<Contact, SettingsError> {
        let path = || self.path.to_owned();
        let expires = written.expires.unwrap_or(Timestamp::MIN);
        if expires <= now {
            return Err(SettingsError::Expired {
                path: path(),
                expires,
            });
        }
        if expires > now + SignedDuration::from_hours(24 * 365) {
            return Err(SettingsError::Distant {
                path: path(),
                expires,
            });
        }
        let addresses = self.few("security-txt.contact", written.contact)?;
        let addresses = addresses.into_iter();
        let addresses = addresses.map(|one| self.contact_address("security-txt.contact", one));
        let encryption = match (written.encryption, recipient) {
            (Some(url), _) => Encryption::At(self.web("security-txt.encryption", url)?),
            (None, Some(recipient)) => Encryption::Recipient(recipient.to_string()),
            (None, None) => return Err(SettingsError::Encryption { path: path() }),
        };
        let languages = written.preferred_languages;
        let languages = languages.unwrap_or_else(|| vec![language.to_owned()]);
        let languages = self.few("security-txt.preferred-languages", languages)?;
        let languages = languages.into_iter();
        let languages = languages.map(|one| self.language("security-txt.preferred-languages", one));
        let thanks = written.acknowledgments;
        Ok(Contact {
            addresses: addresses.collect::<Result<_, _>>()?,
            policy: self.web("security-txt.policy", written.policy.unwrap_or_default())?,
            expires,
            encryption,
            languages: languages.collect::<Result<_, _>>()?,
            acknowledgments: thanks
                .map(|url| self.web("security-txt.acknowledgments", url))
                .transpose()?,
        })
    }

    pub(super) fn refused(
        &self,
        field: &'static str,
        found: &str,
        rule: &'static str,
    ) -> SettingsError {
        SettingsError::Field {
            path: self.path.to_owned(),
            field,
            found: found.chars().take(80).collect(),
            rule,
        }
    }

    fn few(&self, field: &'static str, list: Vec<String>) -> Result<Vec<String>, SettingsError> {
        if list.is_empty() || list.len() > MOST {
            let found = format!("{} of them", list.len());
            return Err(self.refused(field, &found, "1 to 16 of them"));
        }
        Ok(list)
    }

    pub(super) fn text(&self, field: &'static str, text: String) -> Result<String, SettingsError> {
        let fits = !text.trim().is_empty()
            && text.len() <= LONGEST_TEXT
            && !text.chars().any(char::is_control);
        if fits {
            return Ok(text);
        }
        Err(self.refused(field, &text, "one line of 1 to 500 bytes"))
    }

    pub(super) fn web(&self, field: &'static str, text: String) -> Result<String, SettingsError> {
        let parsed = Url::parse(&text).ok();
        let is_web = parsed.is_some_and(|url| url.scheme() == "https" && url.host().is_some());
        if is_web && is_plain(&text) {
            return Ok(text);
        }
        Err(self.refused(field, &text, "an address that begins with https://"))
    }

    /// The well-known places are those of a whole host.
    pub(super) fn origin(&self, text: String) -> Result<Url, SettingsError> {
        let text = self.web("address", text)?;
        let url = Url::parse(&text).ok().filter(|url| {
            url.path() == "/"
                && url.query().is_none()
                && url.fragment().is_none()
                && url.username().is_empty()
                && url.password().is_none()
        });
        url.ok_or_else(|| self.refused("address", &text, "https:// and a host, and nothing more"))
    }

    fn contact_address(&self, field: &'static str, text: String) -> Result<String, SettingsError> {
        let scheme = Url::parse(&text).map(|url| url.scheme().to_owned());
        let known = scheme.is_ok_and(|scheme| matches!(&*scheme, "https" | "mailto" | "tel"));
        if known && is_plain(&text) {
            return Ok(text);
        }
        Err(self.refused(
            field,
            &text,
            "an address that begins with mailto:, https:// or tel:",
        ))
    }

    pub(super) fn language(
        &self,
        field: &'static str,
        text: String,
    ) -> Result<String, SettingsError> {
        let part = |part: &str| {
            (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        let first = text.split('-').next().unwrap_or_default();
        if text.len() <= 35 && (2..=3).contains(&first.len()) && text.split('-').all(part) {
            return Ok(text);
        }
        Err(self.refused(field, &text, "a language tag such as \"en\" or \"de-AT\""))
    }
}

/// Addresses are lines of a text file, where more than an address would be another line.
fn is_plain(text: &str) -> bool {
    text.len() <= LONGEST_TEXT && text.bytes().all(|byte| byte.is_ascii_graphic())
}
