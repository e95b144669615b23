//! A stand-in for Microsoft Entra: gives tokens for storage in exchange for service account tokens, or Entra's own refusals.
//!
//! - [`Authority`]: an HTTPS server with Entra's token endpoint, `OpenID` discovery and keys. On a laptop it is also the
//!   cluster's token issuer; for a cluster it gets the keys of the cluster's own issuer, and exchanges the tokens that its
//!   kubelets project.
//! - [`Projection`] makes service account tokens, where no cluster does.
//! - [`Program`] is the authority as a pod, in the image of the wire; [`Remote`] is how the harness controls it.
//!
//! Left out: checks of Entra other than federated credentials (conditional access, for example), and role assignments: Azurite
//! knows no roles, so a scenario simulates a missing role with a rule of the proxy.

mod document;
mod exchange;
mod keys;
mod program;
mod projection;
mod remote;
mod server;

use jsonwebtoken::jwk::JwkSet;
use serde::{Deserialize, Serialize};

pub use document::Refusal;
pub use exchange::{Claims, Directory, FederatedCredential, TOLERANCE_S, unverified};
pub use keys::Signer;
pub use program::Program;
pub use projection::Projection;
pub use remote::Remote;
pub use server::{Authority, Exchange, Seen};

/// The audience that Entra requires of an assertion ("Workload identity federation").
pub const AUDIENCE: &str = "api://AzureADTokenExchange";

/// Settings of an authority that runs as a pod, as its Secret holds them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Its address for pods: the value of `AZURE_AUTHORITY_HOST`.
    pub host: String,
    /// The directory with the one identity that it knows.
    pub directory: Directory,
    /// The keys that the cluster's issuer publishes (`/openid/v1/jwks`).
    pub keys: JwkSet,
    /// How many seconds its clock is ahead.
    pub skew_s: i64,
    /// Whether it cannot be reached at first.
    pub is_away: bool,
}
