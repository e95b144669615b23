//! A certificate authority for one run, and what it certifies: HTTPS on this machine that everybody can verify.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
};
use tempfile::TempDir;
use time::{Duration, OffsetDateTime};

use crate::Error;

/// Longer than any run, and far shorter than what anybody should trust a laptop's keys for.
const LIFE: Duration = Duration::days(7);

/// Clocks of containers may be a little late.
const LEEWAY: Duration = Duration::hours(1);

/// A certificate authority whose key never leaves this process.
pub struct CertificateAuthority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate for this machine, and its key.
#[derive(Clone)]
pub struct Certified {
    /// The certificate, PEM.
    pub certificate: String,
    /// Its key, PEM (PKCS #8).
    pub key: String,
}

impl std::fmt::Debug for Certified {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Certified([redacted])")
    }
}

impl std::fmt::Debug for CertificateAuthority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CertificateAuthority")
    }
}

impl CertificateAuthority {
    /// Makes one.
    pub fn new() -> Self {
        let mut params = named("edw harness, one run", &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer = CertifiedIssuer::self_signed(params, key());
        Self {
            issuer: issuer.expect("a certificate with constant contents must be possible"),
        }
    }

    /// Its own certificate, PEM: what to trust.
    pub fn certificate(&self) -> String {
        self.issuer.pem()
    }

    /// A certificate for servers at `127.0.0.1` and `localhost`, and at the gateway of Docker's default bridge, where a process
    /// that is itself in a container finds what the engine publishes.
    pub fn certify(&self) -> Certified {
        self.certify_hosts(&["127.0.0.1", "localhost", "172.17.0.1"])
    }

    /// A certificate for a server at these names and addresses, which are ASCII.
    pub fn certify_hosts(&self, hosts: &[&str]) -> Certified {
        let mut params = named("localhost", hosts);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let key = key();
        let certificate = params
            .signed_by(&key, &self.issuer)
            .expect("a certificate with constant contents must be possible");
        Certified {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        }
    }
}

impl Default for CertificateAuthority {
    fn default() -> Self {
        Self::new()
    }
}

fn key() -> KeyPair {
    KeyPair::generate().expect("the system must have random numbers")
}

/// For a subject of this name, at these host names and addresses.
fn named(name: &str, hosts: &[&str]) -> CertificateParams {
    let now = OffsetDateTime::now_utc();
    let mut distinguished_name = DistinguishedName::new();
    distinguished_name.push(DnType::CommonName, name);
    let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
    let mut params = CertificateParams::new(hosts).expect("constant names must be ASCII");
    params.distinguished_name = distinguished_name;
    (params.not_before, params.not_after) = (now - LEEWAY, now + LIFE);
    params
}

/// What Azurite is given to speak HTTPS, in files, and what its clients trust. Clones share the files; the last one takes
/// them away.
#[derive(Debug, Clone)]
pub(crate) struct Https {
    files: Arc<TempDir>,
    root: String,
}

/// The files of the certificate and its key.
pub(crate) const FILES: [&str; 2] = ["certificate.pem", "key.pem"];

impl Https {
    pub(crate) fn new(authority: &CertificateAuthority, within: &Path) -> Result<Self, Error> {
        let io_error = |path: PathBuf| {
            move |source| Error::Io {
                action: "write the certificate in",
                path,
                source,
            }
        };
        // Its directory is its owner's alone.
        let files =
            TempDir::with_prefix_in("https-", within).map_err(io_error(within.to_owned()))?;
        let Certified { certificate, key } = authority.certify();
        for (name, text) in FILES.into_iter().zip([certificate, key]) {
            let path = files.path().join(name);
            fs::write(&path, text).map_err(io_error(path))?;
        }
        Ok(Self {
            files: Arc::new(files),
            root: authority.certificate(),
        })
    }

    /// Where the files are.
    pub(crate) fn directory(&self) -> &Path {
        self.files.path()
    }

    /// What to trust.
    pub(crate) fn root(&self) -> reqwest::Certificate {
        reqwest::Certificate::from_pem(self.root.as_bytes()).expect("it must be a certificate")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_shows_in_no_debug_text() {
        let authority = CertificateAuthority::new();
        let certified = authority.certify();
        assert!(certified.key.contains("PRIVATE KEY"));
        let text = format!("{certified:?} {authority:?}");
        assert!(!text.contains("PRIVATE KEY"), "{text}");
        assert!(!text.contains(certified.key.lines().nth(1).unwrap()));
        reqwest::Certificate::from_pem(authority.certificate().as_bytes()).unwrap();
    }
}
