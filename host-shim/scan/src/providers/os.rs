//! The system, as `os-release` says it (os-release(5)): its name and its version. Which release its packages belong
//! to is said by [`spacecp_contract::identity::System`].

use std::path::Path;

use spacecp_contract::identity::System;

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

/// The system that the packages here belong to.
pub(super) fn system(look: &mut Look<'_>) -> Result<System, Why> {
    let missing = || {
        Why::Missing(
            "which release of which system it belongs to: no ID and VERSION_ID in os-release"
                .to_owned(),
        )
    };
    let place = place(look).ok_or_else(missing)?;
    let text = look.words(place)?.ok_or_else(missing)?;
    System::of(&assignments(&text)).ok_or_else(missing)
}
