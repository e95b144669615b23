//! The fields that there are, for one that is unknown.

use crate::meant::meant;

const DEPLOYMENT: &[&str] = &[
    "minReadySeconds",
    "paused",
    "progressDeadlineSeconds",
    "replicas",
    "revisionHistoryLimit",
    "selector",
    "strategy",
    "template",
];

const JOB: &[&str] = &[
    "activeDeadlineSeconds",
    "backoffLimit",
    "backoffLimitPerIndex",
    "completionMode",
    "completions",
    "managedBy",
    "manualSelector",
    "maxFailedIndexes",
    "parallelism",
    "podFailurePolicy",
    "podReplacementPolicy",
    "selector",
    "successPolicy",
    "suspend",
    "template",
    "ttlSecondsAfterFinished",
];

const TEMPLATE: &[&str] = &["metadata", "spec"];

const POD: &[&str] = &[
    "activeDeadlineSeconds",
    "affinity",
    "automountServiceAccountToken",
    "containers",
    "dnsConfig",
    "dnsPolicy",
    "enableServiceLinks",
    "ephemeralContainers",
    "hostAliases",
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "hostUsers",
    "hostname",
    "imagePullSecrets",
    "initContainers",
    "nodeName",
    "nodeSelector",
    "os",
    "overhead",
    "preemptionPolicy",
    "priority",
    "priorityClassName",
    "readinessGates",
    "resourceClaims",
    "restartPolicy",
    "runtimeClassName",
    "schedulerName",
    "schedulingGates",
    "securityContext",
    "serviceAccountName",
    "setHostnameAsFQDN",
    "shareProcessNamespace",
    "subdomain",
    "terminationGracePeriodSeconds",
    "tolerations",
    "topologySpreadConstraints",
    "volumes",
];

const CONTAINER: &[&str] = &[
    "args",
    "command",
    "env",
    "envFrom",
    "image",
    "imagePullPolicy",
    "lifecycle",
    "livenessProbe",
    "name",
    "ports",
    "readinessProbe",
    "resources",
    "restartPolicy",
    "securityContext",
    "startupProbe",
    "stdin",
    "terminationMessagePath",
    "terminationMessagePolicy",
    "tty",
    "volumeDevices",
    "volumeMounts",
    "workingDir",
];

const PROBE: &[&str] = &[
    "exec",
    "failureThreshold",
    "grpc",
    "httpGet",
    "initialDelaySeconds",
    "periodSeconds",
    "successThreshold",
    "tcpSocket",
    "terminationGracePeriodSeconds",
    "timeoutSeconds",
];

const RESOURCES: &[&str] = &["claims", "limits", "requests"];
const VARIABLE: &[&str] = &["name", "value", "valueFrom"];
const SOURCE: &[&str] = &[
    "configMapKeyRef",
    "fieldRef",
    "resourceFieldRef",
    "secretKeyRef",
];
const SOURCES: &[&str] = &["configMapRef", "prefix", "secretRef"];
const MOUNT: &[&str] = &[
    "mountPath",
    "mountPropagation",
    "name",
    "readOnly",
    "subPath",
    "subPathExpr",
];

/// The fields that an object in `place` has, where that is known here.
fn known(kind: &str, place: &str) -> &'static [&'static str] {
    if place == "spec.jobTargetRef" {
        return JOB;
    }
    if place == "spec" && kind == "Deployment" {
        return DEPLOYMENT;
    }
    let name = place.rsplit('.').next().unwrap_or_default();
    match name.split('[').next().unwrap_or_default() {
        "template" => TEMPLATE,
        "spec" => POD,
        "containers" | "initContainers" => CONTAINER,
        "livenessProbe" | "readinessProbe" | "startupProbe" => PROBE,
        "resources" => RESOURCES,
        "env" => VARIABLE,
        "valueFrom" => SOURCE,
        "envFrom" => SOURCES,
        "volumeMounts" => MOUNT,
        _ => &[],
    }
}

/// What to write in place of `field`, which is unknown in `place`; it completes "is an unknown field".
pub(super) fn advice(kind: &str, place: &str, field: &str) -> String {
    let here = known(kind, place);
    let near = meant(here, field);
    if let Some(near) = near.as_ref().filter(|it| !it.starts_with("; write")) {
        return near.clone();
    }
    let owner = if kind == "Deployment" {
        ("spec", DEPLOYMENT)
    } else {
        ("spec.jobTargetRef", JOB)
    };
    let pod = format!("{}.template.spec", owner.0);
    let container = format!("an entry of {pod}.containers");
    let places = [owner, (&*pod, POD), (&*container, CONTAINER)];
    let mut elsewhere = places.iter().filter(|(_, fields)| fields.contains(&field));
    if let Some((belongs, _)) = elsewhere.next() {
        return format!(" there; it belongs into {belongs}");
    }
    match near {
        Some(near) => near,
        None if here.is_empty() || here.len() > VARIABLE.len() => {
            "; take it out, or compare it with the reference of its kind".to_owned()
        }
        None => format!("; there are {}", here.join(", ")),
    }
}
