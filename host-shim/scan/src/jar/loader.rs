//! Which descriptions count for the program that loads an archive.
//!
//! `BungeeCord` takes `bungee.yml`, and `plugin.yml` where an archive has no `bungee.yml`
//! (`PluginManager.detectPlugins`); Bukkit takes `plugin.yml` alone. Where it is not known who loads, all count.

use super::describe::Descriptor;

/// Who loads plugins here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loader {
    /// Bukkit or a descendant of it.
    Bukkit,
    /// `BungeeCord` or a descendant of it.
    Bungee,
    /// `NeoForge` since 20.2, which reads descriptions of Forge's up to 20.4.
    NeoForge,
    /// Another one, or one that is not known.
    Any,
}

impl Loader {
    /// Of which kind a description is to this loader, where there are `present`; nothing where it is passed over.
    pub(super) fn kind(
        self,
        descriptor: Descriptor,
        kind: &'static str,
        present: &[Descriptor],
    ) -> Option<&'static str> {
        let is_there = |one: Descriptor| present.contains(&one);
        match (self, descriptor) {
            (Self::Bukkit, Descriptor::Bungee)
                if is_there(Descriptor::Bukkit) || is_there(Descriptor::Paper) =>
            {
                None
            }
            (Self::Bungee, Descriptor::Bukkit | Descriptor::Paper)
                if is_there(Descriptor::Bungee) =>
            {
                None
            }
            (Self::Bungee, Descriptor::Bukkit) => Some("bungee"),
            (Self::NeoForge, Descriptor::Forge) if !is_there(Descriptor::NeoForge) => {
                Some("neoforge")
            }
            _ => Some(kind),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_is_named_as_whoever_loads_it_names_it() {
        let bukkit = [Descriptor::Bukkit];
        let both = [Descriptor::Bukkit, Descriptor::Bungee];
        let kind = |loader: Loader, present: &[Descriptor]| -> Vec<&str> {
            let present_kinds = present.iter().filter_map(|one| {
                let kind = if *one == Descriptor::Bungee {
                    "bungee"
                } else {
                    "bukkit"
                };
                loader.kind(*one, kind, present)
            });
            present_kinds.collect()
        };
        assert_eq!(kind(Loader::Bungee, &bukkit), ["bungee"]);
        assert_eq!(kind(Loader::Bungee, &both), ["bungee"]);
        assert_eq!(kind(Loader::Bukkit, &both), ["bukkit"]);
        assert_eq!(kind(Loader::Any, &both), ["bukkit", "bungee"]);
        let forge = Descriptor::Forge;
        let of_neoforge = Loader::NeoForge.kind(forge, "forge", &[forge]);
        assert_eq!(of_neoforge, Some("neoforge"));
    }
}
