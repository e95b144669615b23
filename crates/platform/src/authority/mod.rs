//! Identity services of the harness: a stand-in for Microsoft Entra, for a cluster's token issuer and for the kubelet.
//!
//! - [`Authority`]: an HTTPS server with Entra's token endpoint, `OpenID` discovery and keys, and beside it those of the issuer
//!   of service account tokens. It gives the storage tokens that Azurite takes, or Entra's own error documents.
//! - [`Kubelet`]: projects service account tokens into files, and replaces them before they end.
//!
//! Left out: checks of Entra other than federated credentials (conditional access, for example), and role assignments: Azurite
//! knows no roles, so a scenario simulates a missing role with a rule of the proxy.

mod document;
mod exchange;
mod keys;
mod kubelet;
mod server;

use anyhow::Context as _;

use wire::Tls;

pub use document::Refusal;
pub use exchange::{Directory, FederatedCredential, TOLERANCE_S};
pub use keys::Signer;
pub use kubelet::{Kubelet, Projection};
pub use server::{Authority, Exchange};

/// The root certificate that a client in this process must trust to reach the authority over `tls`.
pub fn roots(tls: &Tls) -> anyhow::Result<[reqwest::Certificate; 1]> {
    let root = tls.root().context("find the certificate of the run")?;
    let root = reqwest::Certificate::from_pem(root.as_bytes());
    Ok([root.context("read the certificate of the run")?])
}

/// The audience that Entra requires of an assertion ("Workload identity federation").
pub const AUDIENCE: &str = "api://AzureADTokenExchange";
