//! What is read in bills of materials, and what is named as unread.

use super::*;

#[test]
fn both_formats_list_packages_by_their_urls_and_what_has_none_is_named() {
    let cyclone = r#"{"bomFormat":"CycloneDX","specVersion":"1.5","components":[
            {"type":"library","name":"a","purl":"pkg:npm/a@1.0.0","components":[
                {"type":"library","name":"b","purl":"pkg:cargo/b@2.0.0"}]},
            {"type":"library","name":"c"},
            {"type":"file","name":"d"},
            {"type":"library","name":"e","purl":"pkg:hex/e@1"}]}"#;
    let spdx = r#"{"spdxVersion":"SPDX-2.3","packages":[
            {"name":"a","externalRefs":[{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:npm/a@1.0.0"}]},
            {"name":"c"}]}"#;
    let listed = |text: &str| -> (Vec<String>, usize) {
        let found = read(text.as_bytes()).unwrap();
        let names = found.entries.iter();
        let names = names.map(|entry| entry.advisory_name.to_string()).collect();
        (names, found.unread.len())
    };
    assert_eq!(
        listed(cyclone),
        (vec!["npm:a".to_owned(), "cargo:b".to_owned()], 2)
    );
    assert_eq!(listed(spdx), (vec!["npm:a".to_owned()], 1));
}

/// Names and versions, and how much was not read.
fn all(bill: &str) -> (Vec<String>, usize) {
    let found = read(bill.as_bytes()).unwrap();
    let shown = |entry: &crate::findings::Entry| {
        let version = entry.version.as_deref().unwrap_or("?");
        format!("{}@{version}", entry.advisory_name)
    };
    (
        found.entries.iter().map(shown).collect(),
        found.unread.len(),
    )
}

fn cyclone(rest: &str) -> (Vec<String>, usize) {
    all(&format!(
        r#"{{"bomFormat":"CycloneDX","specVersion":"1.5",{rest}}}"#
    ))
}

fn names(all: &[&str]) -> Vec<String> {
    all.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn a_version_beside_the_url_counts_where_the_url_has_none() {
    let found = cyclone(
        r#""components":[{"name":"a","version":"1","purl":"pkg:npm/a"},{"name":"b","version":"1","purl":"pkg:npm/b@2"}]"#,
    );
    assert_eq!(found, (names(&["npm:a@1", "npm:b@?"]), 0));
    let spdx = r#"{"spdxVersion":"SPDX-2.3","packages":[
            {"name":"a","versionInfo":"1","externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:npm/a"}]},
            {"name":"b","versionInfo":"NOASSERTION","externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:npm/b"}]}]}"#;
    assert_eq!(all(spdx), (names(&["npm:a@1", "npm:b@?"]), 0));
}

#[test]
fn what_is_said_beside_a_package_in_an_odd_way_costs_no_package() {
    let found = cyclone(
        r#""metadata":null,"components":[
            {"name":"a","version":1.5,"scope":null,"properties":null,"purl":"pkg:npm/a"},
            {"name":"b","version":{},"properties":[{"name":null,"value":7}],"purl":"pkg:npm/b@2"}]"#,
    );
    // The version that is none is named.
    assert_eq!(found, (names(&["npm:a@1.5", "npm:b@2"]), 1));
}

#[test]
fn a_list_that_writes_packages_in_many_ways_is_read_whole() {
    let urls = [
        "pkg:deb/debian/curl@7.88.1-10?arch=amd64&distro=debian-12",
        "pkg:deb/debian/libcurl3-gnutls@7.88.1-10%2Bb1?arch=amd64&distro=debian-12.11&upstream=curl%407.88.1-10",
        "pkg:deb/debian/bash@5.2.15-2?arch=amd64&distro=debian-12",
        "pkg:deb/debian/zlib@1?arch=source&distro=bookworm",
        "pkg:deb/ubuntu/curl@8.5.0-2?arch=source&distro=ubuntu-24.04",
        "pkg:NPM/Foo@1.0.0",
        "pkg:npm/%40a/b@1.0.0",
        "pkg:maven/g/a@1.0?classifier=sources&type=jar",
        "pkg:golang/github.com/x/y@v1.0.0#sub",
        "pkg:cargo/time",
        // No release, and a type without an order.
        "pkg:deb/debian/zlib@1?arch=source",
        "pkg:hex/phoenix@7",
    ];
    let components = urls.map(|url| format!(r#"{{"name":"x","purl":"{url}"}}"#));
    let found = cyclone(&format!(r#""components":[{}]"#, components.join(",")));
    let expected = names(&[
        "deb:debian-12:curl@7.88.1-10",
        "deb:debian-12:curl@7.88.1-10",
        "deb:debian-12:bash@5.2.15-2",
        "deb:debian-12:zlib@1",
        "deb:ubuntu-24.04:curl@8.5.0-2",
        "npm:Foo@1.0.0",
        "npm:@a/b@1.0.0",
        "maven:g:a@1.0",
        "golang:github.com/x/y@v1.0.0",
        "cargo:time@?",
    ]);
    assert_eq!(found, (expected, 2));
}

#[test]
fn what_the_list_is_about_counts_and_an_image_is_none_of_it() {
    let about = |purl: &str, kind: &str| {
        cyclone(&format!(
            r#""metadata":{{"component":{{"type":"{kind}","name":"x","version":"2","purl":"{purl}"}}}},"components":[{{"name":"ws","purl":"pkg:npm/ws@8"}}]"#
        ))
    };
    let found = about("pkg:npm/tower@2", "application");
    assert_eq!(found, (names(&["npm:tower@2", "npm:ws@8"]), 0));
    let found = about("pkg:oci/image@2", "container");
    assert_eq!(found, (names(&["npm:ws@8"]), 0));
    // A package that is not read is named, also where the list is about it.
    assert_eq!(about("pkg:hex/x@2", "application").1, 1);
}

#[test]
fn what_is_excluded_is_not_there_and_nor_is_what_is_in_it() {
    let found = cyclone(
        r#""components":[{"name":"a","purl":"pkg:npm/a@1","scope":"required"},
            {"name":"b","purl":"pkg:npm/b@1","scope":"excluded","components":[{"name":"c","purl":"pkg:npm/c@1"}]},
            {"name":"d","purl":"pkg:npm/d@1","scope":"optional"}]"#,
    );
    assert_eq!(found, (names(&["npm:a@1", "npm:d@1"]), 0));
}

#[test]
fn a_debian_package_is_from_the_source_that_the_tool_names() {
    let trivy = r#""components":[
            {"type":"operating-system","name":"debian","version":"12.5"},
            {"name":"libssl3","purl":"pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64","properties":[
                {"name":"aquasecurity:trivy:SrcName","value":"openssl"},
                {"name":"aquasecurity:trivy:SrcEpoch","value":"1"},
                {"name":"aquasecurity:trivy:SrcVersion","value":"3.0.11"},
                {"name":"aquasecurity:trivy:SrcRelease","value":"1~deb12u2"}]}]"#;
    let expected = names(&["os:debian@12.5", "deb:debian-12:openssl@1:3.0.11-1~deb12u2"]);
    assert_eq!(cyclone(trivy), (expected, 0));
    let syft = r#""components":[
            {"type":"operating-system","name":"Debian","properties":[
                {"name":"syft:distro:id","value":"debian"},{"name":"syft:distro:versionID","value":"12"}]},
            {"name":"libssl3","version":"3.0.11-1","purl":"pkg:deb/debian/libssl3?arch=amd64","properties":[
                {"name":"syft:metadata:source","value":"openssl"}]}]"#;
    let expected = names(&["os:debian@12", "deb:debian-12:openssl@3.0.11-1"]);
    assert_eq!(cyclone(syft), (expected, 0));
    let spdx = r#"{"spdxVersion":"SPDX-2.3","packages":[
            {"name":"debian","versionInfo":"12.5","primaryPackagePurpose":"OPERATING-SYSTEM"},
            {"name":"libssl3","versionInfo":"3.0.11-1","sourceInfo":"built package from: openssl 3.0.11-1",
             "externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:deb/debian/libssl3@3.0.11-1?arch=amd64"}]}]}"#;
    let expected = names(&["os:debian@12.5", "deb:debian-12:openssl@3.0.11-1"]);
    assert_eq!(all(spdx), (expected, 0));
}

#[test]
fn a_source_that_is_not_named_is_the_package_and_a_list_that_names_none_says_so() {
    let sudo = r#"{"name":"sudo","purl":"pkg:deb/debian/sudo@1.9?arch=amd64&distro=debian-12"}"#;
    let curl = r#"{"name":"libcurl4","purl":"pkg:deb/debian/libcurl4@7?arch=amd64&distro=debian-12&upstream=curl"}"#;
    let found = cyclone(&format!(r#""components":[{sudo},{curl}]"#));
    let expected = names(&["deb:debian-12:sudo@1.9", "deb:debian-12:curl@7"]);
    assert_eq!(found, (expected, 0));
    let found = cyclone(&format!(r#""components":[{sudo}]"#));
    assert_eq!(found, (names(&["deb:debian-12:sudo@1.9"]), 1));
}

#[test]
fn packages_that_no_advisory_speaks_of_are_counted_by_their_distribution() {
    let found = read(
        br#"{"bomFormat":"CycloneDX","components":[
            {"name":"a","purl":"pkg:rpm/oracle/a@1?arch=x86_64&distro=ol-8.9"},
            {"name":"b","purl":"pkg:rpm/centos/b@1?arch=x86_64&distro=centos-9"},
            {"name":"c","purl":"pkg:rpm/almalinux/c@1?arch=x86_64&distro=almalinux-9"}]}"#,
    )
    .unwrap();
    let whys: Vec<_> = found.unread.into_iter().map(|(_, why)| why).collect();
    let unknown = |packages: &str| Why::NoAdvisories(packages.to_owned());
    assert_eq!(
        whys,
        [
            unknown("1 packages of centos 9"),
            unknown("1 packages of ol 8")
        ]
    );
    assert_eq!(found.entries.len(), 3);
}

#[test]
fn a_release_that_systems_disagree_about_is_not_taken() {
    let found = cyclone(
        r#""components":[
            {"type":"operating-system","name":"debian","version":"12"},
            {"type":"operating-system","name":"debian","version":"11"},
            {"name":"a","purl":"pkg:deb/debian/a@1?arch=source"}]"#,
    );
    assert_eq!(found, (names(&["os:debian@12", "os:debian@11"]), 1));
}

#[test]
fn other_files_and_depth_are_refused() {
    assert!(read(b"{}").is_err());
    assert!(read(br#"{"spdxVersion":"SPDX-3.0"}"#).is_err());
    let open = r#"{"bomFormat":"CycloneDX","components":["#;
    assert!(read(open.repeat(10_000).as_bytes()).is_err());
}
