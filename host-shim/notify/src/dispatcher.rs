//! Brings what is in the outbox to those who want it.
//!
//! Each channel is served by itself: one that is slow or broken keeps no other waiting.

use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use spacecp_contract::Digest;

use super::{
    DeliveryError,
    delivery::Delivery,
    escaping::Escaping,
    mail,
    notice::Numbered,
    outbox::{self, Missed},
    templates::Speaker,
    timing,
    web::{self, Post},
};
use crate::config::{ChannelConfig, NotifyConfig, Target};
use spacecp_feed::fetch::Access;
use spacecp_store::{Store, StoreError};

/// Messages that one channel is sent at a time.
const MOST_MESSAGES: usize = 20;

/// Notices of one message.
const MOST_TOGETHER: usize = 25;

/// More than so many that are due at once go together, digest or not.
const FLOOD: usize = 10;

/// Whatever is needed to deliver something.
#[derive(Debug)]
pub struct Dispatcher<'a> {
    config: &'a NotifyConfig,
    access: &'a Access,
    /// Tells this panel from others.
    seed: u64,
    /// Where the pages are.
    pages: Option<String>,
}

/// What became of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Delivered {
    /// Notices that were new.
    pub new: u64,
    /// Deliveries that were taken.
    pub delivered: u64,
    /// Deliveries that were not, and will be tried again.
    pub failed: u64,
    /// Deliveries that were given up.
    pub given_up: u64,
}

impl<'a> Dispatcher<'a> {
    /// A courier of the panel that has this seed.
    pub fn new(config: &'a NotifyConfig, access: &'a Access, seed: u64) -> Self {
        Self {
            config,
            access,
            seed,
            pages: config.pages(),
        }
    }

    /// Delivers what is due.
    pub async fn deliver(&self, store: &Store, now: Timestamp) -> Result<Delivered, StoreError> {
        let channels = self.config.channels.iter();
        let all = join_all(channels.map(|channel| self.serve(store, channel, now))).await;
        let mut sum = Delivered::default();
        for one in all {
            let one = one?;
            sum.delivered += one.delivered;
            sum.failed += one.failed;
            sum.given_up += one.given_up;
        }
        Ok(sum)
    }

    async fn serve(
        &self,
        store: &Store,
        channel: &ChannelConfig,
        now: Timestamp,
    ) -> Result<Delivered, StoreError> {
        let mut sum = Delivered::default();
        let rests = outbox::not_before(store, &channel.name).await?;
        if rests.is_some_and(|rests| rests > now) {
            return Ok(sum);
        }
        let quiet = channel.timing.quiet_until(now).is_some();
        for _ in 0..MOST_MESSAGES {
            let due = outbox::due(store, &channel.name, quiet, 50, now).await?;
            if due.is_empty() {
                break;
            }
            let delivery = self.delivery(channel, &due);
            let numbers: Vec<u64> = delivery.notices.iter().map(|one| one.number).collect();
            match self.send(channel, &delivery, now).await {
                Ok(()) => {
                    outbox::delivered(store, &channel.name, &numbers, now).await?;
                    sum.delivered += numbers.len() as u64;
                }
                Err(error) => {
                    sum.given_up += self.missed(store, channel, &numbers, &error, now).await?;
                    sum.failed += numbers.len() as u64;
                    break;
                }
            }
        }
        Ok(sum)
    }

    async fn missed(
        &self,
        store: &Store,
        channel: &ChannelConfig,
        numbers: &[u64],
        error: &DeliveryError,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        tracing::warn!(channel = channel.name, notices = numbers.len(), %error, "delivery failed");
        let missed = Missed {
            problem: &error.to_string(),
            asked_for: error.asked_for(),
            // Without randomness panels come back together, which is no reason to stay silent.
            share: getrandom::u32().unwrap_or(u32::MAX),
            give_up_after: self.config.give_up_after_hours,
        };
        let given_up = outbox::failed(store, &channel.name, numbers, &missed, now).await?;
        if given_up > 0 {
            tracing::error!(
                channel = channel.name,
                notices = given_up,
                "notifications abandoned"
            );
        }
        Ok(given_up)
    }

    /// As many of what is due as go into one message.
    fn delivery(&self, channel: &ChannelConfig, due: &[Numbered]) -> Delivery {
        let together = channel.timing.digest != timing::Digest::Immediate || due.len() > FLOOD;
        let most = if together { MOST_TOGETHER } else { 1 };
        let fitting = &due[..due.len().min(most)];
        let message = self.speaker().message(fitting, escaping(&channel.target));
        let notices = fitting[..message.included].to_vec();
        Delivery {
            id: self.id(channel, &notices, ""),
            notices,
            message,
        }
    }

    /// Sends a trial to a channel, at once.
    pub async fn trial(
        &self,
        channel: &ChannelConfig,
        by: &str,
        now: Timestamp,
    ) -> Result<(), DeliveryError> {
        let delivery = Delivery {
            id: self.id(channel, &[], &now.to_string()),
            notices: Vec::new(),
            message: self.speaker().trial(by, escaping(&channel.target)),
        };
        self.send(channel, &delivery, now).await
    }

    fn speaker(&self) -> Speaker<'_> {
        Speaker {
            name: &self.config.panel,
            url: self.pages.as_deref(),
        }
    }

    fn id(&self, channel: &ChannelConfig, notices: &[Numbered], trial: &str) -> String {
        let mut named = format!("{} {:?} {trial}", self.seed, channel.name);
        for one in notices {
            named.push_str(&format!(" {}", one.number));
        }
        let mut id = Digest::of(named.as_bytes()).to_string();
        id.truncate(32);
        id
    }

    async fn send(
        &self,
        channel: &ChannelConfig,
        delivery: &Delivery,
        now: Timestamp,
    ) -> Result<(), DeliveryError> {
        let allowed = Duration::from_secs(u64::from(self.config.timeout_seconds));
        let post = Post {
            access: self.access,
            allowed,
        };
        let (text, id) = (&delivery.message.text, &delivery.id);
        let sending = async {
            match &channel.target {
                Target::Email(mail) => mail::send(mail, &delivery.message, id, allowed, now).await,
                Target::Webhook { url, secret } => {
                    let body = web::body(self.speaker(), delivery, now);
                    post.webhook(url, secret, &body, id, now).await
                }
                Target::Discord(url) => post.discord(url, text).await,
                Target::Slack(url) => post.slack(url, text).await,
                Target::Matrix {
                    server,
                    room,
                    token,
                } => post.matrix(server, room, token, text, id).await,
            }
        };
        tokio::time::timeout(allowed, sending)
            .await
            .unwrap_or(Err(DeliveryError::TimeOut { allowed }))
    }
}

fn escaping(target: &Target) -> Escaping {
    match target {
        Target::Email(_) | Target::Webhook { .. } => Escaping::Plain,
        Target::Discord(_) => Escaping::Discord,
        Target::Slack(_) => Escaping::Slack,
        Target::Matrix { .. } => Escaping::Matrix,
    }
}
