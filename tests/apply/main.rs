//! Corrections that survive: real trees, a real store, a feed in a folder, and the world ending at
//! every step.

mod applied;
mod cut_off;
mod refused;
mod tree;
