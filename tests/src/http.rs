//! A web client for tests: real HTTP, to this machine only.

use std::sync::Once;

/// A client that keeps cookies nowhere and follows no redirect.
pub fn client() -> reqwest::Client {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // Another test of this process may have installed it: then it is there.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .expect("a client without special wishes can be made")
}
