//! HTTPS on both sides of the proxy, under the certificate authority of the run: nobody's verification is switched off.

use std::sync::Arc;

use anyhow::Context as _;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

/// How to speak HTTPS as a server that this run's processes trust, and as a client that trusts nothing else. Clones share it.
#[derive(Clone)]
pub struct Tls {
    root: Arc<String>,
    acceptor: TlsAcceptor,
    connector: TlsConnector,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}

impl Tls {
    /// Serves with `certificate` and its `key`, and trusts what `root` has certified; all in PEM.
    pub fn new(root: String, certificate: &str, key: &str) -> anyhow::Result<Self> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(root.as_bytes())?)?;
        let client = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let certificate = CertificateDer::from_pem_slice(certificate.as_bytes())?;
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes())?;
        let mut server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .context("use the certificate of the run")?;
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            root: Arc::new(root),
            acceptor: Arc::new(server).into(),
            connector: Arc::new(client).into(),
        })
    }

    /// The certificate that processes are to trust, PEM.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// Serves a client that has connected.
    pub async fn accept<S>(&self, stream: S) -> std::io::Result<server::TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        self.acceptor.accept(stream).await
    }

    /// Speaks to the server at `address`, `host:port`.
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
