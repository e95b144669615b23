//! Sign-in without a key on this machine: processes sign in with projected tokens, at an authority of the harness.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use authority::{Authority, Projection, Seen, Signer};
use evidence::events::Resource;
use workflow::contract::RunId;

use super::kubelet::Kubelet;
use super::own_directory::{OwnDirectory, Purpose};
use super::process::Process;
use super::{Host, Machine, Place, Provisioned, roots};
use crate::identities::{Identities, Mistake, SetUp};
use crate::settings::{StorageTold, names};
use crate::workers::{ConsumerOptions, Seat};

/// The names of the sample.
const NAMESPACE: &str = "aqs-demo";
const SERVICE_ACCOUNT: &str = "aqs-app-service-account";

/// The identity services of a run on this machine.
#[derive(Debug)]
pub struct Services {
    /// The stand-in for Entra.
    pub authority: Authority,
    /// The stand-in for the kubelet, which renews the pods' tokens.
    pub(super) kubelet: Kubelet,
}

impl Services {
    /// Returns an error if one of them has failed.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        self.authority.check()?;
        self.kubelet.check()
    }
}

#[async_trait]
impl Identities for Services {
    async fn seen(&self) -> anyhow::Result<Seen> {
        self.check()?;
        Ok(self.authority.seen())
    }

    async fn replaced(&self) -> anyhow::Result<u64> {
        self.check()?;
        Ok(self.kubelet.renewals())
    }

    async fn set_away(&self, is_away: bool) -> anyhow::Result<()> {
        self.authority.set_away(is_away);
        Ok(())
    }
}

/// Storage over HTTPS that several scenarios share, with the authority of one scenario.
#[derive(Debug)]
pub struct Federated {
    storage: Arc<Machine>,
    set_up: SetUp,
    identities: Services,
    /// The root certificate that processes trust, as PEM.
    root: PathBuf,
    /// Token files and certificates, removed when this is dropped.
    _files: OwnDirectory,
}

impl Federated {
    pub(super) async fn start(
        storage: Arc<Machine>,
        set_up: &SetUp,
        directory: &Path,
    ) -> anyhow::Result<Self> {
        let files = OwnDirectory::create(Purpose::Identity, directory)
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
        let subject = format!("system:serviceaccount:{NAMESPACE}:{SERVICE_ACCOUNT}");
        let entra = |issuer: String| set_up.directory(issuer, subject);
        let authority = Authority::start(tls.acceptor(), &roots(&tls)?, published, entra).await?;
        authority.set_skew(set_up.skew_s);
        authority.set_away(set_up.mistake == Some(Mistake::Away));
        let kubelet = Kubelet::new(Arc::new(signer), files.path())?;
        Ok(Self {
            storage,
            set_up: set_up.clone(),
            identities: Services { authority, kubelet },
            root,
            _files: files,
        })
    }

    /// The variables that the cluster, its workload identity webhook and the pod's manifest would set for `pod`.
    fn variables(&self, place: &Place<'_>, pod: &str) -> anyhow::Result<Vec<(String, String)>> {
        let file = self.identities.kubelet.project(pod, self.projection())?;
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
            ("AZURE_TENANT_ID", self.set_up.tenant().to_owned()),
            ("AZURE_CLIENT_ID", self.set_up.client().to_owned()),
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
        let set_up = &self.set_up;
        let life = set_up.assertion_life;
        Projection {
            issuer: self.identities.authority.issuer(),
            namespace: set_up
                .or(NAMESPACE, Mistake::Namespace, "default")
                .to_owned(),
            service_account: SERVICE_ACCOUNT.to_owned(),
            audience: set_up.audience().to_owned(),
            life,
            age: set_up.or(Duration::ZERO, Mistake::Stale, life * 2),
            is_renewed: set_up.mistake != Some(Mistake::Stale),
        }
    }
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

    fn identities(&self) -> Option<&Services> {
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
