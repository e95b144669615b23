//! Decides, as Entra does, whether an assertion of a federated identity gets a token. No I/O: the caller reads the issuer's
//! keys.

use jsonwebtoken::dangerous::insecure_decode_claims;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Refusal, Signer};

/// Clock difference that Entra tolerates ("Microsoft identity platform access tokens": five minutes).
pub const TOLERANCE_S: i64 = 300;

/// The scope with which clients ask for a storage token.
const SCOPE: &str = "https://storage.azure.com/.default";

/// A federated credential, as `az identity federated-credential create` makes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FederatedCredential {
    /// The cluster's issuer, to the last slash.
    pub issuer: String,
    /// `system:serviceaccount:<namespace>:<name>`.
    pub subject: String,
    /// The audience that an assertion must name.
    pub audience: String,
}

/// A directory with one identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directory {
    /// Its id.
    pub tenant: String,
    /// The client id of the identity.
    pub client: String,
    /// The federated credential that the identity trusts.
    pub federated: FederatedCredential,
    /// Lifetime of the tokens of this directory, in seconds.
    pub token_life_s: i64,
    /// Tolerated clock difference, in seconds: [`TOLERANCE_S`], or less if tokens live for less than that.
    pub tolerance_s: i64,
}

/// The form that a client posts.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Form {
    client_id: String,
    pub(super) client_assertion: String,
    client_assertion_type: String,
    grant_type: String,
    scope: String,
}

/// The claims of a service account token that the exchange reads.
#[derive(Debug, Clone, Deserialize)]
pub struct Claims {
    iss: String,
    sub: String,
    aud: Vec<String>,
    iat: i64,
    exp: i64,
    #[serde(rename = "kubernetes.io", default)]
    kubernetes: Value,
}

impl Claims {
    /// The name of the pod that the token is bound to; empty if the token names no pod.
    pub fn pod(&self) -> &str {
        self.kubernetes["pod"]["name"].as_str().unwrap_or_default()
    }
}

/// Reads the claims of an assertion without verifying its signature.
pub fn unverified(assertion: &str) -> Option<Claims> {
    insecure_decode_claims(assertion).ok()
}

impl Directory {
    /// Checks everything that needs no key of the issuer; returns the claims, which are not verified yet.
    pub(super) fn matches(&self, tenant: &str, form: &Form) -> Result<Claims, Refusal> {
        if tenant != self.tenant {
            return Err(Refusal::NoTenant(tenant.to_owned()));
        }
        for (name, value, expected) in [
            ("grant_type", &*form.grant_type, "client_credentials"),
            (
                "client_assertion_type",
                &form.client_assertion_type,
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ),
            ("scope", &form.scope, SCOPE),
        ] {
            if value != expected {
                return Err(Refusal::BadRequest(name));
            }
        }
        if form.client_id != self.client {
            return Err(Refusal::NoApplication {
                client: form.client_id.clone(),
                tenant: tenant.to_owned(),
            });
        }
        let claims = unverified(&form.client_assertion).ok_or(Refusal::Malformed)?;
        let FederatedCredential {
            issuer,
            subject,
            audience,
        } = &self.federated;
        if claims.iss != *issuer {
            return Err(Refusal::Issuer(claims.iss));
        }
        if claims.sub != *subject {
            return Err(Refusal::Subject(claims.sub));
        }
        if !claims.aud.contains(audience) {
            return Err(Refusal::Audience(claims.aud.join(",")));
        }
        Ok(claims)
    }

    /// Checks that one of the issuer's `keys` signed the assertion with these `claims`, and that it is valid at `now` (seconds
    /// since 1970).
    pub(super) fn verify(
        &self,
        assertion: &str,
        claims: &Claims,
        keys: &JwkSet,
        now: i64,
    ) -> Result<(), Refusal> {
        let header = decode_header(assertion).map_err(|_| Refusal::Malformed)?;
        let id = header.kid.unwrap_or_default();
        let key = keys.find(&id).ok_or_else(|| Refusal::UnknownKey {
            key: id.clone(),
            issuer: claims.iss.clone(),
        })?;
        let key = DecodingKey::from_jwk(key).map_err(|_| Refusal::Signature)?;
        // The times are checked below, by the authority's clock.
        let mut strict = Validation::new(Algorithm::RS256);
        (strict.validate_exp, strict.validate_aud) = (false, false);
        strict.required_spec_claims.clear();
        decode::<Claims>(assertion, &key, &strict).map_err(|_| Refusal::Signature)?;
        let Claims { iat, exp, .. } = *claims;
        if now < iat - self.tolerance_s || now > exp + self.tolerance_s {
            return Err(Refusal::Times {
                now,
                from: iat,
                to: exp,
            });
        }
        Ok(())
    }

    /// Issues a token for storage at `now`. Entra dates its tokens five minutes back, because clocks of clients may be late.
    pub(super) fn grant(&self, signer: &Signer, now: i64) -> anyhow::Result<(String, Value)> {
        let (tenant, life) = (&self.tenant, self.token_life_s);
        let token = signer.sign(&json!({
            "aud": "https://storage.azure.com",
            "iss": format!("https://sts.windows.net/{tenant}/"),
            "iat": now - TOLERANCE_S,
            "nbf": now - TOLERANCE_S,
            "exp": now + life,
            "appid": self.client,
            "oid": self.client,
            "sub": self.client,
            "tid": tenant,
            "idtyp": "app",
            "ver": "1.0",
        }))?;
        let document = json!({
            "token_type": "Bearer",
            // Entra reports one second less: 3599 s for an hour.
            "expires_in": life - 1,
            "ext_expires_in": life - 1,
            "access_token": token,
        });
        Ok((token, document))
    }
}
