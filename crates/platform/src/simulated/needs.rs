//! A consumer's requirements of a node, read from its Deployment.

use std::path::{Path, PathBuf};

use manifest::labels::Labels;
use manifest::pod::{Deployment, Pod};
use manifest::{ManifestError, Manifests, parse, read_plain};

use super::amounts::{Amounts, QuantityError};
use super::pools::Pool;

/// The file of the node pools, relative to the base; kustomize patches nothing in it, so it is read directly.
const POOLS: &str = "../overlays/aks-spot/nodepools.yaml";

/// Reason why manifests do not tell where consumers can run.
#[derive(Debug, thiserror::Error)]
pub enum NodesError {
    /// The manifests cannot be read.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The file with the node pools cannot be read.
    #[error("read {path}")]
    Pools {
        /// The file's path.
        path: PathBuf,
        /// The error of the read.
        source: std::io::Error,
    },
    /// There is no Deployment, or more than one.
    #[error("find the Deployment of the consumers in {dir}: there are {found}", dir = dir.display())]
    Deployments {
        /// The directory of the manifests.
        dir: PathBuf,
        /// How many there are.
        found: usize,
    },
    /// An amount is not a quantity.
    #[error("read the amounts of {object}")]
    Quantity {
        /// The object with the amount.
        object: String,
        /// The amount.
        source: QuantityError,
    },
    /// The manifests use a feature that is not simulated.
    #[error("simulate {object}: {what}")]
    Beyond {
        /// The object that uses it.
        object: String,
        /// The feature, and what to do.
        what: &'static str,
    },
}

/// Requirements of every consumer.
#[derive(Debug, Clone, PartialEq)]
pub struct Needs {
    /// Its labels.
    pub labels: Labels,
    /// Its pod spec's node selection.
    pub pod: Pod,
    /// Its resource requests.
    pub requests: Amounts,
}

impl Needs {
    /// Reads the consumers' requirements and the node pools from the manifests whose base is in `dir`.
    pub fn read(dir: &Path) -> Result<(Self, Vec<Pool>), NodesError> {
        let manifests = Manifests::from_documents(&read_plain(dir)?)?;
        let [deployment] = &manifests.deployments[..] else {
            return Err(NodesError::Deployments {
                dir: dir.to_owned(),
                found: manifests.deployments.len(),
            });
        };
        let needs = Self::of(&deployment.object(), &deployment.spec)?;
        let path = dir.join(POOLS);
        let text = builtin::read(&path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let text = text.map_err(|source| NodesError::Pools {
            path: path.clone(),
            source,
        })?;
        let file = path.display().to_string();
        let pools = Manifests::from_documents(&parse(&file, &text)?)?.node_pools;
        let pools: Result<_, _> = pools.iter().map(Pool::of).collect();
        Ok((needs, pools?))
    }

    /// Reads the requirements of the consumers of `deployment`, which errors call `object`.
    pub fn of(object: &str, deployment: &Deployment) -> Result<Self, NodesError> {
        let template = &deployment.template;
        let requests = template.spec.containers.iter().map(|container| {
            let read = Amounts::read(&container.resources.requests, 0);
            read.map_err(|source| NodesError::Quantity {
                object: object.to_owned(),
                source,
            })
        });
        let mut sum = Amounts {
            pods: 1,
            ..Amounts::default()
        };
        for requests in requests {
            let requests = requests?;
            sum.cpu_millis += requests.cpu_millis;
            sum.memory_bytes += requests.memory_bytes;
        }
        let spreads = &template.spec.topology_spread_constraints;
        if spreads
            .iter()
            .any(|spread| spread.when_unsatisfiable != "ScheduleAnyway")
        {
            return Err(NodesError::Beyond {
                object: object.to_owned(),
                what: "a topology spread that pods wait for; write whenUnsatisfiable: ScheduleAnyway",
            });
        }
        Ok(Self {
            labels: template.metadata.labels.clone(),
            pod: template.spec.clone(),
            requests: sum,
        })
    }
}
