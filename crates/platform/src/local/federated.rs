//! Sign-in without a key on this machine: processes sign in with projected tokens, at an authority of the harness.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use evidence::events::Resource;
use tempfile::TempDir;
use workflow::contract::RunId;

use super::process::Process;
use super::{Host, Machine, Place, Provisioned};
use crate::authority::{
    AUDIENCE, Authority, Directory, FederatedCredential as Credential, Kubelet, Projection, Signer,
    TOLERANCE_S,
};
use crate::settings::{StorageTold, names};
use crate::workers::{ConsumerOptions, Seat};

/// The names of the sample; the ids are of no real tenant.
const NAMESPACE: &str = "aqs-demo";
const SERVICE_ACCOUNT: &str = "aqs-app-service-account";
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

/// The identity services of a run.
#[derive(Debug)]
pub struct Identities {
    /// The stand-in for Entra.
    pub authority: Authority,
    /// The stand-in for the kubelet, which renews the pods' tokens.
    pub kubelet: Kubelet,
}

/// Storage over HTTPS that several scenarios share, with the authority of one scenario.
#[derive(Debug)]
pub struct Federated {
    storage: Arc<Machine>,
    set_up: SetUp,
    identities: Identities,
    /// The root certificate that processes trust, as PEM.
    root: PathBuf,
    /// Token files and certificates, removed when this is dropped.
    _files: TempDir,
}

impl Federated {
    pub(super) async fn start(
        storage: Arc<Machine>,
        set_up: &SetUp,
        directory: &Path,
    ) -> anyhow::Result<Self> {
        let files = TempDir::with_prefix_in("identity-", directory)
            .context("make a directory for token files")?;
        let tls = storage.tls()?.clone();
        let root = files.path().join("root.pem");
        let trusted = tls.root().context("find the certificate of the run")?;
        std::fs::write(&root, trusted).context("write the certificate to trust")?;
        let signer = Signer::of_process("cluster")?;
        let published = signer.published();
        let signer = if set_up.mistake == Some(Mistake::Signature) {
            // Under another key id too: Kubernetes derives the id from the key.
            Signer::of_process("another cluster")?
        } else {
            signer
        };
        let entra = |issuer: String| Directory {
            tenant: TENANT.to_owned(),
            client: CLIENT.to_owned(),
            federated: Credential {
                issuer: match set_up.mistake {
                    Some(Mistake::Issuer) => issuer.trim_end_matches('/').to_owned(),
                    _ => issuer,
                },
                subject: format!("system:serviceaccount:{NAMESPACE}:{SERVICE_ACCOUNT}"),
                audience: AUDIENCE.to_owned(),
            },
            token_life_s: seconds(set_up.token_life),
            // With a lifetime shorter than the tolerated clock difference, a pod's token would not count as expired in time.
            tolerance_s: if seconds(set_up.assertion_life) > TOLERANCE_S {
                TOLERANCE_S
            } else {
                0
            },
        };
        let authority = Authority::start(tls, published, entra).await?;
        authority.set_skew(set_up.skew_s);
        authority.set_away(set_up.mistake == Some(Mistake::Away));
        let kubelet = Kubelet::new(Arc::new(signer), files.path())?;
        Ok(Self {
            storage,
            set_up: set_up.clone(),
            identities: Identities { authority, kubelet },
            root,
            _files: files,
        })
    }

    /// The variables that the cluster, its workload identity webhook and the pod's manifest would set for `pod`.
    fn variables(&self, place: &Place<'_>, pod: &str) -> anyhow::Result<Vec<(String, String)>> {
        let file = self.identities.kubelet.project(pod, self.projection())?;
        let mistake = self.set_up.mistake;
        let or_stranger = |id: &str, wrong| {
            let id = if mistake == Some(wrong) { STRANGER } else { id };
            id.to_owned()
        };
        let path = |path: &Path| {
            let text = path.to_str().context("paths must be UTF-8");
            text.map(str::to_owned)
        };
        let (_, table_name) = names(place.run);
        let variables = [
            ("AZURE_STORAGE_ACCOUNT_NAME", azurite::ACCOUNT.to_owned()),
            ("AZURE_QUEUE_NAME", place.queue.to_owned()),
            ("AZURE_TABLE_NAME", table_name),
            ("AZURE_QUEUE_ENDPOINT", place.endpoints.queue.clone()),
            ("AZURE_TABLE_ENDPOINT", place.endpoints.table.clone()),
            ("AZURE_TENANT_ID", or_stranger(TENANT, Mistake::Tenant)),
            ("AZURE_CLIENT_ID", or_stranger(CLIENT, Mistake::Client)),
            ("AZURE_FEDERATED_TOKEN_FILE", path(&file)?),
            (
                "AZURE_AUTHORITY_HOST",
                self.identities.authority.host().to_owned(),
            ),
            ("SSL_CERT_FILE", path(&self.root)?),
            // Overrides the harness's own setting, which the process would inherit.
            ("EDW_CREDENTIAL", "auto".to_owned()),
            ("AZURE_STORAGE_SAS_TOKEN", String::new()),
            ("AZURE_STORAGE_CONNECTION_STRING", String::new()),
        ];
        Ok(variables
            .map(|(name, value)| (name.to_owned(), value))
            .into())
    }

    /// The token volume of every pod.
    fn projection(&self) -> Projection {
        let mistake = self.set_up.mistake;
        let or = |right: &str, mistaken: Mistake, wrong: &str| {
            let value = if mistake == Some(mistaken) {
                wrong
            } else {
                right
            };
            value.to_owned()
        };
        let life = self.set_up.assertion_life;
        let issuer = self.identities.authority.issuer();
        Projection {
            issuer,
            namespace: or(NAMESPACE, Mistake::Namespace, "default"),
            service_account: SERVICE_ACCOUNT.to_owned(),
            audience: or(AUDIENCE, Mistake::Audience, API_SERVER),
            life,
            age: if mistake == Some(Mistake::Stale) {
                life * 2
            } else {
                Duration::ZERO
            },
            is_renewed: mistake != Some(Mistake::Stale),
        }
    }
}

fn seconds(time: Duration) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}

#[async_trait]
impl Host for Federated {
    fn evidence(&self) -> String {
        format!(
            "{} over HTTPS, tokens of an authority of the harness",
            self.storage.evidence()
        )
    }

    fn lasting(&self, run: &RunId, queues: u32) -> Vec<Resource> {
        self.storage.lasting(run, queues)
    }

    fn provision(&self, run: &RunId, queues: u32) -> anyhow::Result<Provisioned> {
        self.storage.provision(run, queues)
    }

    async fn storage_lost(&self) -> Option<String> {
        self.storage.storage_lost().await
    }

    fn storage_pid(&self) -> Option<u32> {
        self.storage.storage_pid()
    }

    fn check_guard(&self) -> anyhow::Result<()> {
        self.storage.check_guard()
    }

    fn identities(&self) -> Option<&Identities> {
        Some(&self.identities)
    }

    fn secrets(&self) -> Vec<String> {
        let mut secrets = self.storage.secrets();
        secrets.extend(self.identities.authority.secrets());
        secrets
    }

    async fn outage(&self, _: Duration) -> anyhow::Result<()> {
        anyhow::bail!(
            "take away storage: it is shared with others where consumers sign in, so a scenario cannot do both"
        )
    }

    fn start_consumer(
        &self,
        name: &str,
        place: &Place<'_>,
        options: &ConsumerOptions,
        seat: &Seat,
    ) -> anyhow::Result<Process> {
        let variables = self.variables(place, name)?;
        let storage = StorageTold {
            run: place.run,
            queue: place.queue,
            endpoints: place.endpoints,
            sas: "",
            credential: "auto",
        };
        (self.storage).consumer(name, storage, variables, options, seat, place.logs)
    }

    fn start_producer(
        &self,
        name: &str,
        place: &Place<'_>,
        arguments: &[String],
    ) -> anyhow::Result<Process> {
        let variables = self.variables(place, name)?;
        self.storage
            .producer(name, variables, arguments, place.logs)
    }
}
