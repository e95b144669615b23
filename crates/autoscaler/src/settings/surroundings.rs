//! Objects to which a ScaledObject refers.

use std::collections::{BTreeMap, BTreeSet};

use super::manifest::{AuthenticationRef, Parameter, TriggerAuthentication};
use super::validate::{NO_VARIABLE, is_variable};

/// Known facts about the cluster around a ScaledObject. By default there are none.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// The authentications of its namespace and of the cluster. Others may exist.
    pub authentications: Vec<TriggerAuthentication>,
    /// The variables of the container whose environment KEDA reads; `None`: the scale target is unknown.
    pub variables: Option<Variables>,
    /// Every container of the scale target by its name, in the order of the pod, since an authentication may read another
    /// container; `None`: the scale target is unknown.
    pub containers: Option<Vec<(String, Variables)>>,
    /// The `ConfigMap` objects of its namespace by name. Others may exist.
    pub config_maps: BTreeMap<String, BTreeMap<String, String>>,
    /// The keys of every Secret of its namespace that have a value, by its name. One that is not here may still exist.
    pub secrets: BTreeMap<String, BTreeSet<String>>,
    /// The main queue, into which the load comes; `None`: that of the first `azure-queue` trigger.
    pub load_queue: Option<String>,
    /// The constant number of messages in other queues, by the queue's name; 0 for queues that are not listed.
    pub waiting: BTreeMap<String, u64>,
}

/// The environment of a container (KEDA `pkg/scaling/resolver/scale_resolvers.go`, `resolveEnv`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variables {
    /// Each variable with its value, if that is known.
    pub values: BTreeMap<String, Option<String>>,
    /// Whether these are all variables.
    pub complete: bool,
}

/// The value of an authentication's parameter.
pub(super) enum Resolved {
    /// The value is known.
    Text(String),
    /// The value is unknown here.
    Unknown,
    /// There is no value: the wrong field of the entry, and the reason.
    Nothing(&'static str, String),
}

impl Variables {
    /// The value of a variable; `Nothing` if it does not exist or is empty.
    fn resolve(&self, name: &str, container: &str) -> Resolved {
        match self.values.get(name) {
            Some(Some(text)) if !text.trim().is_empty() => Resolved::Text(text.clone()),
            Some(None) => Resolved::Unknown,
            None if !self.complete => Resolved::Unknown,
            _ => {
                let reason = format!(
                    "is {name}, which the container {container} of the scale target does not have, or which is empty there"
                );
                Resolved::Nothing("name", reason)
            }
        }
    }
}

impl Surroundings {
    /// The value of an entry of `env` (KEDA `scale_resolvers.go`, `resolveAuthRef`: every error of `ResolveContainerEnv`
    /// becomes an empty text. That function takes the first container if none is named, and fails if the named one does not
    /// exist).
    pub(super) fn variable(&self, entry: &Parameter) -> Resolved {
        let name = entry.name.as_deref().unwrap_or_default();
        if !is_variable(name) {
            return Resolved::Nothing("name", NO_VARIABLE.to_owned());
        }
        let Some(containers) = &self.containers else {
            return Resolved::Unknown;
        };
        let wanted = entry.container_name.as_deref();
        let mut all = containers.iter();
        let found = match wanted.filter(|name| !name.is_empty()) {
            Some(wanted) => all.find(|(name, _)| name == wanted),
            None => all.next(),
        };
        if let Some((container, variables)) = found {
            return variables.resolve(name, container);
        }
        let names: Vec<_> = containers.iter().map(|(name, _)| name.as_str()).collect();
        let reason = format!(
            "is {}, and the scale target has no such container, so that KEDA finds nothing: write {}",
            wanted.unwrap_or_default(),
            names.join(" or ")
        );
        Resolved::Nothing("containerName", reason)
    }

    /// The value of an entry of `configMapTargetRef` (KEDA `scale_resolvers.go`, `resolveAuthConfigMap`).
    pub(super) fn configured(&self, entry: &Parameter) -> Resolved {
        let (name, key) = (entry.name.as_deref(), entry.key.as_deref());
        let (name, key) = (name.unwrap_or_default(), key.unwrap_or_default());
        let Some(map) = self.config_maps.get(name) else {
            return Resolved::Unknown;
        };
        if let Some(text) = map.get(key).filter(|text| !text.trim().is_empty()) {
            return Resolved::Text(text.clone());
        }
        let reason =
            format!("is {key}, which the ConfigMap {name} does not have, or which is empty there");
        Resolved::Nothing("key", reason)
    }

    /// What an entry of `secretTargetRef` comes to (KEDA `scale_resolvers.go`, `resolveAuthSecret`: an empty text without the key).
    pub(super) fn secret(&self, entry: &Parameter) -> Resolved {
        let (name, key) = (entry.name.as_deref(), entry.key.as_deref());
        let (name, key) = (name.unwrap_or_default(), key.unwrap_or_default());
        let keys = self.secrets.get(name);
        if keys.is_none_or(|keys| keys.contains(key)) {
            // Its value is nothing that may be repeated.
            return Resolved::Unknown;
        }
        let reason =
            format!("is {key}, which the Secret {name} does not have, or which is empty there");
        Resolved::Nothing("key", reason)
    }

    /// The authentication to which a trigger refers (KEDA `scale_resolvers.go`, `getTriggerAuthSpec`).
    pub(super) fn authentication(
        &self,
        reference: &AuthenticationRef,
    ) -> Option<&TriggerAuthentication> {
        let kind = reference.kind.as_deref().unwrap_or("TriggerAuthentication");
        let mut all = self.authentications.iter();
        all.find(|it| it.kind == kind && it.name == reference.name)
    }
}
