//! A certificate authority for one run, with certificates for HTTPS on this machine that clients can verify.

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

/// Validity: longer than any run, and short, because nobody should trust a laptop's keys for long.
const LIFE: Duration = Duration::days(7);

/// Tolerance for clocks of containers, which may be slightly late.
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
    /// Makes a certificate authority.
    pub fn new() -> Self {
        let mut params = named("edw harness, one run", &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer = CertifiedIssuer::self_signed(params, key());
        Self {
            issuer: issuer.expect("a certificate with constant contents must be possible"),
        }
    }

    /// Its own certificate as PEM, which clients must trust.
    pub fn certificate(&self) -> String {
        self.issuer.pem()
    }

    /// Makes a certificate for servers at `127.0.0.1` and `localhost`, and at the gateway of Docker's default bridge, through
    /// which a process in a container reaches published ports.
    pub fn certify(&self) -> Certified {
        self.certify_hosts(&["127.0.0.1", "localhost", "172.17.0.1"])
    }

    /// Makes a certificate for a server with these names and addresses, which are ASCII.
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

/// The parameters for a subject with this name, at these host names and addresses.
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

/// The files with which Azurite serves HTTPS, and the root that its clients must trust. Clones share the files; the last one
/// removes them.
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
        // Only the owner has access to its directory.
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

    /// The directory of the files.
    pub(crate) fn directory(&self) -> &Path {
        self.files.path()
    }

    /// The root that clients must trust.
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
