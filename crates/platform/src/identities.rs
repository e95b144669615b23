//! How a run's workload signs in without a key, with what goes wrong with it, and the identity services that it signs in at.

use std::time::Duration;

use async_trait::async_trait;
use authority::{AUDIENCE, Directory, FederatedCredential, Seen, TOLERANCE_S};

/// Ids of no real tenant and no real identity.
const TENANT: &str = "00000000-0000-4000-8000-0000000000aa";
const CLIENT: &str = "00000000-0000-4000-8000-0000000000bb";
const STRANGER: &str = "00000000-0000-4000-8000-0000000000ff";

/// The audience of a token from `kubectl create token` without `--audience`: the API server.
const API_SERVER: &str = "https://kubernetes.default.svc.cluster.local";

/// Settings of the workload's sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetUp {
    /// Lifetime of the authority's tokens; whole seconds.
    pub token_life: Duration,
    /// Lifetime of the pods' tokens; whole seconds.
    pub assertion_life: Duration,
    /// The one mistake in the set-up, if there is one.
    pub mistake: Option<Mistake>,
    /// How many seconds the authority's clock is ahead.
    pub skew_s: i64,
}

impl Default for SetUp {
    /// No mistake, and tokens of one hour, as Entra and Kubernetes issue them.
    fn default() -> Self {
        let hour = Duration::from_secs(3600);
        Self {
            token_life: hour,
            assertion_life: hour,
            mistake: None,
            skew_s: 0,
        }
    }
}

/// A mistake in a set-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mistake {
    /// The pods run in a namespace other than the federated credential's.
    Namespace,
    /// The pods' tokens have the API server as their audience.
    Audience,
    /// The federated credential names the issuer without its last slash.
    Issuer,
    /// The pods' tokens are signed by a key that the issuer does not publish.
    Signature,
    /// The pods' tokens have expired, and are not renewed.
    Stale,
    /// No directory has this tenant id.
    Tenant,
    /// No identity has this client id.
    Client,
    /// The authority cannot be reached.
    Away,
}

impl SetUp {
    /// The directory of the authority, whose one identity trusts the service account `subject` of the cluster of `issuer`.
    pub(crate) fn directory(&self, issuer: String, subject: String) -> Directory {
        Directory {
            tenant: TENANT.to_owned(),
            client: CLIENT.to_owned(),
            federated: FederatedCredential {
                issuer: match self.mistake {
                    Some(Mistake::Issuer) => issuer.trim_end_matches('/').to_owned(),
                    _ => issuer,
                },
                subject,
                audience: AUDIENCE.to_owned(),
            },
            token_life_s: seconds(self.token_life),
            // With a lifetime shorter than the tolerated clock difference, a pod's token would not count as expired in time.
            tolerance_s: if seconds(self.assertion_life) > TOLERANCE_S {
                TOLERANCE_S
            } else {
                0
            },
        }
    }

    /// The tenant id that the workload is told.
    pub(crate) fn tenant(&self) -> &'static str {
        self.or(TENANT, Mistake::Tenant, STRANGER)
    }

    /// The client id that the workload is told.
    pub(crate) fn client(&self) -> &'static str {
        self.or(CLIENT, Mistake::Client, STRANGER)
    }

    /// The audience of the pods' tokens.
    pub(crate) fn audience(&self) -> &'static str {
        self.or(AUDIENCE, Mistake::Audience, API_SERVER)
    }

    /// `right`, or `wrong` if the set-up has this mistake.
    pub(crate) fn or<T>(&self, right: T, mistake: Mistake, wrong: T) -> T {
        if self.mistake == Some(mistake) {
            wrong
        } else {
            right
        }
    }
}

fn seconds(time: Duration) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}

/// The identity services of a run.
#[async_trait]
pub trait Identities: Send + Sync {
    /// What the authority has seen so far. An error if it has failed, or whatever replaces the pods' tokens has.
    async fn seen(&self) -> anyhow::Result<Seen>;

    /// How many of the pods' tokens were replaced so far, as far as known: on a laptop those that were written, in a cluster
    /// those that a pod has shown to the authority.
    async fn replaced(&self) -> anyhow::Result<u64>;

    /// Makes the authority close every connection at once, or serve connections again.
    async fn set_away(&self, is_away: bool) -> anyhow::Result<()>;
}
