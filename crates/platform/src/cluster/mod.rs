//! The platforms `cluster` and `aks`: pods of any Kubernetes, or of one on Azure, scaled by its KEDA.
//!
//! - [`Cluster`] is the platform: one context of the kubeconfig, checked before anything is made in it. `stage` is a run's
//!   namespace.
//! - `overlay` adapts the user's overlay to a run, and `images` chooses the images of its pods, and `offers` is
//!   what a cluster offers to scenarios.
//! - `identities` is the authority of a run whose workload signs in.
//! - `crew` makes a roster of pods, `scale` records `spec.replicas`, `sender` runs a producer as a Job, `storage` connects to
//!   storage.
//! - `aks` is what a cluster on Azure adds, `nodes` its nodes and their evictions.
//! - The crate `cluster` has everything about Kubernetes; the traits of this crate have everything about runs.

mod aks;
mod args;
mod crew;
mod identities;
mod images;
mod ledger;
mod nodes;
mod offers;
mod overlay;
mod scale;
mod sender;
mod stage;
mod storage;
mod watched;
mod wired;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use async_trait::async_trait;
use cluster::context::Connected;
use cluster::pods::ContainerEnd;
use cluster::{Found, Issuer, Wants};
use kube::Client;
use kube::api::DeleteParams;
use serde_json::json;
use workflow::contract::RunId;
use workflow::contract::workload::Description;

pub use args::{AksArgs, ClusterArgs, Switch};
use evidence::events::Fact;
pub use ledger::{CORDON, NAMESPACE, cordoned, cordoned_in, namespace_in};
use manifest::quantity;
use workflow::exit::WrongInput;

use super::{End, Platform, Profile, Stage, StagePlan, Workload};
use crate::autoscale::Scaling;
use aks::{Azure, Chosen};
use images::Images;
use nodes::Handed;
use offers::{NodesOf, offers};
use overlay::{Described, Overlay};
use stage::ClusterStage;

/// Share of the nodes' CPU that concurrent runs may take together. The cluster's own pods need the rest.
const FOR_RUNS: f64 = 0.8;

/// A Kubernetes cluster as a platform.
#[derive(Clone)]
pub struct Cluster(Arc<Site>);

/// What all runs in a cluster share.
struct Site {
    client: Client,
    context: String,
    found: Found,
    overlay: Overlay,
    overlay_name: String,
    images: Images,
    /// The workload's description, if it is not the project's own.
    described: Option<Described>,
    /// Whether a wire sits between workload and storage.
    is_wired: bool,
    /// The issuer of the pods' tokens, if the workload can sign in with them.
    issuer: Option<Issuer>,
    /// Time after which the namespace of a run that still exists may be removed.
    life: Duration,
    /// Whether the namespace of a run is kept after its end.
    keeps: bool,
    /// How long storage may fail to answer outside of a scenario's outage.
    patience: Duration,
    /// The Azure side, on AKS only.
    azure: Option<Azure>,
    /// The nodes that the user allows the harness to drain, on other clusters.
    handed: Option<Handed>,
}

impl Cluster {
    /// What a cluster offers. Its times are those of production.
    pub fn profile(args: &ClusterArgs) -> Profile {
        // An error of the overlay is reported later, when the cluster is used.
        let overlay = Overlay::read(&args.overlay);
        let nodes = match args.drain_nodes {
            Some(_) => NodesOf::HandedOver,
            None => NodesOf::Nobody,
        };
        let is_wired = overlay
            .as_ref()
            .is_ok_and(|overlay| is_wired(args, overlay));
        // Whether the issuer can be read, and ends with a slash, only the cluster tells.
        let signs_in = overlay.is_ok_and(|overlay| overlay.can_sign_in());
        offers(is_wired, signs_in.then_some("/"), nodes)
    }

    /// What a cluster on Azure offers.
    pub fn profile_on_aks(args: &ClusterArgs) -> Profile {
        let overlay = Overlay::read(aks::overlay_of(args));
        let is_wired = overlay.is_ok_and(|overlay| is_wired(args, &overlay));
        offers(is_wired, None, NodesOf::Azure)
    }

    /// Checks the cluster that `args` name; the error of an unsuitable cluster has one line for each thing that it lacks.
    /// Creates nothing in the cluster. Runs use `workload`, except for its local programs.
    pub async fn connect(args: &ClusterArgs, workload: &Workload) -> anyhow::Result<Self> {
        let connected = cluster::context::connect(args.context.as_deref()).await;
        Self::look_over(connected, args, workload, None).await
    }

    /// As [`Cluster::connect`], for the cluster that `aks up` has created for `environment`.
    pub async fn connect_aks(
        environment: &AksArgs,
        args: &ClusterArgs,
        workload: &Workload,
    ) -> anyhow::Result<Self> {
        let Chosen {
            cluster,
            kubeconfig,
            azure,
        } = Chosen::of(environment, args)?;
        let context = cluster.context.as_deref();
        let connected = cluster::context::connect_by(&kubeconfig, context).await;
        Self::look_over(connected, &cluster, workload, Some(azure)).await
    }

    async fn look_over(
        connected: Result<Connected, cluster::Error>,
        args: &ClusterArgs,
        workload: &Workload,
        azure: Option<Azure>,
    ) -> anyhow::Result<Self> {
        const UNCHOSEN: WrongInput = WrongInput("use a cluster");
        let overlay = Overlay::read(&args.overlay)?;
        overlay.ensure_filled_in()?;
        let images = args.images();
        let described = images::described(args, workload)?;
        let Connected {
            client,
            told,
            context,
        } = connected.context(UNCHOSEN)?;
        let is_wired = is_wired(args, &overlay);
        let wants = Wants {
            scaling: true,
            images: overlay.images(&images, described.as_ref(), is_wired),
            nodes: azure.is_none().then(|| args.drain_nodes.clone()).flatten(),
        };
        // What is broken here, such as KEDA's metrics API, often stays so: it must not be tried again for minutes, in silence.
        let found = cluster::preflight(&told, &wants, "edw-preflight").await;
        let found = found
            .with_context(|| format!("look over the cluster of the context {context}"))
            .context(UNCHOSEN)?;
        ensure_complete(&found, &context).context(UNCHOSEN)?;
        let handed = wants.nodes.map(|label| Handed {
            label,
            client: told,
        });
        let signs_in = azure.is_none() && is_wired && overlay.can_sign_in();
        let issuer = if signs_in {
            issuer(&client).await
        } else {
            None
        };
        Ok(Self(Arc::new(Site {
            client,
            context,
            found,
            overlay,
            overlay_name: args.overlay_name(),
            images,
            described,
            is_wired,
            issuer,
            life: args.namespace_life,
            keeps: args.keep_namespace,
            patience: workload.storage_patience,
            azure,
            handed,
        })))
    }
}

/// The issuer of the cluster's tokens; `None`, with a warning, if it cannot be read: then scenarios about identity are not run.
async fn issuer(client: &Client) -> Option<Issuer> {
    match cluster::issuer(client).await {
        Ok(issuer) => Some(issuer),
        Err(error) => {
            tracing::warn!(
                "failed to {error}; scenarios about identity are not run (docs/cluster-role.yaml has the right to read it)"
            );
            None
        }
    }
}

/// Whether runs have a wire: as the flag says, or, without the flag, if a wire is possible.
fn is_wired(args: &ClusterArgs, overlay: &Overlay) -> bool {
    match args.wire {
        Some(wire) => wire == Switch::On,
        None => overlay.can_be_wired(),
    }
}

fn ensure_complete(found: &Found, context: &str) -> anyhow::Result<()> {
    let lines: Vec<String> = found.lacks.iter().map(|it| format!("\n  - {it}")).collect();
    let lines = lines.concat();
    ensure!(
        found.lacks.is_empty(),
        "run in the cluster of the context {context}; it lacks:{lines}"
    );
    Ok(())
}

/// How a container ended.
fn end_of(ended: &ContainerEnd) -> End {
    match ended.signal() {
        Some(signal) => End::Signalled(signal),
        None => End::Exited(ended.code),
    }
}

/// Deletes with a grace period of 0.
fn at_once() -> DeleteParams {
    DeleteParams {
        grace_period_seconds: Some(0),
        ..DeleteParams::default()
    }
}

impl Site {
    /// The description of messages, rows and worker.
    fn description(&self) -> Arc<Description> {
        let described = self.described.as_ref();
        described.map_or_else(Description::own, |it| it.description.clone())
    }

    /// The namespace of the run `run`: its own, or on Azure the only one in which pods can sign in.
    fn namespace(&self, run: &RunId) -> String {
        let azure = self.azure.as_ref();
        azure.map_or_else(|| format!("edw-{run}"), |azure| azure.namespace.clone())
    }

    /// Extra time for pods to start, because a node may have to be made for them.
    fn node_comes(&self) -> Duration {
        let azure = self.azure.as_ref();
        azure.map_or(Duration::ZERO, |_| aks::NODE_COMES)
    }

    /// Name and version of the autoscaler, for reports.
    fn keda(&self) -> String {
        let version = self.found.keda.as_deref().unwrap_or("of unknown version");
        format!("KEDA {version}")
    }

    /// Which nodes may be taken back.
    fn nodes_of(&self) -> NodesOf {
        match (&self.azure, &self.handed) {
            (Some(_), _) => NodesOf::Azure,
            (None, Some(_)) => NodesOf::HandedOver,
            (None, None) => NodesOf::Nobody,
        }
    }

    fn evidence(&self) -> String {
        let mut nodes = match self.found.nodes {
            1 => "1 node".to_owned(),
            nodes => format!("{nodes} nodes"),
        };
        if let Some(Handed { label, .. }) = &self.handed {
            nodes = format!("{nodes}, of which those with {label} stand for Spot nodes");
        }
        let wire = if self.is_wired {
            ""
        } else {
            ", without a wire"
        };
        let workload = match &self.described {
            Some(described) => format!("the workload {:?} as ", described.description.name),
            None => String::new(),
        };
        let place = if self.azure.is_some() {
            "AKS"
        } else {
            "the cluster"
        };
        format!(
            "{workload}pods in {place} {} (Kubernetes {}, {}, {nodes}), {}{wire}",
            self.context,
            self.found.kubernetes,
            self.keda(),
            self.overlay_name
        )
    }
}

#[async_trait]
impl Platform for Cluster {
    fn name(&self) -> &'static str {
        if self.0.azure.is_some() {
            "aks"
        } else {
            "cluster"
        }
    }

    fn evidence(&self) -> String {
        self.0.evidence()
    }

    fn profile(&self) -> Profile {
        let issuer = self.0.issuer.as_ref().map(|issuer| &*issuer.issuer);
        let profile = offers(self.0.is_wired, issuer, self.0.nodes_of());
        profile.with_worker(&self.0.description())
    }

    fn versions(&self) -> Vec<Fact> {
        let keda = self.0.found.keda.clone();
        vec![
            Fact::new("harness", env!("CARGO_PKG_VERSION")),
            Fact::new("Kubernetes", self.0.found.kubernetes.clone()),
            Fact::new("KEDA", keda.unwrap_or_else(|| "unknown".to_owned())),
        ]
    }

    fn share(&self, is_scaled: bool, takes_nodes: bool) -> f64 {
        // On Azure all runs share one namespace. A scenario that takes nodes out of use affects the pods of all runs.
        if self.0.azure.is_some() || takes_nodes {
            return 1.0;
        }
        let all: f64 = self
            .0
            .found
            .cpu
            .iter()
            .filter_map(|cpu| quantity(&json!(cpu)))
            .sum();
        if all <= 0.0 {
            return 0.0;
        }
        let takes = self.0.overlay.cpu(is_scaled, self.0.is_wired);
        takes / (all * FOR_RUNS)
    }

    fn scaling(&self) -> anyhow::Result<Option<Scaling>> {
        self.0.overlay.scaling(&self.0.overlay_name).map(Some)
    }

    async fn open(&self, plan: StagePlan) -> anyhow::Result<Box<dyn Stage>> {
        ensure!(
            plan.nodes.is_none() || self.0.nodes_of() != NodesOf::Nobody,
            "open a stage with nodes: this platform does not offer them"
        );
        let opened = Box::pin(ClusterStage::open(self.0.clone(), plan));
        Ok(Box::new(opened.await?))
    }

    async fn storage_lost(&self) -> Option<String> {
        // Each run has its own storage, or storage that its own stage watches.
        None
    }
}
