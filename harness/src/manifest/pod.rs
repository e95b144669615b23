//! Deployments, as far as something depends on them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::labels::{Labels, Requirement, Selector};

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Deployment {
    pub(crate) replicas: Option<u32>,
    pub(crate) selector: Selector,
    pub(crate) template: Template,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Template {
    pub(crate) metadata: super::Metadata,
    pub(crate) spec: Pod,
}

/// What a ScaledJob says of its Job; the rest is KEDA's to read.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JobTarget {
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
    pub(crate) fn containers(&self) -> &[Container] {
        let template = self.job_target_ref.as_ref();
        let pod = template.and_then(|it| it.template.as_ref()?.spec.as_ref());
        pod.map_or(&[], |pod| &pod.containers)
    }
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Pod {
    pub(crate) service_account_name: Option<String>,
    pub(crate) automount_service_account_token: Option<bool>,
    /// Kubernetes: 30.
    pub(crate) termination_grace_period_seconds: Option<u64>,
    #[serde(default)]
    pub(crate) security_context: SecurityContext,
    #[serde(default)]
    pub(crate) tolerations: Vec<Toleration>,
    #[serde(default)]
    pub(crate) affinity: Affinity,
    #[serde(default)]
    pub(crate) node_selector: Labels,
    #[serde(default)]
    pub(crate) topology_spread_constraints: Vec<Spread>,
    #[serde(default)]
    pub(crate) init_containers: Vec<Container>,
    pub(crate) containers: Vec<Container>,
    #[serde(default)]
    pub(crate) volumes: Vec<BTreeMap<String, Value>>,
    #[serde(default)]
    pub(crate) host_network: bool,
    #[serde(default, rename = "hostPID")]
    pub(crate) host_pid: bool,
    #[serde(default, rename = "hostIPC")]
    pub(crate) host_ipc: bool,
}

/// Of a pod, or of a container, which overrides it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SecurityContext {
    pub(crate) run_as_non_root: Option<bool>,
    pub(crate) run_as_user: Option<u64>,
    pub(crate) seccomp_profile: Option<Seccomp>,
    pub(crate) allow_privilege_escalation: Option<bool>,
    #[serde(default)]
    pub(crate) privileged: bool,
    pub(crate) read_only_root_filesystem: Option<bool>,
    #[serde(default)]
    pub(crate) capabilities: Capabilities,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Seccomp {
    #[serde(rename = "type")]
    pub(crate) profile: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Capabilities {
    #[serde(default)]
    pub(crate) add: Vec<String>,
    #[serde(default)]
    pub(crate) drop: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Toleration {
    pub(crate) key: Option<String>,
    pub(crate) operator: Option<String>,
    pub(crate) value: Option<String>,
    pub(crate) effect: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Taint {
    pub(crate) key: String,
    pub(crate) value: Option<String>,
    pub(crate) effect: String,
}

impl Toleration {
    /// Kubernetes, "Taints and Tolerations": nothing in a field stands for everything.
    pub(crate) fn tolerates(&self, taint: &Taint) -> bool {
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
pub(crate) struct Affinity {
    #[serde(default)]
    pub(crate) node_affinity: NodeAffinity,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct NodeAffinity {
    #[serde(default, rename = "requiredDuringSchedulingIgnoredDuringExecution")]
    pub(crate) required: Option<NodeTerms>,
    #[serde(default, rename = "preferredDuringSchedulingIgnoredDuringExecution")]
    pub(crate) preferred: Vec<Preference>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NodeTerms {
    /// One of them must hold.
    pub(crate) node_selector_terms: Vec<NodeTerm>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Preference {
    /// 1 to 100.
    pub(crate) weight: u32,
    pub(crate) preference: NodeTerm,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NodeTerm {
    /// All of them must hold.
    #[serde(default)]
    pub(crate) match_expressions: Vec<Requirement>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Spread {
    pub(crate) topology_key: String,
    pub(crate) max_skew: u32,
    pub(crate) when_unsatisfiable: String,
    #[serde(default)]
    pub(crate) label_selector: Selector,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Container {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) image: String,
    #[serde(default)]
    pub(crate) env_from: Vec<EnvFrom>,
    #[serde(default)]
    pub(crate) env: Vec<Variable>,
    #[serde(default)]
    pub(crate) ports: Vec<Port>,
    pub(crate) liveness_probe: Option<Probe>,
    pub(crate) readiness_probe: Option<Probe>,
    #[serde(default)]
    pub(crate) resources: Resources,
    #[serde(default)]
    pub(crate) security_context: SecurityContext,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EnvFrom {
    pub(crate) prefix: Option<String>,
    pub(crate) config_map_ref: Option<Reference>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Reference {
    pub(crate) name: String,
}

/// A variable; without a value when it comes from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) value: Option<String>,
    pub(crate) value_from: Option<BTreeMap<String, Value>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Port {
    pub(crate) name: Option<String>,
    #[serde(rename = "containerPort")]
    pub(crate) number: u16,
    /// On the node.
    #[serde(rename = "hostPort")]
    pub(crate) host: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Probe {
    pub(crate) http_get: Option<HttpGet>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct HttpGet {
    #[serde(default)]
    pub(crate) path: String,
    /// A number, or the name of a port.
    pub(crate) port: Value,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub(crate) struct Resources {
    #[serde(default)]
    pub(crate) requests: BTreeMap<String, Value>,
    #[serde(default)]
    pub(crate) limits: BTreeMap<String, Value>,
}
