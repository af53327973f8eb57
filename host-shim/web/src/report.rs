//! The page on which a vulnerability is reported. Whoever is logged in may report.
//!
//! What is typed lives as long as the request: it goes back into the form if something is wrong with it,
//! and otherwise leaves here encrypted.

use std::collections::BTreeMap;

use axum::{
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;

use super::{
    Web,
    forms::report_form::{self, Ways},
    pages::{as_json_value, wants_json},
    refusal::Refusal,
    request_auth::Visit,
    visitor::Session,
};
use crate::report_page::page as report_page;
use spacecp_notify::{Notifications, NotifyError};
use spacecp_render::{
    html::{self, REPORT, Said},
    json,
};
use spacecp_services::{
    ReportConfig, Reports, ServiceError,
    report::{FILE_NAME, ReportingError, Typed},
};

pub(super) async fn page(
    State(web): State<Web>,
    State(reports): State<Reports>,
    State(notifications): State<Notifications>,
    visit: Visit,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let session = visit.known()?;
    let config = reports.config();
    if wants_json(&headers) {
        return Ok(as_json_value(&json::page(&report_page(config))));
    }
    let said = web.notices.said(&session);
    if config.recipient.is_none() {
        let frame = web.frame(Some(&session), &said, REPORT);
        return Ok(html::page(&report_page(config), &frame).into_response());
    }
    let typed = reports.offered().await;
    let to = notifications.report_address();
    let form = Form {
        config,
        mail: to.as_deref(),
    };
    Ok(form.drawn(&web, &session, &typed, &said))
}

/// Encrypts what was typed, and hands it out or mails it.
pub(super) async fn send(
    State(web): State<Web>,
    State(reports): State<Reports>,
    State(notifications): State<Notifications>,
    visit: Visit,
    axum::Form(fields): axum::Form<BTreeMap<String, String>>,
) -> Result<Response, Refusal> {
    let csrf = fields.get("csrf").map_or("", String::as_str);
    let session = visit.authorised(csrf, false)?;
    if reports.config().recipient.is_none() {
        return Err(ServiceError::from(ReportingError::NoRecipient).into());
    }
    let typed = Typed::read(&fields);
    let mail = fields.get("do").is_some_and(|wanted| wanted == "mail");
    let mail = mail.then_some(&notifications);
    match sent(&web, &reports, mail, &typed).await {
        Ok(response) => {
            if mail.is_some() {
                let words = "Report encrypted; sending it to the vendor.";
                web.notices.say(&session, true, words.to_owned());
            }
            Ok(response)
        }
        Err(error) => {
            let said = [Said {
                well: false,
                words: format!("Report not sent: {error}."),
            }];
            let to = notifications.report_address();
            let form = Form {
                config: reports.config(),
                mail: to.as_deref(),
            };
            Ok(form.drawn(&web, &session, &typed, &said))
        }
    }
}

/// Mails a report, or hands it out where nobody mails it.
async fn sent(
    web: &Web,
    reports: &Reports,
    mail: Option<&Notifications>,
    typed: &Typed,
) -> Result<Response, NotifyError> {
    let report = typed.report().map_err(ReportingError::Typed);
    let report = report.map_err(ServiceError::from)?;
    let sealed = reports.seal(&report)?;
    if let Some(mail) = mail {
        mail.mail_report(&sealed, Timestamp::now()).await?;
        return Ok(web.lead(REPORT));
    }
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{FILE_NAME}\""),
        ),
    ];
    Ok((headers, sealed).into_response())
}

/// The form, and what can be done with it.
struct Form<'a> {
    config: &'a ReportConfig,
    /// The address that reports are mailed to, if they can be.
    mail: Option<&'a str>,
}

impl Form<'_> {
    fn drawn(&self, web: &Web, session: &Session, typed: &Typed, said: &[Said]) -> Response {
        let frame = web.frame(Some(session), said, REPORT);
        let form = report_form::form(typed, Ways { mail: self.mail }, &frame);
        html::page_above(&report_page(self.config), &form, &frame).into_response()
    }
}
