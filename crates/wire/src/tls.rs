//! HTTPS on both sides of the proxy, with verification of certificates everywhere.
//!
//! The proxy uses a certificate that was made for the run. Storage is verified by the root of the same run if the harness has
//! made its certificate too ([`Tls::new`]), and by the roots of the machine if storage is Azure's ([`Tls::outwards`]).

use std::sync::Arc;

use anyhow::{Context as _, bail};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

/// Certificates for HTTPS: as a server that this run's processes trust, and as a client of storage. Clones share them.
#[derive(Clone)]
pub struct Tls {
    root: Option<Arc<String>>,
    acceptor: TlsAcceptor,
    connector: TlsConnector,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}

impl Tls {
    /// Serves with `certificate` and its `key`, and trusts only certificates that `root` has signed; all in PEM.
    pub fn new(root: String, certificate: &str, key: &str) -> anyhow::Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(root.as_bytes())?)?;
        let tls = Self::trusting(roots, certificate, key)?;
        Ok(Self {
            root: Some(Arc::new(root)),
            ..tls
        })
    }

    /// Serves with `certificate` and its `key`, in PEM, and trusts the roots of this machine or container. As everywhere in
    /// this project, `SSL_CERT_FILE` and `SSL_CERT_DIR` replace them.
    pub fn outwards(certificate: &str, key: &str) -> anyhow::Result<Self> {
        let found = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        let (added, _) = roots.add_parsable_certificates(found.certs);
        if added == 0 {
            let why = found.errors.iter().map(ToString::to_string);
            let why: Vec<_> = why.collect();
            bail!(
                "find the certificates to trust: there is none; SSL_CERT_FILE names a file of them {}",
                why.join(", ")
            );
        }
        Self::trusting(roots, certificate, key)
    }

    fn trusting(roots: RootCertStore, certificate: &str, key: &str) -> anyhow::Result<Self> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let client = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let certificate = CertificateDer::from_pem_slice(certificate.as_bytes())
            .context("read the certificate of the run")?;
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
            .context("read the key of the run's certificate")?;
        let mut server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .context("use the certificate of the run")?;
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            root: None,
            acceptor: Arc::new(server).into(),
            connector: Arc::new(client).into(),
        })
    }

    /// The root certificate that processes must trust, as PEM, if it is known here.
    pub fn root(&self) -> Option<&str> {
        self.root.as_deref().map(String::as_str)
    }

    /// The server's side alone, for another server with the same certificate.
    pub fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.clone()
    }

    /// Accepts a TLS connection of a client.
    pub async fn accept<S>(&self, stream: S) -> std::io::Result<server::TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        self.acceptor.accept(stream).await
    }

    /// Connects to the server at `address`, `host:port`.
    pub(super) async fn connect<S>(
        &self,
        address: &str,
        stream: S,
    ) -> anyhow::Result<client::TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
        let name = ServerName::try_from(host.to_owned())
            .with_context(|| format!("{host} is no name of a server"))?;
        let connected = self.connector.connect(name, stream).await;
        connected.with_context(|| format!("agree on TLS with {address}"))
    }
}
