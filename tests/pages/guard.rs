//! What every request must pass, and what every answer carries.

use anyhow::Result;

use crate::{
    panel::{ADMINISTRATOR, KNOWN_HOST, PASSWORD, Panel},
    visitor::fields,
};

#[tokio::test]
async fn every_answer_tells_the_browser_to_run_nothing_and_keep_nothing() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let mut visitor = panel.visitor();
    for path in [
        "/login",
        "/",
        "/nowhere",
        "/style.css",
        "/health",
        "/advisories?q=%ff",
    ] {
        let answer = visitor.get(path).await?;
        let policy = answer.header("content-security-policy").unwrap_or_default();
        for part in [
            "default-src 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(
            !policy.contains("script-src") && !policy.contains("unsafe"),
            "{path}: {policy}"
        );
        assert_eq!(
            answer.header("x-content-type-options"),
            Some("nosniff"),
            "{path}"
        );
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn nothing_of_an_address_is_told_to_another_site() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let answer = panel.visitor().get("/login").await?;
    // "no-referrer" would be as silent, but has browsers send forms with the origin "null" where
    // there is no https: none could be told from a forged one.
    assert_eq!(answer.header("referrer-policy"), Some("same-origin"));
    Ok(())
}

#[tokio::test]
async fn a_page_loads_the_stylesheet_and_the_icon_and_nothing_else() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let mut visitor = panel.visitor();
    let page = visitor.get("/login").await?;
    assert_eq!(page.body.matches("<link").count(), 2);
    for (path, kind) in [
        ("/style.css", "text/css; charset=utf-8"),
        ("/favicon.svg", "image/svg+xml"),
    ] {
        assert!(
            page.body.contains(&format!("href=\"{path}\"")),
            "{}",
            page.body
        );
        let loaded = visitor.get(path).await?;
        assert_eq!(loaded.header("content-type"), Some(kind));
        let policy = loaded.header("content-security-policy");
        assert!(policy.is_some_and(|policy| policy.contains("img-src 'self'")));
    }
    for tag in [
        "<script",
        "<img",
        "<iframe",
        "<style",
        " style=\"",
        " onclick",
    ] {
        assert!(!page.body.contains(tag), "{tag}");
    }
    let style = visitor.get("/style.css").await?;
    assert!(!style.body.contains("url(") && !style.body.contains("@import"));
    Ok(())
}

#[tokio::test]
async fn a_name_that_is_not_ours_opens_nothing() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let mut visitor = panel.visit_as(ADMINISTRATOR).await?;
    for host in [
        "attacker.example",
        "localhost.attacker.example",
        "panel.example.attacker.example",
        "a b",
    ] {
        let answer = visitor.get_with("/login", &[("host", host)]).await?;
        assert_eq!(answer.status, 421, "{host}");
        assert!(
            answer.body.contains("serve.hosts"),
            "it says what to do:\n{}",
            answer.body
        );
    }
    Ok(())
}

#[tokio::test]
async fn addresses_localhost_and_configured_names_are_ours() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let port = panel.address().port();
    let hosts = [
        "127.0.0.1",
        "localhost",
        "[::1]",
        KNOWN_HOST,
        "PANEL.example",
    ];
    for host in hosts {
        for host in [host.to_owned(), format!("{host}:{port}")] {
            let answer = panel
                .visitor()
                .get_with("/login", &[("host", &host)])
                .await?;
            assert_eq!(answer.status, 200, "{host}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_request_without_a_host_is_refused() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let answer = panel.visitor().get_with("/login", &[("host", "")]).await?;
    assert!((400..500).contains(&answer.status), "{}", answer.status);
    Ok(())
}

#[tokio::test]
async fn a_form_that_another_site_sends_is_refused() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let form = fields(&[("name", ADMINISTRATOR), ("password", PASSWORD)]);
    let foreign: [&[(&str, &str)]; 5] = [
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("origin", "http://attacker.example")],
        &[("origin", "null")],
        // What the browser says of the site weighs more than an origin.
        &[
            ("sec-fetch-site", "cross-site"),
            ("origin", "http://127.0.0.1"),
        ],
    ];
    for headers in foreign {
        let mut visitor = panel.visitor();
        let answer = visitor.post_with("/login", &form, headers).await?;
        assert_eq!(answer.status, 403, "{headers:?}");
        assert_eq!(visitor.cookie(), None, "{headers:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_form_of_these_pages_is_taken_whatever_the_browser_tells_of_it() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let form = fields(&[("name", ADMINISTRATOR), ("password", PASSWORD)]);
    let origin = format!("http://{}", panel.address());
    let own: [&[(&str, &str)]; 3] = [
        &[("sec-fetch-site", "same-origin")],
        &[("origin", &origin)],
        &[],
    ];
    for headers in own {
        panel
            .visitor()
            .post_with("/login", &form, headers)
            .await?
            .leads_to("/")?;
    }
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_read_is_answered_with_a_calm_page() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let mut visitor = panel.visit_as(ADMINISTRATOR).await?;
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let long = format!("csrf={}", "x".repeat(64 << 10));
    let odd = [
        ("GET", "/nowhere", 404, ""),
        ("GET", "/apply", 405, ""),
        ("DELETE", "/", 405, ""),
        ("GET", "/advisories/%ff", 400, ""),
        ("POST", "/apply", 422, "csrf=x"),
        ("POST", "/apply", 422, "&&&==="),
        ("POST", "/sync", 413, long.as_str()),
    ];
    for (method, path, status, body) in odd {
        let answer = visitor.send(method, path, &form, body).await?;
        assert_eq!(answer.status, status, "{method} {path}");
        let html = answer
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("text/html"));
        assert!(html, "{method} {path} is no page: {}", answer.body);
        assert!(
            answer.body.contains("<h1>"),
            "{method} {path}: {}",
            answer.body
        );
    }
    Ok(())
}

#[tokio::test]
async fn health_needs_no_login_and_says_nothing_else() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let answer = panel.visitor().get("/health").await?;
    assert_eq!((answer.status, answer.body.as_str()), (200, "ok\n"));
    Ok(())
}

#[tokio::test]
async fn a_form_that_never_comes_to_its_end_is_given_up() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let form = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("content-length", "1000"),
    ];
    let answer = panel
        .visitor()
        .send("POST", "/login", &form, "name=ada")
        .await?;
    assert_eq!(answer.status, 408);
    assert!(answer.body.contains("<h1>"), "{}", answer.body);
    Ok(())
}
