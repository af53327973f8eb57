//! Public disclosure: what a feed has broadcast at TLP:CLEAR, as the files of a web root.
//!
//! [`settings`] says who discloses and where; [`public`] reads from the feed what everybody may know, each
//! document verified as a panel verifies it; `csaf`, `osv`, `atom`, `pages` and `security_txt`
//! make files of that, which `site` collects; and [`webroot`] is the only one that writes.
//!
//! What is not TLP:CLEAR is never read here: the feed is opened without the desk in which that waits, and
//! where a public document names one that is not, the name is left out.

mod addresses;
mod archive;
mod atom;
mod csaf;
mod listing;
mod osv;
mod pages;
mod policy;
pub mod public;
mod replaced;
mod security_txt;
pub mod settings;
pub mod site;
pub mod webroot;

use jiff::Timestamp;
use spacecp_contract::DocumentId;
use spacecp_formats::{Format, RestoreError, csaf::WriteError};

pub use self::{
    public::{Disclosed, Public, Sequence},
    settings::{Settings, SettingsError},
    site::{Site, SiteError},
    webroot::{Outcome, Webroot, WebrootError},
};
use crate::feed::FeedError;
use addresses::Addresses;

/// Why there is nothing to disclose, or it cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum DisclosureError {
    /// The feed.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// Two things would have one name.
    #[error(transparent)]
    Site(#[from] SiteError),
    /// The web root.
    #[error(transparent)]
    Webroot(#[from] WebrootError),
    /// The archive of OSV records.
    #[error("cannot create the archive of OSV records: {0}")]
    Archive(String),
}

/// Why an advisory is not there in one of the formats; its page is there nonetheless.
#[derive(Debug, thiserror::Error)]
pub enum Omission {
    /// The format has no words for it.
    #[error(transparent)]
    Csaf(#[from] WriteError),
    /// It cannot be given back as it came.
    #[error(transparent)]
    Rest(#[from] RestoreError),
}

/// An advisory that is not there in one of the formats.
#[derive(Debug)]
pub struct Omitted {
    /// The advisory.
    pub id: DocumentId,
    /// The format.
    pub format: Format,
    /// Why.
    pub reason: Omission,
}

/// A whole site, and what is not in it that one might look for.
#[derive(Debug)]
pub struct Disclosure {
    /// Its files.
    pub site: Site,
    /// What could not be said in a format.
    pub omitted: Vec<Omitted>,
}

/// The site of what everybody may know. Nothing is written, and the same makes the same bytes.
///
/// `before` is what the web root has as provider metadata, whose date moves only with what it says.
///
/// # Errors
///
/// [`DisclosureError`] where two files would have one name, or an archive cannot be made.
pub fn site(
    public: &Public,
    settings: &Settings,
    before: Option<&[u8]>,
    now: Timestamp,
) -> Result<Disclosure, DisclosureError> {
    let addresses = Addresses::of(settings);
    let mut site = Site::default();
    let mut omitted = Vec::new();
    let csaf = csaf::write(public, settings, &addresses, &mut site, &mut omitted)?;
    csaf::provider(settings, &addresses, before, now, &mut site)?;
    let osv = osv::write(public, &addresses, &mut site, &mut omitted)?;
    pages::write(public, settings, &addresses, &csaf, &osv, &mut site)?;
    atom::write(public, settings, &addresses, &mut site)?;
    security_txt::write(settings, &addresses, &mut site)?;
    Ok(Disclosure { site, omitted })
}
