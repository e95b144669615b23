//! What a ScaledObject refers to.

use std::collections::{BTreeMap, BTreeSet};

use super::manifest::{AuthenticationRef, Parameter, TriggerAuthentication};
use super::validate::{NO_VARIABLE, is_variable};

/// What is known of the cluster around a ScaledObject. By default nothing is.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// The authentications of its namespace, and those of the cluster. One that is not here may still exist.
    pub authentications: Vec<TriggerAuthentication>,
    /// The variables of the container whose environment KEDA reads; `None`: the scale target is not known.
    pub variables: Option<Variables>,
    /// Every container of the scale target by its name, in the order of the pod, since an authentication may read another one; `None`: the
    /// scale target is not known.
    pub containers: Option<Vec<(String, Variables)>>,
    /// Every `ConfigMap` of its namespace by its name. One that is not here may still exist.
    pub config_maps: BTreeMap<String, BTreeMap<String, String>>,
    /// The keys of every Secret of its namespace that have a value, by its name. One that is not here may still exist.
    pub secrets: BTreeMap<String, BTreeSet<String>>,
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

/// What a parameter of an authentication comes to.
pub(super) enum Resolved {
    /// This text.
    Text(String),
    /// Nobody can say here.
    Unknown,
    /// Nothing: which field of the entry is wrong, and why.
    Nothing(&'static str, String),
}

impl Variables {
    /// The value of a variable; nothing if there is none, or an empty one.
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
    /// What an entry of `env` comes to (KEDA `scale_resolvers.go`, `resolveAuthRef`: it makes an empty text of every error of
    /// `ResolveContainerEnv`, which takes the first container where none is named, and errs where none is called so).
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

    /// What an entry of `configMapTargetRef` comes to (KEDA `scale_resolvers.go`, `resolveAuthConfigMap`).
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
