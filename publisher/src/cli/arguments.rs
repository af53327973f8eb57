//! The command line: what there is, and what holds for every command.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use spacecp_contract::{DocumentId, DocumentKind};

use super::{
    broadcast_arguments::{CasesGoOn, Consented, Fresh},
    case_arguments::CaseCommand,
    disclosure_arguments::{Disclose, Retire, disclose_help},
    document_arguments::{Advisories, Corrections, Export, Formatted, Import, Plugins, documents},
    root_arguments::Roots,
};

/// The vendor's security desk: keys, roots, advisories, corrections, and their broadcast.
#[derive(Debug, Parser)]
#[command(
    name = "spacecp-publisher",
    version,
    after_help = "A desk is a folder with keys/, drafts/, panels/ and signed/ in it; a feed is the folder that panels follow.\n\nExit codes:\n  0  done\n  1  a check found faults, something expires soon, or signatures are missing yet\n  2  the command line cannot be used\n  4  refused, or tried and did not work\n\nExamples:\n  spacecp-publisher keys new feed\n  spacecp-publisher root new FEED --audience customers --expires 365\n  spacecp-publisher advisory new SPACECP-SA-2026-0007 --audience customers\n  spacecp-publisher advisory check drafts/SPACECP-SA-2026-0007.toml\n  spacecp-publisher advisory sign drafts/SPACECP-SA-2026-0007.toml --feed FEED\n  spacecp-publisher import osv advisory-db.jsonl --feed FEED --dry-run\n  spacecp-publisher export csaf FEED --out csaf/ --publisher SpaceCP --namespace https://example.com\n  spacecp-publisher panel enrol node-7 age1…\n  spacecp-publisher broadcast FEED --dry-run\n  spacecp-publisher disclose FEED --out /var/www/security\n  spacecp-publisher status FEED || mail the people who hold the keys\n  spacecp-publisher root rotate FEED feed --old feed --new feed-2027 --dry-run"
)]
pub(super) struct Arguments {
    /// The desk: where keys and drafts are.
    #[arg(
        long,
        global = true,
        env = "SPACECP_DESK",
        default_value = ".",
        value_name = "FOLDER"
    )]
    pub(super) desk: PathBuf,

    /// Read passphrases from this file descriptor, one a line, instead of the terminal. Without it the
    /// variable `SPACECP_PASSPHRASE` is used if it is set.
    #[arg(long, global = true, value_name = "NUMBER")]
    pub(super) passphrase_fd: Option<u32>,

    /// Print JSON for a script to read.
    #[arg(long, global = true)]
    pub(super) json: bool,

    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Key pairs, in the format of the minisign program.
    #[command(subcommand)]
    Keys(Keys),
    /// Roots: which keys may sign what.
    #[command(subcommand)]
    Root(Roots),
    /// Cases: from a finder's report to its disclosure, step by step.
    #[command(subcommand)]
    Case(CaseCommand),
    /// Advisories: write, check, sign.
    #[command(subcommand)]
    Advisory(Advisories),
    /// Corrections: build them from two trees.
    #[command(subcommand)]
    Correction(Corrections),
    /// Plugins: sign the component that panels may run.
    #[command(subcommand)]
    Plugin(Plugins),
    /// The panels that may read what is under embargo.
    #[command(subcommand)]
    Panel(Panels),
    /// Make everything that was signed current: a new index, and a new head. What is under embargo is sealed
    /// for the panels that are enrolled; the rest is for everybody.
    Broadcast {
        /// The feed.
        feed: PathBuf,
        #[command(flatten)]
        fresh: Fresh,
        /// Show what would change, and change nothing.
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        consented: Consented,
        #[command(flatten)]
        going_on: CasesGoOn,
    },
    /// Take back what was signed by mistake and waits for its broadcast; what panels have stays.
    Unsign {
        /// What it is: advisory or correction.
        #[arg(value_parser = documents)]
        kind: DocumentKind,
        /// Its id; every revision is meant that was not broadcast.
        id: DocumentId,
        /// The feed.
        #[arg(long)]
        feed: PathBuf,
    },
    /// Say once more that what is current is current, with a fresh head: for a timer.
    ///
    /// What was signed since the last broadcast stays unseen until somebody broadcasts it.
    Refresh {
        /// The feed.
        feed: PathBuf,
        #[command(flatten)]
        fresh: Fresh,
        /// Do it only if the head that is current expires within so many days.
        #[arg(long, value_name = "DAYS")]
        if_within: Option<u32>,
        /// Show what would change, and change nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// What expires when, who signs what, and what wants to be done; ends with 1 if anything does.
    Status {
        /// The feed.
        feed: PathBuf,
        /// A head that expires within so many days is a problem.
        #[arg(long, default_value_t = 2, value_name = "DAYS")]
        head_within: u32,
        /// A root that expires within so many days is a problem.
        #[arg(long, default_value_t = 30, value_name = "DAYS")]
        root_within: u32,
    },
    /// Sign documents again whose key lost its role, so that new panels accept them; their bytes stay.
    SignAgain {
        /// The feed.
        feed: PathBuf,
        /// Which documents: advisory or correction.
        #[arg(value_parser = documents)]
        kind: DocumentKind,
        /// A key that signs, if it is not the one with the role's name; several times for several.
        #[arg(long = "key", value_name = "NAME")]
        keys: Vec<String>,
    },
    /// Sign a request that another machine has written, and show what it says.
    ///
    /// The same is done by "minisign -S -m REQUEST -t COMMENT" with the comment that is shown.
    SignRequest {
        /// The request.
        request: PathBuf,
        /// A key that signs; without one, the request is shown and nothing is signed.
        #[arg(long = "key", value_name = "NAME")]
        keys: Vec<String>,
    },
    /// Take signatures of a request that were made elsewhere; publish it when there are enough.
    ///
    /// Ends with 1 as long as some are missing.
    AddSignature {
        /// The request; its signatures collect beside it in REQUEST.minisig.
        request: PathBuf,
        /// Files with signatures, beside those in REQUEST.minisig.
        signatures: Vec<PathBuf>,
        /// The feed.
        #[arg(long)]
        feed: PathBuf,
        #[command(flatten)]
        going_on: CasesGoOn,
    },
    /// Take over other people's advisories: sign those that are new to a feed, or changed.
    ///
    /// What is refused is named with its field and why, and does not stop the others; ends with 1 if
    /// there is any. The same documents once more change nothing.
    #[command(subcommand)]
    Import(Formatted<Import>),
    /// Give out what a feed has broadcast, in other people's formats.
    ///
    /// Only what is TLP:CLEAR; ends with 1 if anything is refused. An advisory that was taken over from
    /// the format comes out as the document that it was.
    #[command(subcommand)]
    Export(Formatted<Export>),
    /// Tell everybody: make a web root of what a feed has broadcast at TLP:CLEAR.
    ///
    /// Pages, CSAF 2.0, OSV, an Atom feed and security.txt, as files for any web server. The same once more
    /// changes nothing; what is no longer public is removed, and files that this command did not write
    /// are left alone. Ends with 1 if a format has no words for an advisory, which its page then tells alone.
    #[command(after_help = disclose_help())]
    Disclose(Disclose),
    /// Write the draft of the revision that withdraws an advisory.
    Withdraw {
        /// The advisory.
        id: DocumentId,
        #[command(flatten)]
        retire: Retire,
    },
    /// Write the draft of the revision by which another advisory takes the place of one.
    Supersede {
        /// The advisory that no longer holds.
        id: DocumentId,
        /// The advisory that takes its place; the draft is of this one.
        #[arg(long, value_name = "ID")]
        by: DocumentId,
        #[command(flatten)]
        retire: Retire,
    },
    /// Put what is current in a feed into one file, for a machine without internet.
    ///
    /// There, "spacecp-advisories import FILE" checks it as it would check the feed itself.
    Bundle {
        /// The feed.
        feed: PathBuf,
        /// The file to write.
        into: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Keys {
    /// Make a key pair: keys/NAME.key and keys/NAME.pub.
    ///
    /// The secret key is encrypted with a passphrase as minisign does it. A key that is called "report", or
    /// "report-…", opens reports instead of signing: it is made as age does it, and keys/NAME.recipient is
    /// what finders encrypt to.
    New {
        /// Its name, usually that of its role: root, feed, advisory, correction, plugin; or report.
        name: String,
        /// Leave the secret key in clear, for a place that protects it otherwise.
        #[arg(long)]
        unencrypted: bool,
    },
    /// Show the public keys of the desk.
    List,
}

#[derive(Debug, Subcommand)]
pub(super) enum Panels {
    /// Let a panel read what is under embargo, from the next broadcast on.
    Enrol {
        /// What to call it: lower-case letters, digits, - and _.
        name: String,
        /// Its recipient (age1…), which "spacecp-advisories identity" shows there.
        recipient: String,
    },
    /// Let a panel read nothing new, from the next broadcast on.
    Revoke {
        /// What it is called.
        name: String,
        /// Why, for whoever looks later.
        #[arg(long)]
        reason: String,
    },
    /// Show every panel that was ever enrolled.
    List,
}
