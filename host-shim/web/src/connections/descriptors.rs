//! How many file descriptors connections may take, so that enough are left for everything else.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors that are kept for applying, the databases, the feed, the plugin and commands.
const KEPT_BACK: usize = 512;

/// Raises the limit of this process, as far as the system lets it, to what `connections` need.
///
/// No further: commands that start components inherit the limit, and some programs take a very high one amiss.
pub fn raise_limit(connections: usize) {
    let wanted = connections.saturating_add(KEPT_BACK) as u64;
    let limit = getrlimit(Resource::Nofile);
    let Some(current) = limit.current.filter(|current| *current < wanted) else {
        return;
    };
    let raised = limit.maximum.map_or(wanted, |maximum| maximum.min(wanted));
    let limit = Rlimit {
        current: Some(raised.max(current)),
        ..limit
    };
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, current, wanted, "limit of open files not raised");
    }
}

/// How many of the connections that are wanted this process has descriptors for.
pub(super) fn affordable(wanted: usize) -> usize {
    let limit = getrlimit(Resource::Nofile).current;
    let limit = limit.map_or(usize::MAX, |limit| {
        usize::try_from(limit).unwrap_or(usize::MAX)
    });
    wanted.min(share_of(limit))
}

/// What connections may take of a limit: all but what is kept back, and half of a limit that is low.
fn share_of(limit: usize) -> usize {
    limit.saturating_sub(KEPT_BACK).max(limit / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_descriptors_for_the_rest() {
        assert_eq!(share_of(1536), 1024);
        assert_eq!(share_of(1024), 512);
        assert_eq!(share_of(256), 128);
        assert_eq!(affordable(1), 1);
    }
}
