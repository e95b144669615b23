//! Selectors that must match the pods, and objects around the pods.

use serde_json::Value;

use super::{Problem, Workload};
use crate::pod::Deployment;
use crate::{Item, Manifests};

/// The address of the metadata service, which gives the Spot notices.
const METADATA: &str = "169.254.169.254";

/// Checks the selectors of a Deployment.
pub(super) fn check_selectors(
    deployment: &Item<Deployment>,
    manifests: &Manifests,
    problems: &mut Vec<Problem>,
) {
    let (spec, template) = (&deployment.spec, &deployment.spec.template);
    if !spec.selector.matches(&template.metadata.labels) {
        problems.push(deployment.problem(
            "selector-misses-pods",
            "spec.selector",
            "Kubernetes refuses a Deployment that does not select its own pods; give both the same labels",
        ));
    }
    for spread in &template.spec.topology_spread_constraints {
        let field = "spec.template.spec.topologySpreadConstraints";
        if !spread.counts(&template.metadata.labels) {
            problems.push(deployment.problem(
                "spread-misses-pods",
                field,
                "it counts other pods than these; select their labels",
            ));
        }
        if spread.when_unsatisfiable != "ScheduleAnyway" {
            problems.push(deployment.problem(
                "spread-required",
                field,
                "without capacity in one zone the work stops; write whenUnsatisfiable: ScheduleAnyway",
            ));
        }
    }
    if let Some(name) = &template.spec.service_account_name {
        let accounts = &manifests.service_accounts;
        if !accounts.iter().any(|item| item.metadata.name == *name) {
            problems.push(deployment.problem(
                "service-account-unknown",
                "spec.template.spec.serviceAccountName",
                format!("there is no ServiceAccount {name:?} here; add it, or name the one that there is"),
            ));
        }
    }
}

pub(super) fn check(workload: &Workload<'_>, problems: &mut Vec<Problem>) {
    let labels = &workload.deployment.spec.template.metadata.labels;
    let budgets = &workload.manifests.disruption_budgets;
    let selects = |item: &&Item<crate::surroundings::DisruptionBudget>| {
        let selector = item.spec.selector.as_ref();
        selector.is_some_and(|it| it.matches(labels))
    };
    match budgets.iter().find(selects) {
        None => problems.push(workload.deployment.problem(
            "budget-misses-pods",
            "spec.template.metadata.labels",
            "no PodDisruptionBudget selects the consumers, so that maintenance may end all of them at once; add one that does",
        )),
        Some(budget) => {
            let none = [
                Some(Value::from(0)),
                Some(Value::from("0")),
                Some(Value::from("0%")),
            ];
            if budget.spec.min_available.is_some() || none.contains(&budget.spec.max_unavailable) {
                problems.push(budget.problem(
                    "budget-blocks-drain",
                    "spec",
                    "the node of the last consumer could never be drained; write maxUnavailable, such as 25%",
                ));
            }
        }
    }
    let policies = &workload.manifests.network_policies;
    let policies: Vec<_> = policies
        .iter()
        .filter(|item| item.spec.pod_selector.matches(labels))
        .collect();
    if policies.is_empty() {
        problems.push(workload.deployment.problem(
            "policy-misses-pods",
            "spec.template.metadata.labels",
            "no NetworkPolicy selects the consumers, so that they may speak to everything; add one that does",
        ));
        return;
    }
    notices(workload, &policies, problems);
}

/// Checks that the consumer can reach the Spot notices for which it polls.
fn notices(
    workload: &Workload<'_>,
    policies: &[&Item<crate::surroundings::NetworkPolicy>],
    problems: &mut Vec<Problem>,
) {
    let endpoint = workload
        .settings
        .args
        .as_ref()
        .and_then(|args| args.scheduled_events_endpoint.as_deref());
    if !endpoint.is_some_and(|endpoint| endpoint.contains(METADATA)) {
        return;
    }
    let here = format!("{METADATA}/32");
    let open = policies.iter().any(|policy| {
        let restricts = policy.spec.restricts_egress();
        let leads_there = |peer: &crate::surroundings::Peer| {
            peer.ip_block
                .as_ref()
                .is_some_and(|block| block.cidr == here)
        };
        let mut ways = policy.spec.egress.iter();
        !restricts || ways.any(|way| way.to.is_empty() || way.to.iter().any(leads_there))
    });
    if !open {
        problems.push(policies[0].problem(
            "notice-blocked",
            "spec.egress",
            format!("EDW_SCHEDULED_EVENTS_ENDPOINT cannot be reached, so that no Spot notice arrives; allow {here}, port 80"),
        ));
    }
}
