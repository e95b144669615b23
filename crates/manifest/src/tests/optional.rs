//! Fields that Kubernetes takes as optional.

use serde_json::json;

use super::{base, document, names};
use crate::{Manifests, parse};

fn read(text: &str) -> Manifests {
    Manifests::from_documents(&parse("a.yaml", text).unwrap()).expect(text)
}

/// Source: Kubernetes `api/core/v1/types.go`, `ConfigMap` (`data,omitempty`, `binaryData,omitempty`).
#[test]
fn a_config_map_may_have_no_data() {
    for rest in [
        "",
        "data:\n",
        "data: {}\n",
        "binaryData: {a: aGk=}\n",
        "immutable: true\n",
    ] {
        let manifests = read(&format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\n{rest}"
        ));
        let [map] = &manifests.config_maps[..] else {
            panic!("{rest}: it must be there");
        };
        assert!(map.spec.is_empty(), "{rest}");
    }
}

/// Source: Kubernetes `api/policy/v1/types.go`, `PodDisruptionBudgetSpec` (`selector,omitempty`): nil selects no pods, {} all of them.
#[test]
fn a_budget_without_a_selector_selects_nothing() {
    for (selector, told) in [(json!(null), &["budget-misses-pods"][..]), (json!({}), &[])] {
        let mut documents = base();
        document(&mut documents, "PodDisruptionBudget")["spec"]["selector"] = selector.clone();
        let text: Vec<_> = documents.iter().map(|it| it.value.to_string()).collect();
        let documents = parse("a.yaml", &text.join("\n---\n")).unwrap();
        assert_eq!(names(&documents), told, "{selector}");
    }
    let budget = "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: a}\n";
    assert_eq!(read(budget).disruption_budgets.len(), 1);
}

/// Source: Kubernetes `api/core/v1/types.go`, `PodTemplateSpec` (`metadata,omitempty`) and `TopologySpreadConstraint`
/// (`labelSelector,omitempty`); `apimachinery/pkg/apis/meta/v1/helpers.go`, `LabelSelectorAsSelector`: nil selects nothing.
#[test]
fn a_pod_template_may_have_no_metadata_and_a_spread_no_selector() {
    let mut documents = base();
    let spec = &mut document(&mut documents, "Deployment")["spec"]["template"]["spec"];
    let spread = spec["topologySpreadConstraints"][0]
        .as_object_mut()
        .unwrap();
    spread.remove("labelSelector").unwrap();
    assert_eq!(names(&documents), ["spread-misses-pods"]);
    let text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {selector: {matchLabels: {a: b}}, template: {spec: \
                {containers: [{name: a, image: a}]}}}\n";
    let found = names(&parse("a.yaml", text).unwrap());
    assert!(found.contains(&"selector-misses-pods"), "{found:?}");
}

/// Source: Kubernetes `pkg/apis/networking/v1/defaults.go`, `SetDefaults_NetworkPolicy`; `api/networking/v1/types.go` (`spec,omitempty`).
#[test]
fn a_policy_without_types_restricts_the_ways_that_it_has() {
    let with = |spec: &str| {
        let head = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a}\n";
        let manifests = read(&format!("{head}{spec}"));
        manifests.network_policies[0].spec.restricts_egress()
    };
    assert!(!with(""));
    assert!(!with("spec: {podSelector: {}}\n"));
    assert!(with("spec: {egress: [{to: []}]}\n"));
    assert!(with("spec: {policyTypes: [Egress]}\n"));
    assert!(!with(
        "spec: {policyTypes: [Ingress], egress: [{to: []}]}\n"
    ));
}
