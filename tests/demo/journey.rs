//! What an administrator does in the pages, and what it does to the machine.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use spacecp_tests::{
    browser::Browser,
    catalog,
    demo::{Demo, Login},
    ground,
};

const PASSWORD: &str = "correct horse battery staple";

/// Where pictures of the pages are kept, for people to look at.
fn gallery() -> Result<std::path::PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

async fn demo() -> Result<Demo> {
    crate::rehearse(Login::with_password(PASSWORD.to_owned())).await
}

async fn log_in(browser: &Browser, demo: &Demo) -> Result<()> {
    browser.open(&demo.url()).await?;
    browser.fill("name", &demo.login().name).await?;
    browser.fill("password", PASSWORD).await?;
    browser.press("Log in").await
}

fn version_of(package: &Path) -> Result<String> {
    let text = fs::read_to_string(package)?;
    let json: serde_json::Value = serde_json::from_str(&text)?;
    Ok(json["version"]
        .as_str()
        .context("it has a version")?
        .to_owned())
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(
    not(has_browser),
    ignore = "needs chromium and chromedriver (Debian: chromium, chromium-driver)"
)]
async fn one_click_corrects_the_daemon_and_one_more_takes_it_back() -> Result<()> {
    let demo = demo().await?;
    let ground = demo.ground();
    let package = ground.houston().join("package.json");
    let carried = ground.houston().join("node_modules/ws/package.json");
    let escape = ground.houston().join("lib/console/escape.js");
    let flawed = fs::read_to_string(&escape)?;
    let browser = Browser::start().await?;
    browser.at_a_desk().await?;
    log_in(&browser, &demo).await?;
    browser.wait_for("affected").await?;

    browser
        .open(&format!("{}advisories/{}", demo.url(), catalog::CONSOLE))
        .await?;
    let page = browser.wait_for(catalog::CONSOLE).await?;
    assert!(
        page.contains("4.7.2 is in [4.5.0, 4.7.4)"),
        "the verdict says why:\n{page}"
    );
    // What the daemon wrote meanwhile is not the correction's to change.
    fs::write(
        ground.houston().join("config.json"),
        "{ \"name\": \"mine\" }\n",
    )?;
    browser.press("Apply").await?;
    // The page of the work leads to the history when it has come to its end.
    browser
        .wait_for("houston corrected: 4.7.2 → 4.7.4.")
        .await?;
    browser.wait_for("applied").await?;
    assert_eq!(version_of(&package)?, ground::HOUSTON[1]);
    assert_eq!(
        version_of(&carried)?,
        ground::WS[1],
        "the library that it carries came along"
    );
    assert!(fs::read_to_string(&escape)?.contains("&lt;"));
    assert_eq!(
        fs::read_to_string(ground.houston().join("config.json"))?,
        "{ \"name\": \"mine\" }\n"
    );
    browser
        .open(&format!("{}advisories/{}", demo.url(), catalog::WS_HEADERS))
        .await?;
    let page = browser.wait_for(catalog::WS_HEADERS).await?;
    assert!(
        page.to_lowercase().contains("fixed"),
        "the same correction answers both:\n{page}"
    );

    browser.open(&format!("{}history", demo.url())).await?;
    browser.press("Roll back").await?;
    // What is reopened is said first.
    browser.wait_for("reopened").await?;
    browser.press("Roll back").await?;
    browser
        .wait_for("houston rolled back: 4.7.4 → 4.7.2.")
        .await?;
    assert_eq!(version_of(&package)?, ground::HOUSTON[0]);
    assert_eq!(version_of(&carried)?, ground::WS[0]);
    assert_eq!(fs::read_to_string(&escape)?, flawed);
    assert_eq!(
        fs::read_to_string(ground.houston().join("config.json"))?,
        "{ \"name\": \"mine\" }\n"
    );
    browser.close().await
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(
    not(has_browser),
    ignore = "needs chromium and chromedriver (Debian: chromium, chromium-driver)"
)]
async fn every_page_fits_a_desk_and_a_phone_by_day_and_by_night() -> Result<()> {
    let demo = demo().await?;
    let browser = Browser::start().await?;
    let gallery = gallery()?;
    log_in(&browser, &demo).await?;
    browser.wait_for("affected").await?;
    let pages = [
        ("overview", String::new()),
        ("advisories", "advisories".to_owned()),
        ("advisory", format!("advisories/{}", catalog::LOG4SHELL)),
        ("embargo", format!("advisories/{}", catalog::BACKUP)),
        ("components", "components".to_owned()),
        ("exposure", "exposure".to_owned()),
        (
            "changes",
            format!(
                "changes?correction={}&component=houston",
                catalog::HOUSTON_CORRECTION
            ),
        ),
        ("history", "history".to_owned()),
        ("trust", "trust".to_owned()),
        ("policy", "policy".to_owned()),
    ];
    for (width, phone) in [("desk", false), ("phone", true)] {
        if phone {
            browser.on_a_phone().await?;
        } else {
            browser.at_a_desk().await?;
        }
        for dark in [false, true] {
            browser.in_the_dark(dark).await?;
            for (name, path) in &pages {
                browser.open(&format!("{}{path}", demo.url())).await?;
                let shade = if dark { "dark" } else { "light" };
                browser
                    .picture(&gallery.join(format!("{name}-{width}-{shade}.png")))
                    .await?;
                assert!(
                    !browser.overflows().await?,
                    "{name} is wider than a {width}"
                );
            }
        }
    }
    browser.close().await
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(
    not(has_browser),
    ignore = "needs chromium and chromedriver (Debian: chromium, chromium-driver)"
)]
async fn a_workaround_that_is_in_place_is_marked_and_everything_else_comes_first() -> Result<()> {
    let demo = demo().await?;
    let browser = Browser::start().await?;
    let gallery = gallery()?;
    browser.at_a_desk().await?;
    log_in(&browser, &demo).await?;
    browser.wait_for("affected").await?;
    let advisory = format!("{}advisories/{}", demo.url(), catalog::LOG4SHELL);
    browser.open(&advisory).await?;
    browser.unfold("Mark as in place").await?;
    browser.press("Mark as in place").await?;
    browser.wait_for("marked as in place for lobby").await?;
    accept(&demo, catalog::CONSOLE)?;
    browser.open(&demo.url()).await?;
    let overview = browser
        .wait_for("1 with a workaround in place, 1 accepted until")
        .await?;
    let (exposed, workaround) = (overview.find("module-backup"), overview.find("Log4Shell"));
    assert!(
        exposed < workaround,
        "what nobody decided about comes first:\n{overview}"
    );
    for (width, height) in [(1440, 3000), (360, 6000)] {
        browser.at_a_size(width, height).await?;
        for dark in [false, true] {
            browser.in_the_dark(dark).await?;
            let shade = if dark { "dark" } else { "light" };
            for (name, path) in [
                ("decided-overview", String::new()),
                (
                    "decided-advisory",
                    format!("advisories/{}", catalog::LOG4SHELL),
                ),
                (
                    "decided-accepted",
                    format!("advisories/{}", catalog::CONSOLE),
                ),
                (
                    "decided-open",
                    format!("advisories/{}", catalog::WS_HEADERS),
                ),
                ("decided-history", "history".to_owned()),
            ] {
                browser.open(&format!("{}{path}", demo.url())).await?;
                if name == "decided-open" {
                    browser.unfold("Accept risk").await?;
                    browser.unfold("Mark as in place").await?;
                }
                let file = format!("{name}-{width}-{shade}.png");
                browser.picture(&gallery.join(file)).await?;
                assert!(
                    !browser.overflows().await?,
                    "{name} is wider than {width} pixels"
                );
            }
        }
    }
    browser.close().await
}

/// Accepts the risk of an advisory for a week, on the panel's command line.
fn accept(demo: &Demo, advisory: &str) -> Result<()> {
    let until = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * 7);
    let accepted = std::process::Command::new(env!("CARGO_BIN_EXE_panel-program"))
        .arg("--config")
        .arg(demo.config_path())
        .args(["accept", advisory, "--component", "houston"])
        .args(["--reason", "Only we reach the console.", "--until"])
        .arg(until.strftime("%Y-%m-%d").to_string())
        .output()?;
    let said = String::from_utf8_lossy(&accepted.stderr);
    anyhow::ensure!(accepted.status.success(), "{said}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(
    not(has_browser),
    ignore = "needs chromium and chromedriver (Debian: chromium, chromium-driver)"
)]
async fn an_advisory_under_embargo_says_so_in_words() -> Result<()> {
    let demo = demo().await?;
    let browser = Browser::start().await?;
    log_in(&browser, &demo).await?;
    browser.wait_for("affected").await?;
    browser
        .open(&format!("{}advisories/{}", demo.url(), catalog::BACKUP))
        .await?;
    let page = browser.wait_for(catalog::BACKUP).await?;
    assert!(page.to_lowercase().contains("embargo"), "{page}");
    assert!(page.contains("TLP:AMBER+STRICT"), "{page}");
    assert!(
        page.contains("nightly"),
        "the version that cannot be compared is shown:\n{page}"
    );
    browser.close().await
}
