//! Tests of other teams' manifests, and of manifests that clusters print.

use serde_json::{Value, json};

use super::{base, document, names};
use crate::{Document, Manifests, check, parse};

/// The sample's ScaledObject with this name and Deployment, and a trigger with this access.
fn scaled(name: &str, deployment: &str, access: &str) -> String {
    format!(
        "apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {{name: {name}}}
spec:
  scaleTargetRef: {{name: {deployment}}}
  triggers:
    - type: azure-queue
      metadata: {{queueName: orders, {access}}}
---
"
    )
}

fn read(text: &str) -> Manifests {
    Manifests::from_documents(&parse("a.yaml", text).unwrap()).unwrap()
}

/// The refusals of the first ScaledObject.
fn refused(manifests: &Manifests) -> Vec<String> {
    let refusals = manifests.settings(&manifests.scaled_objects[0]).err();
    let refusals = refusals.into_iter().flat_map(|refusals| refusals.0);
    refusals.map(|refusal| refusal.to_string()).collect()
}

#[test]
fn empty_values_are_as_good_as_none() {
    let mut documents = base();
    for (kind, pointer) in [
        ("Deployment", "/metadata/annotations"),
        ("Deployment", "/metadata/labels"),
        ("Deployment", "/spec/template/spec/nodeSelector"),
        ("Deployment", "/spec/template/spec/initContainers"),
        ("ScaledObject", "/spec/triggers/0/useCachedMetrics"),
        ("ScaledObject", "/metadata/annotations"),
    ] {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let parent = document(&mut documents, kind).pointer_mut(parent).unwrap();
        parent[key] = Value::Null;
    }
    let text = |it: &Document| serde_json::to_string(&it.value).unwrap() + "\n---\n";
    let text: String = documents.iter().map(text).collect();
    assert_eq!(names(&parse("a.yaml", &text).unwrap()), [""; 0]);
}

/// Source: Kubernetes `k8s.io/apimachinery/pkg/api/meta`, `IsListType`.
#[test]
fn a_list_as_kubectl_prints_it_is_its_items() {
    let items: Vec<Value> = base().into_iter().map(|it| it.value).collect();
    let list = json!({ "apiVersion": "v1", "kind": "List", "metadata": { "resourceVersion": "" }, "items": items });
    assert_eq!(names(&parse("a.yaml", &list.to_string()).unwrap()), [""; 0]);
    let typed =
        json!({ "apiVersion": "v1", "kind": "ConfigMapList", "items": [{ "kind": "ConfigMap" }] });
    assert_eq!(parse("a.yaml", &typed.to_string()).unwrap().len(), 1);
}

#[test]
fn replicas_of_a_live_deployment_are_its_autoscalers() {
    let mut documents = base();
    let deployment = document(&mut documents, "Deployment");
    deployment["spec"]["replicas"] = json!(3);
    assert_eq!(names(&documents), ["replicas-fixed"]);
    document(&mut documents, "Deployment")["metadata"]["uid"] = json!("6f1c");
    assert_eq!(names(&documents), [""; 0]);
}

#[test]
fn what_is_not_ours_in_a_file_is_no_concern() {
    let others = "
- a
- list
---
just: values
---
apiVersion: example.com/v1
kind: Deployment
spec: {template: 1}
---
apiVersion: v1
kind: Service
metadata: {labels: {a: 1}}
---
";
    let manifests = read(&(others.to_owned() + &scaled("a", "app", "connectionFromEnv: C")));
    assert_eq!(manifests.deployments.len(), 0);
    assert_eq!(refused(&manifests), [""; 0]);
}

#[test]
fn a_former_version_of_ours_is_named() {
    let text = "apiVersion: keda.k8s.io/v1alpha1\nkind: ScaledObject\n";
    let error = Manifests::from_documents(&parse("a.yaml", text).unwrap()).unwrap_err();
    assert!(
        error.to_string().ends_with("write \"keda.sh/v1alpha1\""),
        "{error}"
    );
}

/// Source: KEDA `scaledobject_webhook.go`, `verifyScaledObjects`.
#[test]
fn two_scaled_objects_of_one_deployment_are_refused() {
    let access = "connectionFromEnv: C";
    let two = |other: &str, deployment: &str| {
        read(&(scaled("so-a", "app", access) + &scaled(other, deployment, access)))
    };
    assert_eq!(refused(&two("so-b", "other")), [""; 0]);
    let [refusal] = &refused(&two("so-b", "app"))[..] else {
        panic!("one refusal must be there");
    };
    assert!(
        refusal.contains("Deployment/app, which ScaledObject/so-b scales too"),
        "{refusal}"
    );
    let mut apart = two("so-b", "app");
    apart.scaled_objects[0].metadata.namespace = Some("a".to_owned());
    apart.scaled_objects[1].metadata.namespace = Some("b".to_owned());
    assert_eq!(refused(&apart), [""; 0]);
    let mut named = two("so-b", "other");
    for scaled in &mut named.scaled_objects {
        let config = json!({ "horizontalPodAutoscalerConfig": { "name": "hpa" } });
        scaled.spec.advanced = Some(serde_json::from_value(config).unwrap());
    }
    assert_eq!(refused(&named).len(), 1);
}

/// Source: KEDA `scaledobject_webhook.go`, `verifyHpas`.
#[test]
fn another_autoscaler_of_the_same_deployment_is_refused() {
    let with = |metadata: &str| {
        let hpa = format!(
            "apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {metadata}
spec: {{scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: app}}, maxReplicas: 3}}
"
        );
        refused(&read(&(scaled("a", "app", "connectionFromEnv: C") + &hpa))).len()
    };
    assert_eq!(with("{name: mine}"), 1);
    assert_eq!(
        with("{name: keda-hpa-a, ownerReferences: [{kind: ScaledObject, name: a}]}"),
        0
    );
    assert_eq!(
        with("{name: mine, annotations: {validations.keda.sh/hpa-ownership: \"false\"}}"),
        0
    );
}

/// Source: KEDA `scale_resolvers.go`, `ResolveContainerEnv` and `resolveEnv`.
#[test]
fn the_variable_of_a_connection_is_looked_for_in_the_scale_target() {
    let deployment = |env: &str| {
        format!(
            "apiVersion: apps/v1
kind: Deployment
metadata: {{name: app}}
spec:
  selector: {{matchLabels: {{a: b}}}}
  template:
    metadata: {{labels: {{a: b}}}}
    spec: {{containers: [{{name: main, image: app, {env}}}]}}
"
        )
    };
    for (env, refusals) in [
        ("env: [{name: C, value: AccountName=a;AccountKey=b}]", 0),
        (
            "env: [{name: C, valueFrom: {secretKeyRef: {name: s, key: k}}}]",
            0,
        ),
        (
            "env: [{name: C, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]",
            1,
        ),
        ("env: [{name: C}]", 1),
        ("env: [{name: D, value: x}]", 1),
        ("envFrom: [{secretRef: {name: s}}]", 0),
        ("envFrom:", 1),
    ] {
        let text = scaled("a", "app", "connectionFromEnv: C") + &deployment(env);
        assert_eq!(refused(&read(&text)).len(), refusals, "{env}");
    }
    let text = scaled(
        "a",
        "app, envSourceContainerName: side",
        "connectionFromEnv: C",
    );
    let found = refused(&read(&(text + &deployment("env: [{name: C, value: x}]"))));
    assert!(found[0].contains("envSourceContainerName"), "{found:?}");
}

/// Source: KEDA `scale_resolvers.go`, `resolveAuthRef`, which ignores a container that does not exist.
#[test]
fn an_authentication_reads_containers_of_the_scale_target() {
    let given = |container: &str| {
        let target = "apiVersion: apps/v1
kind: Deployment
metadata: {name: app}
spec:
  selector: {matchLabels: {a: b}}
  template:
    metadata: {labels: {a: b}}
    spec: {containers: [{name: main, image: app}, {name: side, image: app, env: [{name: C, value: AccountName=a;AccountKey=b}]}]}
---
apiVersion: keda.sh/v1alpha1
kind: TriggerAuthentication
metadata: {name: auth}
spec: {env: [{parameter: connection, name: C, containerName: ";
        let scaled = scaled("a", "app", "queueLength: '5'")
            .replace("- type:", "- authenticationRef: {name: auth}\n      type:");
        refused(&read(&format!("{scaled}{target}{container}}}]}}\n")))
    };
    assert_eq!(given("side"), [""; 0]);
    let told = "TriggerAuthentication/auth spec.env[0].containerName: is sidecar, and the scale target has no such container";
    assert!(given("sidecar")[0].contains(told), "{:?}", given("sidecar"));
    let told = "TriggerAuthentication/auth spec.env[0].name: is C, which the container main";
    assert!(given("main")[0].contains(told), "{:?}", given("main"));
}

#[test]
fn the_consumers_settings_are_not_asked_of_another_program() {
    let mut documents = base();
    let container =
        &mut document(&mut documents, "Deployment")["spec"]["template"]["spec"]["containers"][0];
    container["image"] = json!("registry.example.com/functions/orders:2.1");
    container["envFrom"] = json!([]);
    container["env"] = json!([{ "name": "AzureWebJobsStorage", "value": "x" }]);
    assert_eq!(names(&documents), [""; 0]);
}

/// Source: Kubernetes `horizontal.go`, `calculateScaleDownLimitWithBehaviors`.
#[test]
fn a_policy_that_may_take_all_of_them_is_abrupt() {
    let down = |max: u32, policy: Value| {
        let mut documents = base();
        let spec = &mut document(&mut documents, "ScaledObject")["spec"];
        spec["maxReplicaCount"] = json!(max);
        let behavior = &mut spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"];
        behavior["scaleDown"] = json!({ "stabilizationWindowSeconds": 300, "policies": [policy] });
        let manifests = Manifests::from_documents(&documents).unwrap();
        let problems = check(&manifests);
        problems.iter().any(|it| it.name == "scale-in-abrupt")
    };
    let pods = |value: u32| json!({ "type": "Pods", "value": value, "periodSeconds": 60 });
    let percent = |value: u32| json!({ "type": "Percent", "value": value, "periodSeconds": 60 });
    assert!(down(200, pods(200)));
    assert!(down(200, pods(199)));
    assert!(!down(200, pods(198)));
    assert!(!down(2, pods(1)));
    assert!(down(15, percent(99)), "0.15 rounded down is none");
    assert!(!down(15, percent(50)));
}

/// Source: KEDA `scale_scaledobjects.go`, `RequestScale`: without activity it scales to none, to `idleReplicaCount`, or up to `minReplicaCount`.
#[test]
fn without_a_scale_in_replicas_stay_or_all_end_at_once() {
    let told = |changes: &[(&str, u32)]| {
        let mut documents = base();
        let spec = &mut document(&mut documents, "ScaledObject")["spec"];
        for (field, value) in changes {
            spec[*field] = json!(value);
        }
        let behavior = &mut spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"];
        behavior["scaleDown"]["selectPolicy"] = json!("Disabled");
        let manifests = Manifests::from_documents(&documents).unwrap();
        let problems = check(&manifests).into_iter();
        let told = problems.filter(|it| it.name == "scale-in-disabled");
        told.map(|it| it.advice).collect::<Vec<_>>().join("\n")
    };
    assert!(told(&[]).contains("all of them in one step"));
    assert!(told(&[("minReplicaCount", 1)]).contains("stay for good"));
    let idle = [("minReplicaCount", 2), ("idleReplicaCount", 0)];
    assert!(told(&idle).contains("all of them in one step"));
}
