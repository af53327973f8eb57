//! The pages in a real Chromium: for everybody to read and use, never wider than the window, and with
//! hostile texts no more than text. Pictures are kept in `target/tmp/disclosure`, for people to look at.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use axum::{Router, body::Body, extract::State, http::Uri, response::Response};
use serde_json::Value;
use spacecp_tests::{axe::Axe, browser::Browser, catalog, corpus};
use tokio::net::TcpListener;

use super::{
    kinds,
    stage::{Stage, now},
};

/// Widths of a phone and of a desk, in the pixels of a style sheet.
const SIZES: [(u32, u32); 2] = [(360, 780), (1440, 900)];

/// Serves a web root as any web server would, and says where.
async fn serve(folder: PathBuf) -> Result<String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let shelf = Router::new().fallback(file).with_state(folder);
    tokio::spawn(async move { axum::serve(listener, shelf).await });
    Ok(format!("http://{address}"))
}

async fn file(State(folder): State<PathBuf>, uri: Uri) -> Response {
    let path = folder.join(uri.path().trim_start_matches('/'));
    let kind = match path.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("json") => "application/json",
        _ => "text/plain; charset=utf-8",
    };
    let answer = Response::builder();
    let answer = match fs::read(path) {
        Ok(bytes) => answer.header("content-type", kind).body(Body::from(bytes)),
        Err(_) => answer.status(404).body(Body::empty()),
    };
    answer.expect("a header and a body")
}

fn catalogue() -> Result<Vec<spacecp_contract::Advisory>> {
    let catalogue = catalog::advisories(now()).into_iter().take(3);
    // One of the kinds has its correction.
    let catalogue = catalogue.map(|advisory| spacecp_contract::Advisory {
        corrections: Vec::new(),
        ..advisory
    });
    let kinds = kinds::all()?.into_iter().map(|kind| kind.advisory);
    Ok(catalogue.chain(kinds).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_meets_the_guidelines_and_fits_its_window() -> Result<()> {
    let stage = Stage::with(catalogue()?)?;
    stage.publish()?;
    let base = serve(stage.webroot()).await?;
    let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("disclosure");
    fs::create_dir_all(&pictures)?;
    let (browser, axe) = (Browser::start().await?, Axe::bring()?);
    let mut found = Vec::new();
    for (name, path) in [
        ("index", "advisories/index.html".to_owned()),
        (
            "log4shell",
            format!("advisories/{}.html", catalog::LOG4SHELL),
        ),
        ("console", format!("advisories/{}.html", catalog::CONSOLE)),
        ("components", format!("advisories/{}.html", kinds::id(32))),
        ("not-affected", format!("advisories/{}.html", kinds::id(34))),
        ("both-systems", format!("advisories/{}.html", kinds::id(22))),
        ("withdrawn", format!("advisories/{}.html", kinds::id(40))),
        ("superseded", format!("advisories/{}.html", kinds::id(41))),
        (
            "listing",
            ".well-known/csaf/white/2026/index.html".to_owned(),
        ),
    ] {
        browser.open(&format!("{base}/{path}")).await?;
        for (width, height) in SIZES {
            browser.at_a_size(width, height).await?;
            for dark in [false, true] {
                browser.in_the_dark(dark).await?;
                let colours = if dark { "dark" } else { "light" };
                let violations = axe.violations(&browser).await?.into_iter();
                found.extend(violations.map(|what| format!("{path} {width} {colours}: {what}")));
                let picture = pictures.join(format!("{name}-{width}-{colours}.png"));
                browser.picture(&picture).await?;
            }
            ensure!(!browser.overflows().await?, "{path} is wider than {width}");
        }
        let console = browser.console().await?;
        ensure!(
            console.iter().all(|line| line.contains("favicon")),
            "{path}: {console:?}"
        );
    }
    ensure!(found.is_empty(), "{}", found.join("\n"));
    browser.close().await
}

/// Everything on a page that could load, run or send something.
const AUDIT: &str = r"
    const found = [];
    for (const element of document.querySelectorAll('*'))
        for (const { name, value } of element.attributes) {
            if (name.startsWith('on') || ['srcdoc', 'style', 'formaction', 'src'].includes(name))
                found.push(`${element.tagName} ${name}=${value}`);
            if (/^\s*(javascript|data|vbscript):/i.test(value)) found.push(element.outerHTML);
        }
    const foreign = 'iframe, object, embed, base, img, svg, math, video, audio, script, form, input, '
        + 'textarea, details, link:not([rel=alternate])';
    for (const element of document.querySelectorAll(foreign)) found.push(element.outerHTML);
    for (const link of document.querySelectorAll('a[href]'))
        if (!['http:', 'https:'].includes(new URL(link.href).protocol)) found.push(link.outerHTML);
    if (window.hit !== undefined) found.push('a script ran');
    for (const { name } of performance.getEntriesByType('resource'))
        if (!name.endsWith('/favicon.ico')) found.push(name);
    return found;
";

#[tokio::test(flavor = "multi_thread")]
async fn no_text_of_an_advisory_becomes_more_than_text() -> Result<()> {
    let stage = Stage::with(corpus::advisories(now()))?;
    stage.publish()?;
    let base = serve(stage.webroot()).await?;
    let browser = Browser::start().await?;
    let numbers = (1u32..).zip(corpus::TEXTS).map(|(number, _)| number);
    let pages = numbers.map(|number| format!("{}.html", corpus::id(number)));
    for page in std::iter::once("index.html".to_owned()).chain(pages) {
        browser.open(&format!("{base}/advisories/{page}")).await?;
        let audit = browser.run(AUDIT).await?;
        let found: Vec<&Value> = audit.as_array().context("a list")?.iter().collect();
        ensure!(found.is_empty(), "{page}: {found:#?}");
        browser.at_a_size(360, 780).await?;
        ensure!(!browser.overflows().await?, "{page} is wider than a phone");
        let console = browser.console().await?;
        ensure!(
            console.iter().all(|line| line.contains("favicon")),
            "{page}: {console:?}"
        );
    }
    browser.close().await
}

#[test]
fn hostile_texts_break_no_line_of_a_list_and_no_document() -> Result<()> {
    let hostile = corpus::advisories(now());
    let stage = Stage::with(hostile.clone())?;
    let made = stage.publish()?;
    ensure!(made.omitted.is_empty(), "{:?}", made.omitted);
    for list in [
        "osv/modified_id.csv",
        ".well-known/csaf/white/index.txt",
        ".well-known/csaf/white/changes.csv",
    ] {
        assert_eq!(stage.read(list)?.lines().count(), hostile.len(), "{list}");
    }
    for (path, bytes) in made.site.files() {
        let extension = Path::new(path.as_str()).extension();
        if extension.is_some_and(|extension| extension == "json") {
            serde_json::from_slice::<Value>(bytes).with_context(|| path.to_string())?;
        }
    }
    Ok(())
}
