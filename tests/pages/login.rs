//! Who gets in.

use anyhow::{Context, Result};

use crate::{
    panel::{ADMINISTRATOR, Kind, PASSWORD, Panel, VIEWER},
    visitor::{Fields, Visitor, fields},
};

#[tokio::test]
async fn a_stranger_is_led_to_the_login_from_every_page() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    for path in [
        "/advisories",
        "/advisories/SPACECP-SA-2026-0001",
        "/history",
    ] {
        let login = format!("/login?next={}", path.replace('/', "%2F"));
        panel.visitor().get(path).await?.leads_to(&login)?;
    }
    panel.visitor().get("/").await?.leads_to("/login")
}

/// The form at `login`, filled in with this password.
async fn filled(visitor: &mut Visitor, login: &str, password: &str) -> Result<Fields> {
    let mut form = visitor.get(login).await?.form("/login")?;
    form.insert("name".to_owned(), ADMINISTRATOR.to_owned());
    form.insert("password".to_owned(), password.to_owned());
    Ok(form)
}

#[tokio::test]
async fn a_login_leads_to_the_page_that_was_asked_for() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let mut visitor = panel.visitor();
    let asked = "/advisories?q=a%26b";
    let led = visitor.get(asked).await?;
    let login = led.header("location").unwrap_or_default().to_owned();
    let form = filled(&mut visitor, &login, PASSWORD).await?;
    visitor.post("/login", &form).await?.leads_to(asked)?;
    visitor.get(&login).await?.leads_to(asked)
}

#[tokio::test]
async fn the_page_that_was_asked_for_is_kept_after_a_wrong_password() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let mut visitor = panel.visitor();
    let form = filled(&mut visitor, "/login?next=%2Ftrust", "wrong").await?;
    let refused = visitor.post("/login", &form).await?;
    assert_eq!(refused.status, 401);
    assert_eq!(refused.form("/login")?["next"], "/trust");
    Ok(())
}

#[tokio::test]
async fn a_login_leads_to_no_other_site() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    for next in [
        "//attacker.example",
        "https://attacker.example/",
        "/\\attacker.example",
        "\\\\attacker.example",
        "javascript:alert(1)",
        "attacker.example",
        "/\tx",
        "/trust\r\nset-cookie: a=b",
        "/login",
        "/logout",
        "",
    ] {
        let mut visitor = panel.visitor();
        let mut form = filled(&mut visitor, "/login", PASSWORD).await?;
        assert!(!form.contains_key("next"), "{form:?}");
        form.insert("next".to_owned(), next.to_owned());
        let led = visitor.post("/login", &form).await?;
        led.leads_to("/").with_context(|| format!("{next:?}"))?;
    }
    Ok(())
}

#[tokio::test]
async fn a_stranger_can_have_nothing_done() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let forms = [
        ("/sync", fields(&[("csrf", "guess")])),
        ("/logout", fields(&[("csrf", "guess")])),
        (
            "/roll-back",
            fields(&[("csrf", "guess"), ("application", "x")]),
        ),
        (
            "/apply",
            fields(&[
                ("csrf", "guess"),
                ("correction", "x"),
                ("component", "x"),
                ("plan", "x"),
            ]),
        ),
    ];
    for (path, form) in forms {
        panel
            .visitor()
            .post(path, &form)
            .await?
            .leads_to("/login")?;
    }
    Ok(())
}

#[tokio::test]
async fn the_right_password_opens_a_session_and_a_wrong_one_does_not() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let mut visitor = panel.visitor();
    let refused = visitor.log_in(ADMINISTRATOR, "wrong").await?;
    assert_eq!(refused.status, 401);
    assert_eq!(visitor.cookie(), None);
    visitor
        .log_in(ADMINISTRATOR, PASSWORD)
        .await?
        .leads_to("/")?;
    assert!(visitor.cookie().is_some());
    visitor.get("/login").await?.leads_to("/")
}

#[tokio::test]
async fn an_unknown_name_and_a_wrong_password_get_the_same_answer() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let known = panel.visitor().log_in(ADMINISTRATOR, "wrong").await?;
    let unknown = panel.visitor().log_in("nobody", "wrong").await?;
    assert_eq!((known.status, known.body), (unknown.status, unknown.body));
    Ok(())
}

#[tokio::test]
async fn the_name_that_was_tried_is_not_drawn_again() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let answer = panel
        .visitor()
        .log_in("<script>x-marks</script>", "wrong")
        .await?;
    assert!(!answer.body.contains("x-marks"), "{}", answer.body);
    Ok(())
}

#[tokio::test]
async fn the_cookie_is_out_of_reach_of_scripts_and_of_other_sites() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let answer = panel.visitor().log_in(ADMINISTRATOR, PASSWORD).await?;
    let cookie = answer.header("set-cookie").unwrap_or_default();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
    let secret = cookie.split(['=', ';']).nth(1).unwrap_or_default();
    assert_eq!(secret.len(), 64, "256 bits in hexadecimal");
    Ok(())
}

#[tokio::test]
async fn with_https_the_cookie_is_bound_to_this_host() -> Result<()> {
    let panel = Panel::of(Kind {
        secure_cookie: true,
        ..Kind::default()
    })
    .await?;
    let answer = panel.visitor().log_in(ADMINISTRATOR, PASSWORD).await?;
    let cookie = answer.header("set-cookie").unwrap_or_default();
    assert!(cookie.starts_with("__Host-"), "{cookie}");
    assert!(cookie.contains("; Secure"), "{cookie}");
    assert!(answer.header("strict-transport-security").is_some());
    Ok(())
}

#[tokio::test]
async fn every_login_gets_a_session_of_its_own() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let one = panel.visit_as(ADMINISTRATOR).await?;
    let other = panel.visit_as(ADMINISTRATOR).await?;
    assert_ne!(one.cookie(), other.cookie());
    Ok(())
}

#[tokio::test]
async fn a_cookie_that_the_visitor_chose_is_not_adopted() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let chosen = format!("spacecp={}", "a".repeat(64));
    let mut visitor = panel.visitor().with_cookie(&chosen);
    visitor.get("/").await?.leads_to("/login")?;
    visitor
        .log_in(ADMINISTRATOR, PASSWORD)
        .await?
        .leads_to("/")?;
    assert_ne!(visitor.cookie(), Some(chosen.as_str()));
    panel
        .visitor()
        .with_cookie(&chosen)
        .get("/")
        .await?
        .leads_to("/login")
}

#[tokio::test]
async fn logging_out_ends_the_session_for_every_copy_of_its_cookie() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let mut visitor = panel.visit_as(ADMINISTRATOR).await?;
    let copy = visitor.cookie().unwrap_or_default().to_owned();
    visitor.press("/nowhere", "/logout").await?.leads_to("/")?;
    assert_eq!(visitor.cookie(), None, "the browser is told to forget it");
    panel
        .visitor()
        .with_cookie(&copy)
        .get("/")
        .await?
        .leads_to("/login")
}

#[tokio::test]
async fn wrong_passwords_in_a_row_make_this_name_wait_and_no_other() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let mut visitor = panel.visitor();
    for _ in 0..5 {
        assert_eq!(visitor.log_in(ADMINISTRATOR, "wrong").await?.status, 401);
    }
    let refused = visitor.log_in(ADMINISTRATOR, PASSWORD).await?;
    assert_eq!(refused.status, 429, "the right one has to wait as well");
    assert!(
        refused.body.contains("Too many failed logins"),
        "{}",
        refused.body
    );
    visitor.log_in(VIEWER, PASSWORD).await?.leads_to("/")
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_passwords_all_at_once_make_the_name_wait_as_well() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let attempts: Vec<_> = (0..24)
        .map(|_| {
            let mut visitor = panel.visitor();
            tokio::spawn(async move { visitor.log_in(ADMINISTRATOR, "wrong").await })
        })
        .collect();
    let mut tried = 0;
    for attempt in attempts {
        tried += u32::from(attempt.await??.status == 401);
    }
    // Five, and one more whenever the machine was slow enough for a wait to pass.
    assert!((1..12).contains(&tried), "{tried} passwords were tried");
    Ok(())
}
