//! `totp`: one-time codes beside the passwords of the stand-alone login.

use qrcode::{EcLevel, QrCode, render::unicode::Dense1x2};
use serde_json::json;

use super::{CommandError, Ending, Output, arguments::Totp};
use crate::{
    config::Config,
    web::{Enrolments, TotpError},
};

pub(super) fn totp(config: &Config, asked: &Totp, out: &Output) -> Result<Ending, CommandError> {
    let mut enrolments = Enrolments::read(&config.serve.totp)?;
    match asked {
        Totp::Enrol { user } => {
            if !config.serve.users.iter().any(|known| known.name == *user) {
                return Err(TotpError::NoUser(user.clone()).into());
            }
            let address = enrolments.enrol(user, &config.path)?;
            if out.json {
                out.value(&json!({ "user": user, "address": address.as_str() }))?;
                return Ok(Ending::Well);
            }
            if let Some(square) = square(address.as_str()) {
                out.line(&square)?;
            }
            out.line(address.as_str())?;
            out.line(&format!(
                "Two-factor login is set up for {user}. The secret is shown only once."
            ))?;
        }
        Totp::Remove { user } => {
            enrolments.remove(user, &config.path)?;
            out.line(&format!("Two-factor login removed for {user}."))?;
        }
        Totp::List => {
            let users: Vec<&str> = enrolments.users().collect();
            if out.json {
                out.value(&users)?;
            } else if users.is_empty() {
                out.line("No users with two-factor login.")?;
            } else {
                out.line(&users.join("\n"))?;
            }
        }
    }
    Ok(Ending::Well)
}

/// A square of dots for the camera of a phone, light on dark as terminals mostly are.
fn square(text: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let square = code
        .render::<Dense1x2>()
        .dark_color(Dense1x2::Light)
        .light_color(Dense1x2::Dark)
        .quiet_zone(true)
        .build();
    Some(square)
}
