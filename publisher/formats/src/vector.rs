//! CVSS vectors: whether a score can be computed from one.

/// Checks that a score can be computed from a vector.
///
/// # Errors
///
/// The reason, in words.
pub fn computes(vector: &str) -> Result<(), String> {
    let reason = match vector.parse::<cvss::Cvss>() {
        Ok(cvss) if cvss.metrics().count() >= base_metrics(&cvss) => return Ok(()),
        Ok(_) => "a base metric is missing".to_owned(),
        Err(error) => error.to_string(),
    };
    let vector: String = vector.chars().take(200).collect();
    Err(format!("invalid vector {vector:?}: {reason}"))
}

/// How many metrics a score is computed from at least.
fn base_metrics(cvss: &cvss::Cvss) -> usize {
    if matches!(cvss, cvss::Cvss::CvssV40(_)) {
        11
    } else {
        8
    }
}
