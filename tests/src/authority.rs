//! A certificate authority of its own for every server, as a company behind a proxy has one.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Result;
use rcgen::{CertificateParams, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A web server's identity for this name, and the file of the authority that vouches for it.
pub fn identity(folder: &Path, name: &str) -> Result<(Arc<rustls::ServerConfig>, PathBuf)> {
    identity_of(folder, CertificateParams::new(vec![name.to_owned()])?)
}

/// The same, good in these years alone.
pub fn identity_in(
    folder: &Path,
    name: &str,
    years: std::ops::Range<i32>,
) -> Result<(Arc<rustls::ServerConfig>, PathBuf)> {
    let mut certificate = CertificateParams::new(vec![name.to_owned()])?;
    certificate.not_before = rcgen::date_time_ymd(years.start, 1, 1);
    certificate.not_after = rcgen::date_time_ymd(years.end, 1, 1);
    identity_of(folder, certificate)
}

fn identity_of(
    folder: &Path,
    certificate: CertificateParams,
) -> Result<(Arc<rustls::ServerConfig>, PathBuf)> {
    let authority_key = KeyPair::generate()?;
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_certificate = authority.self_signed(&authority_key)?;
    let file = folder.join("authority.pem");
    fs::write(&file, authority_certificate.pem())?;
    let key = KeyPair::generate()?;
    let issuer = Issuer::new(authority, authority_key);
    let certificate = certificate.signed_by(&key, &issuer)?;
    let chain = vec![CertificateDer::from(certificate.der().to_vec())];
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    Ok((Arc::new(config), file))
}
