//! Kubernetes manifests as typed structures, and the relations among them that no schema checks.
//!
//! - [`Manifests`]: what was read; `scaling`, `pod`, `surroundings` and `nodes` are its kinds. Fields that nothing here
//!   depends on are left out, except of a `ScaledObject`: a misspelt field of one must not pass for its default.
//! - [`read`] reads a file, or a kustomization: without kubectl where that is enough ([`read_plain`]), else with it
//!   ([`Kubectl`]).
//! - [`check()`]: what is wrong, as [`Problem`]s.
//!
//! Nothing here speaks to a cluster.

mod check;
mod kustomize;
pub(crate) mod labels;
pub(crate) mod nodes;
pub(crate) mod pod;
mod scaling;
mod surroundings;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use autoscaler::manifest::Spec;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use check::{Problem, check};
pub use kustomize::{Kubectl, read, read_plain};

use nodes::NodePool;
use pod::Deployment;
use scaling::TriggerAuthentication;
use surroundings::{DisruptionBudget, NetworkPolicy};

/// Manifests could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// A file or directory.
    #[error("read {path}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Text that is not YAML.
    #[error("read {file} as YAML")]
    Yaml {
        /// Which file, or overlay.
        file: String,
        /// Why.
        source: Box<serde_saphyr::Error>,
    },
    /// An object whose fields are not what its kind has.
    #[error("read {object} of {file}: {field}; compare it with the reference of its kind")]
    Shape {
        /// Kind and name.
        object: String,
        /// Which file, or overlay.
        file: String,
        /// Where in the object.
        field: String,
        /// What does not fit.
        source: serde_json::Error,
    },
    /// A version of a kind that this program does not know.
    #[error("read {kind} of {file}: its apiVersion is {found:?}; write {expected:?}")]
    Version {
        /// The kind.
        kind: String,
        /// Which file, or overlay.
        file: String,
        /// What it says.
        found: String,
        /// What is known.
        expected: &'static str,
    },
    /// A kustomization that takes more than reading files.
    #[error(
        "read {path} without kubectl, since it has the field {field:?}; render it with kubectl"
    )]
    NeedsKubectl {
        /// The kustomization.
        path: PathBuf,
        /// The first such field.
        field: String,
    },
    /// There is no kubectl that can render.
    #[error("find kubectl 1.27 or later, whose kustomize is version 5 or later: {0}")]
    NoKubectl(String),
    /// kubectl refused.
    #[error("render {dir} with kubectl: {said}")]
    Render {
        /// The overlay.
        dir: PathBuf,
        /// What kubectl said.
        said: String,
    },
}

/// One object as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The file, or the overlay that was rendered.
    pub file: String,
    /// The object.
    pub value: Value,
}

/// Reads the YAML documents of a text; `file` is what errors call it.
pub fn parse(file: &str, text: &str) -> Result<Vec<Document>, ManifestError> {
    let values: Vec<Value> =
        serde_saphyr::from_multiple(text).map_err(|error| ManifestError::Yaml {
            file: file.to_owned(),
            source: Box::new(error),
        })?;
    let document = |value| Document {
        file: file.to_owned(),
        value,
    };
    Ok(values
        .into_iter()
        .filter(|value| !value.is_null())
        .map(document)
        .collect())
}

const KEDA: &str = "keda.sh/v1alpha1";

/// Names, labels and annotations of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Metadata {
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// Its labels.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}

/// One object of a known kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Item<T> {
    /// The file, or the overlay that was rendered.
    pub file: String,
    /// Its kind.
    pub kind: &'static str,
    /// Its name, labels and annotations.
    pub metadata: Metadata,
    /// Its `spec`; of a `ConfigMap` its `data`.
    pub spec: T,
}

impl<T> Item<T> {
    /// Kind and name, as kubectl writes them.
    pub fn object(&self) -> String {
        format!("{}/{}", self.kind, self.metadata.name)
    }
}

/// What a set of manifests holds, by kind. Objects of other kinds are not kept: nothing here depends on them.
#[derive(Debug, Clone, Default)]
pub struct Manifests {
    /// What KEDA scales, and how.
    pub scaled_objects: Vec<Item<Spec>>,
    pub(crate) trigger_authentications: Vec<Item<TriggerAuthentication>>,
    pub(crate) deployments: Vec<Item<Deployment>>,
    pub(crate) config_maps: Vec<Item<BTreeMap<String, String>>>,
    pub(crate) disruption_budgets: Vec<Item<DisruptionBudget>>,
    pub(crate) network_policies: Vec<Item<NetworkPolicy>>,
    pub(crate) node_pools: Vec<Item<NodePool>>,
    pub(crate) service_accounts: Vec<Item<()>>,
    pub(crate) namespaces: Vec<Item<()>>,
    pub(crate) node_classes: Vec<Item<()>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    #[serde(default)]
    api_version: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    metadata: Metadata,
}

impl Manifests {
    /// Reads each document as what its kind says it is.
    pub fn from_documents(documents: &[Document]) -> Result<Self, ManifestError> {
        let mut manifests = Self::default();
        for document in documents {
            manifests.add(document)?;
        }
        Ok(manifests)
    }

    /// The Deployment that `scaled` scales, if it is here.
    pub(crate) fn target(&self, scaled: &Item<Spec>) -> Option<&Item<Deployment>> {
        let name = &scaled.spec.scale_target_ref.name;
        let mut deployments = self.deployments.iter();
        deployments.find(|item| scaled.target_kind() == "Deployment" && item.metadata.name == *name)
    }

    fn add(&mut self, document: &Document) -> Result<(), ManifestError> {
        let Document { file, value } = document;
        let head: Head = typed(value, "a document without kind", file, "")?;
        let reader = Reader { file, value, head };
        match reader.head.kind.as_str() {
            "ScaledObject" => {
                let item = reader.item("ScaledObject", KEDA, "spec")?;
                self.scaled_objects.push(item);
            }
            "TriggerAuthentication" => {
                let item = reader.item("TriggerAuthentication", KEDA, "spec")?;
                self.trigger_authentications.push(item);
            }
            "Deployment" => {
                let item = reader.item("Deployment", "apps/v1", "spec")?;
                self.deployments.push(item);
            }
            "ConfigMap" => {
                let item = reader.item("ConfigMap", "v1", "data")?;
                self.config_maps.push(item);
            }
            "PodDisruptionBudget" => {
                let item = reader.item("PodDisruptionBudget", "policy/v1", "spec")?;
                self.disruption_budgets.push(item);
            }
            "NetworkPolicy" => {
                let item = reader.item("NetworkPolicy", "networking.k8s.io/v1", "spec")?;
                self.network_policies.push(item);
            }
            "NodePool" => {
                let item = reader.item("NodePool", "karpenter.sh/v1", "spec")?;
                self.node_pools.push(item);
            }
            "ServiceAccount" => {
                let item = reader.item("ServiceAccount", "v1", "")?;
                self.service_accounts.push(item);
            }
            "Namespace" => {
                let item = reader.item("Namespace", "v1", "")?;
                self.namespaces.push(item);
            }
            "AKSNodeClass" => {
                let item = reader.item("AKSNodeClass", "karpenter.azure.com/v1beta1", "")?;
                self.node_classes.push(item);
            }
            _ => {}
        }
        Ok(())
    }
}

struct Reader<'a> {
    file: &'a str,
    value: &'a Value,
    head: Head,
}

impl Reader<'_> {
    /// The object, with what is under `field` as its content; no field, no content.
    fn item<T: DeserializeOwned>(
        &self,
        kind: &'static str,
        api_version: &'static str,
        field: &str,
    ) -> Result<Item<T>, ManifestError> {
        if self.head.api_version != api_version {
            return Err(ManifestError::Version {
                kind: kind.to_owned(),
                file: self.file.to_owned(),
                found: self.head.api_version.clone(),
                expected: api_version,
            });
        }
        let content = self.value.get(field).unwrap_or(&Value::Null);
        let object = format!("{kind}/{}", self.head.metadata.name);
        let spec = typed(content, &object, self.file, field)?;
        Ok(Item {
            file: self.file.to_owned(),
            kind,
            metadata: self.head.metadata.clone(),
            spec,
        })
    }
}

/// `value`, which is at `place` in `object`, as a structure; an error names the field, as the API server's do.
fn typed<T: DeserializeOwned>(
    value: &Value,
    object: &str,
    file: &str,
    place: &str,
) -> Result<T, ManifestError> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let parts = [place, &path];
        let parts = parts
            .into_iter()
            .filter(|part| !part.is_empty() && *part != ".");
        let field = parts.collect::<Vec<_>>().join(".");
        ManifestError::Shape {
            object: object.to_owned(),
            file: file.to_owned(),
            field: if field.is_empty() {
                "the whole of it".to_owned()
            } else {
                field
            },
            source: error.into_inner(),
        }
    })
}
