//! Numbers of builds, as plugins of Minecraft's servers write them: `1.7.3-b131` is build 131 of the release 1.7.3, and
//! no beta before it.

use std::borrow::Cow;

/// The version of a component with the letter before the number of its build left out, as its versions are compared:
/// `1.7.3-131`. Only plugins of Bukkit and `BungeeCord` are numbered so; with others `b131` is a beta.
pub fn without_build_letter<'a>(component: &str, version: &'a str) -> Cow<'a, str> {
    let is_plugin = component.starts_with("bukkit:") || component.starts_with("bungee:");
    let build = version.rsplit_once("-b").filter(|(release, number)| {
        is_plugin
            && release.starts_with(|first: char| first.is_ascii_digit() || first == 'v')
            && !number.is_empty()
            && number.chars().all(|letter| letter.is_ascii_digit())
    });
    match build {
        Some((release, number)) => Cow::Owned(format!("{release}-{number}")),
        None => Cow::Borrowed(version),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{VersionScheme, version::Version};
    use std::cmp::Ordering;

    fn order(component: &str, one: &str, other: &str) -> Option<Ordering> {
        let read = |text| {
            let text = without_build_letter(component, text);
            Version::read(VersionScheme::Generic, &text).unwrap()
        };
        read(one).partial_cmp(&read(other))
    }

    #[test]
    fn a_build_of_a_plugin_is_past_the_release_that_it_is_of() {
        let vault = |one, other| order("bukkit:Vault", one, other);
        assert_eq!(vault("1.7.3-b131", "1.7.3"), Some(Ordering::Greater));
        assert_eq!(vault("1.7.3-b131", "1.7.3-b130"), Some(Ordering::Greater));
        assert_eq!(vault("1.7.3-b131", "1.7.4"), Some(Ordering::Less));
        assert_eq!(vault("2.3.5-SNAPSHOT-b438", "2.3.5"), Some(Ordering::Less));
    }

    #[test]
    fn a_beta_of_anything_else_stays_one() {
        assert_eq!(order("fabric:a", "1.7.3-b1", "1.7.3"), Some(Ordering::Less));
        assert_eq!(without_build_letter("bukkit:A", "1.0-beta"), "1.0-beta");
        assert_eq!(without_build_letter("bukkit:A", "git-b12"), "git-b12");
    }
}
