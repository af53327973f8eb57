//! Consequences of the configuration and the policy that are easily overlooked. Reads these two and nothing else.

use super::finding::Finding;
use crate::{config::Config, services::policy::Policy, web::ServeConfig};

/// What the configuration leaves out, or contradicts.
pub(super) fn of_config(config: &Config) -> Vec<Finding> {
    let mut findings = vec![users(&config.serve), cookie(&config.serve)];
    if config.components.is_empty() {
        findings.push(Finding::ill(
            "components",
            "no component is configured: corrections can be applied to none",
            "add a [[component]] table for each installation, or let \"spacecp-advisories init --dry-run\" propose them",
        ));
    }
    findings
}

fn users(serve: &ServeConfig) -> Finding {
    match serve.users.len() {
        0 => Finding::ill(
            "users",
            "no users configured: nobody can log in",
            "add a [[serve.users]] table; \"spacecp-advisories hash-password\" makes the hash",
        ),
        1 => Finding::well("users", "1 may log in"),
        several => Finding::well("users", format!("{several} may log in")),
    }
}

/// A Secure cookie that no browser sends, or one that is sent in clear to whoever listens.
fn cookie(serve: &ServeConfig) -> Finding {
    let is_local = serve.listen.ip().is_loopback();
    let has_proxy = !serve.proxies.is_empty();
    match (serve.secure_cookie, is_local, has_proxy) {
        (true, false, false) => Finding::ill(
            "session cookie",
            format!(
                "it is sent over https only, and {} is plain http without a proxy: nobody stays logged in",
                serve.listen
            ),
            "listen on 127.0.0.1 behind a web server with https, and name that server in serve.proxies",
        ),
        (false, false, _) => Finding::ill(
            "session cookie",
            format!(
                "serve.secure-cookie is false and the pages listen on {}: whoever is on the way can read the cookie",
                serve.listen
            ),
            "listen on 127.0.0.1 behind a web server with https, and remove serve.secure-cookie",
        ),
        (false, true, true) => Finding::ill(
            "session cookie",
            "serve.secure-cookie is false behind a proxy: a browser sends the cookie over plain http, too",
            "remove serve.secure-cookie",
        ),
        (true, _, _) => Finding::well("session cookie", "sent over https only"),
        (false, true, false) => Finding::well("session cookie", "sent on this machine only"),
    }
}

/// Whether the policy in force lets a correction be applied the moment it arrives.
pub(super) fn of_policy(policy: &Policy) -> Finding {
    if !policy.automatic {
        return Finding::well("policy", "nothing is applied without being asked for");
    }
    let waits = policy.delay_hours > 0 || policy.minimum_age_hours > 0 || policy.wave_hours > 0;
    if waits || !policy.windows.is_always() {
        return Finding::well(
            "policy",
            "automatic application waits for a window or a delay",
        );
    }
    Finding::ill(
        "policy",
        "automatic application is on without window, delay or minimum age: a correction is applied, and its component restarted, as soon as it arrives",
        "set a maintenance window or a delay on the page Policy or under [policy]",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::policy::Ceiling;

    fn serve(listen: &str, secure_cookie: bool, proxies: &[&str]) -> ServeConfig {
        ServeConfig {
            listen: listen.parse().unwrap(),
            secure_cookie,
            proxies: proxies.iter().map(|one| one.parse().unwrap()).collect(),
            ..ServeConfig::default()
        }
    }

    #[test]
    fn a_cookie_that_is_never_sent_or_sent_in_clear_is_found() {
        let proxy: &[&str] = &["192.0.2.1"];
        assert!(cookie(&serve("127.0.0.1:8420", true, &[])).well);
        assert!(cookie(&serve("127.0.0.1:8420", true, proxy)).well);
        assert!(cookie(&serve("192.0.2.7:8420", true, proxy)).well);
        assert!(!cookie(&serve("192.0.2.7:8420", true, &[])).well);
        assert!(cookie(&serve("127.0.0.1:8420", false, &[])).well);
        assert!(!cookie(&serve("127.0.0.1:8420", false, proxy)).well);
        assert!(!cookie(&serve("192.0.2.7:8420", false, &[])).well);
    }

    #[test]
    fn nobody_who_can_log_in_is_found() {
        assert!(!users(&ServeConfig::default()).well);
    }

    #[test]
    fn a_policy_that_applies_at_once_is_found_and_one_that_waits_is_not() {
        let off = Ceiling::default().initial();
        let at_once = Policy {
            automatic: true,
            delay_hours: 0,
            minimum_age_hours: 0,
            wave_hours: 0,
            ..off.clone()
        };
        let later = Policy {
            delay_hours: 1,
            ..at_once.clone()
        };
        assert!(of_policy(&off).well);
        assert!(!of_policy(&at_once).well);
        assert!(of_policy(&later).well);
    }
}
