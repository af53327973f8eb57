//! A program that asks the API of a panel.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use serde_json::Value;
use spacecp_advisories::tokens::{Scope, Wish};

use crate::{
    panel::Panel,
    visitor::{Answer, Visitor},
};

/// A program with a token.
pub(crate) struct Program {
    visitor: Visitor,
    secret: String,
}

impl Program {
    /// A program whose token has these scopes.
    pub(crate) async fn of(panel: &Panel, scopes: &[Scope]) -> Result<Self> {
        let wish = Wish {
            name: "fleet".to_owned(),
            scopes: scopes.iter().copied().collect::<BTreeSet<_>>(),
            expires: None,
            by: "ada".to_owned(),
        };
        let (_, secret) = panel.app().panel.tokens.make(&wish).await?;
        Ok(Self::with(panel, secret))
    }

    /// A program with this token.
    pub(crate) fn with(panel: &Panel, secret: String) -> Self {
        Self {
            visitor: panel.visitor(),
            secret,
        }
    }

    pub(crate) async fn ask(&mut self, method: &str, path: &str, body: &Value) -> Result<Answer> {
        let bearer = format!("Bearer {}", self.secret);
        let mut headers = vec![("authorization", bearer.as_str())];
        let mut text = String::new();
        if !body.is_null() {
            headers.push(("content-type", "application/json"));
            text = body.to_string();
        }
        self.visitor.send(method, path, &headers, &text).await
    }

    pub(crate) async fn get(&mut self, path: &str) -> Result<Answer> {
        self.ask("GET", path, &Value::Null).await
    }

    /// What is read there; it has to be there.
    pub(crate) async fn read(&mut self, path: &str) -> Result<Value> {
        let answer = self.get(path).await?;
        anyhow::ensure!(
            answer.status == 200,
            "{path}: {}: {}",
            answer.status,
            answer.body
        );
        json(&answer)
    }

    /// Follows work to its end.
    pub(crate) async fn follow(&mut self, begun: &Answer) -> Result<Value> {
        anyhow::ensure!(begun.status == 202, "{}: {}", begun.status, begun.body);
        let place = begun.header("location").context("work has a place")?;
        loop {
            let work = self.read(place).await?;
            if work["ended"] == true {
                return Ok(work);
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
}

pub(crate) fn json(answer: &Answer) -> Result<Value> {
    serde_json::from_str(&answer.body).with_context(|| answer.body.clone())
}

/// Checks that an answer is a problem of this kind, and returns what it says.
pub(crate) fn problem(answer: &Answer, status: u16, code: &str) -> Result<String> {
    anyhow::ensure!(
        answer.status == status,
        "{}: {}",
        answer.status,
        answer.body
    );
    let kind = answer.header("content-type");
    anyhow::ensure!(kind == Some("application/problem+json"), "{kind:?}");
    let problem = json(answer)?;
    anyhow::ensure!(
        problem["code"] == code && problem["status"] == status,
        "{problem}"
    );
    let detail = problem["detail"]
        .as_str()
        .context("a problem has details")?;
    Ok(detail.to_owned())
}
