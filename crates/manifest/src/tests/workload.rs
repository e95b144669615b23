//! What the API server refuses about pods, in a Deployment and in a ScaledJob.

use crate::{Manifests, parse};

fn told(text: &str) -> String {
    let documents = parse("a.yaml", text).unwrap();
    Manifests::from_documents(&documents).map_or_else(|error| error.to_string(), |_| String::new())
}

/// A Deployment with these fields in its `spec`, its pod and its container.
fn deployment(spec: &str, pod: &str, container: &str) -> String {
    told(&format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: app}}\nspec: {{{spec}selector: {{matchLabels: {{a: b}}}}, template: \
         {{metadata: {{labels: {{a: b}}}}, spec: {{{pod}containers: [{{{container}name: main, image: a}}]}}}}}}\n"
    ))
}

/// A ScaledJob with these fields in its Job, its pod and its container.
fn job(spec: &str, pod: &str, container: &str) -> String {
    told(&format!(
        "apiVersion: keda.sh/v1alpha1\nkind: ScaledJob\nmetadata: {{name: app}}\nspec: {{triggers: [], jobTargetRef: {{{spec}template: \
         {{spec: {{{pod}restartPolicy: Never, containers: [{{{container}name: main, image: a}}]}}}}}}}}\n"
    ))
}

/// Source: Kubernetes, strict field validation ("strict decoding error: unknown field").
#[test]
fn unknown_fields_are_told_with_the_field_that_was_meant() {
    assert_eq!(deployment("replicas: 1, ", "", ""), "");
    assert_eq!(job("backoffLimit: 3, ", "", "command: [run.sh], "), "");
    for (told, parts) in [
        (
            job("backOffLimit: 3, ", "", ""),
            ["spec.jobTargetRef.backOffLimit: ", "write backoffLimit"],
        ),
        (
            job("", "restartpolicy: Never, ", ""),
            ["spec.restartpolicy: ", "write restartPolicy"],
        ),
        (
            job("", "", "resource: {}, "),
            ["containers[0].resource: ", "write resources"],
        ),
        (
            job("", "", "Image: a, "),
            ["containers[0].Image: ", "write image"],
        ),
        (
            job("restartPolicy: Never, ", "", ""),
            [
                "jobTargetRef.restartPolicy: ",
                "into spec.jobTargetRef.template.spec",
            ],
        ),
        (
            job("", "backoffLimit: 3, ", ""),
            ["spec.backoffLimit: ", "into spec.jobTargetRef"],
        ),
        (
            deployment("", "terminationGracePeriod: 60, ", ""),
            [
                "terminationGracePeriod: ",
                "write terminationGracePeriodSeconds",
            ],
        ),
        (
            deployment("replica: 3, ", "", ""),
            ["spec.replica: ", "write replicas"],
        ),
        (
            deployment("", "", "replicas: 3, "),
            ["containers[0].replicas: ", "into spec"],
        ),
        (
            deployment("", "", "livenessProbe: {path: /live}, "),
            ["livenessProbe.path: ", "unknown field"],
        ),
    ] {
        for part in parts {
            assert!(told.contains(part), "{part}: {told}");
        }
        assert!(told.contains("is an unknown field"), "{told}");
        assert!(told.ends_with("(the API server refuses it)"), "{told}");
    }
    let both = job("backOffLimit: 3, ", "", "Image: a, ");
    assert!(
        both.contains("write backoffLimit") && both.contains("write image"),
        "{both}"
    );
    // Kubernetes 1.34 has it.
    assert_eq!(deployment("", "hostnameOverride: a, ", ""), "");
}

/// Source: Kubernetes `api/core/v1/types.go`, `api/batch/v1/types.go`.
#[test]
fn values_of_wrong_types_are_told_in_words() {
    for (told, parts) in [
        (
            job("", "", "command: run.sh, "),
            ["containers[0].command: ", "must be a list"],
        ),
        (
            job("", "", "args: [--n, 5], "),
            ["containers[0].args[1]: is the number 5", "quotes"],
        ),
        (
            job("", "terminationGracePeriodSeconds: 1m, ", ""),
            ["terminationGracePeriodSeconds: is \"1m\"", "a whole number"],
        ),
        (
            deployment("", "nodeSelector: {spot: true}, ", ""),
            ["nodeSelector.spot: is true", "quotes"],
        ),
        (
            deployment("", "imagePullSecrets: [regcred], ", ""),
            ["imagePullSecrets[0]: is \"regcred\"", "an object"],
        ),
        (
            deployment("", "", "resources: {limits: {cpu: [1]}}, "),
            ["resources.limits.cpu: is a list", "a quantity such as 500m"],
        ),
        (
            deployment("strategy: {rollingUpdate: {maxSurge: [1]}}, ", "", ""),
            ["maxSurge: is a list", "a whole number or a text"],
        ),
    ] {
        for part in parts {
            assert!(told.contains(part), "{part}: {told}");
        }
    }
    let both = job("backoffLimit: a, ", "", "command: run.sh, Image: a, ");
    for part in ["backoffLimit: is", "command: is", "write image"] {
        assert!(both.contains(part), "{part}: {both}");
    }
}

/// Source: Kubernetes `pkg/apis/core/validation/validation.go` (`validateContainers`, `validatePullPolicy`, `ValidateVolumeMounts`,
/// `ValidateResourceRequirements`), `pkg/apis/batch/validation/validation.go`, `pkg/apis/apps/validation/validation.go`.
#[test]
fn what_validation_refuses_is_refused() {
    let mount = "volumeMounts: [{name: cache, mountPath: /c}], ";
    let volume = "volumes: [{name: cache, emptyDir: {}}], ";
    assert_eq!(deployment("", volume, mount), "");
    let limits =
        "resources: {requests: {cpu: 500m, memory: 1Gi}, limits: {cpu: 0.5, memory: 1Gi}}, ";
    assert_eq!(deployment("", "", limits), "");
    for (told, parts) in [
        (
            deployment("", "initContainers: [{name: main, image: a}], ", ""),
            ["initContainers[0].name: is main", "another name"],
        ),
        (
            deployment("", "", "imagePullPolicy: always, "),
            ["imagePullPolicy: is \"always\"", "write Always"],
        ),
        (
            deployment("", "", mount),
            ["volumeMounts[0].name: is cache", "no such volume"],
        ),
        (
            job("completionMode: indexed, ", "", ""),
            ["completionMode: is \"indexed\"", "write Indexed"],
        ),
        (
            job(
                "",
                "",
                "resources: {requests: {cpu: 2}, limits: {cpu: 500m}}, ",
            ),
            ["requests.cpu: is 2", "its limit, which is 500m"],
        ),
        (
            deployment("", "restartPolicy: Never, ", ""),
            ["restartPolicy: is \"Never\"", "must be Always"],
        ),
        (
            job("", "tolerations: [{key: a, operator: equal}], ", ""),
            ["tolerations[0].operator: is \"equal\"", "write Equal"],
        ),
        (
            job("", "", "resources: {limits: {memory: 1 Gi}}, "),
            ["resources.limits.memory: is 1 Gi", "no quantity"],
        ),
    ] {
        for part in parts {
            assert!(told.contains(part), "{part}: {told}");
        }
    }
}

/// Source: KEDA `config/crd/bases/keda.sh_scaledobjects.yaml`, `keda.sh_scaledjobs.yaml`: `anyOf` integer and string,
/// `x-kubernetes-int-or-string`; Kubernetes' own kinds take numbers (`apimachinery/pkg/api/resource/quantity.go`, `UnmarshalJSON`).
#[test]
fn fractions_in_kedas_kinds_need_quotes() {
    let limits = "resources: {limits: {cpu: 0.5}}, ";
    assert_eq!(deployment("", "", limits), "");
    assert_eq!(job("", "", &limits.replace("0.5", "'0.5'")), "");
    assert_eq!(job("", "", &limits.replace("0.5", "1.0")), "");
    let told_job = job("", "", limits);
    for part in [
        "resources.limits.cpu: is 0.5",
        "write cpu: \"0.5\"",
        "integer,string",
    ] {
        assert!(told_job.contains(part), "{told_job}");
    }
    let object = |tolerance: &str| {
        told(&format!(
            "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {{name: a}}\nspec: {{scaleTargetRef: {{name: b}}, triggers: [], \
             advanced: {{horizontalPodAutoscalerConfig: {{behavior: {{scaleDown: {{tolerance: {tolerance}}}}}}}}}}}\n"
        ))
    };
    let told = object("0.05");
    assert!(told.contains("scaleDown.tolerance: is 0.05"), "{told}");
    assert!(told.contains("write tolerance: \"0.05\""), "{told}");
    assert_eq!(object("'0.05'"), "");
    assert_eq!(object("1"), "");
}
