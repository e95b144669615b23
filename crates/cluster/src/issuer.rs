//! The cluster's issuer of service account tokens, as the API server publishes it ("Service account issuer discovery").

use kube::Client;
use serde::Deserialize;
use serde_json::Value;

use crate::error::Error;

/// The issuer of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    /// Its address, to the last slash if it has one: the claim `iss` of every token.
    pub issuer: String,
    /// The keys that verify its tokens, as JSON Web Key Set.
    pub keys: Value,
}

/// Reads the issuer from the API server. The address in the document itself may be reachable for other parties only, such as Entra.
pub async fn issuer(client: &Client) -> Result<Issuer, Error> {
    #[derive(Deserialize)]
    struct Discovery {
        issuer: String,
    }
    let found: Discovery = read(client, "/.well-known/openid-configuration").await?;
    Ok(Issuer {
        issuer: found.issuer,
        keys: read(client, "/openid/v1/jwks").await?,
    })
}

async fn read<T: serde::de::DeserializeOwned>(client: &Client, path: &str) -> Result<T, Error> {
    let doing = || format!("read {path}, which tells who has signed the pods' tokens");
    let refused = |error: kube::Error| Error::of(doing(), &error);
    let request = http::Request::get(path).body(Vec::new());
    let request = request.map_err(|error| refused(kube::Error::HttpError(error)))?;
    // Both documents have media types of their own, which a request for objects would not take.
    let told = client.request_text(request).await.map_err(refused)?;
    serde_json::from_str(&told).map_err(|error| refused(kube::Error::SerdeError(error)))
}
