//! The pages inside another application: its own identity, its own login, and nothing of ours
//! outside the prefix.

use std::sync::Arc;

use anyhow::{Context, Result};
use spacecp_advisories::{
    config::UserRole,
    web::{
        BasePath, Colour, Identity, LocalPath, Login, MountOptions, Names, Palette, PanelError,
        Shade, Theme, async_trait, mount,
    },
};
use spacecp_tests::catalog;

use crate::{
    panel::Panel,
    served::Served,
    visitor::{Answer, Visitor, fields},
};

#[path = "../../host-shim/examples/embedded.rs"]
mod example;

use example::{Application, BASE, COOKIE};

/// The example's application with the pages of a panel in it.
struct Embedded {
    panel: Panel,
    application: Arc<Application>,
    served: Served,
}

impl Embedded {
    async fn raise() -> Result<Self> {
        Self::around(Panel::raise().await?).await
    }

    async fn around(panel: Panel) -> Result<Self> {
        let application = Arc::new(Application::default());
        // The work is not begun: the panel around it has its own.
        let (app, _work) = example::app(panel.app(), application.clone())?;
        let served = Served::new(app).await?;
        Ok(Self {
            panel,
            application,
            served,
        })
    }

    fn stranger(&self) -> Visitor {
        self.served.visitor()
    }

    fn visit_as(&self, role: UserRole) -> Result<Visitor> {
        let secret = self.application.let_in("grace", role)?;
        Ok(self.stranger().with_cookie(&format!("{COOKIE}={secret}")))
    }
}

/// Where the links, forms and the stylesheet of a page lead.
fn leads(page: &Answer) -> Vec<String> {
    let places = ["href=\"", "action=\""].map(|mark| page.body.split(mark).skip(1));
    let places = places.into_iter().flatten();
    places
        .filter_map(|rest| rest.split('"').next().map(str::to_owned))
        .collect()
}

fn console() -> String {
    format!("{BASE}/advisories/{}", catalog::CONSOLE)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_link_form_and_stylesheet_stays_below_the_prefix() -> Result<()> {
    let embedded = Embedded::raise().await?;
    let mut administrator = embedded.visit_as(UserRole::Administrator)?;
    let own = [
        "",
        "/advisories",
        "/history",
        "/trust",
        "/policy",
        "/nowhere",
    ];
    let own = own.map(|path| format!("{BASE}{path}"));
    for path in own.iter().chain([&console()]) {
        let page = administrator.get(path).await?;
        let leads = leads(&page);
        assert!(leads.len() > 6, "{path} has its navigation: {leads:?}");
        for to in leads {
            let ours = to == BASE || to.starts_with(&format!("{BASE}/"));
            let elsewhere = to == "/" || to == "#content" || to.starts_with("https://");
            assert!(ours || elsewhere, "{path} leads to {to}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_place_that_the_navigation_names_is_there() -> Result<()> {
    let embedded = Embedded::raise().await?;
    let mut viewer = embedded.visit_as(UserRole::Viewer)?;
    let page = viewer.get(BASE).await?;
    for to in leads(&page).iter().filter(|to| to.starts_with(BASE)) {
        assert_eq!(viewer.get(to).await?.status, 200, "{to}");
    }
    let slash = viewer.get(&format!("{BASE}/")).await?;
    assert_eq!((slash.status, slash.header("location")), (308, Some(BASE)));
    Ok(())
}

#[tokio::test]
async fn a_stranger_is_led_to_the_applications_login_and_back_to_the_page() -> Result<()> {
    let embedded = Embedded::around(Panel::without_plugin().await?).await?;
    let led = embedded
        .stranger()
        .get(&format!("{BASE}/advisories?q=a%26b"))
        .await?;
    led.leads_to("/login?next=%2Fadvisories-app%2Fadvisories%3Fq%3Da%2526b")?;
    // A form that was sent is not a place to go back to.
    let form = fields(&[("csrf", "guess")]);
    let led = embedded
        .stranger()
        .post(&format!("{BASE}/sync"), &form)
        .await?;
    led.leads_to("/login?next=%2Fadvisories-app")?;
    let own = embedded.stranger().get(&format!("{BASE}/login")).await?;
    assert_eq!(own.status, 404, "there is no login of ours");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_applications_administrator_acts_under_their_own_name() -> Result<()> {
    let embedded = Embedded::raise().await?;
    let mut administrator = embedded.visit_as(UserRole::Administrator)?;
    administrator
        .press(&console(), &format!("{BASE}/apply"))
        .await?
        .leads_to(&format!("{BASE}/history"))?;
    let said = administrator.get(&format!("{BASE}/history")).await?.body;
    assert!(said.contains("houston corrected"), "{said}");
    let history = embedded.panel.app().panel.corrections.history(10).await?;
    assert_eq!(history[0].by, "grace");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_applications_viewer_reads_and_cannot_act() -> Result<()> {
    let embedded = Embedded::raise().await?;
    let mut administrator = embedded.visit_as(UserRole::Administrator)?;
    let form = administrator
        .get(&console())
        .await?
        .form(&format!("{BASE}/apply"))?;
    let mut viewer = embedded.visit_as(UserRole::Viewer)?;
    let page = viewer.get(&console()).await?;
    assert_eq!(page.status, 200);
    assert!(
        !page.body.contains("<form method=\"post\""),
        "{}",
        page.body
    );
    // Nor with the form of somebody else's session.
    let answer = viewer.post(&format!("{BASE}/apply"), &form).await?;
    assert_eq!(answer.status, 403);
    assert_eq!(
        embedded.panel.app().panel.corrections.history(10).await?,
        []
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_another_session_of_the_same_name_is_not_taken() -> Result<()> {
    let embedded = Embedded::raise().await?;
    let path = format!("{BASE}/sync");
    let mut one = embedded.visit_as(UserRole::Administrator)?;
    let form = one.get(BASE).await?.form(&path)?;
    let mut other = embedded.visit_as(UserRole::Administrator)?;
    assert_eq!(other.post(&path, &form).await?.status, 403);
    assert_eq!(one.post(&path, &form).await?.status, 303);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_secret_of_the_applications_session_is_on_no_page() -> Result<()> {
    let embedded = Embedded::raise().await?;
    let secret = embedded
        .application
        .let_in("grace", UserRole::Administrator)?;
    let mut administrator = embedded
        .stranger()
        .with_cookie(&format!("{COOKIE}={secret}"));
    for path in [BASE, &console()] {
        let page = administrator.get(path).await?;
        assert!(page.body.contains("name=\"csrf\""), "{path} has forms");
        assert!(!page.body.contains(&secret), "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn the_pages_wear_the_applications_name_and_colours_and_lead_back_to_it() -> Result<()> {
    let embedded = Embedded::around(Panel::without_plugin().await?).await?;
    let mut viewer = embedded.visit_as(UserRole::Viewer)?;
    let page = viewer.get(&format!("{BASE}/trust")).await?;
    for words in ["Acme Hosting", ">Back to Acme</a>", ">grace</span>"] {
        assert!(page.body.contains(words), "{words}:\n{}", page.body);
    }
    assert!(!page.body.contains("Log out"), "{}", page.body);
    let sheet = viewer.get(&format!("{BASE}/style.css")).await?.body;
    for property in ["--accent: #7a2e8e;", "--accent: #e0a8f0;"] {
        assert!(sheet.contains(property), "{property}");
    }
    Ok(())
}

#[tokio::test]
async fn what_is_the_applications_own_carries_nothing_of_ours() -> Result<()> {
    let embedded = Embedded::around(Panel::without_plugin().await?).await?;
    let home = embedded.stranger().get("/").await?;
    assert_eq!(
        (home.status, home.header("content-security-policy")),
        (200, None)
    );
    let ours = embedded.stranger().get(&format!("{BASE}/nowhere")).await?;
    assert!(ours.header("content-security-policy").is_some());
    Ok(())
}

/// An application that looks at names itself, and sends nobody anywhere in particular.
#[derive(Debug)]
struct Open;

#[async_trait]
impl spacecp_advisories::web::HostApplication for Open {
    async fn identify(&self, _: &axum::http::request::Parts) -> Option<Identity> {
        None
    }

    fn login(&self) -> Login {
        Login::Host {
            path: LocalPath::new("/in").expect("it is a path"),
            back: None,
        }
    }
}

#[tokio::test]
async fn an_application_may_look_at_names_itself_and_keep_its_login_to_itself() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let options = MountOptions {
        names: Names::CheckedByHost,
        ..MountOptions::at(BasePath::root())
    };
    let mounted = mount(panel.app().backend(), Arc::new(Open), options)?;
    let served = Served::new(mounted.router).await?;
    let led = served
        .visitor()
        .get_with("/trust", &[("host", "panel.of.a.customer")])
        .await?;
    led.leads_to("/in")?;
    assert!(led.header("strict-transport-security").is_some());
    Ok(())
}

#[test]
fn a_base_is_a_plain_path_without_a_slash_at_its_end() {
    for good in ["", "/a", "/advisories-app", "/panel/v2.1/advisories_~"] {
        assert!(BasePath::new(good).is_ok(), "{good}");
    }
    let long = format!("/{}", "a".repeat(300));
    for bad in [
        "/",
        "a",
        "/a/",
        "//a",
        "/a//b",
        "/..",
        "/a/./b",
        "/{id}",
        "/a b",
        "/a?b",
        "/a\"",
        "/ä",
        "https://a",
        &long,
    ] {
        assert!(
            matches!(BasePath::new(bad), Err(PanelError::Base(_))),
            "{bad}"
        );
    }
}

#[test]
fn a_path_of_the_application_never_leads_to_another_host() {
    for good in ["/", "/login", "/login?from=advisories", "/a/b#c"] {
        assert!(LocalPath::new(good).is_ok(), "{good}");
    }
    for bad in [
        "",
        "login",
        "//elsewhere.example",
        "/\\elsewhere.example",
        "https://elsewhere.example",
        "javascript:alert(1)",
        "/a b",
        "/a\r\nset-cookie: x",
        "/ä",
    ] {
        assert!(
            matches!(LocalPath::new(bad), Err(PanelError::Path(_))),
            "{bad}"
        );
    }
}

#[test]
fn a_colour_is_written_in_hexadecimal_and_is_nothing_else() -> Result<()> {
    assert_eq!(Colour::new("#1D4fbf")?.to_string(), "#1d4fbf");
    assert_eq!(Colour::new("#0af")?.to_string(), "#00aaff");
    for bad in [
        "",
        "#",
        "red",
        "#12",
        "#1234",
        "#1234567",
        "#12345g",
        "1d4fbf",
        "#+12345",
        "#fff;} body{display:none",
        "url(//elsewhere.example)",
    ] {
        assert!(
            matches!(Colour::new(bad), Err(PanelError::Colour(_))),
            "{bad}"
        );
    }
    Ok(())
}

#[test]
fn colours_that_cannot_be_read_on_each_other_are_refused() -> Result<()> {
    let pale = Palette::LIGHT.with(Shade::Accent, Colour::new("#ffd0d0")?);
    let refused = Theme::default()
        .coloured(pale, Palette::DARK)
        .err()
        .context("it was taken")?;
    let words = refused.to_string();
    assert!(
        words.contains("insufficient contrast of --accent on --ground"),
        "{words}"
    );
    assert!(
        Theme::default()
            .coloured(Palette::LIGHT, Palette::DARK)
            .is_ok()
    );
    Ok(())
}

#[test]
fn a_name_that_nobody_could_show_is_refused() {
    let long = "a".repeat(61);
    for bad in ["", "a\nb", "a\u{1b}[2Jb", &long] {
        let refused = Theme::default().named(bad);
        assert!(matches!(refused, Err(PanelError::Words { .. })), "{bad:?}");
    }
}

#[tokio::test]
async fn the_colours_that_are_checked_are_those_of_the_stylesheet() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let sheet = panel.visitor().get("/style.css").await?.body;
    let (light, dark) = sheet
        .split_once("prefers-color-scheme: dark")
        .context("it has both")?;
    for (part, palette) in [(light, Palette::LIGHT), (dark, Palette::DARK)] {
        for shade in Shade::ALL {
            let line = format!("{}: {};", shade.property(), palette.of(shade));
            assert!(part.contains(&line), "{line}");
        }
    }
    Ok(())
}
