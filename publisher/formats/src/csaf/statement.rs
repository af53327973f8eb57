//! What one vulnerability says of the versions of one component.
//!
//! CSAF's lists are lists of products: a version that is in none of them is not spoken of. Only where the affected
//! versions are given as ranges with bounds, and nothing else is said, is what is outside of them not affected.

use std::cmp::Ordering;

use spacecp_contract::{
    Affected, ComponentName, Others, Unlisted, VersionRange, VersionScheme,
    version::{Range, Version},
};

use super::{
    extent::Extent,
    vers::{self, Versions},
};

/// Which list a product is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    Affected,
    FirstAffected,
    LastAffected,
    Fixed,
    FirstFixed,
    UnderInvestigation,
    /// As good as under investigation: nobody may be told that it is not affected.
    Unknown,
    /// It says which version to use, and not that this one is corrected.
    Recommended,
}

/// What the document is, as far as it matters to what its lists mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Category {
    /// A security advisory: what it calls fixed was affected before.
    Advisory,
    /// Statements about single products, as VEX has them.
    Statements,
}

/// What one vulnerability says of the versions of one component.
#[derive(Debug, Default)]
pub(super) struct Statement {
    affected: Versions,
    first: Vec<String>,
    last: Vec<String>,
    fixed: Vec<String>,
    has_first_fixed: bool,
    unread: Vec<String>,
    /// Whether all versions are called affected.
    is_all: bool,
    /// Whether something else is said than ranges in the form that is meant for them.
    is_loose: bool,
    /// Versions that are called fixed of a part of the component alone: what is older may be affected, and nothing is
    /// known to be fixed.
    fixed_in_part: Vec<String>,
    /// The versions that are named as under investigation; none where nothing is.
    investigated: Option<Vec<VersionRange>>,
}

/// What became of a statement.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) affected: Affected,
    /// The versions that are called corrected.
    pub(super) corrected: Vec<String>,
    /// A version that is called affected and fixed, if there is one.
    pub(super) contradicted: Option<String>,
}

impl Statement {
    /// Takes a product of a list; says what of it decides nothing.
    pub(super) fn put(
        &mut self,
        list: List,
        scheme: VersionScheme,
        extent: Extent,
    ) -> Option<String> {
        let unread = extent.unread.clone();
        match list {
            List::Affected => self.affect(scheme, extent),
            List::FirstAffected | List::LastAffected => match extent.one() {
                Some(version) if list == List::FirstAffected => self.first.push(version.to_owned()),
                Some(version) => self.last.push(version.to_owned()),
                None => {
                    // It is the bound of something, which is not said.
                    self.is_loose = true;
                    self.affect(scheme, extent);
                }
            },
            List::Fixed | List::FirstFixed => {
                self.has_first_fixed |= list == List::FirstFixed;
                return self.fix(&extent);
            }
            List::UnderInvestigation | List::Unknown => self.investigate(extent),
            List::Recommended => {}
        }
        unread
    }

    /// Takes a product that is a part of the component alone. What is affected there is affected; nothing follows for
    /// what the part is not.
    pub(super) fn put_part(
        &mut self,
        list: List,
        scheme: VersionScheme,
        extent: Extent,
    ) -> Option<String> {
        self.is_loose = true;
        match list {
            List::Fixed | List::FirstFixed => {
                let before = std::mem::take(&mut self.fixed);
                let unread = self.fix(&extent);
                let found = std::mem::replace(&mut self.fixed, before);
                extend(&mut self.fixed_in_part, found);
                unread
            }
            list => self.put(list, scheme, extent),
        }
    }

    /// Names versions as under investigation. A product without versions is the component, and says of none of them more
    /// than what others say; what cannot be read may be any.
    fn investigate(&mut self, extent: Extent) {
        let investigated = self.investigated.get_or_insert_default();
        let is_all = extent.is_all || extent.versions == vers::all();
        if extent.unread.is_some() {
            extend(investigated, vers::all().ranges);
        } else if !is_all {
            let one = |version: String| VersionRange {
                last_affected: Some(version.clone()),
                ..vers::range(version)
            };
            let listed = extent.versions.listed.into_iter().map(one);
            let all = extent.versions.ranges.into_iter().chain(listed);
            extend(investigated, all);
        }
    }

    /// Whether the component as a whole is under investigation.
    pub(super) fn is_open(&self) -> bool {
        self.investigated.as_ref().is_some_and(Vec::is_empty)
    }

    fn affect(&mut self, scheme: VersionScheme, extent: Extent) {
        self.is_all |= extent.is_all;
        self.is_loose |= !extent.is_exact && !extent.is_all;
        self.unread.extend(extent.unread);
        let mut new = extent.versions;
        new.listed.extend(extent.identified);
        // What one product leaves out, another may be.
        let before = &self.affected;
        new.excluded.retain(|text| !contains(scheme, before, text));
        self.affected
            .excluded
            .retain(|text| !contains(scheme, &new, text));
        extend(&mut self.affected.ranges, new.ranges);
        extend(&mut self.affected.listed, new.listed);
        extend(&mut self.affected.excluded, new.excluded);
    }

    /// A range without an end is fixed from its start on; of any other nothing follows for what is behind it.
    fn fix(&mut self, extent: &Extent) -> Option<String> {
        let versions = &extent.versions;
        let is_from = |range: &&VersionRange| {
            let ends = [&range.fixed, &range.last_affected, &range.limit];
            range.introduced != "0" && ends.iter().all(|end| end.is_none())
        };
        let starts = versions.ranges.iter().filter(is_from);
        let starts: Vec<String> = starts.map(|range| range.introduced.clone()).collect();
        let is_whole = starts.len() == versions.ranges.len() && versions.excluded.is_empty();
        let is_said = !versions.listed.is_empty() || !starts.is_empty();
        extend(
            &mut self.fixed,
            versions.listed.iter().cloned().chain(starts),
        );
        match &extent.unread {
            Some(unread) => Some(unread.clone()),
            None if is_whole && is_said => None,
            None => Some("no version that could be called fixed".to_owned()),
        }
    }

    /// How many versions there are to compare.
    pub(super) fn len(&self) -> usize {
        let Versions {
            ranges,
            listed,
            excluded,
        } = &self.affected;
        let lists = [
            listed,
            excluded,
            &self.first,
            &self.last,
            &self.fixed,
            &self.fixed_in_part,
        ];
        let investigated = self.investigated.as_ref().map_or(0, Vec::len);
        ranges.len() + investigated + lists.iter().map(|list| list.len()).sum::<usize>()
    }

    /// How many of them each of the others is compared with.
    pub(super) fn fixes(&self) -> usize {
        1 + self.fixed.len() + self.affected.excluded.len() + self.first.len().min(self.last.len())
    }

    /// What all of it says together.
    pub(super) fn finish(
        mut self,
        component: ComponentName,
        scheme: VersionScheme,
        category: Category,
    ) -> Said {
        let corrected = self.fixed.clone();
        self.span(scheme);
        let contradicted = self.contradicted(scheme);
        let is_silent = self.affected.ranges.is_empty() && self.affected.listed.is_empty();
        let says_affected = self.is_all || !is_silent || !self.unread.is_empty();
        if self.is_all {
            extend(&mut self.affected.ranges, vers::all().ranges);
            // What one product leaves out is affected by the one that leaves out nothing.
            self.affected.excluded.clear();
        }
        let is_open = self.investigated.is_some() || contradicted.is_some();
        if !says_affected && category == Category::Advisory && !is_open {
            self.precede(scheme);
        }
        let others = self.others(category, contradicted.is_some());
        // All of them are ends of ranges where the list is complete.
        let is_complete = others == Others::NotAffected;
        let unlisted = Unlisted {
            others,
            excluded: self.affected.excluded,
            fixed: if is_complete { Vec::new() } else { self.fixed },
            unread: self.unread,
            investigated: self.investigated.unwrap_or_default(),
        };
        let is_plain =
            is_complete && unlisted.excluded.is_empty() && unlisted.investigated.is_empty();
        let affected = Affected {
            component,
            scheme,
            ranges: self.affected.ranges,
            versions: self.affected.listed,
            unlisted: (!is_plain).then(|| Box::new(unlisted)),
        };
        Said {
            affected,
            corrected,
            contradicted,
        }
    }

    /// Makes ranges of the first and last affected versions.
    fn span(&mut self, scheme: VersionScheme) {
        if self.first.is_empty() && self.last.is_empty() {
            return;
        }
        self.is_loose = true;
        let mut firsts = sorted(scheme, std::mem::take(&mut self.first));
        let lasts = sorted(scheme, std::mem::take(&mut self.last));
        firsts.reverse();
        let mut fixes = Vec::new();
        if self.has_first_fixed {
            fixes = sorted(scheme, self.fixed.clone());
        }
        let mut taken = vec![false; lasts.len()];
        let mut next: Option<Version> = None;
        // From the highest start down, each with the end before the next start.
        for first in firsts {
            let ends = |end: &Version| *end >= first && next.as_ref().is_none_or(|next| end < next);
            let mut range = vers::range(first.as_str().to_owned());
            if let Some(place) = lasts.iter().rposition(ends) {
                taken[place] = true;
                range.last_affected = Some(lasts[place].as_str().to_owned());
                extend(&mut self.affected.ranges, [range]);
            } else if let Some(fix) = fixes.iter().find(|fix| ends(fix) && **fix > first) {
                range.fixed = Some(fix.as_str().to_owned());
                extend(&mut self.affected.ranges, [range]);
            } else {
                extend(&mut self.affected.listed, [range.introduced]);
            }
            next = Some(first);
        }
        // An end without a start: that version, and what is before it nobody says.
        let alone = lasts.iter().zip(taken).filter(|(_, taken)| !taken);
        let alone: Vec<String> = alone.map(|(last, _)| last.as_str().to_owned()).collect();
        extend(&mut self.affected.listed, alone);
    }

    /// A version that is called affected and fixed. Nobody can say then which of the others are meant.
    fn contradicted(&mut self, scheme: VersionScheme) -> Option<String> {
        let open = Versions {
            ranges: self.investigated.clone().unwrap_or_default(),
            ..Versions::default()
        };
        self.fixed.retain(|fixed| !in_ranges(scheme, &open, fixed));
        let within = |text: &&String| self.is_all || in_ranges(scheme, &self.affected, text);
        let whole = self.fixed.iter().find(within).cloned();
        if whole.is_some() {
            *self = Self {
                investigated: self.investigated.take(),
                ..Self::default()
            };
            return whole;
        }
        // One version alone is nobody's guess, and the others are as they were.
        let fixed = read_all(scheme, &self.fixed);
        let listed = read_all(scheme, &self.affected.listed);
        let both = fixed.into_iter().find(|one| listed.contains(one))?;
        let is_other = |text: &String| read_one(scheme, text) != both;
        self.affected.listed.retain(is_other);
        self.fixed.retain(is_other);
        Some(match both {
            Ok(version) => version.as_str().to_owned(),
            Err(text) => text,
        })
    }

    /// Calls affected what is older than every version that is called fixed.
    fn precede(&mut self, scheme: VersionScheme) {
        let all = [self.fixed.as_slice(), self.fixed_in_part.as_slice()].concat();
        let fixes = sorted(scheme, all);
        let Some(lowest) = fixes.first() else {
            return;
        };
        let mut range = vers::range("0".to_owned());
        if fixes.len() == 1 && self.fixed_in_part.is_empty() {
            range.fixed = Some(lowest.as_str().to_owned());
        } else {
            range.limit = Some(lowest.as_str().to_owned());
        }
        self.affected.ranges.push(range);
        self.is_loose = true;
    }

    /// What versions are that are not named.
    fn others(&self, category: Category, is_contradicted: bool) -> Others {
        let ends = |fix: &String| {
            let ranges = self.affected.ranges.iter();
            ranges
                .into_iter()
                .any(|range| range.fixed.as_ref() == Some(fix))
        };
        let is_bounded = !self.affected.ranges.is_empty() && !self.is_loose;
        if is_contradicted {
            Others::Contradictory
        } else if !self.unread.is_empty() {
            Others::Unreadable
        } else if self.investigated.is_some() {
            Others::UnderInvestigation
        } else if self.is_all
            || is_bounded && category == Category::Advisory && self.fixed.iter().all(ends)
        {
            Others::NotAffected
        } else {
            Others::Unstated
        }
    }
}

/// The versions that can be read, in their order; those of different lines have none, and stay out of it.
fn sorted(scheme: VersionScheme, texts: Vec<String>) -> Vec<Version> {
    let read = texts
        .iter()
        .filter_map(|text| Version::read(scheme, text).ok());
    let mut versions: Vec<Version> = read.collect();
    if let Some(first) = versions.first().cloned() {
        versions.retain(|one| first.compare(one).is_some());
    }
    versions.sort_by(|one, other| one.compare(other).unwrap_or(Ordering::Equal));
    versions.dedup();
    versions
}

/// A version as it is compared, or as it is written where it cannot be read.
fn read_one(scheme: VersionScheme, text: &str) -> Result<Version, String> {
    Version::read(scheme, text).map_err(|_| text.to_owned())
}

fn read_all(scheme: VersionScheme, texts: &[String]) -> Vec<Result<Version, String>> {
    texts.iter().map(|text| read_one(scheme, text)).collect()
}

/// Whether a version is among these.
fn contains(scheme: VersionScheme, versions: &Versions, text: &str) -> bool {
    let one = read_one(scheme, text);
    let is_listed = versions
        .listed
        .iter()
        .any(|listed| read_one(scheme, listed) == one);
    is_listed || in_ranges(scheme, versions, text)
}

fn in_ranges(scheme: VersionScheme, versions: &Versions, text: &str) -> bool {
    let Ok(version) = read_one(scheme, text) else {
        return false;
    };
    let is = |other: &String| Version::read(scheme, other).as_ref() == Ok(&version);
    let within = |range: &VersionRange| {
        Range::read(scheme, range).is_ok_and(|range| range.contains(&version) == Some(true))
    };
    !versions.excluded.iter().any(is) && versions.ranges.iter().any(within)
}

fn extend<T: PartialEq>(all: &mut Vec<T>, more: impl IntoIterator<Item = T>) {
    for one in more {
        if !all.contains(&one) {
            all.push(one);
        }
    }
}
