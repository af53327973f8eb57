//! What strangers wrote stays text in a real browser, and nothing is loaded, run or sent anywhere.

use anyhow::{Result, ensure};
use axum::{Router, http::header, response::Html, routing::get};
use serde_json::Value;
use spacecp_tests::{browser::Browser, corpus};
use tokio::net::TcpListener;

use super::tour;
use crate::panel::{ADMINISTRATOR, Kind, Panel};

/// Everything on a page that could load, run or send something, but for what we put there: our
/// stylesheet and icon, our script, and forms that stay here.
const AUDIT: &str = r"
    const found = [];
    for (const element of document.querySelectorAll('*')) {
        for (const { name, value } of element.attributes) {
            if (name.startsWith('on') || name === 'srcdoc' || name === 'style' || name === 'formaction')
                found.push(`${element.tagName} ${name}=${value}`);
            if (/^\s*(javascript|data|vbscript):/i.test(value) && ['href', 'src', 'action'].includes(name))
                found.push(`${element.tagName} ${name}=${value}`);
        }
    }
    const foreign = 'iframe, object, embed, base, img, video, audio, math, animate, script, '
        + 'link:not([rel=stylesheet], [rel=icon]), meta[http-equiv], textarea + script';
    for (const element of document.querySelectorAll(foreign)) found.push(element.outerHTML);
    for (const form of document.forms)
        if (new URL(form.action).origin !== location.origin) found.push(form.outerHTML);
    for (const link of document.querySelectorAll('link, a[href]')) {
        const url = new URL(link.href);
        if (link.tagName === 'LINK' && url.origin !== location.origin) found.push(link.outerHTML);
        if (!['http:', 'https:', 'mailto:'].includes(url.protocol)) found.push(link.outerHTML);
    }
    if (window.hit !== undefined) found.push('a script ran');
    const loaded = performance.getEntriesByType('resource').map(entry => entry.name);
    for (const url of loaded) if (new URL(url).origin !== location.origin) found.push(url);
    return found;
";

/// A panel whose vendor has published the whole corpus.
async fn panel() -> Result<Panel> {
    Panel::of(Kind {
        plugin: true,
        further: Some(corpus::advisories),
        ..Kind::default()
    })
    .await
}

/// What is on the page that should not be, and what the browser complained about.
async fn complaints(browser: &Browser) -> Result<Vec<String>> {
    let audit = browser.run(AUDIT).await?;
    let found = audit.as_array().into_iter().flatten();
    let mut all: Vec<String> = found.filter_map(Value::as_str).map(str::to_owned).collect();
    // A page that answers 404 on purpose is no complaint.
    let console = browser.console().await?.into_iter();
    all.extend(console.filter(|line| !line.contains("status of 404")));
    Ok(all)
}

async fn is_calm(browser: &Browser, address: &str) -> Result<()> {
    browser.open(address).await?;
    let complaints = complaints(browser).await?;
    ensure!(complaints.is_empty(), "{address}: {complaints:#?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_text_of_an_advisory_becomes_more_than_text() -> Result<()> {
    let panel = panel().await?;
    let browser = tour::logged_in(&panel).await?;
    for page in tour::pages() {
        is_calm(&browser, &tour::at(&panel, &page)).await?;
    }
    for (number, text) in (1u32..).zip(corpus::TEXTS) {
        let id = corpus::id(number);
        is_calm(&browser, &tour::at(&panel, &format!("/advisories/{id}"))).await?;
        let heading = browser
            .run("return document.querySelector('h1').textContent")
            .await?;
        let heading = heading.as_str().unwrap_or_default();
        // All of it is there to be read, as far as a heading shows it.
        let letters = text.chars().filter(char::is_ascii_alphanumeric);
        let shown: String = heading
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect();
        ensure!(
            shown.contains(&letters.collect::<String>()),
            "{id}: {heading}"
        );
    }
    browser.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_text_of_a_visitor_becomes_more_than_text() -> Result<()> {
    let panel = panel().await?;
    let browser = tour::logged_in(&panel).await?;
    for text in corpus::TEXTS {
        for page in [
            "/advisories?q=",
            "/exposure?advisory=",
            "/components?q=",
            "/history?q=",
        ] {
            let mut address = url::Url::parse(&tour::at(&panel, page))?;
            let name = page.split(['?', '=']).nth(1).unwrap_or_default().to_owned();
            address.query_pairs_mut().clear().append_pair(&name, text);
            browser.open(address.as_str()).await?;
            let complaints: Vec<String> = complaints(&browser)
                .await?
                .into_iter()
                .filter(|line| !line.contains("status of 400"))
                .collect();
            ensure!(complaints.is_empty(), "{address}: {complaints:#?}");
        }
    }
    browser.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_reason_that_somebody_gave_becomes_more_than_text() -> Result<()> {
    let panel = panel().await?;
    let mut administrator = panel.visit_as(ADMINISTRATOR).await?;
    let browser = tour::logged_in(&panel).await?;
    let until = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * 7);
    for (number, text) in (1u32..).zip(corpus::TEXTS) {
        let page = format!("/advisories/{}", corpus::id(number));
        let mut form = administrator.get(&page).await?.form("/accept-risk")?;
        for (name, value) in [
            ("component", ""),
            ("reason", text),
            ("until", &until.strftime("%Y-%m-%d").to_string()),
        ] {
            form.insert(name.to_owned(), value.to_owned());
        }
        let answer = administrator.post("/accept-risk", &form).await?;
        answer.leads_to(&page)?;
        is_calm(&browser, &tour::at(&panel, &page)).await?;
    }
    for page in ["/history", "/trust", "/", "/exposure"] {
        is_calm(&browser, &tour::at(&panel, page)).await?;
    }
    browser.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_browser_that_listens_hears_what_a_policy_forbids_and_sees_what_does_not_belong_there()
-> Result<()> {
    let page = "<!doctype html><title>x</title><script>hit()</script><p onclick=hit()>x</p>\
                <img src=http://127.0.0.1:9/x><form action=http://127.0.0.1:9/></form>";
    let policy = [(header::CONTENT_SECURITY_POLICY, "default-src 'none'")];
    let app = Router::new().route("/", get(move || async move { (policy, Html(page)) }));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = format!("http://{}/", listener.local_addr()?);
    let serving = tokio::spawn(async move { axum::serve(listener, app).await });
    let browser = Browser::start().await?;
    browser.open(&address).await?;
    let complaints = complaints(&browser).await?.join("\n");
    for expected in [
        "script",
        "P onclick=hit()",
        "<img src=",
        "<form action=",
        "Content Security Policy",
    ] {
        ensure!(complaints.contains(expected), "{expected}: {complaints}");
    }
    serving.abort();
    browser.close().await
}
