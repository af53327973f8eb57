//! A feed that cannot be forged, rolled back, frozen or flooded: the real follower over real HTTP,
//! against a vendor, a mirror or a network that misbehaves.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so and ends"
)]

mod answers;
mod bundle;
mod chain;
mod clock;
mod crates;
mod damaged;
mod delta;
mod honest;
mod kept;
mod kinds;
mod lying_stores;
mod mirrors;
mod modules;
mod names;
mod network;
mod never_back;
mod objects;
mod payload;
mod pinned;
mod private;
mod proxies;
mod recorded;
mod recovery;
mod refused;
mod restored;
mod revisions;
mod roles;
mod rotation;
mod scenarios;
mod scene;
mod slow;
mod slow_payloads;
mod thresholds;
mod times;
mod transport;
