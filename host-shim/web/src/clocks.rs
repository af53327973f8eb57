//! What time it is, for sessions and one-time codes.

use std::time::Instant;

use jiff::Timestamp;

/// Two clocks: one that only goes forwards, for how long ago something was, and the one on the wall.
pub trait Clocks: std::fmt::Debug + Send + Sync + 'static {
    /// The clock that only goes forwards.
    fn instant(&self) -> Instant;
    /// The clock on the wall.
    fn time(&self) -> Timestamp;
}

/// The clocks of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClocks;

impl Clocks for SystemClocks {
    fn instant(&self) -> Instant {
        Instant::now()
    }

    fn time(&self) -> Timestamp {
        Timestamp::now()
    }
}
