//! Which advisory may be meant by a name that none has.

use std::fmt;

use serde::Serialize;

use super::AdvisoryIndex;
use crate::{ServiceError, state::State};

/// Characters that may differ between what was typed and what was meant.
const MOST_DIFFERENT: usize = 3;

/// Characters of a name that is compared.
const LONGEST_NAME: usize = 64;

/// A name that no advisory has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnknownAdvisory {
    /// What was asked for.
    pub name: String,
    /// The id or alias that is nearest to it, if any is near.
    pub nearest: Option<String>,
    /// Whether a component on this panel is called so.
    pub is_component: bool,
}

impl fmt::Display for UnknownAdvisory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "No advisory is called {:?}", self.name)?;
        match &self.nearest {
            Some(nearest) => write!(f, "; did you mean {nearest}?")?,
            None => f.write_str(".")?,
        }
        if self.is_component {
            write!(
                f,
                " It is a component: see \"spacecp-advisories exposure --component\"."
            )?;
        }
        Ok(())
    }
}

impl AdvisoryIndex {
    /// The name as one that no advisory has; none where one has it.
    pub fn unknown(&self, name: &str) -> Option<UnknownAdvisory> {
        let aliases = |id| {
            let listed: Option<&super::Listed> = self.advisories.get(id);
            let open = listed.and_then(|listed| listed.open.as_ref());
            open.map_or(&[][..], |open| &open.aliases)
        };
        let names = self.advisories.keys().flat_map(|id| {
            let aliases = aliases(id).iter().map(String::as_str);
            std::iter::once(id.as_str()).chain(aliases)
        });
        let typed: String = name.chars().take(LONGEST_NAME).collect();
        let typed = typed.to_uppercase();
        let mut nearest: Option<(usize, &str)> = None;
        for known in names {
            if known == name {
                return None;
            }
            if known.len().abs_diff(typed.len()) > MOST_DIFFERENT {
                continue;
            }
            let distance = strsim::damerau_levenshtein(&typed, &known.to_uppercase());
            if nearest.is_none_or(|(least, _)| distance < least) {
                nearest = Some((distance, known));
            }
        }
        let near = nearest.filter(|(distance, _)| *distance <= MOST_DIFFERENT);
        Some(UnknownAdvisory {
            name: name.to_owned(),
            nearest: near.map(|(_, known)| known.to_owned()),
            is_component: false,
        })
    }
}

impl State {
    /// The same by what is at hand now.
    pub(crate) async fn unknown_advisory(
        &self,
        name: &str,
    ) -> Result<Option<UnknownAdvisory>, ServiceError> {
        let unknown = self.advisory_index().await?.unknown(name);
        let inventory = self.inventory().await;
        Ok(unknown.map(|unknown| UnknownAdvisory {
            is_component: inventory.installed_as(name).is_some(),
            ..unknown
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_id_leads_to_the_nearest_one_and_a_known_one_nowhere() {
        let index = AdvisoryIndex::having([
            ("SPACECP-SA-2026-0001", "SPACECP-SC-2026-0001", true),
            ("SPACECP-SA-2026-0042", "SPACECP-SC-2026-0042", true),
        ]);
        assert_eq!(index.unknown("SPACECP-SA-2026-0042"), None);
        let nearest = |name: &str| index.unknown(name).and_then(|unknown| unknown.nearest);
        for typed in [
            "SPACECP-SA-2026-042",
            "spacecp-sa-2026-0024",
            "SPACECPSA-2026-0042",
        ] {
            let found = nearest(typed);
            assert_eq!(found.as_deref(), Some("SPACECP-SA-2026-0042"), "{typed}");
        }
        assert_eq!(nearest("nothing-here"), None);
    }
}
