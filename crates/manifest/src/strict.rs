//! Unknown fields of an object at its top level and in its `metadata`. Fields under `spec` are checked when they are parsed.
//!
//! `kubectl apply` requests strict field validation, with which the API server refuses such an object (Kubernetes
//! `apimachinery/pkg/runtime/serializer/json/json.go`, "strict decoding error"; for custom resources `apiextensions-apiserver`
//! `pkg/apiserver/customresource_handler.go`, `schemaCoercingDecoder`). Without it the field is dropped, and its default
//! applies.

use serde_json::Value;

use super::{Document, ManifestError, authentication};
use crate::letters::misleading;

/// `ObjectMeta` (Kubernetes `apimachinery/pkg/apis/meta/v1/types.go`), with `clusterName`, which versions before 1.24 wrote.
const METADATA: [&str; 16] = [
    "annotations",
    "clusterName",
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generateName",
    "generation",
    "labels",
    "managedFields",
    "name",
    "namespace",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// Fields of every object at its top level.
const EVERY: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// Additional top-level fields of an object of this kind.
fn top(kind: &str) -> &'static [&'static str] {
    match kind {
        "ConfigMap" => &["data", "binaryData", "immutable"],
        "Secret" => &["data", "immutable", "stringData", "type"],
        "ServiceAccount" => &[
            "automountServiceAccountToken",
            "imagePullSecrets",
            "secrets",
        ],
        _ => &["spec", "status"],
    }
}

/// Fields of a ScaledObject's `spec`.
const OBJECT: &[&str] = &[
    "advanced",
    "cooldownPeriod",
    "fallback",
    "idleReplicaCount",
    "initialCooldownPeriod",
    "maxReplicaCount",
    "minReplicaCount",
    "pollingInterval",
    "scaleTargetRef",
    "triggers",
];

/// Fields of a ScaledJob's `spec`.
const JOB: &[&str] = &[
    "envSourceContainerName",
    "failedJobsHistoryLimit",
    "jobTargetRef",
    "maxReplicaCount",
    "minReplicaCount",
    "pollingInterval",
    "rollout",
    "rolloutStrategy",
    "scalingStrategy",
    "successfulJobsHistoryLimit",
    "triggers",
];

/// Fields of `spec.advanced`.
const ADVANCED: &[&str] = &[
    "horizontalPodAutoscalerConfig",
    "restoreToOriginalReplicaCount",
    "scalingModifiers",
];

/// Fields of a trigger.
const TRIGGER: &[&str] = &[
    "authenticationRef",
    "metricType",
    "type",
    "useCachedMetrics",
];

/// Fields of the `metadata` of an azure-queue trigger.
const OF_TRIGGER: &[&str] = &[
    "accountName",
    "activationQueueLength",
    "connection",
    "connectionFromEnv",
    "queueLength",
    "queueLengthStrategy",
    "queueName",
];

/// Fields of the `spec` of a `TriggerAuthentication`.
const AUTHENTICATION: &[&str] = &[
    "configMapTargetRef",
    "env",
    "podIdentity",
    "secretTargetRef",
];

/// Fields of a Deployment's `spec`.
const DEPLOYMENT: &[&str] = &[
    "minReadySeconds",
    "progressDeadlineSeconds",
    "replicas",
    "revisionHistoryLimit",
    "selector",
    "strategy",
    "template",
];

/// Places in which fields of a kind belong that users put elsewhere: each place with its fields.
fn places(kind: &str) -> &'static [(&'static str, &'static [&'static str])] {
    match kind {
        "ScaledObject" => &[
            ("spec", OBJECT),
            ("spec.advanced", ADVANCED),
            ("an entry of spec.triggers", TRIGGER),
            ("metadata of an entry of spec.triggers", OF_TRIGGER),
            ("spec.advanced.horizontalPodAutoscalerConfig", &["behavior"]),
        ],
        "ScaledJob" => &[
            ("spec", JOB),
            ("an entry of spec.triggers", TRIGGER),
            ("metadata of an entry of spec.triggers", OF_TRIGGER),
        ],
        "TriggerAuthentication" | "ClusterTriggerAuthentication" => &[("spec", AUTHENTICATION)],
        "Deployment" => &[("spec", DEPLOYMENT)],
        _ => &[],
    }
}

/// Refuses a document of `kind` with unknown fields, and names all of them.
pub(super) fn check(document: &Document, kind: &str) -> Result<(), ManifestError> {
    let fields = |value: &Value| {
        let fields = value.as_object().into_iter().flat_map(|it| it.keys());
        fields.cloned().collect::<Vec<_>>()
    };
    let mut told = Vec::new();
    for field in fields(&document.value) {
        if !EVERY.contains(&field.as_str()) && !top(kind).contains(&field.as_str()) {
            told.push(format!("{field}: {}", advice(kind, &field, "")));
        }
    }
    for field in fields(&document.value["metadata"]) {
        if !METADATA.contains(&field.as_str()) {
            told.push(format!(
                "metadata.{field}: {}",
                advice(kind, &field, "metadata")
            ));
        }
    }
    told.extend(dash(&document.value["spec"]));
    if kind.ends_with("TriggerAuthentication") {
        told.extend(authentication::unknown(&document.value["spec"]));
    }
    if told.is_empty() {
        return Ok(());
    }
    let name = document.value["metadata"]["name"].as_str();
    Err(ManifestError::Fields {
        object: format!("{kind}/{}", name.unwrap_or_default()),
        file: document.file.clone(),
        told: told.join("; "),
    })
}

/// A name that begins with a hyphen and a letter was meant as an entry of a list.
fn dash(value: &Value) -> Option<String> {
    match value {
        Value::Array(list) => list.iter().find_map(dash),
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            let entry = name.strip_prefix('-');
            let entry = entry.filter(|it| it.starts_with(|c: char| c.is_ascii_alphabetic()));
            match entry {
                Some(entry) => Some(format!("{name}: is an unknown field; YAML needs a space after the dash: write \"- {entry}:\"")),
                None => dash(value),
            }
        }),
        _ => None,
    }
}

/// The problem of a field of a kind in `place`, and where it belongs.
fn advice(kind: &str, field: &str, place: &str) -> String {
    if let Some(told) = misleading(field) {
        return format!("is an unknown field; {told}");
    }
    let mut here = EVERY.iter().chain(top(kind)).chain(&METADATA);
    if let Some(meant) = here.find(|it| it.eq_ignore_ascii_case(field) && **it != field) {
        return format!(
            "is an unknown field, since names of fields have their case: write {meant}"
        );
    }
    let mut places = places(kind).iter();
    let of = places.find(|(_, fields)| fields.contains(&field));
    let of = of.map(|(place, _)| *place);
    let belongs = if place.is_empty() {
        of.or(METADATA.contains(&field).then_some("metadata"))
    } else {
        // `metadata.spec` is indented too far.
        of.or(top(kind)
            .contains(&field)
            .then_some("the top of the object, beside metadata"))
    };
    match (belongs, place) {
        (Some(belongs), _) => format!("is an unknown field there; it belongs into {belongs}"),
        (None, "metadata") => "is an unknown field; names of your own are labels or annotations, under metadata.labels or \
                               metadata.annotations"
            .to_owned(),
        (None, _) => format!(
            "is an unknown field; a {kind} has {} and {} there",
            EVERY.join(", "),
            top(kind).join(", ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Manifests, parse};

    fn told(text: &str) -> String {
        let documents = parse("a.yaml", text).unwrap();
        Manifests::from_documents(&documents)
            .map_or_else(|error| error.to_string(), |_| String::new())
    }

    /// Source: Kubernetes, strict field validation ("strict decoding error: unknown field").
    #[test]
    fn a_field_beside_spec_or_in_metadata_is_refused_by_name_with_its_place() {
        let object = |metadata: &str, top: &str| {
            told(&format!(
                "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {{name: a{metadata}}}\n{top}spec: {{scaleTargetRef: {{name: \
                 b}}, triggers: []}}\n"
            ))
        };
        assert_eq!(object("", ""), "");
        assert_eq!(object(", labels: {a: b}, uid: u", "status: {}\n"), "");
        // kubectl drops a field without a value before it sends the object.
        assert_eq!(object("", "maxReplicaCount:\n"), "");
        for (metadata, top, parts) in [
            (
                "",
                "maxReplicaCount: 50\n",
                &["maxReplicaCount: is an unknown field", "into spec"][..],
            ),
            (
                "",
                "queueLength: '5'\nbehavior: {}\n",
                &[
                    "metadata of an entry of spec.triggers",
                    "behavior: is",
                    "horizontalPodAutoscalerConfig",
                ],
            ),
            ("", "labels: {a: b}\n", &["labels: is", "into metadata"]),
            ("", "Status: {}\n", &["write status"]),
            ("", "whatever: 1\n", &["a ScaledObject has apiVersion"]),
            (
                ", app: orders",
                "",
                &["metadata.app: is", "metadata.labels"],
            ),
            (", spec: {}", "", &["metadata.spec: is", "beside metadata"]),
            (", minReplicaCount: 1", "", &["into spec"]),
            (", Name: b", "", &["write name"]),
        ] {
            let told = object(metadata, top);
            assert!(
                told.starts_with("read ScaledObject/a of a.yaml: "),
                "{told}"
            );
            for part in parts {
                assert!(told.contains(part), "{metadata}{top}: {told}");
            }
        }
    }

    #[test]
    fn a_dash_without_a_space_is_told() {
        let told = told(
            "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: a}\nspec:\n  triggers:\n    -type: azure-queue\n",
        );
        assert!(told.contains("write \"- type:\""), "{told}");
    }

    #[test]
    fn other_kinds_have_fields_of_their_own() {
        for (text, field) in [
            (
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nimmutable: true\ndata: {}\n",
                "",
            ),
            (
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nspec: {}\n",
                "spec: is",
            ),
            (
                "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: a}\nsecrets: []\n",
                "",
            ),
            (
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nreplicas: 3\nspec: {}\n",
                "replicas: is an unknown field there; it belongs into spec",
            ),
            (
                "apiVersion: example.com/v1\nkind: ScaledObject\nanything: 1\n",
                "",
            ),
        ] {
            let told = told(text);
            assert!(
                told.contains(field) && (told.is_empty() == field.is_empty()),
                "{text}: {told}"
            );
        }
    }
}
