//! Libraries identified by their class paths, where a build has removed all other metadata.
//!
//! A class path says which library it is, and not in which version: the component that is made of it has an unknown
//! one. A build may have moved the classes below a package of its own ("relocation" of Maven Shade and Gradle Shadow),
//! so that only the end of the path counts. Listed are libraries with known flaws that plugins and mods bring along.

use std::{
    collections::{BTreeSet, HashMap},
    sync::LazyLock,
};

/// How the path of a class ends, and whose it is: group and artifact.
const CLASSES: [(&str, &str, &str); 60] = [
    (
        "log4j/core/lookup/JndiLookup",
        "org.apache.logging.log4j",
        "log4j-core",
    ),
    (
        "log4j/core/net/JndiManager",
        "org.apache.logging.log4j",
        "log4j-core",
    ),
    (
        "log4j/core/LoggerContext",
        "org.apache.logging.log4j",
        "log4j-core",
    ),
    (
        "log4j/core/config/Configurator",
        "org.apache.logging.log4j",
        "log4j-core",
    ),
    ("log4j/net/SocketServer", "log4j", "log4j"),
    ("log4j/net/JMSAppender", "log4j", "log4j"),
    (
        "logback/core/joran/JoranConfiguratorBase",
        "ch.qos.logback",
        "logback-core",
    ),
    (
        "logback/core/net/SocketConnector",
        "ch.qos.logback",
        "logback-core",
    ),
    (
        "logback/classic/LoggerContext",
        "ch.qos.logback",
        "logback-classic",
    ),
    ("h2/engine/Database", "com.h2database", "h2"),
    ("h2/server/web/WebServer", "com.h2database", "h2"),
    ("snakeyaml/Yaml", "org.yaml", "snakeyaml"),
    (
        "snakeyaml/constructor/SafeConstructor",
        "org.yaml",
        "snakeyaml",
    ),
    ("gson/Gson", "com.google.code.gson", "gson"),
    (
        "jackson/databind/ObjectMapper",
        "com.fasterxml.jackson.core",
        "jackson-databind",
    ),
    (
        "jackson/core/JsonFactory",
        "com.fasterxml.jackson.core",
        "jackson-core",
    ),
    (
        "jackson/dataformat/yaml/YAMLFactory",
        "com.fasterxml.jackson.dataformat",
        "jackson-dataformat-yaml",
    ),
    ("alibaba/fastjson/JSON", "com.alibaba", "fastjson"),
    (
        "thoughtworks/xstream/XStream",
        "com.thoughtworks.xstream",
        "xstream",
    ),
    ("org/json/JSONObject", "org.json", "json"),
    ("minidev/json/JSONValue", "net.minidev", "json-smart"),
    (
        "springframework/core/SpringVersion",
        "org.springframework",
        "spring-core",
    ),
    (
        "springframework/beans/CachedIntrospectionResults",
        "org.springframework",
        "spring-beans",
    ),
    (
        "springframework/expression/spel/SpelParserConfiguration",
        "org.springframework",
        "spring-expression",
    ),
    (
        "springframework/web/util/UriComponentsBuilder",
        "org.springframework",
        "spring-web",
    ),
    (
        "springframework/web/servlet/DispatcherServlet",
        "org.springframework",
        "spring-webmvc",
    ),
    ("netty/handler/ssl/SslHandler", "io.netty", "netty-handler"),
    (
        "netty/handler/codec/http/HttpObjectDecoder",
        "io.netty",
        "netty-codec-http",
    ),
    (
        "netty/handler/codec/http2/Http2ConnectionHandler",
        "io.netty",
        "netty-codec-http2",
    ),
    (
        "netty/handler/codec/compression/SnappyFrameDecoder",
        "io.netty",
        "netty-codec",
    ),
    (
        "netty/util/internal/PlatformDependent",
        "io.netty",
        "netty-common",
    ),
    ("okhttp3/OkHttpClient", "com.squareup.okhttp3", "okhttp"),
    ("okio/GzipSource", "com.squareup.okio", "okio"),
    (
        "protobuf/CodedInputStream",
        "com.google.protobuf",
        "protobuf-java",
    ),
    (
        "common/io/FileBackedOutputStream",
        "com.google.guava",
        "guava",
    ),
    (
        "commons/text/StringSubstitutor",
        "org.apache.commons",
        "commons-text",
    ),
    (
        "commons/lang3/ClassUtils",
        "org.apache.commons",
        "commons-lang3",
    ),
    ("commons/io/FilenameUtils", "commons-io", "commons-io"),
    (
        "commons/compress/archivers/ArchiveStreamFactory",
        "org.apache.commons",
        "commons-compress",
    ),
    (
        "commons/collections/functors/InvokerTransformer",
        "commons-collections",
        "commons-collections",
    ),
    (
        "commons/collections4/functors/InvokerTransformer",
        "org.apache.commons",
        "commons-collections4",
    ),
    (
        "commons/beanutils/PropertyUtilsBean",
        "commons-beanutils",
        "commons-beanutils",
    ),
    (
        "commons/configuration2/interpol/ConfigurationInterpolator",
        "org.apache.commons",
        "commons-configuration2",
    ),
    (
        "commons/fileupload/FileUploadBase",
        "commons-fileupload",
        "commons-fileupload",
    ),
    (
        "apache/http/client/utils/URIUtils",
        "org.apache.httpcomponents",
        "httpclient",
    ),
    ("org/postgresql/Driver", "org.postgresql", "postgresql"),
    ("com/mysql/cj/jdbc/Driver", "com.mysql", "mysql-connector-j"),
    (
        "com/mysql/jdbc/NonRegisteringDriver",
        "mysql",
        "mysql-connector-java",
    ),
    ("org/sqlite/SQLiteJDBCLoader", "org.xerial", "sqlite-jdbc"),
    ("xerial/snappy/Snappy", "org.xerial.snappy", "snappy-java"),
    ("jetty/http/HttpParser", "org.eclipse.jetty", "jetty-http"),
    ("jetty/server/Server", "org.eclipse.jetty", "jetty-server"),
    ("undertow/Undertow", "io.undertow", "undertow-core"),
    (
        "java_websocket/client/WebSocketClient",
        "org.java-websocket",
        "Java-WebSocket",
    ),
    ("jsoup/Jsoup", "org.jsoup", "jsoup"),
    ("dom4j/io/SAXReader", "org.dom4j", "dom4j"),
    ("jdom2/input/SAXBuilder", "org.jdom", "jdom2"),
    (
        "bouncycastle/jce/provider/BouncyCastleProvider",
        "org.bouncycastle",
        "bcprov-jdk18on",
    ),
    (
        "kotlin/KotlinVersion",
        "org.jetbrains.kotlin",
        "kotlin-stdlib",
    ),
    (
        "apache/velocity/app/VelocityEngine",
        "org.apache.velocity",
        "velocity-engine-core",
    ),
];

/// A library: group and artifact.
pub(super) type Library = (&'static str, &'static str);

/// By the name of the class alone, since that is quick to look for among very many.
static BY_CLASS: LazyLock<HashMap<&str, Vec<(&str, Library)>>> = LazyLock::new(|| {
    let mut by_class: HashMap<&str, Vec<(&str, Library)>> = HashMap::new();
    for (path, group, id) in CLASSES {
        let class = path.rsplit('/').next().unwrap_or(path);
        by_class.entry(class).or_default().push((path, (group, id)));
    }
    by_class
});

/// What the names of classes end with: those that a machine loads, and those that agents keep from others' loaders
/// (OpenTelemetry's and Datadog's `.classdata`, Elastic's `.esclazz`).
const ENDINGS: [&str; 4] = [".class", ".classdata", ".esclazz", ".clazz"];

/// The path of a class without the ending of its name; nothing where an entry is no class.
pub(super) fn class_path(entry: &str) -> Option<&str> {
    ENDINGS.iter().find_map(|ending| entry.strip_suffix(ending))
}

/// The library that a class is of, by its path in an archive.
pub(super) fn of_class(entry: &str) -> Option<Library> {
    let path = class_path(entry)?;
    let class = path.rsplit('/').next().unwrap_or(path);
    let mut known = BY_CLASS.get(class)?.iter();
    let (_, library) = known.find(|(ending, _)| {
        let before = path.strip_suffix(ending);
        before.is_some_and(|before| before.is_empty() || before.ends_with('/'))
    })?;
    Some(*library)
}

/// The group of an artifact that is called so and like no other that is listed.
pub(super) fn group_of(id: &str) -> Option<&'static str> {
    let groups: BTreeSet<&str> = CLASSES
        .iter()
        .filter(|(_, _, known)| *known == id)
        .map(|(_, group, _)| *group)
        .collect();
    match groups.len() {
        1 => groups.first().copied(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_says_which_library_it_is_of_wherever_a_build_has_moved_it() {
        let log4j = Some(("org.apache.logging.log4j", "log4j-core"));
        for entry in [
            "org/apache/logging/log4j/core/lookup/JndiLookup.class",
            "my/plugin/libs/log4j/core/lookup/JndiLookup.class",
            "META-INF/versions/9/log4j/core/lookup/JndiLookup.class",
            "inst/org/apache/logging/log4j/core/lookup/JndiLookup.classdata",
            "agent/log4j/core/lookup/JndiLookup.esclazz",
        ] {
            assert_eq!(of_class(entry), log4j, "{entry}");
        }
        for entry in [
            "mylog4j/core/lookup/JndiLookup.class",
            "log4j/core/lookup/JndiLookup.java",
            "log4j/core/lookup/JndiLookup/x.class",
            "JndiLookup.class",
        ] {
            assert_eq!(of_class(entry), None, "{entry}");
        }
    }

    #[test]
    fn an_artifact_that_is_listed_has_one_group() {
        assert_eq!(group_of("spring-core"), Some("org.springframework"));
        assert_eq!(group_of("no-such-thing"), None);
        for (_, group, id) in CLASSES {
            assert_eq!(group_of(id), Some(group));
        }
    }
}
