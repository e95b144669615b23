//! Deployments: the fields that are used here.

#![expect(
    missing_docs,
    reason = "named as in the API of Kubernetes, whose reference documents each"
)]

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::labels::{Labels, Requirement, Selector};

/// The label that a Deployment gives the pods of each version of its template.
const TEMPLATE_HASH: &str = "pod-template-hash";

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Deployment {
    pub replicas: Option<u32>,
    pub selector: Selector,
    pub template: Template,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Template {
    #[serde(default)]
    pub metadata: super::Metadata,
    pub spec: Pod,
}

/// The fields of a ScaledJob's Job that are used here.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobTarget {
    job_target_ref: Option<JobTemplate>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct JobTemplate {
    template: Option<JobPod>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct JobPod {
    spec: Option<JobContainers>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct JobContainers {
    #[serde(default)]
    containers: Vec<Container>,
}

impl JobTarget {
    /// The containers of the Job's pod.
    pub fn containers(&self) -> &[Container] {
        let template = self.job_target_ref.as_ref();
        let pod = template.and_then(|it| it.template.as_ref()?.spec.as_ref());
        pod.map_or(&[], |pod| &pod.containers)
    }
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pod {
    pub service_account_name: Option<String>,
    pub automount_service_account_token: Option<bool>,
    /// Kubernetes' default is 30.
    pub termination_grace_period_seconds: Option<u64>,
    #[serde(default)]
    pub security_context: SecurityContext,
    #[serde(default)]
    pub tolerations: Vec<Toleration>,
    #[serde(default)]
    pub affinity: Affinity,
    #[serde(default)]
    pub node_selector: Labels,
    #[serde(default)]
    pub topology_spread_constraints: Vec<Spread>,
    #[serde(default)]
    pub init_containers: Vec<Container>,
    pub containers: Vec<Container>,
    #[serde(default)]
    pub volumes: Vec<BTreeMap<String, Value>>,
    #[serde(default)]
    pub host_network: bool,
    #[serde(default, rename = "hostPID")]
    pub host_pid: bool,
    #[serde(default, rename = "hostIPC")]
    pub host_ipc: bool,
}

/// The security context of a pod, or of a container, which overrides the pod's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityContext {
    pub run_as_non_root: Option<bool>,
    pub run_as_user: Option<u64>,
    pub seccomp_profile: Option<Seccomp>,
    pub allow_privilege_escalation: Option<bool>,
    #[serde(default)]
    pub privileged: bool,
    pub read_only_root_filesystem: Option<bool>,
    #[serde(default)]
    pub capabilities: Capabilities,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Seccomp {
    #[serde(rename = "type")]
    pub profile: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Capabilities {
    #[serde(default)]
    pub add: Vec<String>,
    #[serde(default)]
    pub drop: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Toleration {
    pub key: Option<String>,
    pub operator: Option<String>,
    pub value: Option<String>,
    pub effect: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Taint {
    pub key: String,
    pub value: Option<String>,
    pub effect: String,
}

impl Toleration {
    /// Kubernetes, "Taints and Tolerations": an empty field matches everything.
    pub fn tolerates(&self, taint: &Taint) -> bool {
        let key = self.key.as_ref().is_none_or(|key| *key == taint.key);
        let exists = self.operator.as_deref() == Some("Exists");
        let value = exists
            || self.value.clone().unwrap_or_default() == taint.value.clone().unwrap_or_default();
        let effect = self
            .effect
            .as_ref()
            .is_none_or(|effect| *effect == taint.effect);
        key && value && effect
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Affinity {
    #[serde(default)]
    pub node_affinity: NodeAffinity,
    #[serde(default)]
    pub pod_anti_affinity: PodAntiAffinity,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct PodAntiAffinity {
    #[serde(default, rename = "requiredDuringSchedulingIgnoredDuringExecution")]
    pub required: Vec<PodTerm>,
    #[serde(default, rename = "preferredDuringSchedulingIgnoredDuringExecution")]
    pub preferred: Vec<PodPreference>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodPreference {
    pub pod_affinity_term: PodTerm,
}

/// Pods near which a pod is to be, or not to be.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodTerm {
    pub topology_key: String,
    label_selector: Option<Selector>,
    #[serde(default)]
    namespaces: Vec<String>,
    namespace_selector: Option<Selector>,
    #[serde(default)]
    mismatch_label_keys: Vec<String>,
}

impl PodTerm {
    /// Whether it means the pods of the template that it is in, which have these `labels`, in their own `namespace`, with the labels
    /// `of_namespace`. Without a selector of pods it means none, and without a word of namespaces the pod's own. If the manifests do
    /// not name the namespace, it counts as one of those that are listed (Kubernetes `pkg/scheduler/framework/types.go`,
    /// `AffinityTerm.Matches`). A key of `mismatchLabelKeys` that the pod has leaves out all pods with its value, so all of its own
    /// (`pkg/registry/core/pod/strategy.go`, `applyMatchLabelKeysAndMismatchLabelKeys`).
    pub fn means_own(
        &self,
        labels: &Labels,
        namespace: Option<&str>,
        of_namespace: &Labels,
    ) -> bool {
        let means = |selector: &Option<Selector>, labels: &Labels| {
            selector.as_ref().is_some_and(|it| it.matches(labels))
        };
        let is_default = self.namespaces.is_empty() && self.namespace_selector.is_none();
        let is_named = |name: &str| self.namespaces.iter().any(|it| it == name);
        let is_listed = !self.namespaces.is_empty() && namespace.is_none_or(is_named);
        let has = |key: &String| key == TEMPLATE_HASH || labels.contains_key(key);
        !self.mismatch_label_keys.iter().any(has)
            && means(&self.label_selector, labels)
            && (is_default || is_listed || means(&self.namespace_selector, of_namespace))
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct NodeAffinity {
    #[serde(default, rename = "requiredDuringSchedulingIgnoredDuringExecution")]
    pub required: Option<NodeTerms>,
    #[serde(default, rename = "preferredDuringSchedulingIgnoredDuringExecution")]
    pub preferred: Vec<Preference>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeTerms {
    /// At least one of them must match.
    pub node_selector_terms: Vec<NodeTerm>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Preference {
    /// From 1 to 100.
    pub weight: u32,
    pub preference: NodeTerm,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeTerm {
    /// All of them must match.
    #[serde(default)]
    pub match_expressions: Vec<Requirement>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spread {
    pub topology_key: String,
    pub max_skew: u32,
    pub when_unsatisfiable: String,
    label_selector: Option<Selector>,
}

impl Spread {
    /// Whether it counts pods with these labels; without a selector it counts none (Kubernetes
    /// `apimachinery/pkg/apis/meta/v1/helpers.go`, `LabelSelectorAsSelector`: nil selects nothing).
    pub fn counts(&self, labels: &Labels) -> bool {
        let selector = self.label_selector.as_ref();
        selector.is_some_and(|it| it.matches(labels))
    }
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Container {
    pub name: String,
    #[serde(default)]
    pub image: String,
    #[serde(default)]
    pub env_from: Vec<EnvFrom>,
    #[serde(default)]
    pub env: Vec<Variable>,
    #[serde(default)]
    pub ports: Vec<Port>,
    pub liveness_probe: Option<Probe>,
    pub readiness_probe: Option<Probe>,
    #[serde(default)]
    pub resources: Resources,
    #[serde(default)]
    pub security_context: SecurityContext,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EnvFrom {
    pub prefix: Option<String>,
    pub config_map_ref: Option<Reference>,
    pub secret_ref: Option<Reference>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Reference {
    pub name: String,
}

/// An environment variable; without a value if it comes from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Variable {
    pub name: String,
    pub value: Option<String>,
    pub value_from: Option<BTreeMap<String, Value>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Port {
    pub name: Option<String>,
    #[serde(rename = "containerPort")]
    pub number: u16,
    /// The port on the node.
    #[serde(rename = "hostPort")]
    pub host: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Probe {
    pub http_get: Option<HttpGet>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct HttpGet {
    #[serde(default)]
    pub path: String,
    /// A number, or the name of a port.
    pub port: Value,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct Resources {
    #[serde(default)]
    pub requests: BTreeMap<String, Value>,
    #[serde(default)]
    pub limits: BTreeMap<String, Value>,
}
