//! Parses text into objects.

use serde_json::Value;

use workflow::contract::yaml::trouble;

use super::{ManifestError, limits};
use crate::letters::{hidden, left_by_git};

/// A parsed object.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The file, or the rendered overlay.
    pub file: String,
    /// The object.
    pub value: Value,
}

/// Parses the YAML documents of a text; errors call it `file`. The objects of a list, as `kubectl get -o yaml` prints it,
/// become separate documents. Fields without a value are left out, as by the API server (Kubernetes `apiextensions-apiserver`,
/// `PruneNonNullableNullsWithoutDefaults`; in Go, `null` leaves a field unchanged).
pub fn parse(file: &str, text: &str) -> Result<Vec<Document>, ManifestError> {
    if let Some((line, left)) = left_by_git(text) {
        let file = file.to_owned();
        return Err(ManifestError::Unfinished { file, line, left });
    }
    if let Some(told) = output_of_helm(text) {
        let file = file.to_owned();
        return Err(ManifestError::OfHelm { file, told });
    }
    let values = serde_saphyr::from_multiple_with_options::<Value>(text, limits::options());
    let values = values.map_err(|error| {
        if let Some(error) = not_yet_yaml(file, text) {
            return error;
        }
        if let Some(error) = limits::broken(&error, file) {
            return error;
        }
        let (line, problem) = trouble(&error, text);
        ManifestError::Yaml {
            file: file.to_owned(),
            line,
            problem,
        }
    })?;
    let mut documents = Vec::new();
    for mut value in values {
        as_go_reads(&mut value);
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

/// What `text` is, where Helm has written more than manifests into it: its log (Helm `cmd/helm/root.go`, `debug`: `file.go:LINE: [debug]`;
/// from version 3.18 on `level=DEBUG`), or the status of a release around them (`cmd/helm/status.go`, `statusPrinter`).
fn output_of_helm(text: &str) -> Option<&'static str> {
    let is_of_debug = |line: &str| {
        let (file, rest) = line.split_once(".go:")?;
        let (number, message) = rest.split_once(':')?;
        let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
        let is_debug = message.trim_start().starts_with("[debug]");
        Some(is_number && is_debug && !file.contains(' '))
    };
    let is_log = |line: &&str| {
        let is_levelled = line.starts_with("time=") && line.contains(" level=");
        is_of_debug(line) == Some(true) || line.starts_with("level=DEBUG") || is_levelled
    };
    let status = text
        .lines()
        .find(|line| !is_log(line) && !line.trim().is_empty());
    if status.is_some_and(|line| line.starts_with("NAME: "))
        && text.lines().any(|line| line == "MANIFEST:")
    {
        return Some(
            "it is what helm install or helm upgrade prints, with the status of the release before the manifests, and NOTES after them",
        );
    }
    let logged = text.lines().any(|line| is_log(&line));
    logged.then_some("the log of helm --debug is in it, beside the manifests")
}

/// Finds the reason why a text is not YAML yet: a template to render, a placeholder to fill in, or a character that looks like
/// a space.
fn not_yet_yaml(file: &str, text: &str) -> Option<ManifestError> {
    let file = file.to_owned();
    let mut lines = (1..).zip(text.lines());
    if let Some((line, begun)) = lines.find_map(|(n, line)| Some((n, line.split_once("{{")?.1))) {
        let (inner, _) = begun.split_once("}}").unwrap_or((begun, ""));
        // Actions of Go templates are fields, variables, pipelines and keywords; a name in capitals is another tool's
        // placeholder.
        let placeholder =
            |it: char| it.is_ascii_uppercase() || it.is_ascii_digit() || "_-".contains(it);
        return Some(
            if inner.trim().starts_with(|it: char| it.is_ascii_uppercase())
                && inner.trim().chars().all(placeholder)
            {
                let placeholder = format!("{{{{{inner}}}}}");
                ManifestError::Placeholder {
                    file,
                    line,
                    placeholder,
                }
            } else {
                ManifestError::Template { file }
            },
        );
    }
    let first_hidden = |(line, text): (usize, &str)| {
        let named = |letter| Some((letter, hidden(letter).filter(|_| letter != '\t')?));
        let (letter, name) = text.chars().find_map(named)?;
        Some((line, letter, name))
    };
    let (line, letter, name) = (1..).zip(text.lines()).find_map(first_hidden)?;
    let code = u32::from(letter);
    Some(ManifestError::Hidden {
        file,
        line,
        code,
        name,
    })
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
        // A document without an object is a comment, or nothing that a cluster accepts.
        let file = file.to_owned();
        documents.push(Document { file, value });
    }
}

/// Removes nulls, and converts whole numbers to integers: `15.0` is 15 to kubectl, which converts YAML to JSON
/// (`sigs.k8s.io/yaml`, `yamlToJSON`: a float64 without a fraction is written as an integer), and to the API server's schemas
/// (`kube-openapi`, `pkg/validation/validate/type.go`, `isFloatInt`).
fn as_go_reads(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(as_go_reads);
        }
        Value::Array(list) => list.iter_mut().for_each(as_go_reads),
        Value::Number(number) => {
            if let Some(whole) = number.as_f64().filter(|_| number.is_f64()).and_then(whole) {
                *value = whole.into();
            }
        }
        _ => {}
    }
}

/// `number` as an integer, if Go's `encoding/json` writes it as one.
fn whole(number: f64) -> Option<i64> {
    // Up to this value each integer has its own float64, and is written without an exponent.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "it is whole, and in range")]
    (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
}

fn of_keda(value: &Value) -> bool {
    let version = value["apiVersion"].as_str();
    version.is_some_and(|version| version.starts_with("keda."))
}

/// Whether a text in it belongs to a template.
fn mentions_values(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains("{{"),
        Value::Array(list) => list.iter().any(mentions_values),
        Value::Object(map) => map.values().any(mentions_values),
        _ => false,
    }
}
