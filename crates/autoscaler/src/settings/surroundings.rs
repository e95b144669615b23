//! What a ScaledObject refers to.

use std::collections::BTreeMap;

use super::manifest::{AuthenticationRef, TriggerAuthentication};

/// What is known of the cluster around a ScaledObject. By default nothing is.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// The authentications of its namespace, and those of the cluster. One that is not here may still exist.
    pub authentications: Vec<TriggerAuthentication>,
    /// The variables of the container whose environment KEDA reads; `None`: the scale target is not known.
    pub variables: Option<Variables>,
    /// The queue that a load comes into, which is asked about; `None`: that of the first `azure-queue` trigger.
    pub load_queue: Option<String>,
    /// Messages that are in other queues all the time, by the name of the queue; none in those that are not here.
    pub waiting: BTreeMap<String, u64>,
}

/// The environment of a container (KEDA `pkg/scaling/resolver/scale_resolvers.go`, `resolveEnv`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variables {
    /// Each with its value, if that is known.
    pub values: BTreeMap<String, Option<String>>,
    /// There are no others.
    pub complete: bool,
}

impl Surroundings {
    /// The authentication that is meant (KEDA `scale_resolvers.go`, `getTriggerAuthSpec`).
    pub(super) fn authentication(
        &self,
        reference: &AuthenticationRef,
    ) -> Option<&TriggerAuthentication> {
        let kind = reference.kind.as_deref().unwrap_or("TriggerAuthentication");
        let mut all = self.authentications.iter();
        all.find(|it| it.kind == kind && it.name == reference.name)
    }
}
