//! The page on which a vulnerability is reported. Whoever is logged in may report.
//!
//! What is typed lives as long as the request: it goes back into the form if something is wrong with it,
//! and otherwise leaves here encrypted.

use std::collections::BTreeMap;

use axum::{
    Form,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;

use super::{
    Web,
    forms::report_form::{self, Ways},
    pages::{Refusal, as_json_value, wants_json},
    visit::{Session, Visit},
};
use spacecp_panel::shim::{ShimError, report_page};
use spacecp_render::{
    html::{self, REPORT, Said},
    json,
};
use spacecp_services::report::{FILE_NAME, ReportingError, Typed};

pub(super) async fn page(
    State(web): State<Web>,
    visit: Visit,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let session = visit.known()?;
    let config = &web.shim.config().report;
    if wants_json(&headers) {
        return Ok(as_json_value(&json::page(&report_page(config))));
    }
    let said = web.notices.said(&session);
    if config.recipient.is_none() {
        let frame = web.frame(Some(&session), &said, REPORT);
        return Ok(html::page(&report_page(config), &frame).into_response());
    }
    let typed = web.shim.offered_report().await;
    Ok(web.report_form(&session, &typed, &said))
}

/// Encrypts what was typed, and hands it out or mails it.
pub(super) async fn send(
    State(web): State<Web>,
    visit: Visit,
    Form(fields): Form<BTreeMap<String, String>>,
) -> Result<Response, Refusal> {
    let csrf = fields.get("csrf").map_or("", String::as_str);
    let session = visit.authorised(csrf, false)?;
    if web.shim.config().report.recipient.is_none() {
        return Err(ShimError::from(ReportingError::NoRecipient).into());
    }
    let typed = Typed::read(&fields);
    let is_mail = fields.get("do").is_some_and(|wanted| wanted == "mail");
    match web.sent(&typed, is_mail).await {
        Ok(response) => {
            if is_mail {
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
            Ok(web.report_form(&session, &typed, &said))
        }
    }
}

impl Web {
    async fn sent(&self, typed: &Typed, is_mail: bool) -> Result<Response, ShimError> {
        let report = typed.report().map_err(ReportingError::Typed)?;
        let sealed = self.shim.seal_report(&report)?;
        if is_mail {
            self.shim.mail_report(&sealed, Timestamp::now()).await?;
            return Ok(self.lead(REPORT));
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

    fn report_form(&self, session: &Session, typed: &Typed, said: &[Said]) -> Response {
        let config = self.shim.config();
        let frame = self.frame(Some(session), said, REPORT);
        let mail = config.report.mail(&config.notify);
        let to = mail.map(|(_, to)| to.email.to_string());
        let ways = Ways {
            mail: to.as_deref(),
        };
        let form = report_form::form(typed, ways, &frame);
        html::page_above(&report_page(&config.report), &form, &frame).into_response()
    }
}
