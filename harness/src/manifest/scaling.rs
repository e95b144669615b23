//! KEDA's kinds. A `ScaledObject` is read, and refused, by the model that says what it does: [`autoscaler`].

use autoscaler::manifest::{Metadata, ScaledObject, Spec};
use autoscaler::{Refusals, Settings};
use serde::Deserialize;

use super::Item;

/// The kind of what is scaled when none is given (KEDA `apis/keda/v1alpha1/scaledobject_types.go`, `ScaleTarget`).
const DEFAULT_TARGET: &str = "Deployment";

impl Item<Spec> {
    /// Its settings, every default filled in, or why a cluster would refuse it.
    pub fn settings(&self) -> Result<Settings, Refusals> {
        let object = ScaledObject {
            // Both were compared when it was read.
            api_version: super::KEDA.to_owned(),
            kind: self.kind.to_owned(),
            metadata: Metadata {
                name: self.metadata.name.clone(),
                annotations: self.metadata.annotations.clone(),
            },
            spec: self.spec.clone(),
        };
        object.settings()
    }

    /// The kind of what is scaled.
    pub fn target_kind(&self) -> &str {
        let kind = self.spec.scale_target_ref.kind.as_deref();
        kind.unwrap_or(DEFAULT_TARGET)
    }
}

/// The spec of a `TriggerAuthentication`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TriggerAuthentication {
    pub(crate) pod_identity: Option<PodIdentity>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct PodIdentity {
    pub(crate) provider: String,
}
