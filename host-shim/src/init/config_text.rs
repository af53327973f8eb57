//! The text of a new configuration.
//!
//! May not: write it anywhere. What it says is what [`Config::load`](crate::config::Config::load) reads, which a test
//! holds it to.

use std::path::Path;

use spacecp_contract::{
    Digest,
    hand_over::{HandOver, Part},
};

use super::detection::Proposal;

/// Somebody who may log in.
#[derive(Debug, Clone)]
pub struct User {
    /// The name.
    pub name: String,
    /// The hash of the password, as the configuration has it.
    pub password_hash: String,
}

/// What a configuration is made of.
#[derive(Debug)]
pub struct Parts<'a> {
    /// What the vendor handed over, and the digest of that file.
    pub vendor: (&'a HandOver, Digest),
    /// The state directory.
    pub state: &'a Path,
    /// Who may log in; nobody if it is not known yet.
    pub user: Option<&'a User>,
    /// What was found on this machine.
    pub proposals: &'a [Proposal],
}

/// A configuration that lies beside the files of the hand-over.
pub fn text(parts: &Parts<'_>) -> String {
    let (facts, digest) = parts.vendor;
    let from: Vec<String> = facts.from.iter().map(|address| quoted(address)).collect();
    let mut text = format!(
        "# Configuration of spacecp-advisories, made from the vendor's hand-over with the SHA-256\n# {digest}\n\
         # \"spacecp-advisories doctor\" names what is missing.\n\n\
         state = {state}\n\n\
         [feed]\nfrom = [{from}]\naudience = {audience}\nroot = {root}\n\n\
         [plugin]\nmanifest = {manifest}\ncomponent = {component}\n\n\
         [serve]\nlisten = \"127.0.0.1:8420\"\n\
         # The host name under which browsers reach the pages through the web server in front, and its address.\n\
         # hosts = [\"panel.example.com\"]\n# proxies = [\"127.0.0.1\"]\n\
         # Only https carries the session cookie. Without a web server in front, on this machine alone:\n\
         # secure-cookie = false\n\n",
        state = quoted(&parts.state.to_string_lossy()),
        from = from.join(", "),
        audience = quoted(facts.audience.as_str()),
        root = quoted(Part::Root.name()),
        manifest = quoted(Part::Manifest.name()),
        component = quoted(Part::Component.name()),
    );
    match parts.user {
        Some(user) => text.push_str(&format!(
            "[[serve.users]]\nname = {}\nrole = \"administrator\"\npassword-hash = {}\n\n",
            quoted(&user.name),
            quoted(&user.password_hash)
        )),
        None => text.push_str(
            "# Nobody can log in yet. \"spacecp-advisories hash-password\" makes the hash.\n\
             # [[serve.users]]\n# name = \"admin\"\n# role = \"administrator\"\n# password-hash = \"$argon2id$…\"\n\n",
        ),
    }
    if let Some(recipient) = &facts.report_recipient {
        text.push_str(&format!("[report]\nrecipient = {}\n\n", quoted(recipient)));
    }
    for proposal in parts.proposals {
        text.push_str(&format!(
            "# {}, found by {}\n{}\n",
            proposal.what,
            escaped(&proposal.found),
            proposal.toml
        ));
    }
    text
}

/// A TOML string.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A path inside a comment, which ends with its line.
fn escaped(path: &Path) -> String {
    path.to_string_lossy()
        .chars()
        .flat_map(|character| {
            let is_control = character.is_control();
            let escaped = is_control.then(|| character.escape_default());
            escaped
                .into_iter()
                .flatten()
                .chain((!is_control).then_some(character))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::Config, init::detection::detect};

    fn facts() -> HandOver {
        HandOver {
            schema: 1,
            audience: "customers".parse().unwrap(),
            from: vec![
                "https://advisories.example.com/\"quoted\"/".to_owned(),
                "https://mirror.example.com/".to_owned(),
            ],
            report_recipient: Some(
                "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p".to_owned(),
            ),
        }
    }

    #[test]
    fn what_is_written_is_read_back_as_it_was_meant() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("home/SpaceCP/spacecp");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("package.json"), r#"{"version":"1.2.3"}"#).unwrap();
        std::fs::create_dir_all(root.path().join("usr/lib/jvm")).unwrap();
        let user = User {
            name: "ada".to_owned(),
            password_hash: crate::web::hash_password("a long enough one").unwrap(),
        };
        let (facts, proposals) = (facts(), detect(root.path()));
        let text = text(&Parts {
            vendor: (&facts, Digest::of(b"archive")),
            state: &root.path().join("state"),
            user: Some(&user),
            proposals: &proposals,
        });
        let path = root.path().join("config.toml");
        std::fs::write(&path, text).unwrap();
        let config = Config::load(&path).unwrap();
        assert_eq!(
            config.feed.from.iter().collect::<Vec<_>>(),
            facts.from.iter().collect::<Vec<_>>()
        );
        assert_eq!(config.feed.audience, facts.audience);
        assert_eq!(config.feed.root, Some(root.path().join("feed.root")));
        assert_eq!(config.plugin.component, root.path().join("plugin.wasm"));
        assert_eq!(config.serve.users[0].name, "ada");
        assert_eq!(config.components[0].folder, folder);
        assert_eq!(config.inventories[0].name(), "java");
    }

    #[test]
    fn a_path_cannot_end_the_comment_that_it_stands_in() {
        assert_eq!(escaped(Path::new("/a\nb = 1")), "/a\\nb = 1");
    }
}
