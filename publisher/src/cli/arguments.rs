//! The command line.

use std::path::PathBuf;

use super::{
    case_arguments::CaseCommand,
    disclosure_arguments::{Disclose, Retire, disclose_help},
};
use crate::cases::id::CaseId;
use clap::{Args, Parser, Subcommand};
use jiff::Timestamp;
use spacecp_contract::{Audience, ComponentName, DocumentId, DocumentKind, Requirement, Role, Tlp};

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
        /// Its id; the newest revision is meant.
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

#[derive(Debug, Subcommand)]
pub(super) enum Roots {
    /// Make and sign the first root of a feed from keys/ROLE.pub, one key a role.
    New {
        /// The feed.
        feed: PathBuf,
        /// Whom the feed is for, as "customers".
        #[arg(long)]
        audience: Audience,
        /// Days until it expires.
        #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=3660))]
        expires: u32,
        /// Another key for a role than the one of its name, as "feed=feed-2026"; several times for
        /// several keys.
        #[arg(long = "holder", value_name = "ROLE=NAME", value_parser = holder)]
        holders: Vec<(Role, String)>,
        /// How many keys of a role must sign, as "root=2"; one if it is not said.
        #[arg(long = "threshold", value_name = "ROLE=NUMBER", value_parser = threshold)]
        thresholds: Vec<(Role, u32)>,
        /// Do not sign: write a request into this folder, for keys on other machines.
        #[arg(long, value_name = "FOLDER")]
        request: Option<PathBuf>,
    },
    /// Show who may sign what, and until when.
    Show {
        /// The feed.
        feed: PathBuf,
    },
    /// Exchange keys of a role, as a planned change: the next root.
    Rotate {
        /// The feed.
        feed: PathBuf,
        /// The role.
        #[arg(value_parser = role)]
        role: Role,
        /// A key that no longer signs: a name on the desk, or an id of 16 digits.
        #[arg(long, value_name = "KEY")]
        old: Vec<String>,
        /// A key that signs from now on: a name on the desk.
        #[arg(long, value_name = "NAME", required = true)]
        new: Vec<String>,
        #[command(flatten)]
        next: NextRoot,
    },
    /// Take every role from a key that is lost or known to others: the next root.
    ///
    /// Give the role another key in the same step with --instead, if it was the only one.
    Revoke {
        /// The feed.
        feed: PathBuf,
        /// The key: a name on the desk, or an id of 16 digits.
        key: String,
        /// A key that gets a role, as "feed=feed-2027".
        #[arg(long, value_name = "ROLE=NAME", value_parser = holder)]
        instead: Vec<(Role, String)>,
        /// Start sequences and revisions afresh, if whoever had the key has used the numbers up.
        #[arg(long)]
        afresh: bool,
        #[command(flatten)]
        next: NextRoot,
    },
    /// Change how many keys of a role must sign: the next root.
    Threshold {
        /// The feed.
        feed: PathBuf,
        /// The role.
        #[arg(value_parser = role)]
        role: Role,
        /// How many.
        number: u32,
        #[command(flatten)]
        next: NextRoot,
    },
    /// The same root for longer: the next root, with nothing else changed.
    Renew {
        /// The feed.
        feed: PathBuf,
        #[command(flatten)]
        next: NextRoot,
    },
}

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

/// How the next root is signed.
#[derive(Debug, Args)]
pub(super) struct NextRoot {
    /// A key that signs it; several times for several. "root" if it is not said. Panels demand enough
    /// keys of the root before and of the new one.
    #[arg(long = "key", value_name = "NAME")]
    pub(super) keys: Vec<String>,
    /// Days until it expires.
    #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=3660))]
    pub(super) expires: u32,
    /// Show what would change, and change nothing.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Do not sign: write a request into this folder, for keys on other machines.
    #[arg(long, value_name = "FOLDER", conflicts_with = "keys")]
    pub(super) request: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Advisories {
    /// Put a draft to fill in into drafts/.
    New {
        /// Its id, as SPACECP-SA-2026-0007.
        id: DocumentId,
        /// Whom it is for.
        #[arg(long)]
        audience: Audience,
        /// The case that it is about: title, versions and timeline come from there.
        #[arg(long, value_name = "CASE")]
        case: Option<CaseId>,
    },
    /// Find everything that keeps a draft from being published; ends with 1 if there is anything.
    Check {
        /// The draft.
        draft: PathBuf,
    },
    /// Check a draft, sign it, and put it into a feed; panels see it after the next broadcast.
    Sign {
        /// The draft.
        draft: PathBuf,
        /// The feed.
        #[arg(long)]
        feed: PathBuf,
        /// A key that signs; several times for several. "advisory" if it is not said.
        #[arg(long = "key", value_name = "NAME")]
        keys: Vec<String>,
        /// Do not sign: write a request into this folder, for keys on other machines.
        #[arg(long, value_name = "FOLDER", conflicts_with = "keys")]
        request: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Corrections {
    /// Compare two trees of a component, sign what turns the first into the second, and put it into a
    /// feed with its payload.
    Build(Box<Build>),
}

#[derive(Debug, Args)]
pub(super) struct Build {
    /// Its id, as SPACECP-SC-2026-0007.
    pub(super) id: DocumentId,
    /// The component's folder with the flaw.
    #[arg(long, value_name = "OLD_TREE")]
    pub(super) from: PathBuf,
    /// The component's folder without it.
    #[arg(long, value_name = "NEW_TREE")]
    pub(super) to: PathBuf,
    /// The feed.
    #[arg(long)]
    pub(super) feed: PathBuf,
    /// The component, by the name that advisories use.
    #[arg(long)]
    pub(super) component: ComponentName,
    /// The version of `OLD_TREE`.
    #[arg(long)]
    pub(super) from_version: String,
    /// The version of `NEW_TREE`.
    #[arg(long)]
    pub(super) to_version: String,
    /// An advisory that it answers; several times for several.
    #[arg(long = "advisory", required = true, value_name = "ID")]
    pub(super) advisories: Vec<DocumentId>,
    /// Its revision.
    #[arg(long, default_value_t = 1)]
    pub(super) revision: u64,
    /// Paths that the component writes at run time; a folder with a "/" behind.
    #[arg(long = "ignore", value_name = "PATH")]
    pub(super) ignored: Vec<String>,
    /// What has to restart afterwards: none, component or panel.
    #[arg(long, default_value = "none", value_parser = restart)]
    pub(super) restart: spacecp_contract::Restart,
    /// The health check that has to succeed afterwards, by the name that panels configure.
    #[arg(long, value_name = "NAME")]
    pub(super) health: Option<String>,
    /// What must be there in this version first, as "spacecp:daemon=1.9.3"; several times for several.
    #[arg(long = "requires", value_name = "COMPONENT=VERSION", value_parser = requirement)]
    pub(super) requires: Vec<Requirement>,
    /// The old version does not cope with what the new one writes: applying it and taking it back want a
    /// person's word.
    #[arg(long)]
    pub(super) one_way: bool,
    /// A key that signs; several times for several. "correction" if it is not said.
    #[arg(long = "key", value_name = "NAME")]
    pub(super) keys: Vec<String>,
    /// Do not sign: write a request into this folder, for keys on other machines.
    #[arg(long, value_name = "FOLDER", conflicts_with = "keys")]
    pub(super) request: Option<PathBuf>,
}

/// A format of other people's advisories.
#[derive(Debug, Subcommand)]
pub(super) enum Formatted<T: Args> {
    /// Open Source Vulnerability, schema 1.x.
    Osv(T),
    /// Common Security Advisory Framework 2.0.
    Csaf(T),
}

#[derive(Debug, Args)]
pub(super) struct Import {
    /// A .json with one document, a .jsonl with one a line, or a folder with such files in it.
    pub(super) path: PathBuf,
    /// The feed.
    #[arg(long)]
    pub(super) feed: PathBuf,
    /// Whom the advisories are for; everybody if it is not said.
    #[arg(long)]
    pub(super) audience: Option<Audience>,
    /// Who may be told: TLP:CLEAR if it is not said. A document that says something stricter keeps that.
    #[arg(long, value_parser = tlp, value_name = "LABEL")]
    pub(super) tlp: Option<Tlp>,
    /// When what is TLP:AMBER or stricter is planned to become public, as 2027-01-31T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    pub(super) embargo_until: Option<Timestamp>,
    /// A key that signs; several times for several. "advisory" if it is not said.
    #[arg(long = "key", value_name = "NAME")]
    pub(super) keys: Vec<String>,
    /// Show what would change, and change nothing.
    #[arg(long)]
    pub(super) dry_run: bool,
}

#[derive(Debug, Args)]
pub(super) struct Export {
    /// The feed.
    pub(super) feed: PathBuf,
    /// An advisory; several times for several. All if it is not said.
    #[arg(long = "id", value_name = "ID")]
    pub(super) ids: Vec<DocumentId>,
    /// Write each into FOLDER/ID.json; without it, one a line is printed.
    #[arg(long, value_name = "FOLDER")]
    pub(super) out: Option<PathBuf>,
    /// Who publishes CSAF documents of advisories that were written here, as "SpaceCP".
    #[arg(long, requires = "namespace", value_name = "NAME")]
    pub(super) publisher: Option<String>,
    /// The publisher's own address on the web, with its https.
    #[arg(long, requires = "publisher", value_name = "URL")]
    pub(super) namespace: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Plugins {
    /// Sign a component: writes NAME.manifest and NAME.manifest.minisig beside it.
    Sign {
        /// The component.
        component: PathBuf,
        /// The plugin's version.
        #[arg(long)]
        version: semver::Version,
        /// Counts its releases; panels never go back to a lower one.
        #[arg(long)]
        release: u64,
        /// Its name.
        #[arg(long, default_value = "advisories")]
        name: String,
        /// The key that signs.
        #[arg(long, default_value = "plugin", value_name = "NAME")]
        key: String,
    },
}

fn tlp(word: &str) -> Result<Tlp, String> {
    [
        Tlp::Clear,
        Tlp::Green,
        Tlp::Amber,
        Tlp::AmberStrict,
        Tlp::Red,
    ]
    .into_iter()
    .find(|label| label.to_string() == word)
    .ok_or_else(|| {
        "the labels are TLP:CLEAR, TLP:GREEN, TLP:AMBER, TLP:AMBER+STRICT and TLP:RED".to_owned()
    })
}

fn role(word: &str) -> Result<Role, String> {
    Role::from_word(word).ok_or_else(|| {
        format!("{word:?} is no role; the roles are root, feed, advisory, correction and plugin")
    })
}

fn documents(word: &str) -> Result<DocumentKind, String> {
    [DocumentKind::Advisory, DocumentKind::Correction]
        .into_iter()
        .find(|kind| kind.as_str() == word)
        .ok_or_else(|| "it is advisory or correction".to_owned())
}

fn holder(text: &str) -> Result<(Role, String), String> {
    let (word, name) = text.split_once('=').ok_or("it has the form ROLE=NAME")?;
    Ok((role(word)?, name.to_owned()))
}

fn requirement(text: &str) -> Result<Requirement, String> {
    let (component, version) = text
        .split_once('=')
        .ok_or("it has the form COMPONENT=VERSION")?;
    Ok(Requirement {
        component: component
            .parse::<ComponentName>()
            .map_err(|error| error.to_string())?,
        at_least: version.to_owned(),
    })
}

fn threshold(text: &str) -> Result<(Role, u32), String> {
    let (word, number) = text.split_once('=').ok_or("it has the form ROLE=NUMBER")?;
    Ok((
        role(word)?,
        number
            .parse()
            .map_err(|_| format!("{number:?} is not a number"))?,
    ))
}

fn restart(word: &str) -> Result<spacecp_contract::Restart, String> {
    match word {
        "none" => Ok(spacecp_contract::Restart::None),
        "component" => Ok(spacecp_contract::Restart::Component),
        "panel" => Ok(spacecp_contract::Restart::Panel),
        _ => Err("it is none, component or panel".to_owned()),
    }
}
