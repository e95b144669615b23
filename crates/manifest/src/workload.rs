//! What makes pods, a Deployment's `spec` and a ScaledJob's `jobTargetRef`, held against the types of Kubernetes itself (`k8s-openapi`).
//!
//! A value that no type takes is refused by the API server, and so is a field that is lost on the way through the types, where
//! kubectl asks for strict validation. `relations` has what Kubernetes' own validation refuses, `fractions` what KEDA's CRDs do.

mod fields;
mod fractions;
mod relations;

use k8s_openapi::api::apps::v1::DeploymentSpec;
use k8s_openapi::api::batch::v1::JobSpec;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::Segment;

use super::{Document, ManifestError, ShapeError};

/// Fields that versions of Kubernetes have that are newer than the types.
const NEWER: [&str; 7] = [
    "evictionInterceptors",
    "fileKeyRef",
    "hostnameOverride",
    "podCertificate",
    "restartPolicyRules",
    "userAnnotations",
    "workloadRef",
];

/// Values of wrong types that are told at once; each is looked for anew.
const TOLD: usize = 20;

/// Refuses a document of `kind` for what is wrong with the pods that it makes, or with fractions in KEDA's kinds.
pub(super) fn check(document: &Document, kind: &str) -> Result<(), ManifestError> {
    let value = &document.value;
    let told = match kind {
        "Deployment" => pods::<DeploymentSpec>(kind, "spec", &value["spec"]),
        "ScaledJob" => {
            let job = &value["spec"]["jobTargetRef"];
            let mut told = fractions::find(&value["spec"]);
            told.extend(pods::<JobSpec>(kind, "spec.jobTargetRef", job));
            told
        }
        "ScaledObject" => fractions::find(&value["spec"]),
        _ => return Ok(()),
    };
    if told.is_empty() {
        return Ok(());
    }
    let name = value["metadata"]["name"].as_str();
    Err(ManifestError::Refused {
        object: format!("{kind}/{}", name.unwrap_or_default()),
        file: document.file.clone(),
        told: told.join("; "),
    })
}

fn pods<T: DeserializeOwned + Serialize>(kind: &str, place: &str, value: &Value) -> Vec<String> {
    if value.is_null() {
        return Vec::new();
    }
    let mut told = Vec::new();
    let mut sound = value.clone();
    while told.len() < TOLD {
        let error = match serde_path_to_error::deserialize::<_, T>(&sound) {
            Ok(object) => {
                if let Ok(known) = serde_json::to_value(object) {
                    lost(kind, place, &sound, &known, &mut told);
                }
                break;
            }
            Err(error) => error,
        };
        told.push(mistyped(place, &error));
        if !take_out(&mut sound, error.path()) {
            break;
        }
    }
    told.extend(relations::broken(kind, place, value));
    told
}

/// Of a value that is of a wrong type: where, and what it must be.
fn mistyped(place: &str, error: &serde_path_to_error::Error<serde_json::Error>) -> String {
    let path = error.path().to_string();
    let at = if path == "." {
        place.to_owned()
    } else {
        format!("{place}.{path}")
    };
    format!("{at}: {}", ShapeError::of_kubernetes(error.inner()))
}

/// Takes out the field that `path` leads to or through last, so that the rest can be looked at: a list as a whole, since the places of its
/// entries must stay.
fn take_out(value: &mut Value, path: &serde_path_to_error::Path) -> bool {
    let mut segments: Vec<&Segment> = path.iter().collect();
    while segments
        .pop_if(|it| !matches!(it, Segment::Map { .. }))
        .is_some()
    {}
    let Some((Segment::Map { key }, before)) = segments.split_last() else {
        return false;
    };
    let mut parent = value;
    for segment in before {
        let next = match segment {
            Segment::Seq { index } => parent.get_mut(*index),
            Segment::Map { key } => parent.get_mut(key),
            _ => None,
        };
        let Some(next) = next else {
            return false;
        };
        parent = next;
    }
    let fields = parent.as_object_mut();
    fields.is_some_and(|fields| fields.remove(key).is_some())
}

/// Fields of `written` that are not in `known`, which is what the types made of it.
fn lost(kind: &str, place: &str, written: &Value, known: &Value, told: &mut Vec<String>) {
    match (written, known) {
        (Value::Object(written), Value::Object(known)) => {
            for (field, value) in written {
                match known.get(field) {
                    Some(known) => lost(kind, &format!("{place}.{field}"), value, known, told),
                    None if value.is_null() || NEWER.contains(&field.as_str()) => {}
                    None => told.push(format!(
                        "{place}.{field}: is an unknown field{}",
                        fields::advice(kind, place, field)
                    )),
                }
            }
        }
        (Value::Array(written), Value::Array(known)) => {
            for (n, (value, known)) in written.iter().zip(known).enumerate() {
                lost(kind, &format!("{place}[{n}]"), value, known, told);
            }
        }
        _ => {}
    }
}
