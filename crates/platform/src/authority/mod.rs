//! Who vouches for the workload on a laptop: what stands for Microsoft Entra, for a cluster's token issuer and for the kubelet.
//!
//! - [`Authority`]: an HTTPS server with Entra's token endpoint, `OpenID` discovery and keys, and beside it those of the issuer
//!   of service account tokens. It gives the storage tokens that Azurite takes, or Entra's own error documents.
//! - [`Kubelet`]: projects service account tokens into files, and replaces them before they end.
//!
//! What it cannot show: what Entra checks beyond federated credentials (conditional access, for example), and whether the
//! roles of an identity suffice: Azurite knows none, so a missing one is a rule of the proxy.

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

/// What a client in this process is to trust, to be served over `tls`.
pub fn roots(tls: &Tls) -> anyhow::Result<[reqwest::Certificate; 1]> {
    let root = tls.root().context("find the certificate of the run")?;
    let root = reqwest::Certificate::from_pem(root.as_bytes());
    Ok([root.context("read the certificate of the run")?])
}

/// The audience that Entra wants of a token that is exchanged ("Workload identity federation").
pub const AUDIENCE: &str = "api://AzureADTokenExchange";
