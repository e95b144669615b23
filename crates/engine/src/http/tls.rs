//! TLS for the listeners: a certificate and its key as PEM.

use std::sync::Arc;

use rustls::{
    InconsistentKeys, ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    sign::{CertifiedKey, SingleCertAndKey},
};
use tokio_rustls::TlsAcceptor;

use crate::Error;

/// Makes the TLS acceptor with that certificate.
pub(crate) fn acceptor(certificate: &[u8], key: &[u8]) -> Result<TlsAcceptor, Error> {
    let wrong = |what: &str, error: &dyn std::fmt::Display| Error::Tls(format!("{what}: {error}"));
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(certificate)
        .collect::<Result<_, _>>()
        .map_err(|error| wrong("read the certificate", &error))?;
    if chain.is_empty() {
        return Err(Error::Tls(
            "the certificate's file holds no certificate".into(),
        ));
    }
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| wrong("read the key", &error))?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let key = provider
        .key_provider
        .load_private_key(key)
        .map_err(|error| wrong("use the key", &error))?;
    let certified = CertifiedKey::new(chain, key);
    // A version 1 certificate, which old tools make, cannot be compared with its key here; clients that trust it accept it.
    if let Err(error @ rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) =
        certified.keys_match()
    {
        return Err(wrong("use certificate and key", &error));
    }
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong("choose versions of TLS", &error))?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    Ok(TlsAcceptor::from(Arc::new(config)))
}
