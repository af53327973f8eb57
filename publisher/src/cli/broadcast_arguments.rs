//! The command line about what a broadcast and a refresh say, and what only a person may ask of them.

use std::path::PathBuf;

use clap::Args;
use spacecp_contract::DocumentId;

/// How a head is signed.
#[derive(Debug, Args)]
pub(super) struct Fresh {
    /// A key that signs, keys/NAME.key on the desk; several times for several. "feed" if it is not said.
    #[arg(long = "key", value_name = "NAME")]
    pub(super) keys: Vec<String>,
    /// Days for which panels may believe that nothing newer exists.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=366))]
    pub(super) expires: u32,
    /// Do not sign: write two requests into this folder, for keys on other machines: the index, and the
    /// head that makes it current once both are signed.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["keys", "dry_run"])]
    pub(super) request: Option<PathBuf>,
}

/// What a broadcast does only where it is asked for.
#[derive(Debug, Args)]
pub(super) struct Consented {
    /// Disclose this advisory although the date that was planned for it has not come; several times for
    /// several.
    #[arg(long, value_name = "ID")]
    pub(super) disclose: Vec<DocumentId>,
    /// Go on with a private side that this desk does not remember, for its memory is lost: seal everything
    /// anew. Panels refuse it if anything is missing that was under embargo.
    #[arg(long)]
    pub(super) seal_anew: bool,
}

/// How cases go on by a broadcast.
#[derive(Debug, Args)]
pub(super) struct CasesGoOn {
    /// Why an advisory of a case goes out that its finder has not approved of.
    #[arg(long, value_name = "REASON")]
    pub(super) without_review: Option<String>,
    /// Who does it, for the cases that go on by it; the user's name if it is not said.
    #[arg(long, env = "SPACECP_BY", value_name = "NAME")]
    pub(super) by: Option<String>,
}
