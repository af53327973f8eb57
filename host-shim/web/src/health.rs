//! Whether the panel can do its work, for whatever watches over it.
//!
//! Asked without a login, so it answers in fixed words and never says what is wrong in detail. It waits neither for
//! the plugin to load nor for its turn among other requests.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use serde_json::json;

use spacecp_services::{Exposure, Feed, PluginState};

/// Ready where the store can be read, the plugin is there, and the vendor's last word is good.
pub(super) async fn ready(State(feed): State<Feed>, State(exposure): State<Exposure>) -> Response {
    let mut reasons = Vec::new();
    match feed.freshness().await {
        Err(error) => {
            tracing::error!(%error, "readiness check failed");
            reasons.push("store-unreadable");
        }
        Ok(freshness) if freshness.sequence.is_none() => reasons.push("feed-never-heard"),
        Ok(freshness) if freshness.is_stale(Timestamp::now()) => reasons.push("feed-stale"),
        Ok(_) => {}
    }
    match exposure.plugin_state().await {
        Ok(PluginState::Ready) => {}
        Ok(PluginState::Loading) => reasons.push("plugin-loading"),
        Ok(PluginState::Missing(_)) => reasons.push("plugin-missing"),
        Err(error) => {
            tracing::error!(%error, "readiness check failed");
            reasons.push("plugin-missing");
        }
    }
    let status = if reasons.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let body = json!({ "ready": reasons.is_empty(), "reasons": reasons });
    let kind = (header::CONTENT_TYPE, "application/json");
    (status, [kind], body.to_string()).into_response()
}
