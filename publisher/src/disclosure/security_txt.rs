//! `security.txt` (RFC 9116): how the vendor is reached, until when that holds, and where the rest is.

use super::{
    addresses::{Addresses, PROVIDER, REPORT_KEY, SECURITY_TXT},
    settings::{Encryption, Settings},
    site::{Site, SiteError, Turn},
};

/// Adds the file, and the report key where it is shown here.
pub(super) fn write(
    settings: &Settings,
    addresses: &Addresses,
    site: &mut Site,
) -> Result<(), SiteError> {
    let contact = &settings.contact;
    let encryption = match &contact.encryption {
        Encryption::At(url) => url.clone(),
        Encryption::Recipient(recipient) => {
            site.put(Turn::Document, REPORT_KEY, report_key(settings, recipient))?;
            addresses.of_path(REPORT_KEY)
        }
    };
    let mut lines = Vec::new();
    let mut line = |field: &str, value: &str| lines.push(format!("{field}: {value}\n"));
    for address in &contact.addresses {
        line("Contact", address);
    }
    line("Expires", &contact.expires.to_string());
    line("Encryption", &encryption);
    if let Some(url) = &contact.acknowledgments {
        line("Acknowledgments", url);
    }
    line("Preferred-Languages", &contact.languages.join(", "));
    line("Canonical", &addresses.of_path(SECURITY_TXT));
    line("Policy", &contact.policy);
    line("CSAF", &addresses.of_path(PROVIDER));
    site.put(Turn::List, SECURITY_TXT, lines.concat())
}

fn report_key(settings: &Settings, recipient: &str) -> String {
    format!(
        "Reports of vulnerabilities to {name} are encrypted to this recipient:\n\n\
         {recipient}\n\n\
         Use the page \"Report a vulnerability\" of a panel, or on its machine run\n\n\
         spacecp-advisories report --template > report.txt\n\
         spacecp-advisories report --from report.txt --recipient {recipient} --out report.age\n\n\
         Without a panel, write a report in any form and encrypt it with age (https://age-encryption.org):\n\n\
         age -a -r {recipient} -o report.age report.txt\n\n\
         Send report.age to {contact}.\n",
        name = settings.issuer.name,
        contact = settings.contact.addresses[0].trim_start_matches("mailto:"),
    )
}
