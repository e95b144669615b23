//! What a cluster on Azure adds: Spot nodes that Azure can evict on request, and the one namespace in which pods may sign in.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use workflow::azure::Arm;
use workflow::azure::credential::CredentialChoice;
use workflow::exit::WrongInput;

use super::args::{AksArgs, ClusterArgs};
use super::nodes::TakesBack;

/// Extra time for pods to start if node auto-provisioning must make a node for them. Karpenter's own tests wait for at most 16
/// minutes; a machine that Azure has available comes in two.
pub(super) const NODE_COMES: Duration = Duration::from_secs(8 * 60);

/// Error context if the chosen environment cannot be used.
const UNCHOSEN: WrongInput = WrongInput("use an environment on AKS");

/// The Azure side of a cluster.
#[derive(Clone)]
pub(super) struct Azure {
    /// Evicts Spot machines.
    pub(super) takes_back: Arc<dyn TakesBack>,
    /// The namespace that the federated credential of the workload's identity names: pods in other namespaces cannot sign in.
    pub(super) namespace: String,
}

/// The environment that `args` name: its cluster, and the namespace of its runs.
pub(super) struct Chosen {
    pub(super) cluster: ClusterArgs,
    pub(super) kubeconfig: std::path::PathBuf,
    pub(super) azure: Azure,
}

impl Chosen {
    /// Reads the files that `aks up` wrote for the environment.
    pub(super) fn of(args: &AksArgs, cluster: &ClusterArgs) -> anyhow::Result<Self> {
        let run = args.run.as_deref();
        let run = run
            .context("find its name: give the one that `aks up` said with --aks-run")
            .context(UNCHOSEN)?;
        let standing = aks::standing(&args.out, run);
        let standing = standing.map_err(|error| anyhow!(error)).context(UNCHOSEN)?;
        // The harness signs in here as it does to storage: with the credential that its own environment offers.
        let arm = Arm::open(CredentialChoice::Auto).context(UNCHOSEN)?;
        let named = |given: Option<String>| given.or_else(|| Some(standing.context.clone()));
        let default = ClusterArgs::default().overlay;
        Ok(Self {
            cluster: ClusterArgs {
                context: named(cluster.context.clone()),
                overlay: if cluster.overlay == default {
                    standing.overlay.clone()
                } else {
                    cluster.overlay.clone()
                },
                ..cluster.clone()
            },
            kubeconfig: standing.kubeconfig.clone(),
            azure: Azure {
                takes_back: Arc::new(arm),
                namespace: standing.namespace,
            },
        })
    }
}

/// The overlay that tells whether a wire is possible: the one that `cluster` names for AKS, or, as long as `up` has not written
/// that one, the overlay of the repository, which has the same storage.
pub(super) fn overlay_of(cluster: &ClusterArgs) -> &Path {
    if cluster.overlay == ClusterArgs::default().overlay {
        Path::new("builtin:k8s/overlays/aks-spot")
    } else {
        &cluster.overlay
    }
}
