//! A real Chromium, driven over `WebDriver`.
//!
//! It talks to this machine only: everything that a browser does in the background is turned off.

use std::{path::Path, process::Stdio, time::Duration};

use anyhow::{Context, Result, bail};
use fantoccini::{
    Client, ClientBuilder, Locator,
    actions::{InputSource, KeyAction, KeyActions},
    wd::Capabilities,
};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

/// How long a page may take to show what it is waited for.
const PATIENCE: Duration = Duration::from_mins(1);

/// One browser with a fresh profile; it ends when dropped.
#[derive(Debug)]
pub struct Browser {
    client: Client,
    _driver: Child,
    profile: TempDir,
}

impl Browser {
    /// Starts `chromedriver` on a port of its choosing, and a headless `chromium` behind it.
    pub async fn start() -> Result<Self> {
        let profile = TempDir::new()?;
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("cannot start chromedriver (Debian: chromium-driver)")?;
        let port = announced_port(&mut driver).await?;
        let arguments = [
            "--headless".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-quic".to_owned(),
            "--no-first-run".to_owned(),
            "--disable-background-networking".to_owned(),
            "--disable-component-update".to_owned(),
            "--disable-sync".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--hide-scrollbars".to_owned(),
            format!("--user-data-dir={}", profile.path().display()),
        ];
        let mut capabilities = Capabilities::new();
        capabilities.insert(
            "goog:chromeOptions".to_owned(),
            json!({ "args": arguments, "prefs": {
                "download.default_directory": profile.path().join("downloads"),
                "download.prompt_for_download": false,
            } }),
        );
        capabilities.insert("goog:loggingPrefs".to_owned(), json!({ "browser": "ALL" }));
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .context("chromedriver cannot start chromium")?;
        Ok(Self {
            client,
            _driver: driver,
            profile,
        })
    }

    /// Makes the window as large as a desktop's.
    pub async fn at_a_desk(&self) -> Result<()> {
        Ok(self.client.set_window_size(1280, 900).await?)
    }

    /// Makes the window as small as a phone's.
    ///
    /// Chromium has no window narrower than 500 pixels; a phone's width is emulated instead.
    pub async fn on_a_phone(&self) -> Result<()> {
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            json!({ "width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": true }),
        )
        .await
    }

    /// Shows so much of a page at once, in the pixels of its style sheet.
    pub async fn at_a_size(&self, width: u32, height: u32) -> Result<()> {
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 }),
        )
        .await
    }

    /// Unfolds what is folded under these words.
    pub async fn unfold(&self, words: &str) -> Result<()> {
        let path = format!("//summary[contains(normalize-space(.), {words:?})]");
        let summary = self
            .client
            .wait()
            .at_most(PATIENCE)
            .for_element(Locator::XPath(&path))
            .await;
        Ok(summary
            .with_context(|| format!("nothing is folded under {words:?}"))?
            .click()
            .await?)
    }

    /// Asks for the dark or the light set of colours, as a system setting would, and for no motion on
    /// the way from one to the other.
    pub async fn in_the_dark(&self, dark: bool) -> Result<()> {
        let value = if dark { "dark" } else { "light" };
        self.devtools(
            "Emulation.setEmulatedMedia",
            json!({ "features": [
                { "name": "prefers-color-scheme", "value": value },
                { "name": "prefers-reduced-motion", "value": "reduce" },
            ] }),
        )
        .await
    }

    async fn devtools(&self, command: &str, parameters: serde_json::Value) -> Result<()> {
        let body = json!({ "cmd": command, "params": parameters });
        self.beyond("goog/cdp/execute", &body).await?;
        Ok(())
    }

    async fn beyond(&self, path: &str, body: &serde_json::Value) -> Result<serde_json::Value> {
        let session = self
            .client
            .session_id()
            .await?
            .context("the browser has a session")?;
        let command = Beyond {
            path: format!("session/{session}/{path}"),
            body: body.to_string(),
        };
        Ok(self.client.issue_cmd(command).await?)
    }

    /// What the browser's console has heard since it was asked last: whatever scripts say, and
    /// whatever a page's policy keeps from being loaded or run.
    pub async fn console(&self) -> Result<Vec<String>> {
        let log = self.beyond("se/log", &json!({ "type": "browser" })).await?;
        let entries = log.as_array().context("a log is a list")?.iter();
        Ok(entries
            .filter_map(|entry| entry["message"].as_str())
            .map(str::to_owned)
            .collect())
    }

    /// Runs a script on the page, whatever the page's policy is, and returns what it returns.
    pub async fn run(&self, script: &str) -> Result<serde_json::Value> {
        Ok(self.client.execute(script, Vec::new()).await?)
    }

    /// Runs a script that ends by calling its last argument.
    pub async fn run_to_the_end(&self, script: &str) -> Result<serde_json::Value> {
        Ok(self.client.execute_async(script, Vec::new()).await?)
    }

    /// Types on the keyboard, whatever has the focus; [`Key`](fantoccini::key::Key) names those that are
    /// no letters.
    pub async fn type_keys(&self, keys: &str) -> Result<()> {
        let mut typed = KeyActions::new("keyboard".to_owned());
        for value in keys.chars() {
            typed = typed
                .then(KeyAction::Down { value })
                .then(KeyAction::Up { value });
        }
        Ok(self.client.perform_actions(typed).await?)
    }

    /// The address of the page.
    pub async fn address(&self) -> Result<url::Url> {
        Ok(self.client.current_url().await?)
    }

    /// Opens an address.
    pub async fn open(&self, url: &str) -> Result<()> {
        Ok(self.client.goto(url).await?)
    }

    /// Waits until a file of this name has been handed out, and returns what is in it.
    pub async fn downloaded(&self, name: &str) -> Result<Vec<u8>> {
        let path = self.profile.path().join("downloads").join(name);
        let arrives = async {
            // It has this name once it is whole.
            while !path.exists() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, arrives)
            .await
            .with_context(|| format!("{name} was never handed out"))?;
        Ok(tokio::fs::read(&path).await?)
    }

    /// Writes into the field, of one line or of several, with this `name`.
    pub async fn fill(&self, field: &str, text: &str) -> Result<()> {
        let selector = format!("input[name={field:?}], textarea[name={field:?}]");
        let element = self
            .client
            .wait()
            .at_most(PATIENCE)
            .for_element(Locator::Css(&selector))
            .await?;
        element.clear().await?;
        Ok(element.send_keys(text).await?)
    }

    /// Ticks the box, or unticks it, with this `name`.
    pub async fn tick(&self, field: &str) -> Result<()> {
        let selector = format!("input[type=checkbox][name={field:?}]");
        let found = self.client.find(Locator::Css(&selector)).await;
        Ok(found
            .with_context(|| format!("there is no box {field:?}"))?
            .click()
            .await?)
    }

    /// Presses the button with these words on it.
    pub async fn press(&self, words: &str) -> Result<()> {
        let path = format!("//button[contains(normalize-space(.), {words:?})]");
        let button = self
            .client
            .wait()
            .at_most(PATIENCE)
            .for_element(Locator::XPath(&path))
            .await;
        Ok(button
            .with_context(|| format!("no button says {words:?}"))?
            .click()
            .await?)
    }

    /// Follows the link with these words in it.
    pub async fn follow(&self, words: &str) -> Result<()> {
        let path = format!("//a[contains(normalize-space(.), {words:?})]");
        let link = self
            .client
            .wait()
            .at_most(PATIENCE)
            .for_element(Locator::XPath(&path))
            .await;
        Ok(link
            .with_context(|| format!("no link says {words:?}"))?
            .click()
            .await?)
    }

    /// Waits until the page says this, and returns all that it says.
    pub async fn wait_for(&self, words: &str) -> Result<String> {
        let asked = std::time::Instant::now();
        loop {
            let text = self.text().await?;
            if text.contains(words) {
                return Ok(text);
            }
            if asked.elapsed() > PATIENCE {
                bail!("the page never said {words:?}; it says:\n{text}");
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// All that the page says.
    pub async fn text(&self) -> Result<String> {
        // A page on its way has no body yet.
        match self.client.find(Locator::Css("body")).await {
            Ok(body) => Ok(body.text().await.unwrap_or_default()),
            Err(_) => Ok(String::new()),
        }
    }

    /// Whether the page is wider than the window, so that a reader would have to scroll sideways, or
    /// something sticks out on the left, where nobody can scroll to.
    pub async fn overflows(&self) -> Result<bool> {
        let script = "const out = element => { \
             const box = element.getBoundingClientRect(); \
             return box.left < -1 && box.right > 1; }; \
             return document.documentElement.scrollWidth > window.innerWidth + 1 \
             || [...document.querySelectorAll('body *')].some(out);";
        let answer = self.client.execute(script, Vec::new()).await?;
        answer.as_bool().context("a comparison is true or false")
    }

    /// Keeps a picture of what the window shows.
    pub async fn picture(&self, path: &Path) -> Result<()> {
        Ok(tokio::fs::write(path, self.client.screenshot().await?).await?)
    }

    /// Ends the session.
    pub async fn close(self) -> Result<()> {
        Ok(self.client.close().await?)
    }
}

/// A command of Chromium's own beside those of `WebDriver`.
#[derive(Debug)]
struct Beyond {
    path: String,
    body: String,
}

impl fantoccini::wd::WebDriverCompatibleCommand for Beyond {
    fn endpoint(&self, base: &url::Url, _: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&self.path)
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.body.clone()))
    }
}

async fn announced_port(driver: &mut Child) -> Result<u16> {
    let output = driver.stdout.take().context("its output is piped")?;
    let mut lines = BufReader::new(output).lines();
    while let Some(line) = lines.next_line().await? {
        let Some(rest) = line.split("started successfully on port ").nth(1) else {
            continue;
        };
        let port = rest.trim_end_matches('.').parse()?;
        // Whatever it says later has to go somewhere.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        return Ok(port);
    }
    bail!("chromedriver ended without saying where it listens")
}
