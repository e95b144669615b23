//! Relations of node placement: Spot nodes first, on-demand nodes as the fallback.

use std::collections::BTreeMap;

use super::{Problem, Workload};
use crate::Item;
use crate::labels::{Labels, Requirement};
use crate::nodes::NodePool;
use crate::pod::{NodeTerm, Taint};

/// The label of node auto-provisioning's nodes: `spot` or `on-demand`.
const CAPACITY_TYPE: &str = "karpenter.sh/capacity-type";

/// The label and taint of nodes in AKS Spot pools, with the value `spot`; other nodes lack it.
const PRIORITY: &str = "kubernetes.azure.com/scalesetpriority";

/// The distinguishing labels of Spot nodes, and those of on-demand nodes.
fn nodes() -> (Labels, Labels) {
    let labels = |pairs: &[(&str, &str)]| -> Labels {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        pairs.iter().map(owned).collect::<BTreeMap<_, _>>()
    };
    (
        labels(&[(CAPACITY_TYPE, "spot"), (PRIORITY, "spot")]),
        labels(&[(CAPACITY_TYPE, "on-demand")]),
    )
}

/// Whether the requirements on these labels hold; other requirements are ignored.
fn admits(requirements: &[Requirement], node: &Labels) -> bool {
    requirements
        .iter()
        .filter(|requirement| [CAPACITY_TYPE, PRIORITY].contains(&requirement.key.as_str()))
        .all(|requirement| requirement.holds(node))
}

pub(super) fn check(workload: &Workload<'_>, problems: &mut Vec<Problem>) {
    pod(workload, problems);
    let pools = &workload.manifests.node_pools;
    for pool in pools {
        pool_itself(workload, pool, problems);
    }
    fallback(pools, problems);
}

fn pod(workload: &Workload<'_>, problems: &mut Vec<Problem>) {
    let pod = &workload.deployment.spec.template.spec;
    let mut problem = |name, field: &str, advice: &str| {
        problems.push(workload.deployment.problem(
            name,
            format!("spec.template.spec.{field}"),
            advice,
        ));
    };
    let (spot, on_demand) = nodes();
    let taint = Taint {
        key: PRIORITY.to_owned(),
        value: Some("spot".to_owned()),
        effect: "NoSchedule".to_owned(),
    };
    if !pod.tolerations.iter().any(|one| one.tolerates(&taint)) {
        problem(
            "spot-not-tolerated",
            "tolerations",
            "no consumer would run on a Spot node; tolerate kubernetes.azure.com/scalesetpriority=spot:NoSchedule",
        );
    }
    let affinity = &pod.affinity.node_affinity;
    let prefers = |term: &NodeTerm| {
        admits(&term.match_expressions, &spot) && !admits(&term.match_expressions, &on_demand)
    };
    if !affinity
        .preferred
        .iter()
        .any(|one| prefers(&one.preference))
    {
        problem(
            "spot-not-preferred",
            "affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution",
            "on-demand nodes are as good as Spot nodes to the scheduler; prefer karpenter.sh/capacity-type spot",
        );
    }
    let selected = |label: &str| {
        let wanted = pod.node_selector.get(label);
        wanted.is_none_or(|wanted| on_demand.get(label) == Some(wanted))
    };
    if !selected(CAPACITY_TYPE) || !selected(PRIORITY) {
        problem(
            "spot-required",
            "nodeSelector",
            "without Spot capacity the work stops; prefer Spot nodes by affinity, and require none",
        );
    }
    let leaves = |term: &NodeTerm| admits(&term.match_expressions, &on_demand);
    if let Some(required) = &affinity.required
        && !required.node_selector_terms.iter().any(leaves)
    {
        problem(
            "spot-required",
            "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution",
            "without Spot capacity the work stops; prefer Spot nodes, and require none",
        );
    }
}

fn pool_itself(workload: &Workload<'_>, pool: &Item<NodePool>, problems: &mut Vec<Problem>) {
    let tolerations = &workload.deployment.spec.template.spec.tolerations;
    let node = &pool.spec.template.spec;
    for taint in &node.taints {
        if !tolerations.iter().any(|one| one.tolerates(taint)) {
            problems.push(pool.problem(
                "pool-taint-not-tolerated",
                "spec.template.spec.taints",
                format!(
                    "the consumers do not tolerate {}, and would never run here; let them, or take the taint away",
                    taint.key
                ),
            ));
        }
    }
    let classes = &workload.manifests.node_classes;
    let class = &node.node_class_ref.name;
    if !classes.iter().any(|item| item.metadata.name == *class) {
        problems.push(pool.problem(
            "node-class-unknown",
            "spec.template.spec.nodeClassRef",
            format!(
                "there is no AKSNodeClass {class:?} here; add it, or name the one that there is"
            ),
        ));
    }
}

/// Checks that a Spot pool has an on-demand pool as its fallback, or allows on-demand capacity itself.
fn fallback(pools: &[Item<NodePool>], problems: &mut Vec<Problem>) {
    let (spot, on_demand) = nodes();
    let takes = |pool: &Item<NodePool>, node| admits(&pool.spec.template.spec.requirements, node);
    let Some(first) = pools
        .iter()
        .filter(|pool| takes(pool, &spot))
        .max_by_key(|pool| pool.spec.weight)
    else {
        return;
    };
    if !pools.iter().any(|pool| takes(pool, &on_demand)) {
        problems.push(first.problem(
            "no-on-demand-pool",
            "spec.template.spec.requirements",
            "without Spot capacity the work stops; add a NodePool of lower weight with capacity type on-demand",
        ));
    }
    let rivals = pools
        .iter()
        .filter(|pool| !takes(pool, &spot) && pool.spec.weight >= first.spec.weight);
    for rival in rivals {
        problems.push(rival.problem(
            "spot-not-first",
            "spec.weight",
            format!(
                "{}: not below that of {}, {}, so that Spot would not come first; write less",
                rival.spec.weight,
                first.object(),
                first.spec.weight
            ),
        ));
    }
}
