//! From text to objects.

use serde_json::Value;

use super::{ManifestError, YamlError};

/// One object as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The file, or the overlay that was rendered.
    pub file: String,
    /// The object.
    pub value: Value,
}

/// Reads the YAML documents of a text; `file` is what errors call it. The objects of a list, as `kubectl get -o yaml` prints
/// one, are documents of their own. Fields without a value are left out, as the API server does (Kubernetes
/// `apiextensions-apiserver`, `PruneNonNullableNullsWithoutDefaults`; in Go, `null` leaves a field as it is).
pub fn parse(file: &str, text: &str) -> Result<Vec<Document>, ManifestError> {
    let values = serde_saphyr::from_multiple::<Value>(text);
    let values = values.map_err(|error| {
        if text.contains("{{") {
            let file = file.to_owned();
            return ManifestError::Template { file };
        }
        ManifestError::Yaml {
            file: file.to_owned(),
            source: YamlError::from(&error),
        }
    })?;
    let mut documents = Vec::new();
    for mut value in values {
        prune(&mut value);
        flatten(file, value, &mut documents);
    }
    let template =
        |document: &Document| of_keda(&document.value) && mentions_values(&document.value);
    if documents.iter().any(template) {
        let file = file.to_owned();
        return Err(ManifestError::Template { file });
    }
    Ok(documents)
}

/// Kubernetes `k8s.io/apimachinery/pkg/api/meta`, `IsListType`: a kind that ends in `List` and has `items`.
fn flatten(file: &str, mut value: Value, documents: &mut Vec<Document>) {
    let list = value["kind"]
        .as_str()
        .is_some_and(|kind| kind.ends_with("List"));
    if list && let Some(Value::Array(items)) = value.get_mut("items") {
        for item in items.drain(..) {
            flatten(file, item, documents);
        }
    } else if value.is_object() {
        // What is no object is a comment, or nothing that a cluster knows.
        let file = file.to_owned();
        documents.push(Document { file, value });
    }
}

fn prune(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(prune);
        }
        Value::Array(list) => list.iter_mut().for_each(prune),
        _ => {}
    }
}

fn of_keda(value: &Value) -> bool {
    let version = value["apiVersion"].as_str();
    version.is_some_and(|version| version.starts_with("keda."))
}

/// Whether a text in it is a template's.
fn mentions_values(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains("{{"),
        Value::Array(list) => list.iter().any(mentions_values),
        Value::Object(map) => map.values().any(mentions_values),
        _ => false,
    }
}
