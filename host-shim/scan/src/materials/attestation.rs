//! Takes a list out of what it is wrapped in: a statement of in-toto (<https://in-toto.io/Statement/v1>), an envelope
//! (<https://github.com/secure-systems-lab/dsse>), a bundle of Sigstore's, an answer of GitHub's.

use data_encoding::BASE64;
use serde_json::Value;

use crate::Why;

/// What is wrapped; nothing where it is no wrapper.
pub(super) fn inside(wrapper: &Value) -> Result<Option<Vec<u8>>, Why> {
    let kind = wrapper.get("_type").and_then(Value::as_str);
    if kind.is_some_and(|kind| kind.starts_with("https://in-toto.io/Statement/")) {
        let predicate = wrapper.get("predicate");
        let predicate = predicate.ok_or_else(|| Why::Missing("the predicate".to_owned()))?;
        // Cosign wrapped once more what it attested first.
        return Ok(Some(written(predicate.get("Data").unwrap_or(predicate))));
    }
    if let (Some(Value::String(payload)), Some(_)) =
        (wrapper.get("payload"), wrapper.get("payloadType"))
    {
        let plain: String = payload.split_whitespace().collect();
        let bytes = BASE64.decode(plain.as_bytes());
        let bytes = bytes.map_err(|error| Why::malformed("a signed envelope", error))?;
        return Ok(Some(bytes));
    }
    let inner = wrapper.get("dsseEnvelope").or_else(|| {
        let answer = wrapper.get("sbom")?;
        (answer.get("spdxVersion").is_some()).then_some(answer)
    });
    Ok(inner.map(written))
}

/// A text as it is, and anything else as JSON.
fn written(value: &Value) -> Vec<u8> {
    match value {
        Value::String(text) => text.clone().into_bytes(),
        other => other.to_string().into_bytes(),
    }
}
