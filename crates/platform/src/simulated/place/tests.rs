use std::path::Path;

use manifest::Manifests;
use manifest::parse;

use super::*;
use crate::simulated::{Amounts, Capacity, Pool};

fn base() -> (Needs, Vec<Pool>) {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../k8s/base");
    Needs::read(&dir).unwrap()
}

/// The consumers' requirements with other fields in their pod's `spec`.
fn needs(fields: &str) -> Needs {
    let text = format!(
        r#"{{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {{"name": "d"}}, "spec": {{"selector": {{}}, "template":
           {{"metadata": {{"labels": {{"app": "a"}}}}, "spec": {{"containers": [{{"name": "c", "resources":
           {{"requests": {{"cpu": "500m", "memory": "1Gi"}}}}}}]{fields}}}}}}}}}"#
    );
    let manifests = Manifests::from_documents(&parse("test", &text).unwrap()).unwrap();
    Needs::of("Deployment/d", &manifests.deployments[0].spec).unwrap()
}

fn node(name: &str, labels: &[(&str, &str)], taints: &[(&str, &str)]) -> Node {
    let mut all: Labels = labels
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    all.insert(HOSTNAME.to_owned(), name.to_owned());
    Node {
        name: name.to_owned(),
        capacity: Capacity::Spot,
        labels: all,
        taints: taints
            .iter()
            .map(|(key, effect)| Taint {
                key: (*key).to_owned(),
                value: None,
                effect: (*effect).to_owned(),
            })
            .collect(),
        allocatable: Amounts {
            cpu_millis: 2_000,
            memory_bytes: 8 << 30,
            pods: 10,
        },
    }
}

/// The name of the node for the next consumer.
fn chosen<'a>(needs: &Needs, nodes: &[(&'a Node, u64)]) -> Option<&'a str> {
    let occupied: Vec<_> = nodes
        .iter()
        .map(|(node, consumers)| Occupied {
            node,
            consumers: *consumers,
        })
        .collect();
    choose(needs, &occupied).map(|at| nodes[at].0.name.as_str())
}

#[test]
fn a_taint_that_forbids_keeps_out_whoever_does_not_tolerate_it() {
    let tolerant = r#", "tolerations": [{"key": "spot", "operator": "Exists"}]"#;
    for (effect, fields, expected) in [
        ("NoSchedule", "", None),
        ("NoExecute", "", None),
        ("PreferNoSchedule", "", Some("n")),
        ("NoSchedule", tolerant, Some("n")),
    ] {
        let node = node("n", &[], &[("spot", effect)]);
        assert_eq!(
            chosen(&needs(fields), &[(&node, 0)]),
            expected,
            "{effect} {fields}"
        );
    }
}

#[test]
fn a_taint_that_discourages_makes_others_better() {
    let (one, other) = (
        node("one", &[], &[("old", "PreferNoSchedule")]),
        node("other", &[], &[]),
    );
    // One node has a consumer already: without the taint, the emptier node would win.
    assert_eq!(chosen(&needs(""), &[(&one, 0), (&other, 1)]), Some("other"));
}

#[test]
fn required_affinity_and_selector_must_hold() {
    let terms = |values: &str| {
        format!(
            r#", "affinity": {{"nodeAffinity": {{"requiredDuringSchedulingIgnoredDuringExecution": {{"nodeSelectorTerms":
               [{values}]}}}}}}"#
        )
    };
    let arm = r#"{"matchExpressions": [{"key": "arch", "operator": "In", "values": ["arm64"]}]}"#;
    let amd = r#"{"matchExpressions": [{"key": "arch", "operator": "In", "values": ["amd64"]}]}"#;
    let node = node("n", &[("arch", "amd64")], &[]);
    for (fields, expected) in [
        (terms(arm), None),
        (terms(amd), Some("n")),
        (terms(&format!("{arm}, {amd}")), Some("n")),
        // A term without any condition matches nothing.
        (terms("{}"), None),
        (r#", "nodeSelector": {"arch": "arm64"}"#.to_owned(), None),
        (
            r#", "nodeSelector": {"arch": "amd64"}"#.to_owned(),
            Some("n"),
        ),
    ] {
        assert_eq!(chosen(&needs(&fields), &[(&node, 0)]), expected, "{fields}");
    }
}

#[test]
fn a_node_that_is_full_takes_nobody() {
    // 500m of 2,000m each.
    let node = node("n", &[], &[]);
    assert_eq!(chosen(&needs(""), &[(&node, 3)]), Some("n"));
    assert_eq!(chosen(&needs(""), &[(&node, 4)]), None);
    assert_eq!(chosen(&needs(""), &[]), None);
}

#[test]
fn without_preferences_the_emptier_node_is_taken() {
    let (one, other) = (node("one", &[], &[]), node("other", &[], &[]));
    assert_eq!(chosen(&needs(""), &[(&one, 2), (&other, 1)]), Some("other"));
    assert_eq!(chosen(&needs(""), &[(&one, 1), (&other, 2)]), Some("one"));
}

#[test]
fn domains_with_fewer_consumers_are_better() {
    let spread = r#", "topologySpreadConstraints": [{"topologyKey": "topology.kubernetes.io/zone", "maxSkew": 1,
        "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": {"matchLabels": {"app": "a"}}}]"#;
    let zone = |name: &str, zone: &str| node(name, &[("topology.kubernetes.io/zone", zone)], &[]);
    let (a, b, c) = (zone("a", "1"), zone("b", "1"), zone("c", "2"));
    // Zone 1 has two consumers on `b`; `a` itself is empty, but its zone is not.
    assert_eq!(
        chosen(&needs(spread), &[(&a, 0), (&b, 2), (&c, 1)]),
        Some("c")
    );
    // A node without a zone scores 0, although it is the emptiest.
    let nowhere = node("nowhere", &[], &[]);
    assert_eq!(chosen(&needs(spread), &[(&nowhere, 0), (&c, 1)]), Some("c"));
}

/// Cases and scores of `plugins/podtopologyspread/scoring_test.go` ("one constraint on node, ..."). A node without the label of
/// the constraint is `None` there.
#[test]
fn spread_scores_are_those_that_kubernetes_tests_itself_by() {
    /// Maximal skew; whether each node has the label, with its consumers; the scores of those that have it.
    type Case<'a> = (u32, &'a [(bool, u64)], &'a [i64]);
    let cases: [Case<'_>; 4] = [
        (
            1,
            &[(true, 2), (true, 1), (true, 0), (true, 3)],
            &[20, 60, 100, 0],
        ),
        (
            2,
            &[(true, 2), (true, 1), (true, 0), (true, 3)],
            &[33, 66, 100, 16],
        ),
        (
            3,
            &[(true, 4), (true, 3), (true, 2), (true, 1)],
            &[44, 66, 77, 100],
        ),
        (1, &[(true, 4), (false, 2), (true, 1)], &[16, 0, 100]),
    ];
    for (max_skew, nodes, expected) in cases {
        let needs = needs(&format!(
            r#", "topologySpreadConstraints": [{{"topologyKey": "kubernetes.io/hostname", "maxSkew": {max_skew},
               "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": {{"matchLabels": {{"app": "a"}}}}}}]"#
        ));
        let made: Vec<Node> = (0..nodes.len())
            .map(|at| {
                let mut node = node(&format!("n{at}"), &[], &[]);
                if !nodes[at].0 {
                    node.labels.clear();
                }
                node
            })
            .collect();
        let occupied: Vec<_> = made
            .iter()
            .zip(nodes)
            .map(|(node, (_, consumers))| Occupied {
                node,
                consumers: *consumers,
            })
            .collect();
        assert_eq!(spread(&needs, &occupied), expected, "skew {max_skew}");
    }
}

#[test]
fn the_workload_goes_to_spot_nodes_while_there_are_any_and_to_others_when_there_are_none() {
    let (needs, pools) = base();
    let named = |name: &str| pools.iter().find(|pool| pool.name == name).unwrap();
    let spot = named("edw-spot").node(Capacity::Spot, "spot", 0);
    let on_demand = named("edw-on-demand").node(Capacity::OnDemand, "on-demand", 1);
    assert_eq!(chosen(&needs, &[(&on_demand, 0), (&spot, 3)]), Some("spot"));
    assert_eq!(chosen(&needs, &[(&on_demand, 3)]), Some("on-demand"));
    // A consumer without tolerations cannot run on a Spot node.
    let mut intolerant = needs;
    intolerant.pod.tolerations.clear();
    assert_eq!(chosen(&intolerant, &[(&spot, 0)]), None);
}
