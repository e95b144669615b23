//! The restricted profile of pod security, and other limits on containers.
//!
//! Source: Kubernetes, "Pod Security Standards", restricted (which includes baseline), as far as it concerns Deployments.

use super::Problem;
use crate::pod::{Container, Deployment, Pod, SecurityContext};
use crate::{Item, Manifests};

/// The volume types that the restricted profile allows.
const VOLUMES: [&str; 8] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
];

pub(super) fn check(deployment: &Item<Deployment>, problems: &mut Vec<Problem>) {
    let pod = &deployment.spec.template.spec;
    for problem in pod_profile(pod) {
        problems.push(deployment.problem(
            "not-restricted",
            format!("spec.template.spec.{}", problem.0),
            problem.1,
        ));
    }
    for container in pod.init_containers.iter().chain(&pod.containers) {
        let field =
            |field: &str| format!("spec.template.spec.containers[{}].{field}", container.name);
        for (at, advice) in container_profile(&pod.security_context, container) {
            problems.push(deployment.problem("not-restricted", field(at), advice));
        }
        if container.security_context.read_only_root_filesystem != Some(true) {
            problems.push(deployment.problem(
                "root-filesystem-writable",
                field("securityContext.readOnlyRootFilesystem"),
                "write true, and mount an emptyDir where files are needed",
            ));
        }
        image(deployment, container, problems);
        if let Some(advice) = resources(container) {
            problems.push(deployment.problem("resources-missing", field("resources"), advice));
        }
    }
}

/// Advice on missing requests and limits; `None`: none are missing.
fn resources(container: &Container) -> Option<String> {
    let resources = &container.resources;
    let missing = ["cpu", "memory"].into_iter();
    let missing: Vec<_> = missing
        .filter(|what| !resources.requests.contains_key(*what))
        .collect();
    let request = (!missing.is_empty()).then(|| {
        let missing = missing.join(" and ");
        format!("request {missing}: nodes are bought by what is requested")
    });
    let limit = (!resources.limits.contains_key("memory")).then(|| {
        "limit memory: a container without a limit may take that of all others on its node"
            .to_owned()
    });
    let advice: Vec<_> = request.into_iter().chain(limit).collect();
    (!advice.is_empty()).then(|| advice.join("; "))
}

/// Checks that the cluster enforces the restricted profile.
pub(super) fn check_namespaces(manifests: &Manifests, problems: &mut Vec<Problem>) {
    for namespace in &manifests.namespaces {
        let labels = &namespace.metadata.labels;
        let enforced = labels.get("pod-security.kubernetes.io/enforce");
        if enforced.map(String::as_str) != Some("restricted") {
            problems.push(namespace.problem(
                "profile-not-enforced",
                "metadata.labels",
                "write pod-security.kubernetes.io/enforce: restricted",
            ));
        }
    }
}

type Broken = (&'static str, &'static str);

fn pod_profile(pod: &Pod) -> Vec<Broken> {
    let allowed = |volume: &std::collections::BTreeMap<String, serde_json::Value>| {
        volume
            .keys()
            .all(|key| key == "name" || VOLUMES.contains(&key.as_str()))
    };
    [
        (pod.host_network, ("hostNetwork", "leave it away")),
        (pod.host_pid, ("hostPID", "leave it away")),
        (pod.host_ipc, ("hostIPC", "leave it away")),
        (
            !pod.volumes.iter().all(allowed),
            (
                "volumes",
                "mount no directory of the node; take an emptyDir",
            ),
        ),
        (
            pod.automount_service_account_token != Some(false),
            (
                "automountServiceAccountToken",
                "write false: nothing here speaks to the Kubernetes API",
            ),
        ),
    ]
    .into_iter()
    .filter_map(|(broken, problem)| broken.then_some(problem))
    .collect()
}

fn container_profile(pod: &SecurityContext, container: &Container) -> Vec<Broken> {
    let own = &container.security_context;
    let seccomp = own
        .seccomp_profile
        .as_ref()
        .or(pod.seccomp_profile.as_ref());
    let confined = seccomp
        .is_some_and(|seccomp| ["RuntimeDefault", "Localhost"].contains(&seccomp.profile.as_str()));
    let added = &own.capabilities.add;
    [
        (
            own.run_as_non_root.or(pod.run_as_non_root) != Some(true),
            ("securityContext.runAsNonRoot", "write true"),
        ),
        (
            own.run_as_user.or(pod.run_as_user) == Some(0),
            ("securityContext.runAsUser", "0 is root; write another user"),
        ),
        (
            !confined,
            (
                "securityContext.seccompProfile",
                "write type: RuntimeDefault",
            ),
        ),
        (
            own.allow_privilege_escalation != Some(false),
            ("securityContext.allowPrivilegeEscalation", "write false"),
        ),
        (
            own.privileged,
            ("securityContext.privileged", "leave it away"),
        ),
        (
            !own.capabilities.drop.iter().any(|name| name == "ALL"),
            ("securityContext.capabilities.drop", "write [ALL]"),
        ),
        (
            added.iter().any(|name| name != "NET_BIND_SERVICE"),
            ("securityContext.capabilities.add", "leave it away"),
        ),
        (
            container.ports.iter().any(|port| port.host.is_some()),
            ("ports", "leave hostPort away"),
        ),
    ]
    .into_iter()
    .filter_map(|(broken, problem)| broken.then_some(problem))
    .collect()
}

fn image(deployment: &Item<Deployment>, container: &Container, problems: &mut Vec<Problem>) {
    let name = container.image.rsplit('/').next().unwrap_or_default();
    let pinned = match name.split_once('@') {
        Some((_, digest)) => digest.starts_with("sha256:"),
        None => name
            .split_once(':')
            .is_some_and(|(_, tag)| !tag.is_empty() && tag != "latest"),
    };
    if !pinned {
        problems.push(deployment.problem(
            "image-not-pinned",
            format!("spec.template.spec.containers[{}].image", container.name),
            format!(
                "{:?}: nobody can tell which build ran; write a tag other than latest, or a digest",
                container.image
            ),
        ));
    }
}
