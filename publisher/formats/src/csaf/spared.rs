//! What a CSAF document says is not affected.
//!
//! Not affected needs evidence: a statement with its reason about versions that can be read, of the whole component. All
//! else is named and leaves the component unknown, unless something else is said of it.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use spacecp_contract::{
    Affected, ComponentName, Justification, NotAffected, Others, Unlisted, VersionScheme, Versions,
    version::{Range, Version},
};

use super::{extent::Extent, products::Known, record::Vulnerability, status::Reader, vers};
use crate::{Refusal, naming::shown};

/// The components that vulnerabilities do not affect.
#[derive(Debug, Default)]
pub(super) struct SparedProducts {
    /// In all or some versions, and by which vulnerabilities.
    spared: BTreeMap<Spared, (Justification, BTreeSet<usize>, VersionScheme)>,
    /// Those that are called not affected in a way that is no evidence here.
    unproven: BTreeSet<(ComponentName, VersionScheme)>,
}

/// A component and those of its versions that are not affected: none for all of them, else as they are written.
type Spared = (ComponentName, Option<(VersionScheme, SparedVersions)>);

/// Ranges as they are written in VERS, and single versions.
type SparedVersions = (BTreeSet<String>, BTreeSet<String>);

impl<'a> Reader<'a> {
    /// Takes what a vulnerability does not affect.
    pub(super) fn spare(
        &mut self,
        number: usize,
        flaw: &'a Vulnerability,
        base: &str,
    ) -> Result<(), Refusal> {
        for (place, id) in flaw.product_status.known_not_affected.iter().enumerate() {
            self.steps.take(self.products.steps(id))?;
            let field = format!("{base}.known_not_affected[{place}]");
            for known in self.look_up(&field, id) {
                self.spare_product(number, flaw, id, known, &field)?;
            }
        }
        Ok(())
    }

    fn spare_product(
        &mut self,
        number: usize,
        flaw: &Vulnerability,
        id: &String,
        known: Known,
        field: &str,
    ) -> Result<(), Refusal> {
        let justification = self.justification(flaw, id)?;
        let (component, scheme) = (known.component.clone(), known.scheme);
        let proven = justification.and_then(|justification| {
            let versions = versions_of(known)?;
            Ok(((component.clone(), versions), justification))
        });
        match proven {
            Ok((spared, justification)) => {
                let entry = self.spared.spared.entry(spared);
                let (_, flaws, _) = entry.or_insert((justification, BTreeSet::new(), scheme));
                flaws.insert(number);
            }
            Err(reason) => {
                self.remark(field.to_owned(), format!("{component} {reason}"));
                self.spared.unproven.insert((component, scheme));
            }
        }
        Ok(())
    }

    /// Why a product is not affected: by the flag that a vulnerability has for it, or by its impact in words; else why
    /// that is not known.
    fn justification(
        &self,
        flaw: &Vulnerability,
        id: &String,
    ) -> Result<Result<Justification, String>, Refusal> {
        for flag in &flaw.flags {
            if self.names(&flag.product_ids, &flag.group_ids, id)? {
                return Ok(justification(&flag.label));
            }
        }
        for threat in &flaw.threats {
            let is_reason = threat.category == "impact" && !is_a_rating(&threat.details);
            if is_reason && self.names(&threat.product_ids, &threat.group_ids, id)? {
                return Ok(Ok(Justification::Stated));
            }
        }
        Ok(Err(
            "is called not affected, and no flag or impact explains why".to_owned(),
        ))
    }

    /// Whether a product is named, by itself or in a group.
    fn names(&self, ids: &[String], groups: &[String], id: &String) -> Result<bool, Refusal> {
        let groups = groups.iter().map(|group| self.products.group(group));
        for ids in groups.chain([ids]) {
            self.steps.take(1 + ids.len())?;
            if ids.contains(id) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Says of components that they are not affected where that holds for all vulnerabilities: whoever
    /// reads of one advisory wants to know whether any of its flaws concerns them.
    pub(super) fn finish_spared(&mut self, flaws: usize) {
        let SparedProducts {
            spared,
            mut unproven,
        } = std::mem::take(&mut self.spared);
        let affected = self.said.affected.iter();
        let mut said: HashSet<ComponentName> = affected.map(|one| one.component.clone()).collect();
        for ((component, only), (justification, of, scheme)) in spared {
            let is_whole = only.is_none();
            if is_whole && self.open.contains(&component) {
                let reason = format!(
                    "{component} is both not affected and under investigation; panels treat it as unknown"
                );
                self.remark("vulnerabilities".to_owned(), reason);
            } else if of.len() == flaws {
                said.insert(component.clone());
                self.said.not_affected.push(NotAffected {
                    component,
                    justification,
                    only: only.map(|(scheme, versions)| Box::new(only_those(scheme, versions))),
                });
            } else if !said.contains(&component) {
                let reason = format!(
                    "{component} is not affected by some of the vulnerabilities; nothing is stated about the others"
                );
                self.remark("vulnerabilities".to_owned(), reason);
                unproven.insert((component, scheme));
            }
        }
        let unproven = unproven.into_iter();
        let unproven = unproven.filter(|(component, _)| !said.contains(component));
        let unproven = unproven.map(|(component, scheme)| unstated(component, scheme));
        self.said.affected.extend(unproven);
    }
}

/// A component that is named, and of which nothing is known.
fn unstated(component: ComponentName, scheme: VersionScheme) -> Affected {
    Affected {
        component,
        scheme,
        ranges: Vec::new(),
        versions: Vec::new(),
        unlisted: Some(Box::new(Unlisted {
            others: Others::Unstated,
            excluded: Vec::new(),
            fixed: Vec::new(),
            unread: Vec::new(),
            investigated: Vec::new(),
        })),
    }
}

/// The versions of a product that is not affected, in a form that can be compared; none for all of them. Otherwise why
/// nothing can be said of any version of its component.
fn versions_of(known: Known) -> Result<Option<(VersionScheme, SparedVersions)>, String> {
    let Known {
        scheme,
        extent,
        narrowing,
        ..
    } = known;
    if let Some(narrowing) = narrowing {
        return Err(format!(
            "is not affected only as {}, which panels cannot tell from others",
            narrowing.what
        ));
    }
    if let Some(version) = extent.identified.clone() {
        return identified(scheme, extent, version);
    }
    if extent.is_empty() {
        return Err("is not affected in no version at all".to_owned());
    }
    let unread = |text: &str| {
        format!(
            "is not affected in {:?}, which cannot be read as versions",
            shown(text)
        )
    };
    if let Some(text) = extent.unread {
        return Err(unread(&text));
    }
    let versions = extent.versions;
    if extent.is_all || versions == vers::all() {
        return Ok(None);
    }
    // What a range leaves out is a statement about others, and words are none about these.
    let kind = vers::kinds(scheme).first().copied().unwrap_or("generic");
    if let Some(range) = versions.ranges.first()
        && (!extent.is_exact || !versions.excluded.is_empty())
    {
        return Err(unread(&vers::write(kind, range, &versions.excluded)));
    }
    let ranges = versions.ranges.iter();
    let ranges = ranges.map(|range| vers::write(kind, range, &[])).collect();
    let listed = versions.listed.into_iter().collect();
    Ok(Some((scheme, (ranges, listed))))
}

/// The one version that is identified, if the range beside it has it.
fn identified(
    scheme: VersionScheme,
    extent: Extent,
    text: String,
) -> Result<Option<(VersionScheme, SparedVersions)>, String> {
    let is_within = Version::read(scheme, &text).is_ok_and(|version| {
        let is_same = |other: &String| Version::read(scheme, other).as_ref() == Ok(&version);
        let within = |range| {
            Range::read(scheme, range).is_ok_and(|range| range.contains(&version) == Some(true))
        };
        let versions = &extent.versions;
        let is_excluded = versions.excluded.iter().any(is_same);
        !is_excluded && (versions.ranges.iter().any(within) || versions.listed.iter().any(is_same))
    });
    if !is_within {
        return Err(format!(
            "is not affected in versions that the one of its identification, {:?}, is none of",
            shown(&text)
        ));
    }
    Ok(Some((scheme, (BTreeSet::new(), BTreeSet::from([text])))))
}

fn only_those(scheme: VersionScheme, (ranges, listed): SparedVersions) -> Versions {
    let ranges = ranges
        .iter()
        .filter_map(|text| vers::read(scheme, text).ok());
    Versions {
        scheme,
        ranges: ranges.flat_map(|versions| versions.ranges).collect(),
        versions: listed.into_iter().collect(),
    }
}

/// Whether a text says how grave something is, or nothing, instead of why nobody is affected.
fn is_a_rating(text: &str) -> bool {
    const RATINGS: [&str; 14] = [
        "",
        "none",
        "n/a",
        "not applicable",
        "unknown",
        "informational",
        "low",
        "minor",
        "medium",
        "moderate",
        "important",
        "high",
        "critical",
        "severe",
    ];
    let text = text.trim().trim_end_matches('.').to_ascii_lowercase();
    RATINGS.contains(&text.as_str())
}

fn justification(label: &str) -> Result<Justification, String> {
    Ok(match label {
        "component_not_present" => Justification::ComponentNotPresent,
        "vulnerable_code_not_present" => Justification::VulnerableCodeNotPresent,
        "vulnerable_code_not_in_execute_path" => Justification::VulnerableCodeNotInExecutePath,
        "vulnerable_code_cannot_be_controlled_by_adversary" => {
            Justification::VulnerableCodeCannotBeControlledByAdversary
        }
        "inline_mitigations_already_exist" => Justification::InlineMitigationsAlreadyExist,
        other => return Err(format!("unknown flag {:?}", shown(other))),
    })
}
