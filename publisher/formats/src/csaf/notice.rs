//! Notices, which describe no vulnerability, as informational advisories (CSAF profile 3): no vulnerabilities, and so
//! nothing that another reader could take for one.
//!
//! Which kind of notice it is, and whether more is known than the versions in the product tree, is said in a note.

use serde_json::{Value, json};
use spacecp_contract::{Advisory, NoticeKind, Others};

use super::record::{Branch, Product, Record, Vulnerability};

/// The category of the document.
pub(super) const CATEGORY: &str = "csaf_informational_advisory";

const TITLE: &str = "Kind of notice";

const OTHERS_UNKNOWN: &str = "other versions unknown";

/// The note that says which kind it is.
pub(super) fn note(advisory: &Advisory, kind: NoticeKind) -> Value {
    let is_open = advisory.affected.iter().any(|affected| {
        let unlisted = affected.unlisted.as_deref();
        unlisted.is_some_and(|unlisted| unlisted.others != Others::NotAffected)
    });
    let text = if is_open {
        format!("{}; {OTHERS_UNKNOWN}", kind.as_str())
    } else {
        kind.as_str().to_owned()
    };
    json!({ "category": "other", "title": TITLE, "text": text })
}

/// The kind of a notice that was written here, whose products are then the ones that it is about.
pub(super) fn take(record: &mut Record) -> Option<NoticeKind> {
    let about = &mut record.document;
    if about.category != CATEGORY || !record.vulnerabilities.is_empty() {
        return None;
    }
    let mut notes = about.notes.iter();
    let note = notes.find(|note| note.title.as_deref() == Some(TITLE))?;
    let (word, is_open) = match note.text.split_once(';') {
        Some((word, _)) => (word.trim(), true),
        None => (note.text.trim(), false),
    };
    let kind = match word {
        "unmaintained" => NoticeKind::Unmaintained,
        "unsound" => NoticeKind::Unsound,
        "notice" => NoticeKind::Notice,
        _ => NoticeKind::Other,
    };
    // What its list means is said in the note, and by no other informational advisory.
    let category = if is_open {
        // Statements about these versions alone.
        "csaf_base"
    } else {
        "csaf_security_advisory"
    };
    category.clone_into(&mut about.category);
    let mut flaw = Vulnerability::default();
    let tree = &record.product_tree;
    let products = &mut flaw.product_status.known_affected;
    products.extend(tree.full_product_names.iter().map(id));
    tree.branches
        .iter()
        .for_each(|branch| collect(branch, products));
    record.vulnerabilities.push(flaw);
    Some(kind)
}

/// The recursion is as deep as the document, which is read within a limit.
fn collect(branch: &Branch, ids: &mut Vec<String>) {
    ids.extend(branch.product.iter().map(id));
    branch.branches.iter().for_each(|inner| collect(inner, ids));
}

fn id(product: &Product) -> String {
    product.product_id.clone()
}
