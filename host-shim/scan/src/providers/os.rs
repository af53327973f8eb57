//! The system, as `os-release` says it (os-release(5)): its name, its version, and the release that the
//! packages of its distribution belong to.

use std::path::Path;

use spacecp_contract::Release;

use crate::{Limit, Why, assignments::assignments, findings::Findings, look::Look, names};

/// Where it is, the first that is there. In `/etc` it is often a link that an absolute path makes lead
/// out of a folder which is not the whole machine.
const PLACES: [&str; 2] = ["etc/os-release", "usr/lib/os-release"];

pub(super) fn look(look: &mut Look<'_>) {
    match place(look) {
        Some(place) => {
            look.text(place, Limit::DescriptorBytes, "os", read);
        }
        None => look.unread(Path::new(PLACES[0]), Why::Io("not found".to_owned())),
    }
}

fn place(look: &mut Look<'_>) -> Option<&'static Path> {
    let mut places = PLACES.into_iter().map(Path::new);
    // What cannot be read in one place may be in the other.
    places.find(|place| matches!(look.words(place), Ok(Some(_))))
}

fn read(bytes: &[u8]) -> Result<Findings, Why> {
    let text = std::str::from_utf8(bytes).map_err(|error| Why::malformed("text", error))?;
    let said = assignments(text);
    // The default that os-release(5) names.
    let id = said.get("ID").map_or("linux", String::as_str);
    let version = said.get("VERSION_ID").map(String::as_str);
    let version = version.ok_or_else(|| "no VERSION_ID, as in a rolling release".to_owned());
    let mut findings = Findings::default();
    findings.add(vec![id.to_owned()], names::thing("os", id), version, "");
    Ok(findings)
}

/// The release that the packages of this system belong to.
pub(super) fn release(look: &mut Look<'_>) -> Result<Release, Why> {
    let missing = || {
        Why::Missing(
            "which release of which system it belongs to: no ID and VERSION_ID in os-release"
                .to_owned(),
        )
    };
    let place = place(look).ok_or_else(missing)?;
    let text = look.words(place)?.ok_or_else(missing)?;
    release_of(&text).ok_or_else(missing)
}

/// The release that a text of `os-release` names. Of the family of Red Hat it is the major version
/// alone, as `PLATFORM_ID` has it: advisories are for all of its minor ones.
fn release_of(text: &str) -> Option<Release> {
    let said = assignments(text);
    let version = said.get("VERSION_ID")?;
    let platform = said
        .get("PLATFORM_ID")
        .and_then(|id| id.strip_prefix("platform:el"));
    let is_number =
        |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let version = match platform.filter(is_number) {
        Some(major) => major.to_owned(),
        None => version.clone(),
    };
    Some(Release {
        id: said.get("ID")?.clone(),
        version,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_the_major_version_where_advisories_are_for_all_of_it() {
        let debian = release_of("ID=debian\nVERSION_ID=\"12\"\n").unwrap();
        assert_eq!(
            (debian.id.as_str(), debian.version.as_str()),
            ("debian", "12")
        );
        let alma = "ID=\"almalinux\"\nVERSION_ID=\"9.3\"\nPLATFORM_ID=\"platform:el9\"\n";
        assert_eq!(release_of(alma).unwrap().version, "9");
        assert!(release_of("ID=debian\n").is_none());
    }
}
