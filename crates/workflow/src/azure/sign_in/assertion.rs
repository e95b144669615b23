//! Claims of a projected service account token. They are neither trusted nor verified, only quoted in advice.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;

/// The claims that federated credentials must match; empty without a token.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(in crate::azure) struct Assertion {
    /// The issuer.
    pub(in crate::azure) iss: String,
    /// The subject.
    pub(in crate::azure) sub: String,
    /// The audience.
    #[serde(deserialize_with = "audience")]
    pub(in crate::azure) aud: String,
    /// The expiry time, in seconds since 1970.
    pub(in crate::azure) exp: i64,
}

impl Assertion {
    /// Reads the claims of a JWT; `None` for anything else.
    pub(in crate::azure) fn read(token: &str) -> Option<Self> {
        let mut parts = token.trim().split('.');
        let (_header, claims, _signature) = (parts.next()?, parts.next()?, parts.next()?);
        let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?;
        // Claims must be an object: a list would be read as a struct's fields in their order.
        let claims: serde_json::Map<_, _> = serde_json::from_slice(&claims).ok()?;
        serde_json::from_value(claims.into()).ok()
    }
}

/// Reads the audience: a service account token has a list of audiences with one element.
fn audience<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Audience {
        One(String),
        Several(Vec<String>),
    }
    Ok(match Audience::deserialize(deserializer)? {
        Audience::One(one) => one,
        Audience::Several(several) => several.join(", "),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_read_and_anything_else_is_none() {
        let claims =
            r#"{"iss":"https://i/","sub":"system:serviceaccount:a:b","aud":["api://x"],"exp":7}"#;
        let claims = BASE64_URL_SAFE_NO_PAD.encode(claims);
        let read = Assertion::read(&format!("e30.{claims}.c2ln\n")).unwrap();
        assert_eq!((read.iss.as_str(), read.exp), ("https://i/", 7));
        assert_eq!(read.sub, "system:serviceaccount:a:b");
        assert_eq!(read.aud, "api://x");
        for text in ["", "a.b", "a.!.c", "e30.e30", "e30.W10.c"] {
            assert_eq!(Assertion::read(text), None, "{text:?}");
        }
    }
}
