//! KEDA's kinds. The crate [`autoscaler`] parses and validates their settings.

use std::collections::BTreeMap;

use autoscaler::manifest::{self, JobSpec, ScaledJob, ScaledObject, Spec, TriggerAuthentication};
use autoscaler::{
    JobSettings, Refusal, Refusals, RefusedBy, Settings, Surroundings, Variables, Warning,
};

use super::pod::{Container, JobTarget};
use super::{Item, Manifests};
use crate::letters::and_misleading;

/// The default kind of a scale target (KEDA `apis/keda/v1alpha1/gvkr.go`, `ParseGVKR`).
const DEFAULT_TARGET: &str = "Deployment";
const CLUSTER_WIDE: &str = "ClusterTriggerAuthentication";
/// KEDA `scaledobject_types.go`, `ValidationsHpaOwnershipAnnotation` and `ScaledObjectTransferHpaOwnershipAnnotation`.
const NOT_MINDED: &str = "validations.keda.sh/hpa-ownership";
const TRANSFERRED: &str = "scaledobject.keda.sh/transfer-hpa-ownership";

impl Item<Spec> {
    /// The kind of the scale target.
    pub fn target_kind(&self) -> &str {
        let kind = self.spec.scale_target_ref.kind.as_deref();
        kind.unwrap_or(DEFAULT_TARGET)
    }

    /// Settings without effect.
    pub fn unheeded(&self) -> Vec<Warning> {
        self.as_manifest().warnings()
    }

    fn as_manifest(&self) -> ScaledObject {
        ScaledObject {
            // Both were checked when it was read.
            api_version: super::KEDA.to_owned(),
            kind: self.kind.to_owned(),
            metadata: self.named(),
            spec: self.spec.clone(),
        }
    }

    /// KEDA `scaledobject_webhook.go`, `getHpaName`.
    fn autoscaler_name(&self) -> String {
        let config = self.spec.advanced.as_ref();
        let config = config.and_then(|it| it.horizontal_pod_autoscaler_config.as_ref());
        let name = config.and_then(|it| it.name.clone());
        let name = name.filter(|name| !name.is_empty());
        name.unwrap_or_else(|| format!("keda-hpa-{}", self.metadata.name))
    }
}

impl Item<JobSpec> {
    /// Settings without effect.
    pub fn unheeded(&self) -> Vec<Warning> {
        self.as_manifest().warnings()
    }

    fn as_manifest(&self) -> ScaledJob {
        ScaledJob {
            api_version: super::KEDA.to_owned(),
            kind: self.kind.to_owned(),
            metadata: self.named(),
            spec: self.spec.clone(),
        }
    }
}

impl<T> Item<T> {
    fn named(&self) -> manifest::Metadata {
        manifest::Metadata {
            name: self.metadata.name.clone(),
            namespace: self.metadata.namespace.clone(),
            labels: self.metadata.labels.clone(),
            annotations: self.metadata.annotations.clone(),
        }
    }
}

/// The question about settings that read several queues.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// The main queue, into which the load comes; `None`: that of the first trigger with a queue.
    pub queue: Option<String>,
    /// The constant number of messages in other queues.
    pub waiting: BTreeMap<String, u64>,
}

impl Manifests {
    /// The settings of a ScaledObject of these manifests, with every default filled in, or the reasons why a cluster with all
    /// of them would refuse it.
    pub fn settings(&self, scaled: &Item<Spec>) -> Result<Settings, Refusals> {
        self.settings_asked(scaled, &Asked::default())
    }

    /// As [`Manifests::settings`], for a load that comes into one of several queues.
    pub fn settings_asked(&self, scaled: &Item<Spec>, asked: &Asked) -> Result<Settings, Refusals> {
        let mut refusals = self.conflicts(scaled);
        let target = self.target(scaled);
        let containers = target.map(|it| &*it.spec.template.spec.containers);
        let around = self.around(scaled, self.container(scaled), containers, asked);
        match scaled.as_manifest().settings_in(&around) {
            Ok(settings) if refusals.is_empty() => return Ok(settings),
            Ok(_) => {}
            Err(found) => refusals.extend(found.0),
        }
        Err(with_letters(Refusals(refusals)))
    }

    /// The settings of a ScaledJob of these manifests. KEDA reads the environment of the first container, unless another is
    /// named (KEDA `scale_resolvers.go`, `ResolveScaleTargetPodSpec` and `ResolveContainerEnv`).
    pub fn job_settings(
        &self,
        scaled: &Item<JobSpec>,
        asked: &Asked,
    ) -> Result<JobSettings, Refusals> {
        let named = scaled.spec.env_source_container_name.as_deref();
        let named = named.filter(|name| !name.is_empty());
        let containers = self.job_target(scaled).map(JobTarget::containers);
        let containers = containers.unwrap_or_default();
        let container = match named {
            Some(name) => containers.iter().find(|it| it.name == name),
            None => containers.first(),
        };
        if let Some(name) = named.filter(|_| container.is_none() && !containers.is_empty()) {
            return Err(Refusals(vec![Refusal {
                object: "ScaledJob",
                field: "spec.envSourceContainerName".to_owned(),
                reason: format!("is {name}, and the Job has no such container"),
                by: RefusedBy::Keda,
            }]));
        }
        let around = self.around(scaled, container, Some(containers), asked);
        scaled
            .as_manifest()
            .settings_in(&around)
            .map_err(with_letters)
    }

    /// The Job of a ScaledJob, with the fields that are used here.
    pub fn job_target(&self, scaled: &Item<JobSpec>) -> Option<&JobTarget> {
        let mut targets = self.job_targets.iter();
        let same = |it: &&Item<JobTarget>| it.file == scaled.file && it.metadata == scaled.metadata;
        targets.find(same).map(|item| &item.spec)
    }

    /// Other objects that scale the same target or have the same name (KEDA `scaledobject_webhook.go`, `verifyScaledObjects`
    /// and `verifyHpas`), and a container that does not exist (`scale_resolvers.go`, `ResolveContainerEnv`).
    fn conflicts(&self, scaled: &Item<Spec>) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        let mut refuse = |field: &str, reason: String| {
            refusals.push(Refusal {
                object: "ScaledObject",
                field: field.to_owned(),
                reason,
                by: RefusedBy::Keda,
            });
        };
        let target = &scaled.spec.scale_target_ref;
        let (kind, autoscaler) = (scaled.target_kind(), scaled.autoscaler_name());
        for other in &self.scaled_objects {
            let (name, theirs) = (&other.metadata.name, &other.spec.scale_target_ref);
            if *name == scaled.metadata.name || !other.metadata.is_beside(&scaled.metadata) {
                continue;
            }
            if other.target_kind() == kind && theirs.name == target.name {
                let reason = format!(
                    "is {kind}/{}, which ScaledObject/{name} scales too: make one of both, with all triggers",
                    target.name
                );
                refuse("spec.scaleTargetRef", reason);
            }
            if other.autoscaler_name() == autoscaler {
                let reason = format!("is {autoscaler}, as of ScaledObject/{name}");
                refuse("spec.advanced.horizontalPodAutoscalerConfig.name", reason);
            }
        }
        for other in &self.autoscalers {
            let theirs = &other.spec.scale_target_ref;
            let same = theirs.kind == kind && theirs.name == target.name;
            if same && other.metadata.is_beside(&scaled.metadata) && !tolerated(scaled, other) {
                let reason = format!(
                    "is {kind}/{}, which {} scales too: take one of both away",
                    target.name,
                    other.object()
                );
                refuse("spec.scaleTargetRef", reason);
            }
        }
        if let Some(wanted) = container_name(scaled)
            && self.target(scaled).is_some()
            && self.container(scaled).is_none()
        {
            let reason = format!(
                "is {wanted}, and {kind}/{} has no such container",
                target.name
            );
            refuse("spec.scaleTargetRef.envSourceContainerName", reason);
        }
        refusals
    }

    /// The container whose environment KEDA reads: the first, unless another is named (KEDA `scale_resolvers.go`,
    /// `ResolveContainerEnv`).
    fn container(&self, scaled: &Item<Spec>) -> Option<&Container> {
        let mut containers = self.target(scaled)?.spec.template.spec.containers.iter();
        match container_name(scaled) {
            Some(name) => containers.find(|it| it.name == name),
            None => containers.next(),
        }
    }

    fn around<T>(
        &self,
        scaled: &Item<T>,
        container: Option<&Container>,
        containers: Option<&[Container]>,
        asked: &Asked,
    ) -> Surroundings {
        let here = |item: &&Item<_>| {
            item.kind == CLUSTER_WIDE || item.metadata.is_beside(&scaled.metadata)
        };
        let authentications = self.authentications.iter().filter(here);
        let config_maps = self.config_maps.iter();
        let config_maps = config_maps.filter(|map| map.metadata.is_beside(&scaled.metadata));
        Surroundings {
            authentications: authentications
                .map(|item| TriggerAuthentication {
                    kind: item.kind.to_owned(),
                    name: item.metadata.name.clone(),
                    spec: item.spec.clone(),
                })
                .collect(),
            variables: container.map(|container| self.variables(scaled, container)),
            containers: containers.filter(|all| !all.is_empty()).map(|all| {
                let named = |it: &Container| (it.name.clone(), self.variables(scaled, it));
                all.iter().map(named).collect()
            }),
            config_maps: config_maps
                .map(|map| (map.metadata.name.clone(), map.spec.clone()))
                .collect(),
            secrets: self
                .secrets
                .iter()
                .filter(|it| it.metadata.is_beside(&scaled.metadata))
                .filter_map(|it| Some((it.metadata.name.clone(), it.spec.0.clone()?)))
                .collect(),
            load_queue: asked.queue.clone(),
            waiting: asked.waiting.clone(),
        }
    }

    /// The environment of a container, as KEDA sees it (KEDA `scale_resolvers.go`, `resolveEnv`).
    fn variables<T>(&self, scaled: &Item<T>, container: &Container) -> Variables {
        let mut variables = Variables {
            values: BTreeMap::new(),
            complete: true,
        };
        for from in &container.env_from {
            let reference = from.config_map_ref.as_ref();
            let map = reference.and_then(|reference| {
                let mut maps = self.config_maps.iter();
                maps.find(|map| {
                    map.metadata.name == reference.name && map.metadata.is_beside(&scaled.metadata)
                })
            });
            let Some(map) = map else {
                // A Secret, or a map that is not among the manifests.
                variables.complete = false;
                continue;
            };
            for (name, value) in &map.spec {
                let name = format!("{}{name}", from.prefix.as_deref().unwrap_or_default());
                variables.values.insert(name, Some(value.clone()));
            }
        }
        for variable in &container.env {
            let source = variable.value_from.as_ref();
            let value = variable.value.as_deref().filter(|it| !it.is_empty());
            let value = match (value, source) {
                (Some(value), _) if value.contains("$(") => None,
                (Some(value), _) => Some(value.to_owned()),
                // KEDA skips values that the kubelet fills in.
                (None, Some(source))
                    if source.contains_key("fieldRef")
                        || source.contains_key("resourceFieldRef") =>
                {
                    continue;
                }
                (None, Some(_)) => None,
                (None, None) => Some(String::new()),
            };
            variables.values.insert(variable.name.clone(), value);
        }
        variables
    }
}

/// `refusals`, with the character of a value that is not what it looks like.
fn with_letters(mut refusals: Refusals) -> Refusals {
    for refusal in &mut refusals.0 {
        let told = and_misleading(&refusal.reason);
        refusal.reason.push_str(&told);
    }
    refusals
}

fn container_name(scaled: &Item<Spec>) -> Option<&str> {
    let name = scaled
        .spec
        .scale_target_ref
        .env_source_container_name
        .as_deref();
    name.filter(|name| !name.is_empty())
}

/// KEDA `scaledobject_webhook.go`, `verifyHpas`.
fn tolerated(
    scaled: &Item<Spec>,
    other: &Item<super::surroundings::HorizontalPodAutoscaler>,
) -> bool {
    let says = |of: &BTreeMap<String, String>, key: &str, value: &str| {
        of.get(key).is_some_and(|it| it == value)
    };
    let owners = &other.metadata.owner_references;
    let owned = owners
        .iter()
        .any(|owner| owner.kind == scaled.kind && owner.name == scaled.metadata.name);
    let transferred = says(&scaled.metadata.annotations, TRANSFERRED, "true")
        && scaled.autoscaler_name() == other.metadata.name;
    owned || transferred || says(&other.metadata.annotations, NOT_MINDED, "false")
}
