//! The command line about what a broadcast and a refresh say, and what only a person may ask of them.

use std::path::PathBuf;

use clap::Args;
use spacecp_contract::DocumentId;

/// How a head is signed.
#[derive(Debug, Args)]
pub(super) struct Fresh {
    /// Key to sign with: keys/NAME.key in the working directory. May be repeated [default: feed].
    #[arg(long = "key", value_name = "NAME")]
    pub(super) keys: Vec<String>,
    /// Days until the head expires and panels need a newer one; at most what the root allows (see "root new
    /// --head-days", default 90).
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=366))]
    pub(super) expires: u32,
    /// Write two signing requests to this directory instead of signing, for keys on other machines: one for
    /// the index and one for the head, which publishes the index once both are signed.
    #[arg(long, value_name = "DIRECTORY", conflicts_with_all = ["keys", "dry_run"])]
    pub(super) request: Option<PathBuf>,
}

/// What a broadcast does only where it is asked for.
#[derive(Debug, Args)]
pub(super) struct Consented {
    /// Disclose this advisory before its planned date. May be repeated.
    #[arg(long, value_name = "ID")]
    pub(super) disclose: Vec<DocumentId>,
    /// Continue although the record of sealed documents is lost: encrypt everything again. Panels refuse
    /// the broadcast if an embargoed document is missing.
    #[arg(long)]
    pub(super) seal_anew: bool,
    /// Panel that may read embargoed documents. May be repeated. Required for every panel after the working
    /// directory was restored, since its list of panels may be outdated.
    #[arg(long = "recipient", value_name = "PANEL")]
    pub(super) recipients: Vec<String>,
}

/// Who publishes, and on which grounds.
#[derive(Debug, Args)]
pub(super) struct Publisher {
    /// Reason for broadcasting an advisory that the finder of its case has not approved.
    #[arg(long, value_name = "REASON")]
    pub(super) without_review: Option<String>,
    /// Person to record in the cases [default: the user's name].
    #[arg(long, env = "SPACECP_BY", value_name = "NAME")]
    pub(super) by: Option<String>,
}
