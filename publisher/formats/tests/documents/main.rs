//! Other people's advisories: taken over without loss, given back, and refused by name.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so and ends"
)]

mod csaf;
mod hostile;
mod osv;

use serde_json::Value;
use spacecp_formats::{Converted, Format, Limits, Refusal, Terms, json, restore, to_advisory};

/// What becomes of the bytes of a document.
fn read(format: Format, bytes: &[u8]) -> Result<Converted, Refusal> {
    let document = json::read(bytes, &Limits::default())?;
    to_advisory(format, &document, &Terms::public())
}

fn taken(format: Format, document: &Value) -> Converted {
    match read(format, document.to_string().as_bytes()) {
        Ok(taken) => taken,
        Err(refusal) => panic!("{refusal}"),
    }
}

fn refused(format: Format, document: &Value) -> String {
    match read(format, document.to_string().as_bytes()) {
        Ok(taken) => panic!("it was taken over: {taken:?}"),
        Err(refusal) => refusal.to_string(),
    }
}

/// The document that comes back, by way of the bytes that are signed.
fn returned(format: Format, taken: &Converted) -> Value {
    let bytes = spacecp_contract::encode(&taken.advisory);
    let advisory = spacecp_contract::decode(&bytes, &spacecp_contract::Limits::default()).unwrap();
    restore(format, &advisory).unwrap().unwrap()
}
