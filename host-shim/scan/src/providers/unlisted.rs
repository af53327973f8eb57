//! Packages of ecosystems that the contract may not know: each is listed where it does, and they are counted and named
//! as unread where it does not. An advisory cannot speak of them then, so that silence would be no all-clear.

use spacecp_contract::{ComponentName, Ecosystem};

use crate::{Why, findings::Findings, names};

/// Packages of one ecosystem.
#[derive(Debug)]
pub(super) struct Unlisted {
    /// The type in package URLs.
    kind: &'static str,
    /// What people call it.
    called: &'static str,
    count: u64,
}

impl Unlisted {
    pub(super) fn new(kind: &'static str, called: &'static str) -> Self {
        Self {
            kind,
            called,
            count: 0,
        }
    }

    pub(super) fn add(
        &mut self,
        package: &str,
        labels: Vec<String>,
        version: Result<String, String>,
        findings: &mut Findings,
    ) {
        let name: Result<ComponentName, _> =
            format!("{}:{}", self.kind, package.to_lowercase()).parse();
        let known = name.as_ref().ok().and_then(Ecosystem::of);
        match known {
            Some((ecosystem, package)) => {
                let version = version.as_deref().map_err(Clone::clone);
                findings.add(labels, names::package(&ecosystem, package), version, "");
            }
            None => self.count += 1,
        }
    }

    /// Names those that were not listed.
    pub(super) fn end(self, findings: &mut Findings) {
        if self.count > 0 {
            let what = match self.count {
                1 => format!("1 package of {}", self.called),
                many => format!("{many} packages of {}", self.called),
            };
            findings.unread(String::new(), Why::NoAdvisories(what));
        }
    }
}
