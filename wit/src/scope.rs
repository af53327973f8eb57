//! What the vendor's disclosure policy calls a vulnerability, and what an ordinary bug.
//!
//! The panel shows both lists before somebody reports, and the vendor's desk sorts cases by the very same
//! words. It decides nothing.

macro_rules! sorts {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal, $sentence:literal;)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// All of them, in the order that they are shown in.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word that files and command lines use.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            /// The same for a person, to be the entry of a list.
            pub fn sentence(self) -> &'static str {
                match self {
                    $(Self::$variant => $sentence,)*
                }
            }

            /// The one with this word.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == word)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

sorts! {
    /// What belongs into a report in private.
    InScope {
        /// Queries.
        QueryInjection = "query-injection", "injection into a query by a method of the API";
        /// Scripts.
        CrossSiteScripting = "cross-site-scripting", "cross-site scripting that works in current browsers";
        /// Logins.
        BrokenAuthentication = "broken-authentication", "a way around the login, or into the session of somebody else";
        /// Sandboxes.
        BrokenSandbox = "broken-sandbox", "a customisation that leaves its sandbox, by running code or reaching the system";
    }
}

sorts! {
    /// What belongs into an ordinary bug report.
    OrdinaryBug {
        /// Browsers that nobody promises to support.
        UnsupportedBrowser = "unsupported-browser", "cross-site scripting only in browsers that are not supported, or with relaxed settings";
        /// People.
        SocialEngineering = "social-engineering", "clickjacking, or phishing by social engineering";
        /// Guessing.
        BruteForce = "brute-force", "guessing by brute force where a component works as it was designed to";
        /// What is known anyway.
        PublicInformation = "public-information", "information that is public, or of no significance";
        /// Settings.
        WeakDefault = "weak-default", "rules for access that were left at a weak default";
    }
}

#[cfg(test)]
mod tests {
    use super::{InScope, OrdinaryBug};

    #[test]
    fn every_sort_is_found_by_its_word_and_no_two_share_one() {
        for one in InScope::ALL {
            assert_eq!(InScope::from_word(one.as_str()), Some(*one));
        }
        for one in OrdinaryBug::ALL {
            assert_eq!(OrdinaryBug::from_word(one.as_str()), Some(*one));
            assert_eq!(InScope::from_word(one.as_str()), None);
        }
    }
}
