//! What the Deployment itself says: its replicas, and which of them share a node.

use super::values::{CAREFUL, annotated, ask, figure};
use super::*;

/// A file with `scaled`, a namespace, and the Deployment that it scales: its metadata is its name and `metadata`, and its pods have
/// this `affinity`.
fn with_deployment(scaled: &str, metadata: &str, affinity: &str) -> NamedTempFile {
    let deployment = format!(
        "apiVersion: v1
kind: Namespace
metadata: {{name: orders, labels: {{team: a}}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: aqs-app{metadata}}}
spec:
  replicas: 4
  selector: {{matchLabels: {{app: a}}}}
  template:
    metadata: {{labels: {{app: a, tier: worker}}}}
    spec:
      affinity: {affinity}
      containers: [{{name: consumer, image: c, resources: {{requests: {{cpu: 10m, memory: 10Mi}}}}}}]
"
    );
    let file = NamedTempFile::with_suffix(".yaml").unwrap();
    std::fs::write(file.path(), format!("{scaled}---\n{deployment}")).unwrap();
    file
}

fn text_of(file: &NamedTempFile) -> String {
    std::fs::read_to_string(file.path()).unwrap()
}

fn required(term: &str) -> String {
    format!("{{podAntiAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: [{{{term}}}]}}}}")
}

/// Karpenter `topologygroup.go`, `nextDomainAntiAffinity`: only a host without such a pod will do.
#[test]
fn pods_that_are_kept_apart_take_a_node_each() {
    let scaled = text_of(&file(CAREFUL, ""));
    let own = "labelSelector: {matchLabels: {app: a}}";
    let host = "topologyKey: kubernetes.io/hostname";
    let preferred = format!(
        "{{podAntiAffinity: {{preferredDuringSchedulingIgnoredDuringExecution: [{{weight: 1, podAffinityTerm: {{{host}, {own}}}}}]}}}}"
    );
    for (affinity, nodes) in [
        ("{}".to_owned(), "1"),
        (required(&format!("{host}, {own}")), "15"),
        (preferred, "15"),
        (
            required(&format!("{host}, {own}, namespaceSelector: {{}}")),
            "15",
        ),
        (
            required(&format!(
                "{host}, labelSelector: {{matchLabels: {{app: b}}}}"
            )),
            "1",
        ),
        (required(host), "1"),
        (
            required(&format!("{host}, {own}, mismatchLabelKeys: [tier]")),
            "1",
        ),
        (
            required(&format!(
                "{host}, {own}, mismatchLabelKeys: [pod-template-hash]"
            )),
            "1",
        ),
        (
            required(&format!("{host}, {own}, mismatchLabelKeys: [zone]")),
            "15",
        ),
        (
            required(&format!("topologyKey: topology.kubernetes.io/zone, {own}")),
            "1",
        ),
    ] {
        let file = with_deployment(&scaled, "", &affinity);
        let answer = ask(file.path(), "--shape burst --messages 500");
        assert_eq!(figure(&answer, "most nodes"), nodes, "{affinity}");
    }
}

/// A term counts in the namespace of its pod, if that is among those it names; one that no manifest names may be any of these.
#[test]
fn pods_are_kept_apart_in_the_namespaces_of_the_term() {
    let scaled = text_of(&file(CAREFUL, ""));
    let own = ", namespace: orders";
    for (namespaces, metadata, nodes) in [
        ("namespaces: [other, orders]", own, "15"),
        ("namespaces: [other]", own, "1"),
        ("namespaces: [other]", "", "15"),
        ("namespaceSelector: {}", own, "15"),
        ("namespaceSelector: {}", "", "15"),
        ("namespaceSelector: {matchLabels: {team: a}}", own, "15"),
        ("namespaceSelector: {matchLabels: {team: b}}", own, "1"),
        (
            "namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: orders}}",
            own,
            "15",
        ),
        (
            "namespaces: [other], namespaceSelector: {matchLabels: {team: a}}",
            own,
            "15",
        ),
        (
            "namespaces: [other], namespaceSelector: {matchLabels: {team: b}}",
            own,
            "1",
        ),
    ] {
        let term = format!(
            "topologyKey: kubernetes.io/hostname, labelSelector: {{matchLabels: {{app: a}}}}, {namespaces}"
        );
        let file = with_deployment(&scaled, metadata, &required(&term));
        let answer = ask(file.path(), "--shape burst --messages 500");
        let most = figure(&answer, "most nodes");
        assert_eq!(most, nodes, "{namespaces}{metadata}");
    }
}

#[test]
fn what_is_not_scaled_in_has_the_replicas_that_its_deployment_says() {
    let held = annotated(CAREFUL, "paused-scale-in: \"true\"");
    let file = with_deployment(&text_of(&held), "", "{}");
    let answer = ask(file.path(), "--shape burst --messages 15");
    assert_eq!(answer.settings[0].replicas, [(0.0, 4)]);
    assert_eq!(figure(&answer, "messages stranded"), "0");
}
