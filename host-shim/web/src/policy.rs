//! The page about automatic application, its preview, and what an administrator does there.

use std::collections::{BTreeMap, BTreeSet};

use axum::{
    Form,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    Web,
    forms::policy_form::{self, Editing},
    pages::{as_json_value, embargoed, wants_json},
    refusal::Refusal,
    request_auth::Visit,
    visitor::Session,
};
use spacecp_render::html::{self, POLICY, Said};
use spacecp_services::{
    Automation, Feed, Preview, ServiceError,
    automation::{policy_page, trial},
    policy::{
        Day, MOST, MinimumSeverity, Policy, Restarts, Treatment, Treatments, Window, Windows,
    },
};

/// The fields of the form; each has a name of its own.
type Fields = BTreeMap<String, String>;

/// A button that switches automatic application on or off.
#[derive(Deserialize)]
pub(super) struct Switch {
    csrf: String,
    to: String,
}

/// A button that releases a correction from quarantine.
#[derive(Deserialize)]
pub(super) struct Release {
    csrf: String,
    correction: String,
}

pub(super) async fn page(
    State(web): State<Web>,
    State(automation): State<Automation>,
    State(feed): State<Feed>,
    visit: Visit,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let session = visit.known()?;
    let now = Timestamp::now();
    let report = automation.report(now).await?;
    let preview = preview(&automation, None, now).await;
    let mut page = policy_page(&report, &preview);
    page.embargo |= feed.is_under_embargo(&serde_json::json!(report)).await;
    if wants_json(&headers) {
        if page.embargo {
            return Ok(embargoed());
        }
        return Ok(as_json_value(
            &serde_json::json!({ "automation": report, "foreseen": preview.as_ref().ok(), "problem": preview.as_ref().err() }),
        ));
    }
    let said = web.notices.said(&session);
    let frame = web.frame(Some(&session), &said, POLICY);
    let (policy, _) = automation.policy().await?;
    let ceiling = automation.ceiling();
    let components = components(&automation);
    let editing = Editing {
        policy: &policy,
        ceiling,
        components: &components,
        previewed: false,
    };
    let below = html! {
        (policy_form::switch(policy.automatic, ceiling.automatic != Some(false), &frame))
        (policy_form::releases(&report.quarantined, &frame))
        (policy_form::form(&editing, &frame))
    };
    Ok(html::page_above(&page, &below, &frame).into_response())
}

/// Shows what a policy would do, or puts it in force.
pub(super) async fn edit(
    State(web): State<Web>,
    State(automation): State<Automation>,
    visit: Visit,
    Form(fields): Form<Fields>,
) -> Result<Response, Refusal> {
    let csrf = fields.get("csrf").map_or("", String::as_str);
    let session = visit.authorised(csrf, true)?;
    let (present, _) = automation.policy().await?;
    let policy = match read(&fields) {
        Ok(policy) => policy,
        Err(problem) => return Ok(web.again(&automation, &session, &present, &problem)),
    };
    if let Err(error) = automation.may_be_decided(&policy) {
        return Ok(web.again(&automation, &session, &policy, &error.to_string()));
    }
    let now = Timestamp::now();
    if fields.get("do").is_some_and(|wanted| wanted == "save") {
        automation.set_policy(&policy, &session.user, now).await?;
        web.notices.say(&session, true, "Policy saved.".to_owned());
        return Ok(web.lead(POLICY));
    }
    let preview = preview(&automation, Some(&policy), now).await;
    let page = trial(&preview);
    let frame = web.frame(Some(&session), &[], POLICY);
    let form = form(&automation, &policy, true, &frame);
    Ok(html::page_above(&page, &form, &frame).into_response())
}

pub(super) async fn switch(
    State(web): State<Web>,
    State(automation): State<Automation>,
    visit: Visit,
    Form(form): Form<Switch>,
) -> Result<Response, Refusal> {
    let session = visit.authorised(&form.csrf, true)?;
    let on = form.to == "on";
    let outcome = automation.switch(on, &session.user, Timestamp::now()).await;
    let words = if on {
        "Automatic application enabled."
    } else {
        "Automatic application disabled."
    };
    Ok(web.tell(&session, outcome.map(|()| words.to_owned())))
}

pub(super) async fn release(
    State(web): State<Web>,
    State(automation): State<Automation>,
    visit: Visit,
    Form(form): Form<Release>,
) -> Result<Response, Refusal> {
    let session = visit.authorised(&form.csrf, true)?;
    let now = Timestamp::now();
    let released = automation
        .release(&form.correction, &session.user, now)
        .await
        .map(|components| {
            format!(
                "{} released from quarantine for {}.",
                form.correction,
                components.join(", ")
            )
        });
    Ok(web.tell(&session, released))
}

/// What a run would do now, or why that cannot be said.
async fn preview(
    automation: &Automation,
    trying: Option<&Policy>,
    now: Timestamp,
) -> Result<Preview, String> {
    let preview = automation.preview(trying, now).await;
    preview.map_err(|error| error.to_string())
}

fn components(automation: &Automation) -> Vec<String> {
    automation.components().map(str::to_owned).collect()
}

fn form(
    automation: &Automation,
    policy: &Policy,
    previewed: bool,
    frame: &html::Frame<'_>,
) -> Markup {
    let components = components(automation);
    let editing = Editing {
        policy,
        ceiling: automation.ceiling(),
        components: &components,
        previewed,
    };
    policy_form::form(&editing, frame)
}

impl Web {
    /// The form once more, with what is wrong with it.
    fn again(
        &self,
        automation: &Automation,
        session: &Session,
        policy: &Policy,
        problem: &str,
    ) -> Response {
        let said = [Said {
            well: false,
            words: format!("Nothing was changed: {problem}."),
        }];
        let frame = self.frame(Some(session), &said, POLICY);
        let page = spacecp_plugin_host::bindings::exports::spacecp::advisories::pages::Page {
            title: "Policy".to_owned(),
            blocks: Vec::new(),
            embargo: false,
        };
        html::page_above(&page, &form(automation, policy, false, &frame), &frame).into_response()
    }

    fn tell(&self, session: &Session, outcome: Result<String, ServiceError>) -> Response {
        match outcome {
            Ok(words) => self.notices.say(session, true, words),
            Err(error) => self.notices.say(session, false, error.to_string()),
        }
        self.lead(POLICY)
    }
}

/// The policy that the fields say, or what is wrong with them.
fn read(fields: &Fields) -> Result<Policy, String> {
    let ticked = |name: &str| fields.contains_key(name);
    let excluded: BTreeSet<String> = fields
        .keys()
        .filter_map(|name| name.strip_prefix("excluded:").map(str::to_owned))
        .collect();
    Ok(Policy {
        automatic: ticked("automatic"),
        minimum_severity: word(fields, "minimum-severity", &MinimumSeverity::ALL, |one| {
            one.word()
        })?,
        severity: Treatments {
            low: treatment(fields, "severity-low")?,
            medium: treatment(fields, "severity-medium")?,
            high: treatment(fields, "severity-high")?,
            critical: treatment(fields, "severity-critical")?,
        },
        known_exploited_at_once: ticked("known-exploited-at-once"),
        known_exploited_skips_delay: ticked("known-exploited-skips-delay"),
        known_exploited_skips_windows: ticked("known-exploited-skips-windows"),
        delay_hours: number(fields, "delay-hours")?,
        minimum_age_hours: number(fields, "minimum-age-hours")?,
        windows: windows(fields)?,
        restarts: word(
            fields,
            "restarts",
            &[Restarts::None, Restarts::Component, Restarts::Panel],
            Restarts::word,
        )?,
        excluded,
        wave_hours: number(fields, "wave-hours")?,
    })
}

fn treatment(fields: &Fields, name: &str) -> Result<Treatment, String> {
    let all = [Treatment::Auto, Treatment::Ask, Treatment::Never];
    word(fields, name, &all, Treatment::word)
}

/// The one of these whose word the field has.
fn word<T: Copy>(
    fields: &Fields,
    name: &str,
    all: &[T],
    of: impl Fn(T) -> &'static str,
) -> Result<T, String> {
    let said = fields.get(name).map_or("", String::as_str);
    let found = all.iter().copied().find(|one| of(*one) == said);
    found.ok_or_else(|| format!("invalid value {said:?} for {name}"))
}

fn number(fields: &Fields, name: &str) -> Result<u32, String> {
    let said = fields.get(name).map_or("", |text| text.trim());
    said.parse()
        .map_err(|_| format!("{name} must be a whole number, not {said:?}"))
}

fn windows(fields: &Fields) -> Result<Windows, String> {
    let mut windows = Vec::new();
    for row in 0..MOST {
        let name = |part: &str| format!("window-{row}-{part}");
        let field = |part: &str| fields.get(&name(part)).map_or("", |text| text.trim());
        if field("start").is_empty() {
            continue;
        }
        let on = |day: &Day| fields.contains_key(&name(day.word()));
        let days: Vec<Day> = Day::ALL.into_iter().filter(on).collect();
        if days.is_empty() {
            return Err(format!("window {} has no day", row + 1));
        }
        let minutes = number(fields, &name("minutes"))?;
        // Browsers may send seconds as well.
        let start: String = field("start").chars().take(5).collect();
        let window = Window::new(&days, &start, minutes, field("zone"))
            .map_err(|fault| format!("window {}: {fault}", row + 1))?;
        windows.push(window);
    }
    Ok(Windows(windows))
}
