//! One-time codes beside the password.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result};
use base64::Engine as _;
use ring::hmac;
use spacecp_advisories::web::{self, Clocks, StandAlone};
use url::Url;

use crate::{
    panel::{ADMINISTRATOR, PASSWORD, Panel, VIEWER},
    program::{Ended, run},
    served::{Moved, Served},
    visitor::{Answer, Visitor, fields},
};

/// A panel whose administrator has a secret on their phone.
struct Enrolled {
    panel: Panel,
    served: Served,
    clocks: Arc<Moved>,
    secret: Vec<u8>,
}

impl Enrolled {
    async fn raise() -> Result<Self> {
        let panel = Panel::without_plugin().await?;
        let enrolled = totp(&panel, &["enrol", ADMINISTRATOR]).await?;
        assert_eq!(enrolled.code, Some(0), "{}", enrolled.complaint);
        let address = enrolled
            .output
            .lines()
            .find(|line| line.starts_with("otpauth:"))
            .context("it says the address")?;
        let clocks = Arc::new(Moved::new());
        let served = serve(&panel, clocks.clone()).await?;
        Ok(Self {
            secret: secret(&address.parse()?)?,
            panel,
            served,
            clocks,
        })
    }

    /// What the phone shows, so many half minutes from now.
    fn phone(&self, later: i64) -> String {
        let step = self.clocks.time().as_second() / 30 + later;
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.secret);
        let digest = hmac::sign(&key, &step.to_be_bytes());
        let digest = digest.as_ref();
        let start = usize::from(digest[19] & 15);
        let word = digest[start..start + 4]
            .iter()
            .fold(0u32, |word, byte| word << 8 | u32::from(*byte));
        format!("{:06}", (word & 0x7fff_ffff) % 1_000_000)
    }

    fn visitor(&self) -> Visitor {
        self.served.visitor()
    }
}

async fn serve(panel: &Panel, clocks: Arc<Moved>) -> Result<Served> {
    Served::new(web::router_of(StandAlone::by(
        panel.app().backend(),
        clocks,
    ))?)
    .await
}

/// `totp …` of the program on this panel.
async fn totp(panel: &Panel, arguments: &[&str]) -> Result<Ended> {
    let config = panel.folder().join("panel.toml").display().to_string();
    let arguments: Vec<String> = arguments.iter().map(|&one| one.to_owned()).collect();
    let ended = tokio::task::spawn_blocking(move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        run(&[&["--config", config.as_str(), "totp"], arguments.as_slice()].concat())
    });
    ended.await?
}

fn file(panel: &Panel) -> PathBuf {
    panel.folder().join("totp.toml")
}

/// The secret in an address, decoded as RFC 4648 says.
fn secret(address: &Url) -> Result<Vec<u8>> {
    let (_, text) = address
        .query_pairs()
        .find(|(name, _)| name == "secret")
        .context("it has a secret")?;
    let mut bits = String::new();
    for letter in text.chars() {
        let value = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(letter);
        bits.push_str(&format!("{:05b}", value.context("a letter of base 32")?));
    }
    let bytes = bits.as_bytes().chunks_exact(8);
    bytes
        .map(|bits| Ok(u8::from_str_radix(std::str::from_utf8(bits)?, 2)?))
        .collect()
}

async fn log_in(visitor: &mut Visitor, user: &str, code: &str) -> Result<Answer> {
    let form = fields(&[("name", user), ("password", PASSWORD), ("code", code)]);
    visitor.post("/login", &form).await
}

#[tokio::test]
async fn the_password_alone_is_not_enough_and_with_the_code_it_is() -> Result<()> {
    let enrolled = Enrolled::raise().await?;
    for wrong in ["", "000000", "12345", "not a code"] {
        let answer = log_in(&mut enrolled.visitor(), ADMINISTRATOR, wrong).await?;
        assert_eq!(answer.status, 401, "{wrong:?}");
    }
    // As people type it.
    let code = enrolled.phone(0);
    let typed = format!(" {} {}", &code[..3], &code[3..]);
    let mut visitor = enrolled.visitor();
    log_in(&mut visitor, ADMINISTRATOR, &typed)
        .await?
        .leads_to("/")?;
    assert_eq!(visitor.get("/trust").await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn a_code_without_the_password_is_not_enough_and_is_not_used_up() -> Result<()> {
    let enrolled = Enrolled::raise().await?;
    let code = enrolled.phone(0);
    let form = fields(&[
        ("name", ADMINISTRATOR),
        ("password", "wrong"),
        ("code", &code),
    ]);
    assert_eq!(enrolled.visitor().post("/login", &form).await?.status, 401);
    log_in(&mut enrolled.visitor(), ADMINISTRATOR, &code)
        .await?
        .leads_to("/")
}

#[tokio::test]
async fn a_code_is_not_accepted_twice_nor_one_before_it_nor_after_a_restart() -> Result<()> {
    let enrolled = Enrolled::raise().await?;
    let (before, now) = (enrolled.phone(-1), enrolled.phone(0));
    log_in(&mut enrolled.visitor(), ADMINISTRATOR, &now)
        .await?
        .leads_to("/")?;
    let restarted = serve(&enrolled.panel, enrolled.clocks.clone()).await?;
    for served in [&enrolled.served, &restarted] {
        for used in [&now, &before] {
            let answer = log_in(&mut served.visitor(), ADMINISTRATOR, used).await?;
            assert_eq!(answer.status, 401, "{used}");
        }
    }
    enrolled.clocks.pass(Duration::from_secs(30));
    let next = enrolled.phone(0);
    log_in(&mut restarted.visitor(), ADMINISTRATOR, &next)
        .await?
        .leads_to("/")
}

#[tokio::test]
async fn a_phone_may_be_half_a_minute_off_and_no_more() -> Result<()> {
    let enrolled = Enrolled::raise().await?;
    for off in [-3, -2, 2, 3] {
        let answer = log_in(&mut enrolled.visitor(), ADMINISTRATOR, &enrolled.phone(off)).await?;
        assert_eq!(answer.status, 401, "{off}");
    }
    for off in [-1, 0, 1] {
        log_in(&mut enrolled.visitor(), ADMINISTRATOR, &enrolled.phone(off))
            .await?
            .leads_to("/")?;
    }
    Ok(())
}

#[tokio::test]
async fn wrong_codes_make_the_name_wait_as_wrong_passwords_do() -> Result<()> {
    let enrolled = Enrolled::raise().await?;
    let mut visitor = enrolled.visitor();
    for _ in 0..5 {
        assert_eq!(
            log_in(&mut visitor, ADMINISTRATOR, "000000").await?.status,
            401
        );
    }
    let answer = log_in(&mut visitor, ADMINISTRATOR, &enrolled.phone(0)).await?;
    assert_eq!(answer.status, 429);
    Ok(())
}

#[tokio::test]
async fn nobody_learns_from_the_answer_who_has_a_code() -> Result<()> {
    let enrolled = Enrolled::raise().await?;
    let with = log_in(&mut enrolled.visitor(), ADMINISTRATOR, "").await?;
    let form = fields(&[("name", VIEWER), ("password", "wrong"), ("code", "")]);
    let without = enrolled.visitor().post("/login", &form).await?;
    assert_eq!((with.status, with.body), (without.status, without.body));
    // Whoever has none logs in as before.
    log_in(&mut enrolled.visitor(), VIEWER, "")
        .await?
        .leads_to("/")
}

#[tokio::test]
async fn the_form_asks_for_a_code_only_where_somebody_has_one() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let field = "autocomplete=\"one-time-code\"";
    assert!(!panel.visitor().get("/login").await?.body.contains(field));
    assert_eq!(totp(&panel, &["enrol", VIEWER]).await?.code, Some(0));
    // Without a restart.
    assert!(panel.visitor().get("/login").await?.body.contains(field));
    assert_eq!(totp(&panel, &["remove", VIEWER]).await?.code, Some(0));
    panel
        .visitor()
        .log_in(VIEWER, PASSWORD)
        .await?
        .leads_to("/")
}

#[tokio::test]
async fn a_secret_is_shown_once_as_a_square_and_an_address() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let ended = totp(&panel, &["enrol", ADMINISTRATOR]).await?;
    let address = ended
        .output
        .lines()
        .find(|line| line.starts_with("otpauth"));
    let address: Url = address.context("it says the address")?.parse()?;
    assert_eq!(address.path(), "/SpaceCP:ada");
    assert_eq!(secret(&address)?.len(), 20);
    let square = ended
        .output
        .lines()
        .filter(|line| line.contains(['▀', '▄', '█']));
    assert!(square.count() > 15, "{}", ended.output);
    let again = totp(&panel, &["enrol", ADMINISTRATOR]).await?;
    assert_eq!(again.code, Some(3), "{}", again.output);
    assert!(
        again.complaint.contains("totp remove ada"),
        "{}",
        again.complaint
    );
    assert_eq!(totp(&panel, &["list"]).await?.output, "ada\n");
    let nobody = totp(&panel, &["enrol", "mallory"]).await?;
    assert_eq!(nobody.code, Some(2));
    Ok(())
}

#[tokio::test]
async fn the_secrets_are_for_whom_the_configuration_is_and_never_for_everybody() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let config = panel.folder().join("panel.toml");
    fs::set_permissions(&config, fs::Permissions::from_mode(0o644))?;
    totp(&panel, &["enrol", ADMINISTRATOR]).await?;
    let meta = fs::metadata(file(&panel))?;
    assert_eq!(meta.mode() & 0o777, 0o640);
    assert_eq!(meta.gid(), fs::metadata(&config)?.gid());
    Ok(())
}

#[tokio::test]
async fn secrets_that_anybody_may_read_or_nobody_understands_let_nobody_in() -> Result<()> {
    let enrolled = Enrolled::raise().await?;
    let file = file(&enrolled.panel);
    let sound = fs::read_to_string(&file)?;
    let code = enrolled.phone(0);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644))?;
    let mode = |mode| fs::set_permissions(&file, fs::Permissions::from_mode(mode));
    let answer = log_in(&mut enrolled.visitor(), ADMINISTRATOR, &code).await?;
    assert_eq!(answer.status, 503, "{}", answer.body);
    mode(0o600)?;
    for broken in [
        "secrets = 1",
        "[secrets]\nada = \"AAAA\"",
        "[secrets]\nada = \"1!\"",
    ] {
        fs::write(&file, broken)?;
        let answer = log_in(&mut enrolled.visitor(), ADMINISTRATOR, &code).await?;
        assert_eq!(answer.status, 503, "{broken}");
        assert!(answer.body.contains("Login is disabled"), "{}", answer.body);
    }
    fs::write(&file, sound)?;
    enrolled.clocks.pass(Duration::from_mins(30));
    log_in(&mut enrolled.visitor(), ADMINISTRATOR, &enrolled.phone(0))
        .await?
        .leads_to("/")
}

#[tokio::test]
async fn no_complaint_about_the_file_shows_what_is_in_it() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let secret = base64::engine::general_purpose::STANDARD.encode(b"a very secret secret");
    fs::write(file(&panel), format!("[secrets]\nada = {secret}\n"))?;
    fs::set_permissions(file(&panel), fs::Permissions::from_mode(0o600))?;
    let ended = totp(&panel, &["list"]).await?;
    assert_eq!(ended.code, Some(4));
    assert!(ended.complaint.contains("totp.toml"), "{}", ended.complaint);
    assert!(!ended.complaint.contains(&secret), "{}", ended.complaint);
    Ok(())
}
