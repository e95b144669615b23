//! Kubernetes manifests as typed structures, and the relations among them that no schema checks.
//!
//! - `strict`: unknown fields of an object at its top level or in its `metadata`. `about`: manifests that are read for one
//!   object; `apart`: documents that cannot be read, apart from those that can. `foreign`: files of other tools.
//! - [`Manifests`]: the objects that were read; `scaling`, `pod`, `surroundings` and `nodes` are their kinds. Unused fields are
//!   left out, except in a `ScaledObject`: a misspelt field of one must not silently get its default.
//! - [`read`] reads a file, standard input, a directory of files, or a kustomization: without kubectl if possible
//!   ([`read_plain`]), otherwise with it ([`Kubectl`]).
//! - [`check()`]: the broken relations, as [`Problem`]s.
//!
//! This crate never connects to a cluster.

mod about;
mod apart;
mod authentication;
mod check;
mod document;
mod error;
mod foreign;
mod kustomize;
pub mod labels;
mod limits;
mod meant;
pub mod nodes;
pub mod pod;
mod quantity;
mod scaling;
mod secret;
mod source;
mod strict;
mod surroundings;
#[cfg(test)]
mod tests;
mod workload;

use std::collections::BTreeMap;

use autoscaler::manifest::{AuthenticationSpec, JobSpec, Spec};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use apart::{Broken, Reading};
pub use check::{Problem, check, check_job};
pub use document::{Document, parse};
pub use error::{ManifestError, ShapeError};
pub use foreign::foreign;
pub use kustomize::{Kubectl, read_plain};
pub use quantity::quantity;
pub use scaling::Asked;
pub use secret::Secret;
pub use source::named;
pub use source::{read, read_apart, text_of};
pub use workflow::contract::letters;

use nodes::NodePool;
use pod::{Deployment, JobTarget};
use surroundings::{DisruptionBudget, HorizontalPodAutoscaler, NetworkPolicy};

const KEDA: &str = "keda.sh/v1alpha1";

/// Names, labels and annotations of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// Its namespace; `None`: that of the user who applies it.
    pub namespace: Option<String>,
    /// The UID that the API server gave it; `None`: it was not read from a cluster.
    pub uid: Option<String>,
    /// The objects that own it.
    #[serde(default)]
    pub owner_references: Vec<Owner>,
    /// Its labels.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}

impl Metadata {
    /// Whether both can be in one namespace.
    pub fn is_beside(&self, other: &Self) -> bool {
        match (&self.namespace, &other.namespace) {
            (Some(one), Some(other)) => one == other,
            _ => true,
        }
    }
}

/// An object that owns another one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Owner {
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// One object of a known kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Item<T> {
    /// The file, or the rendered overlay.
    pub file: String,
    /// Its kind.
    pub kind: &'static str,
    /// Its name, labels and annotations.
    pub metadata: Metadata,
    /// Its `spec`, or the `data` of a `ConfigMap`.
    pub spec: T,
}

impl<T> Item<T> {
    /// Kind and name, in kubectl's form.
    pub fn object(&self) -> String {
        format!("{}/{}", self.kind, self.metadata.name)
    }
}

/// A set of manifests, by kind. Objects of other kinds are not kept, because nothing here uses them.
#[derive(Debug, Clone, Default)]
pub struct Manifests {
    /// `ScaledObjects`.
    pub scaled_objects: Vec<Item<Spec>>,
    /// `ScaledJobs`.
    pub scaled_jobs: Vec<Item<JobSpec>>,
    /// The Job of each ScaledJob.
    pub job_targets: Vec<Item<JobTarget>>,
    /// Authentications of triggers.
    pub authentications: Vec<Item<AuthenticationSpec>>,
    /// `HorizontalPodAutoscaler`s that are not KEDA's.
    pub autoscalers: Vec<Item<HorizontalPodAutoscaler>>,
    /// Deployments.
    pub deployments: Vec<Item<Deployment>>,
    /// `ConfigMaps`.
    pub config_maps: Vec<Item<BTreeMap<String, String>>>,
    /// Which keys Secrets have.
    pub secrets: Vec<Item<Secret>>,
    /// Disruption budgets.
    pub disruption_budgets: Vec<Item<DisruptionBudget>>,
    /// Network policies.
    pub network_policies: Vec<Item<NetworkPolicy>>,
    /// Karpenter's node pools.
    pub node_pools: Vec<Item<NodePool>>,
    /// Service accounts.
    pub service_accounts: Vec<Item<()>>,
    /// Namespaces.
    pub namespaces: Vec<Item<()>>,
    /// Node classes of the pools.
    pub node_classes: Vec<Item<()>>,
}

/// The fields that every object has.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    #[serde(default)]
    metadata: Metadata,
}

impl Manifests {
    /// Parses each document as an object of its kind.
    pub fn from_documents(documents: &[Document]) -> Result<Self, ManifestError> {
        let mut manifests = Self::default();
        for document in documents {
            manifests.add(document)?;
        }
        Ok(manifests)
    }

    /// The Deployment that `scaled` scales, if it is among the manifests.
    pub fn target(&self, scaled: &Item<Spec>) -> Option<&Item<Deployment>> {
        let name = &scaled.spec.scale_target_ref.name;
        let mut deployments = self.deployments.iter();
        deployments.find(|item| {
            scaled.target_kind() == "Deployment"
                && item.metadata.name == *name
                && item.metadata.is_beside(&scaled.metadata)
        })
    }

    /// Adds a document; objects of other kinds and groups are ignored.
    fn add(&mut self, document: &Document) -> Result<(), ManifestError> {
        let text = |field: &str| document.value[field].as_str().unwrap_or_default();
        let (kind, version) = (text("kind"), text("apiVersion"));
        let Some(known) = KINDS.iter().find(|known| known.is(kind, version)) else {
            let mut near = KINDS.iter();
            let near = near.find(|known| known.is_nearly(kind, version));
            return near.map_or(Ok(()), |known| {
                Err(ManifestError::Kind {
                    found: kind.to_owned(),
                    file: document.file.clone(),
                    expected: known.kind,
                })
            });
        };
        // The fields of a version that is not served are different.
        if known.is_served(version) {
            strict::check(document, known.kind)?;
            workload::check(document, known.kind)?;
        }
        let reader = Reader { document, known };
        match known.kind {
            "ScaledObject" => self.scaled_objects.push(reader.item("spec")?),
            "ScaledJob" => {
                self.scaled_jobs.push(reader.item("spec")?);
                self.job_targets.push(reader.item("spec")?);
            }
            "TriggerAuthentication" | "ClusterTriggerAuthentication" => {
                self.authentications.push(reader.item("spec")?);
            }
            "HorizontalPodAutoscaler" => self.autoscalers.push(reader.item("spec")?),
            "Deployment" => self.deployments.push(reader.item("spec")?),
            "ConfigMap" => self.config_maps.push(reader.item_or_empty("data")?),
            "Secret" => self.secrets.push(reader.secret()?),
            "PodDisruptionBudget" => {
                self.disruption_budgets.push(reader.item_or_empty("spec")?);
            }
            "NetworkPolicy" => self.network_policies.push(reader.item_or_empty("spec")?),
            "NodePool" => self.node_pools.push(reader.item("spec")?),
            "ServiceAccount" => self.service_accounts.push(reader.item("")?),
            "Namespace" => self.namespaces.push(reader.item("")?),
            "AKSNodeClass" => self.node_classes.push(reader.item("")?),
            other => unreachable!("{other} must have a place"),
        }
        Ok(())
    }
}

/// A kind that this crate uses.
struct Known {
    kind: &'static str,
    api_version: &'static str,
    /// Its former groups, whose objects are not ignored.
    former: &'static [&'static str],
}

impl Known {
    const fn new(kind: &'static str, api_version: &'static str) -> Self {
        let former = &[];
        Self {
            kind,
            api_version,
            former,
        }
    }

    fn is(&self, kind: &str, api_version: &str) -> bool {
        let found = group(api_version);
        let ours = found == group(self.api_version) || self.former.contains(&found);
        self.kind == kind && (ours || api_version.is_empty())
    }

    /// Whether `kind` is this kind in another case.
    fn is_nearly(&self, kind: &str, api_version: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind) && self.is(self.kind, api_version)
    }

    /// Whether a cluster serves it in a version with these fields.
    fn is_served(&self, api_version: &str) -> bool {
        self.api_version == api_version
            || (self.kind == "HorizontalPodAutoscaler" && group(api_version) == "autoscaling")
    }
}

/// The group of an `apiVersion`; empty for the core group.
fn group(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

const KINDS: [Known; 14] = [
    Known {
        former: &["keda.k8s.io"],
        ..Known::new("ScaledObject", KEDA)
    },
    Known {
        former: &["keda.k8s.io"],
        ..Known::new("ScaledJob", KEDA)
    },
    Known {
        former: &["keda.k8s.io"],
        ..Known::new("TriggerAuthentication", KEDA)
    },
    Known::new("ClusterTriggerAuthentication", KEDA),
    Known::new("HorizontalPodAutoscaler", "autoscaling/v2"),
    Known {
        former: &["extensions"],
        ..Known::new("Deployment", "apps/v1")
    },
    Known::new("ConfigMap", "v1"),
    Known::new("Secret", "v1"),
    Known::new("PodDisruptionBudget", "policy/v1"),
    Known::new("NetworkPolicy", "networking.k8s.io/v1"),
    Known::new("NodePool", "karpenter.sh/v1"),
    Known::new("ServiceAccount", "v1"),
    Known::new("Namespace", "v1"),
    Known::new("AKSNodeClass", "karpenter.azure.com/v1beta1"),
];

struct Reader<'a> {
    document: &'a Document,
    known: &'static Known,
}

impl Reader<'_> {
    /// The object, with the value of `field` as its content; empty if the field is missing.
    fn item<T: DeserializeOwned>(&self, field: &str) -> Result<Item<T>, ManifestError> {
        self.read(field, &Value::Null)
    }

    /// The same where Kubernetes takes an object without that field for one whose field is empty (`omitempty`).
    fn item_or_empty<T: DeserializeOwned>(&self, field: &str) -> Result<Item<T>, ManifestError> {
        self.read(field, &Value::Object(serde_json::Map::new()))
    }

    /// A Secret, whose content is in several fields.
    fn secret(&self) -> Result<Item<Secret>, ManifestError> {
        let Item {
            file,
            kind,
            metadata,
            ..
        } = self.item::<()>("")?;
        let spec = Secret::read(&self.document.value);
        let spec = spec.map_err(|(field, problem)| ManifestError::Shape {
            object: format!("{kind}/{}", metadata.name),
            file: file.clone(),
            field,
            problem,
        })?;
        Ok(Item {
            file,
            kind,
            metadata,
            spec,
        })
    }

    fn read<T: DeserializeOwned>(
        &self,
        field: &str,
        absent: &Value,
    ) -> Result<Item<T>, ManifestError> {
        let Document { file, value } = self.document;
        let (kind, found) = (self.known.kind, value["apiVersion"].as_str());
        let found = found.unwrap_or_default();
        if !self.known.is_served(found) {
            return Err(ManifestError::Version {
                kind: kind.to_owned(),
                file: file.clone(),
                found: found.to_owned(),
                expected: self.known.api_version,
            });
        }
        let name = value["metadata"]["name"].as_str().unwrap_or_default();
        let object = format!("{kind}/{name}");
        let head: Head = typed(value, &object, file, "")?;
        let content = value.get(field).unwrap_or(absent);
        let spec = typed(content, &object, file, field)?;
        Ok(Item {
            file: file.clone(),
            kind,
            metadata: head.metadata,
            spec,
        })
    }
}

/// Parses `value`, which is at `place` in `object`; an error names the field, like the API server's.
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
            problem: ShapeError::from(error.inner()),
        }
    })
}
