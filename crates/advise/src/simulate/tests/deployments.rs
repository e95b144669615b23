//! What the Deployment itself says: its replicas, and which of them share a node.

use super::values::{CAREFUL, annotated, ask, figure};
use super::*;

/// A file with `scaled` and the Deployment that it scales, whose pods have this `affinity`.
fn with_deployment(scaled: &str, affinity: &str) -> NamedTempFile {
    let deployment = format!(
        "apiVersion: apps/v1
kind: Deployment
metadata: {{name: aqs-app}}
spec:
  replicas: 4
  selector: {{matchLabels: {{app: a}}}}
  template:
    metadata: {{labels: {{app: a}}}}
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

/// Karpenter `topologygroup.go`, `nextDomainAntiAffinity`: only a host without such a pod will do.
#[test]
fn pods_that_are_kept_apart_take_a_node_each() {
    let scaled = text_of(&file(CAREFUL, ""));
    let own = "labelSelector: {matchLabels: {app: a}}";
    let host = "topologyKey: kubernetes.io/hostname";
    let required = |term: &str| {
        format!(
            "{{podAntiAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: [{{{term}}}]}}}}"
        )
    };
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
            required(&format!("{host}, {own}, namespaces: [other]")),
            "1",
        ),
        (
            required(&format!("topologyKey: topology.kubernetes.io/zone, {own}")),
            "1",
        ),
    ] {
        let file = with_deployment(&scaled, &affinity);
        let answer = ask(file.path(), "--shape burst --messages 500");
        assert_eq!(figure(&answer, "most nodes"), nodes, "{affinity}");
    }
}

#[test]
fn what_is_not_scaled_in_has_the_replicas_that_its_deployment_says() {
    let held = annotated(CAREFUL, "paused-scale-in: \"true\"");
    let file = with_deployment(&text_of(&held), "{}");
    let answer = ask(file.path(), "--shape burst --messages 15");
    assert_eq!(answer.settings[0].replicas, [(0.0, 4)]);
    assert_eq!(figure(&answer, "messages stranded"), "0");
}
