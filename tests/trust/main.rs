//! A feed that cannot be forged, rolled back, frozen or flooded: the real follower over real HTTP,
//! against a vendor, a mirror or a network that misbehaves.

mod honest;
mod refused;
mod scene;
mod transport;
