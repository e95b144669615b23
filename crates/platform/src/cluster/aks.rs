//! What a cluster on Azure has besides: Spot nodes that Azure can be asked to take back, and one namespace in which pods may sign in.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use workflow::azure::Arm;
use workflow::azure::credential::CredentialChoice;
use workflow::exit::WrongInput;

use super::args::{AksArgs, ClusterArgs};
use super::nodes::TakesBack;

/// How long pods may take to run for which node auto-provisioning has to make a node: Karpenter's own tests wait for 16 minutes at most,
/// and a machine that Azure has to give comes in two.
pub(super) const NODE_COMES: Duration = Duration::from_secs(8 * 60);

/// What is wrong with the choice of an environment.
const UNCHOSEN: WrongInput = WrongInput("use an environment on AKS");

/// What a site on Azure has.
#[derive(Clone)]
pub(super) struct Azure {
    /// Takes Spot machines back.
    pub(super) takes_back: Arc<dyn TakesBack>,
    /// The namespace that the federated credential of the workload's identity names: no pod of another can sign in.
    pub(super) namespace: String,
}

/// The environment that `args` name: where its cluster is, and what runs take place in.
pub(super) struct Chosen {
    pub(super) cluster: ClusterArgs,
    pub(super) kubeconfig: std::path::PathBuf,
    pub(super) azure: Azure,
}

impl Chosen {
    /// What `aks up` has left of it.
    pub(super) fn of(args: &AksArgs, cluster: &ClusterArgs) -> anyhow::Result<Self> {
        let run = args.run.as_deref();
        let run = run
            .context("find its name: give the one that `aks up` said with --aks-run")
            .context(UNCHOSEN)?;
        let standing = aks::standing(&args.out, run);
        let standing = standing.map_err(|error| anyhow!(error)).context(UNCHOSEN)?;
        // As the harness signs in to storage: by what its own environment offers.
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

/// Whether the overlay that `cluster` names for AKS can have a wire, where `up` has not filled one in yet: that of the repository says the
/// same.
pub(super) fn overlay_of(cluster: &ClusterArgs) -> &Path {
    if cluster.overlay == ClusterArgs::default().overlay {
        Path::new("builtin:k8s/overlays/aks-spot")
    } else {
        &cluster.overlay
    }
}
