//! Rights that a run needs. A role of the guide grants all of them, as a test checks.

/// Rights on one kind of objects.
pub(super) struct Right {
    pub(super) group: &'static str,
    /// The kind, with its subresource: `pods/log`.
    pub(super) resource: &'static str,
    pub(super) verbs: &'static [&'static str],
    /// The reason.
    pub(super) why: &'static str,
}

const fn right(
    group: &'static str,
    resource: &'static str,
    verbs: &'static [&'static str],
    why: &'static str,
) -> Right {
    Right {
        group,
        resource,
        verbs,
        why,
    }
}

/// The verbs of server-side apply: an object that does not exist yet is created (Kubernetes, "Server-Side Apply").
const APPLY: &[&str] = &["create", "patch"];

const OVERLAY: &str = "apply the overlay";

const EVIDENCE: &str = "keep what it looked like";

/// Rights that every run needs. `docs/cluster-role.yaml` grants all of them, as a test checks.
pub(super) const RIGHTS: &[Right] = &[
    right(
        "",
        "namespaces",
        &["create", "get", "list", "watch", "delete"],
        "make the run's namespace, and take it away",
    ),
    right("", "configmaps", APPLY, OVERLAY),
    right("", "secrets", APPLY, OVERLAY),
    right("", "serviceaccounts", APPLY, OVERLAY),
    right("", "services", APPLY, OVERLAY),
    right("networking.k8s.io", "networkpolicies", APPLY, OVERLAY),
    right("policy", "poddisruptionbudgets", APPLY, OVERLAY),
    right("apps", "deployments", APPLY, OVERLAY),
    right(
        "apps",
        "deployments",
        &["list", "watch"],
        "see how many consumers are wanted",
    ),
    right("apps", "deployments/scale", &["patch"], "end all consumers"),
    right("batch", "jobs", APPLY, "run the producer"),
    right("batch", "jobs", &["delete"], "end the producer"),
    right("batch", "jobs", &["list"], EVIDENCE),
    right("", "pods", &["get", "list", "watch"], "see the consumers"),
    right(
        "",
        "pods",
        &["delete", "deletecollection"],
        "kill and drain consumers",
    ),
    right("", "pods/log", &["get"], "keep the logs"),
    right(
        "",
        "pods/portforward",
        &["create", "get"],
        "reach storage in the cluster",
    ),
    right("", "events", &["list"], EVIDENCE),
    right(
        "autoscaling",
        "horizontalpodautoscalers",
        &["list", "watch"],
        "see what keeps the HPA from scaling",
    ),
];

/// Additional rights if KEDA scales.
pub(super) const SCALING: &[Right] = &[
    right("keda.sh", "scaledobjects", APPLY, "have KEDA scale"),
    right(
        "keda.sh",
        "scaledobjects",
        &["delete"],
        "have KEDA stop scaling",
    ),
    right("keda.sh", "scaledobjects", &["list"], EVIDENCE),
    right(
        "keda.sh",
        "triggerauthentications",
        APPLY,
        "have KEDA read the queue",
    ),
];

/// Further permissions that a run needs if nodes are handed over to it. They are a role of their own, `docs/cluster-role-nodes.yaml`: a run
/// without such nodes does not need them.
pub(super) const NODES: &[Right] = &[
    right(
        "",
        "nodes",
        &["get", "list", "watch"],
        "see the nodes that may be drained",
    ),
    right(
        "",
        "nodes",
        &["patch"],
        "cordon those nodes, and give them back",
    ),
    right("", "pods/eviction", &["create"], "drain those nodes"),
];

/// Additional rights if nodes may be deleted.
pub(super) const DELETED_NODES: &[Right] = &[right(
    "",
    "nodes",
    &["delete"],
    "delete the nodes that carry edw/may-be-deleted=true",
)];

pub(super) const ROLE: &str = "docs/cluster-role.yaml";

pub(super) const ROLE_OF_NODES: &str = "docs/cluster-role-nodes.yaml";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use k8s_openapi::api::rbac::v1::ClusterRole;

    use super::*;

    /// Each right of a role of the guide, as `group resource verb`.
    fn of_the_role(role: &str) -> BTreeSet<String> {
        let role: ClusterRole = serde_saphyr::from_str(role).unwrap();
        let mut rights = BTreeSet::new();
        for rule in role.rules.unwrap() {
            // A rule for paths of the API server has no groups.
            for group in rule.api_groups.unwrap_or_default() {
                for resource in rule.resources.clone().unwrap() {
                    let right = |verb: &String| format!("{group} {resource} {verb}");
                    rights.extend(rule.verbs.iter().map(right));
                }
            }
        }
        rights
    }

    #[test]
    fn the_roles_of_the_guide_have_what_is_asked_for() {
        let role = of_the_role(include_str!("../../../../docs/cluster-role.yaml"));
        let of_nodes = of_the_role(include_str!("../../../../docs/cluster-role-nodes.yaml"));
        let lacking = |rights: &[&[Right]], role: &BTreeSet<String>| {
            let asked = rights.iter().copied().flatten().flat_map(|right| {
                let verbs = right.verbs.iter();
                verbs.map(|verb| format!("{} {} {verb}", right.group, right.resource))
            });
            let lacking = asked.filter(|right| !role.contains(right));
            lacking.collect::<Vec<String>>()
        };
        assert_eq!(lacking(&[RIGHTS, SCALING], &role), [""; 0]);
        assert_eq!(lacking(&[NODES, DELETED_NODES], &of_nodes), [""; 0]);
        // A user who hands over no node need not grant rights to change nodes.
        let changes = |right: &&String| right.starts_with(" nodes ") && !right.ends_with("list");
        assert_eq!(role.iter().find(changes), None);
    }
}
