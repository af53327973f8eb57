//! What would decide an unknown verdict, in words and as a command of the panel. The same on pages, on a terminal and for
//! programs. No I/O.

/// One way to a decision.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct WayOut {
    /// What to do.
    pub words: String,
    /// The command that does it; in capitals what is to be filled in. None where only somebody else can decide.
    pub command: Option<String>,
}

/// The ways to decide whether an advisory affects a component, of which one version or none is known.
pub fn ways_out(advisory: &str, component: &str, version: Option<&str>) -> [WayOut; 2] {
    let name = quoted(component);
    let decides = match version {
        None => WayOut {
            words: "Set the version, if it is known otherwise.".to_owned(),
            command: Some(format!(
                "spacecp-advisories set-version {name} VERSION --reason REASON --until DATE"
            )),
        },
        Some(version) => WayOut {
            words: format!(
                "Ask the vendor of this panel to say in {advisory} whether {component} {version} is affected."
            ),
            command: None,
        },
    };
    let accept = WayOut {
        words: "Accept the risk for this component alone.".to_owned(),
        command: Some(format!(
            "spacecp-advisories accept {advisory} --component {name} --reason REASON --until DATE"
        )),
    };
    [decides, accept]
}

/// A name as a shell takes it for one word.
fn quoted(name: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "_./@:+-".contains(letter);
    if !name.is_empty() && name.chars().all(is_plain) {
        return name.to_owned();
    }
    format!("'{}'", name.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_version_it_is_to_be_set_and_with_one_the_vendor_is_asked() {
        let [set, accept] = ways_out("SA-1", "lobby/Shop", None);
        let command =
            "spacecp-advisories set-version lobby/Shop VERSION --reason REASON --until DATE";
        assert_eq!(set.command.as_deref(), Some(command));
        let command =
            "spacecp-advisories accept SA-1 --component lobby/Shop --reason REASON --until DATE";
        assert_eq!(accept.command.as_deref(), Some(command));
        let [ask, _] = ways_out("SA-1", "lobby/Shop", Some("1.0"));
        assert_eq!(ask.command, None);
    }

    #[test]
    fn a_name_is_one_word_for_a_shell() {
        assert_eq!(quoted("a@1.0"), "a@1.0");
        assert_eq!(quoted("a (b) #2"), "'a (b) #2'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
