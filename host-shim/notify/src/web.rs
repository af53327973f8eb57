//! Webhooks and chats: one request, of which nothing but the status of the answer is read.
//!
//! A webhook of one's own is signed: `SpaceCP-Timestamp` has the seconds since 1970, and
//! `SpaceCP-Signature` is `sha256=` and the HMAC-SHA256, in hexadecimal digits, over that timestamp, a
//! full stop and the body, with the secret from the file as its key.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::{Client, RequestBuilder, StatusCode, header};
use ring::hmac;
use serde::Serialize;
use serde_json::{Value, json};
use url::Url;

use super::{
    DeliveryError, delivery::Delivery, escaping::Escaping, notice::Subject, secret,
    templates::Speaker,
};
use crate::config::{Address, outgoing};
use spacecp_feed::fetch::{Access, innermost};

/// The header with the time of a signature.
pub const TIMESTAMP: &str = "spacecp-timestamp";

/// The header with a signature.
pub const SIGNATURE: &str = "spacecp-signature";

/// The header with what is the same whenever a message is sent again.
pub const DELIVERY: &str = "spacecp-delivery";

/// Characters of a secret that messages are signed with.
const SHORTEST_SECRET: usize = 16;

/// Where messages go.
pub(super) struct Post<'a> {
    pub(super) access: &'a Access,
    pub(super) allowed: Duration,
}

impl Post<'_> {
    /// Sends a signed message to a program.
    pub(super) async fn webhook(
        &self,
        address: &Address,
        secret: &std::path::Path,
        body: &Value,
        id: &str,
        now: Timestamp,
    ) -> Result<(), DeliveryError> {
        let key = secret::read(secret, SHORTEST_SECRET)?;
        let body = body.to_string();
        let signature = signature(&key, now, &body);
        let (client, url) = self.to(address)?;
        let request = client
            .post(url)
            .header(TIMESTAMP, now.as_second())
            .header(SIGNATURE, signature)
            .header(DELIVERY, id);
        self.send(request, body).await
    }

    pub(super) async fn discord(&self, address: &Address, text: &str) -> Result<(), DeliveryError> {
        // No previews of links, and nobody is called, whatever the text says.
        let body = json!({ "content": text, "flags": 4, "allowed_mentions": { "parse": [] } });
        let (client, url) = self.to(address)?;
        self.send(client.post(url), body.to_string()).await
    }

    pub(super) async fn slack(&self, address: &Address, text: &str) -> Result<(), DeliveryError> {
        let body = json!({
            "text": text, "mrkdwn": false, "parse": "none", "link_names": false,
            "unfurl_links": false, "unfurl_media": false,
        });
        let (client, url) = self.to(address)?;
        self.send(client.post(url), body.to_string()).await
    }

    pub(super) async fn matrix(
        &self,
        server: &Address,
        room: &str,
        token: &std::path::Path,
        text: &str,
        id: &str,
    ) -> Result<(), DeliveryError> {
        let token = secret::read(token, 1)?;
        let (client, mut url) = self.to(server)?;
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty();
            // The transaction is the same whenever the same message is sent again: the server drops it then.
            path.extend([
                "_matrix",
                "client",
                "v3",
                "rooms",
                room,
                "send",
                "m.room.message",
                id,
            ]);
        }
        let body = json!({ "msgtype": "m.notice", "body": text, "m.mentions": {} });
        self.send(client.put(url).bearer_auth(token), body.to_string())
            .await
    }

    fn to(&self, address: &Address) -> Result<(Client, Url), DeliveryError> {
        let url = match address {
            Address::Here(url) => url.clone(),
            Address::File(path) => {
                let text = secret::read(path, 1)?;
                outgoing(text.trim()).map_err(|reason| DeliveryError::Secret {
                    path: path.clone(),
                    reason: reason.to_owned(),
                })?
            }
        };
        let client = self.access.client(url.scheme() == "https");
        let client = client.map_err(|reason| DeliveryError::Client { reason })?;
        Ok((client, url))
    }

    /// The answer's body is not looked at: a receiver that never stops talking is left talking.
    async fn send(&self, request: RequestBuilder, body: String) -> Result<(), DeliveryError> {
        let request = request
            .header(header::CONTENT_TYPE, "application/json")
            .timeout(self.allowed)
            .body(body);
        let response = request.send().await.map_err(|error| self.broken(&error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        if status.is_redirection() {
            let status = status.as_u16();
            return Err(DeliveryError::Redirect { status });
        }
        let asked_for = match status {
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => response
                .headers()
                .get(header::RETRY_AFTER)
                .and_then(seconds),
            _ => None,
        };
        let status = status.as_u16();
        Err(DeliveryError::Status { status, asked_for })
    }

    fn broken(&self, error: &reqwest::Error) -> DeliveryError {
        if error.is_timeout() {
            let allowed = self.allowed;
            return DeliveryError::TimeOut { allowed };
        }
        // The innermost words have no address in them.
        DeliveryError::Connection {
            reason: Escaping::Plain.escape(&innermost(error), 200),
        }
    }
}

/// Discord has fractions of a second. The header's other form, a date, is not read.
fn seconds(value: &header::HeaderValue) -> Option<Duration> {
    let seconds: f64 = value.to_str().ok()?.trim().parse().ok()?;
    Duration::try_from_secs_f64(seconds.ceil()).ok()
}

/// The signature of a body.
fn signature(secret: &str, now: Timestamp, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signed = format!("{}.{body}", now.as_second());
    let tag = hmac::sign(&key, signed.as_bytes());
    format!("sha256={}", hex::encode(tag.as_ref()))
}

/// What a program is told.
pub(super) fn body(speaker: Speaker<'_>, delivery: &Delivery, now: Timestamp) -> Value {
    let notices: Vec<Value> = delivery
        .notices
        .iter()
        .map(|numbered| {
            let text = speaker.part(&numbered.notice, Escaping::Plain);
            match &numbered.notice.subject {
                Subject::Embargoed(ids) => json!({
                    "number": numbered.number, "event": "under-embargo", "embargo": true,
                    "advisories": ids, "text": text,
                }),
                Subject::Open(facts) => merged(
                    json!({
                        "number": numbered.number,
                        "event": numbered.notice.kind,
                        "embargo": false,
                        "at": numbered.at,
                        "severity": numbered.notice.severity,
                        "known-exploited": numbered.notice.known_exploited,
                        "text": text,
                    }),
                    facts,
                ),
            }
        })
        .collect();
    json!({
        "schema": 1,
        "id": delivery.id,
        "panel": { "name": speaker.name, "url": speaker.url },
        "sent": now,
        "trial": delivery.notices.is_empty(),
        "text": delivery.message.text,
        "notices": notices,
    })
}

fn merged(mut value: Value, facts: &impl Serialize) -> Value {
    let facts = serde_json::to_value(facts).expect("texts, numbers and lists of them");
    if let (Value::Object(into), Value::Object(facts)) = (&mut value, facts) {
        into.extend(facts);
    }
    value
}
