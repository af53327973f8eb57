//! A socket that gives up on a client that does not read.
//!
//! Time is counted only while the socket takes nothing more: an answer that is long in coming, or a stream of
//! events, may take as long as it likes. Reading has bounds of its own: hyper's for headers, the guard's for
//! bodies.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep},
};

use super::activity::Activity;

/// Bytes that have to be read in each second that the client lets the panel wait; fewer use up its time.
const LEAST_PACE: u32 = 1 << 10;

/// Bytes that the kernel keeps for a client to read. It says that there is room again when a third of them has been
/// read, which a slow client must be able to do in time.
const SEND_BUFFER: usize = 128 << 10;

/// A socket with a bound on how long its client may leave written bytes unread.
#[derive(Debug)]
pub(super) struct Stream {
    socket: TcpStream,
    activity: Arc<Activity>,
    unread: UnreadTime,
    /// Since when nothing could be written.
    blocked: Option<Instant>,
    deadline: Option<Pin<Box<Sleep>>>,
}

impl Stream {
    pub(super) fn new(socket: TcpStream, activity: Arc<Activity>, write_within: Duration) -> Self {
        if let Err(error) = SockRef::from(&socket).set_send_buffer_size(SEND_BUFFER) {
            tracing::debug!(%error, "send buffer of a connection not set");
        }
        Self {
            socket,
            activity,
            unread: UnreadTime::new(write_within),
            blocked: None,
            deadline: None,
        }
    }

    /// What a write ended with; an error when the client has used up its time.
    fn after_write(
        &mut self,
        written: Poll<io::Result<usize>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Pending => {
                ready!(self.poll_deadline(context));
                // What is still in the kernel's buffer is not kept for a client that does not read it.
                let _ = self.socket.set_zero_linger();
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
            Poll::Ready(Ok(bytes)) => {
                if let Some(since) = self.blocked.take() {
                    self.unread.spend(since.elapsed());
                    self.deadline = None;
                    self.activity.set_write_blocked(false);
                }
                self.unread.earn(bytes);
                self.activity.progress();
                Poll::Ready(Ok(bytes))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
        }
    }

    fn poll_deadline(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.blocked.is_none() {
            self.blocked = Some(Instant::now());
            self.activity.set_write_blocked(true);
        }
        let left = self.unread.left;
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(left)));
        deadline.as_mut().poll(context)
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.socket).poll_read(context, buffer))?;
        if buffer.filled().len() > before {
            self.activity.progress();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write(context, bytes);
        self.after_write(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write_vectored(context, slices);
        self.after_write(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

/// The time that a client has left to leave bytes unread. Waiting spends it, and reading earns it again, so that
/// reading a byte now and then does not hold a connection for ever.
#[derive(Debug)]
struct UnreadTime {
    most: Duration,
    left: Duration,
}

impl UnreadTime {
    fn new(most: Duration) -> Self {
        Self { most, left: most }
    }

    fn spend(&mut self, waited: Duration) {
        self.left = self.left.saturating_sub(waited);
    }

    fn earn(&mut self, bytes: usize) {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let earned = Duration::from_secs(1) * bytes / LEAST_PACE;
        self.left = self.left.saturating_add(earned).min(self.most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_reads_less_than_the_least_pace_uses_up_its_time() {
        let mut unread = UnreadTime::new(Duration::from_secs(10));
        for _ in 0..10 {
            unread.spend(Duration::from_secs(2));
            unread.earn(LEAST_PACE as usize);
        }
        assert_eq!(unread.left, Duration::from_secs(1), "half the pace");
        unread.spend(Duration::from_secs(2));
        assert_eq!(unread.left, Duration::ZERO);
    }

    #[test]
    fn a_client_at_the_least_pace_keeps_its_time_and_saves_up_no_more_than_it_had() {
        let mut unread = UnreadTime::new(Duration::from_secs(10));
        for _ in 0..100 {
            unread.spend(Duration::from_secs(1));
            unread.earn(LEAST_PACE as usize);
        }
        assert_eq!(unread.left, Duration::from_secs(10));
        unread.earn(usize::MAX);
        assert_eq!(unread.left, Duration::from_secs(10));
    }
}
