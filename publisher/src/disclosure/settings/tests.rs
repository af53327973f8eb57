use proptest::prelude::*;

use super::*;

const RECIPIENT: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";

fn now() -> Timestamp {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

fn read_with(text: &str, recipient: Option<&Recipient>) -> Result<Settings, SettingsError> {
    Settings::read(Path::new("publisher.toml"), text, recipient, now())
}

fn read(text: &str) -> Result<Settings, SettingsError> {
    read_with(text, Some(&RECIPIENT.parse().unwrap()))
}

#[test]
fn the_example_that_the_help_shows_is_understood() {
    let settings = read(EXAMPLE).unwrap();
    assert_eq!(settings.issuer.name, "SpaceCP");
    assert_eq!(settings.address(), "https://security.example.com/");
    assert_eq!(
        settings.contact.encryption,
        Encryption::Recipient(RECIPIENT.to_owned())
    );
    assert_eq!(
        (settings.newest, settings.listed, settings.mirrored),
        (50, true, true)
    );
}

#[test]
fn everything_that_is_missing_is_named_at_once() {
    let Err(SettingsError::Missing { fields, .. }) = read("language = \"en\"\n") else {
        panic!("nothing was missed");
    };
    assert_eq!(
        fields,
        [
            "name",
            "namespace",
            "address",
            "security-txt.contact",
            "security-txt.policy",
            "security-txt.expires"
        ]
    );
}

#[test]
fn what_a_field_cannot_be_is_refused_with_the_field() {
    for (field, was, becomes) in [
        ("name", "\"SpaceCP\"", "\" \""),
        ("name", "\"SpaceCP\"", "\"two\\nlines\""),
        ("namespace", "\"https://example.com\"", "\"example.com\""),
        (
            "address",
            "\"https://security.example.com\"",
            "\"http://security.example.com\"",
        ),
        (
            "address",
            "\"https://security.example.com\"",
            "\"https://example.com/security\"",
        ),
        (
            "address",
            "\"https://security.example.com\"",
            "\"https://me:pw@example.com\"",
        ),
        (
            "language",
            "# language = \"en\"",
            "language = \"i-default\"",
        ),
        ("newest", "# newest = 50", "newest = 0"),
        ("newest", "# newest = 50", "newest = 1001"),
        (
            "security-txt.contact",
            "\"mailto:security@example.com\"",
            "\"security@example.com\"",
        ),
        (
            "security-txt.contact",
            "\"mailto:security@example.com\"",
            "\"javascript:hit()\"",
        ),
        (
            "security-txt.contact",
            "\"mailto:security@example.com\"",
            "\"https://a.example/\\nPolicy: https://b.example\"",
        ),
        (
            "security-txt.policy",
            "\"https://example.com/security\"",
            "\"ftp://example.com\"",
        ),
        (
            "security-txt.preferred-languages",
            "# preferred-languages = [\"en\"]",
            "preferred-languages = [\"en, de\"]",
        ),
        (
            "security-txt.preferred-languages",
            "# preferred-languages = [\"en\"]",
            "preferred-languages = []",
        ),
        (
            "security-txt.encryption",
            "# encryption = \"https://…\"",
            "encryption = \"age1…\"",
        ),
    ] {
        assert!(EXAMPLE.contains(was), "{was}");
        match read(&EXAMPLE.replacen(was, becomes, 1)) {
            Err(SettingsError::Field { field: named, .. }) => assert_eq!(named, field),
            other => panic!("{becomes}: {other:?}"),
        }
    }
}

#[test]
fn a_date_that_has_passed_or_is_more_than_a_year_away_is_refused() {
    let with = |date: &str| read(&EXAMPLE.replace("2026-12-31T00:00:00Z", date));
    let passed = with("2026-06-01T00:00:00Z");
    assert!(
        matches!(passed, Err(SettingsError::Expired { .. })),
        "{passed:?}"
    );
    let distant = with("2027-06-01T00:00:01Z");
    assert!(
        matches!(distant, Err(SettingsError::Distant { .. })),
        "{distant:?}"
    );
    with("2027-06-01T00:00:00Z").unwrap();
}

#[test]
fn without_a_way_to_encrypt_nothing_is_disclosed() {
    let refused = read_with(EXAMPLE, None);
    assert!(
        matches!(refused, Err(SettingsError::Encryption { .. })),
        "{refused:?}"
    );
    let said = EXAMPLE.replace(
        "# encryption = \"https://…\"",
        "encryption = \"https://example.com/key\"",
    );
    let at = read_with(&said, None).unwrap().contact.encryption;
    assert_eq!(at, Encryption::At("https://example.com/key".to_owned()));
}

#[test]
fn a_field_that_nobody_knows_is_refused_with_its_line() {
    let refused = read("nmae = \"SpaceCP\"\n").unwrap_err();
    assert!(
        matches!(refused, SettingsError::Form { .. }) && refused.to_string().contains("nmae"),
        "{refused}"
    );
}

#[test]
fn a_file_longer_than_any_is_refused_before_it_is_read() {
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(4 << 30).unwrap();
    let refused = Settings::load(file.path(), None, now());
    assert!(
        matches!(refused, Err(SettingsError::Long { .. })),
        "{refused:?}"
    );
}

proptest! {
    #[test]
    fn whatever_an_address_is_it_stays_on_its_line(text in "\\PC{0,40}") {
        let written = toml::Value::String(format!("https://{text}")).to_string();
        let text = EXAMPLE.replace("\"https://example.com/security\"", &written);
        if let Ok(settings) = read(&text) {
            prop_assert!(settings.contact.policy.bytes().all(|byte| byte.is_ascii_graphic()));
        }
    }
}
