//! `token`: by which programs reach the API.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{CommandError, Ending, Output, arguments::TokenAction, user::whoami};
use crate::{
    services::Panel,
    tokens::{Scope, Token, TokenError, Wish},
};

pub(super) async fn token(
    panel: &Panel,
    action: &TokenAction,
    out: &Output,
) -> Result<Ending, CommandError> {
    match action {
        TokenAction::New {
            name,
            scopes,
            days,
            no_end,
        } => {
            let hours = i64::from(*days) * 24;
            let expires = Timestamp::now() + SignedDuration::from_hours(hours);
            let wish = Wish {
                name: name.clone(),
                scopes: scopes_of(scopes)?,
                expires: (!no_end).then_some(expires),
                by: whoami(),
            };
            let (token, secret) = panel.tokens.make(&wish).await?;
            if out.json {
                out.value(&json!({ "token": token, "secret": secret }))?;
            } else {
                out.line(&secret)?;
                out.note(&format!(
                    "{} The token is shown only once: the panel stores its digest.",
                    described(&token)
                ));
            }
        }
        TokenAction::List => {
            let tokens = panel.tokens.all().await?;
            if out.json {
                out.value(&tokens)?;
            } else if tokens.is_empty() {
                out.line("No API tokens.")?;
            }
            for token in tokens.iter().filter(|_| !out.json) {
                out.line(&described(token))?;
            }
        }
        TokenAction::Revoke { which } => {
            let token = panel.tokens.revoke(which, &whoami()).await?;
            if out.json {
                out.value(&token)?;
            } else {
                out.line(&format!("Token {} revoked.", token.name))?;
            }
        }
    }
    Ok(Ending::Well)
}

fn scopes_of(words: &[String]) -> Result<BTreeSet<Scope>, CommandError> {
    let scopes = words.iter().map(|word| word.parse::<Scope>());
    let scopes: Result<_, TokenError> = scopes.collect();
    scopes.map_err(|error| CommandError::Usage(error.to_string()))
}

fn described(token: &Token) -> String {
    let day = |time: Timestamp| time.strftime("%Y-%m-%d").to_string();
    let scopes: Vec<&str> = token.scopes.iter().map(|scope| scope.as_str()).collect();
    let until = match (token.revoked, token.expires) {
        (Some(revoked), _) => format!("revoked on {}", day(revoked)),
        (None, Some(expires)) if expires <= Timestamp::now() => {
            format!("expired on {}", day(expires))
        }
        (None, Some(expires)) => format!("until {}", day(expires)),
        (None, None) => "no expiry".to_owned(),
    };
    let used = token.used.map_or("never used".to_owned(), |used| {
        format!("last used on {}", day(used))
    });
    format!(
        "#{}  {}: {}; {until}, {used}, made by {}.",
        token.number,
        token.name,
        scopes.join(", "),
        token.by
    )
}
