//! Signals that ask a command to end while it applies a correction or rolls one back.
//!
//! A component may be stopped at that moment, so the command goes on to its end. A second signal ends it
//! at once; recovery then puts the component right.

use std::io;

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    task::JoinHandle,
};

use super::{Ending, output};

/// Has the command go on for as long as this is held.
#[derive(Debug)]
pub(super) struct HeldOff(JoinHandle<()>);

impl HeldOff {
    /// Waits for signals from now on.
    pub(super) fn begin() -> io::Result<Self> {
        let mut asked = Asked {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        };
        Ok(Self(tokio::spawn(async move {
            asked.again().await;
            output::complain(
                "completing the apply run in progress; a second signal terminates it at once, then run \"spacecp-advisories recover\"",
            );
            asked.again().await;
            std::process::exit(Ending::Failed as i32);
        })))
    }
}

impl Drop for HeldOff {
    fn drop(&mut self) {
        self.0.abort();
    }
}

struct Asked {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Asked {
    async fn again(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            _ = self.hang_up.recv() => {}
        }
    }
}
