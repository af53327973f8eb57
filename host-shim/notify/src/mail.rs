//! Mail, by SMTP.

use std::{
    fs,
    time::{Duration, SystemTime},
};

use jiff::Timestamp;
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Tokio1Executor,
    message::{
        Mailbox,
        header::{ContentType, HeaderName, HeaderValue, MIME_VERSION_1_0},
    },
    transport::smtp::{
        authentication::Credentials,
        client::{Certificate, Tls, TlsParameters},
    },
};
use spacecp_contract::Digest;

use super::{DeliveryError, escaping::Escaping, secret, templates::Message};
use crate::config::{EmailConfig, NotifyConfig, Security};

/// Characters of a mail server's reply that are kept.
const LONGEST_REPLY: usize = 200;

/// Sends a message. `id` is the same whenever the same message is sent again.
pub(super) async fn send(
    mail: &EmailConfig,
    message: &Message,
    id: &str,
    allowed: Duration,
    now: Timestamp,
) -> Result<(), DeliveryError> {
    let mail_message = compose(mail, message, id, now)?;
    let transport = transport(mail, allowed)?;
    match transport.send(mail_message).await {
        Ok(_) => Ok(()),
        Err(error) if error.is_timeout() => Err(DeliveryError::TimeOut { allowed }),
        Err(error) => Err(DeliveryError::Mail {
            reason: reason(&error),
        }),
    }
}

/// Mails a report to the vendor, which is encrypted already.
pub(crate) async fn report(
    config: &NotifyConfig,
    mail: &EmailConfig,
    to: Mailbox,
    sealed: &str,
    now: Timestamp,
) -> Result<(), DeliveryError> {
    let allowed = Duration::from_secs(u64::from(config.timeout_seconds));
    let mail = EmailConfig {
        to: vec![to],
        ..mail.clone()
    };
    let message = Message {
        subject: "Vulnerability report (age-encrypted)".to_owned(),
        text: sealed.to_owned(),
        included: 0,
    };
    let mut id = Digest::of(sealed.as_bytes()).to_string();
    id.truncate(32);
    let sending = send(&mail, &message, &id, allowed, now);
    tokio::time::timeout(allowed, sending)
        .await
        .unwrap_or(Err(DeliveryError::TimeOut { allowed }))
}

fn compose(
    mail: &EmailConfig,
    message: &Message,
    id: &str,
    now: Timestamp,
) -> Result<lettre::Message, DeliveryError> {
    let domain = mail.from.email.domain();
    let mut built = lettre::Message::builder()
        .from(mail.from.clone())
        .subject(message.subject.clone())
        .date(moment(now))
        .message_id(Some(format!("<{id}@{domain}>")))
        .header(MIME_VERSION_1_0)
        .header(ContentType::TEXT_PLAIN)
        // Nobody's automatic answer is wanted (RFC 3834).
        .raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        ));
    for to in &mail.to {
        built = built.to(to.clone());
    }
    built
        .body(message.text.clone())
        .map_err(|error| DeliveryError::Client {
            reason: error.to_string(),
        })
}

/// Mail has no time before 1970, and none between seconds.
fn moment(now: Timestamp) -> SystemTime {
    let seconds = u64::try_from(now.as_second()).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn transport(
    mail: &EmailConfig,
    allowed: Duration,
) -> Result<AsyncSmtpTransport<Tokio1Executor>, DeliveryError> {
    let tls = match mail.security {
        Security::None => Tls::None,
        Security::Starttls => Tls::Required(parameters(mail)?),
        Security::Tls => Tls::Wrapper(parameters(mail)?),
    };
    // Its name is no warning: it leaves TLS to whoever calls it, who has just decided.
    let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&mail.server)
        .port(mail.port)
        .tls(tls)
        .timeout(Some(allowed));
    if let Some((user, path)) = &mail.login {
        let password = secret::read(path, 1)?;
        transport = transport.credentials(Credentials::new(user.clone(), password));
    }
    Ok(transport.build())
}

fn parameters(mail: &EmailConfig) -> Result<TlsParameters, DeliveryError> {
    let client = |error: lettre::transport::smtp::Error| DeliveryError::Client {
        reason: reason(&error),
    };
    let mut parameters = TlsParameters::builder(mail.server.clone());
    if let Some(path) = &mail.authorities {
        let pem = fs::read(path).map_err(|error| DeliveryError::Secret {
            path: path.clone(),
            reason: error.to_string(),
        })?;
        parameters = parameters.add_root_certificate(Certificate::from_pem(&pem).map_err(client)?);
    }
    parameters.build_rustls().map_err(client)
}

/// What went wrong, in one line: the outermost and the innermost words.
fn reason(error: &lettre::transport::smtp::Error) -> String {
    Escaping::Plain.escape(&error.to_string(), LONGEST_REPLY)
}
