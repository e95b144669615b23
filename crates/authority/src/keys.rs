//! RSA keys that sign tokens, and the document that publishes them.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use anyhow::Context as _;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::{KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use serde::Serialize;

/// Signs tokens with RS256, as Entra and Kubernetes do.
#[derive(Clone)]
pub struct Signer {
    id: String,
    key: EncodingKey,
    public: Jwk,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signer({})", self.id)
    }
}

impl Signer {
    /// Makes a new key, published under `id`.
    pub fn new(id: &str) -> anyhow::Result<Self> {
        let pair = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)
            .context("make an RSA key")?;
        let key = EncodingKey::from_rsa_pem(pair.serialize_pem().as_bytes())
            .context("read the RSA key that was made")?;
        let mut public = Jwk::from_encoding_key(&key, Algorithm::RS256)?;
        public.common.key_id = Some(id.to_owned());
        Ok(Self {
            id: id.to_owned(),
            key,
            public,
        })
    }

    /// The key that this process has for `id`: made once, and then the same for all runs, since to search its primes takes a tenth of
    /// a second. Their tokens are told apart by issuer and audience, which hold the ports of the run's own servers.
    pub fn of_process(id: &'static str) -> anyhow::Result<Self> {
        static MADE: Mutex<BTreeMap<&str, Signer>> = Mutex::new(BTreeMap::new());
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(signer) = made.get(id) {
            return Ok(signer.clone());
        }
        let signer = Self::new(id)?;
        made.insert(id, signer.clone());
        Ok(signer)
    }

    /// Signs a token with these claims.
    pub fn sign(&self, claims: &impl Serialize) -> anyhow::Result<String> {
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(self.id.clone());
        encode(&header, claims, &self.key).context("sign a token")
    }

    /// The key set with which other parties verify the tokens.
    pub fn published(&self) -> JwkSet {
        JwkSet {
            keys: vec![self.public.clone()],
        }
    }
}
