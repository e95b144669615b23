//! YAML or JSON files that are not descriptions of version 1: what they probably are, and what to do.

use std::collections::BTreeMap;

use super::Problem;
use super::node::{Content, YamlValue};

/// Advice if another kind of file was named.
const INSTEAD: &str =
    "name the file that describes the worker, edw.yaml; harness init writes a first one";

/// Keys that no description has, and the kinds of files that have them.
const OF_OTHERS: [(&str, &str); 4] = [
    ("services", "a file of Docker Compose"),
    ("resources", "a kustomization"),
    ("jobs", "a workflow of a CI"),
    ("steps", "a pipeline of a CI"),
];

/// The kind of file that `text` is instead of a description of version 1; `None` if nothing shows that it is another one.
/// Reported before all other problems: if the kind or the version is wrong, problems of single keys do not help.
pub(super) fn mistaken(text: &str) -> Option<Problem> {
    let text = text.trim_start_matches('\u{feff}');
    let keys = keys(text);
    let problem = |key: &str, said: String| {
        let line = keys.get(key).map_or(0, |(line, _)| *line);
        Some(Problem { line, text: said })
    };
    let is_ours = ["message", "row", "worker"]
        .iter()
        .any(|it| keys.contains_key(*it));
    if !is_ours && keys.contains_key("apiVersion") {
        return problem(
            "apiVersion",
            of_kubernetes(keys.get("kind").map(|(_, kind)| kind.as_str())),
        );
    }
    let other = OF_OTHERS.iter().find(|(key, _)| keys.contains_key(*key));
    if let Some((key, what)) = other.filter(|_| !is_ours) {
        let said =
            format!("this looks like {what}, not like the description of a workload; {INSTEAD}");
        return problem(key, said);
    }
    let (_, version) = keys.get("version")?;
    let number: f64 = version.trim_start_matches('v').parse().ok()?;
    if (number - 1.0).abs() < f64::EPSILON {
        return None;
    }
    let said = format!(
        "version {version} is not known, this program reads version 1; write version: 1, or use the release of the harness \
         that the file was written for"
    );
    problem("version", said)
}

/// The kind of a manifest, and its possible use.
fn of_kubernetes(kind: Option<&str>) -> String {
    let Some(kind) = kind else {
        return format!(
            "this is a file of Kubernetes or Helm, not the description of a workload; {INSTEAD}"
        );
    };
    let also = match kind {
        "ScaledObject" | "ScaledJob" => {
            ". To see what this one would do, run harness simulate with it".to_owned()
        }
        "Deployment" | "StatefulSet" | "Job" | "Pod" => {
            ". The image of a worker belongs into worker.image there, its variables into worker.variables".to_owned()
        }
        _ => String::new(),
    };
    format!(
        "this is a manifest of Kubernetes (kind: {kind}), not the description of a workload; {INSTEAD}{also}"
    )
}

/// The keys of the first object in `text`, each with its line, and with its value where that is no list and no object.
fn keys(text: &str) -> BTreeMap<String, (u64, String)> {
    let begun = text.strip_prefix("---").unwrap_or(text);
    let first = begun.split("\n---").next().unwrap_or_default();
    let scalar = |node: &YamlValue| match &node.content {
        Content::Text(text) => text.clone(),
        Content::List(_) | Content::Fields(_) => String::new(),
        _ => node.json().to_string(),
    };
    if let Ok(Content::Fields(fields)) = YamlValue::read(first).map(|node| node.content) {
        return fields
            .iter()
            .map(|(key, value)| (key.name.clone(), (key.line, scalar(value))))
            .collect();
    }
    // No YAML, as templates of Helm are none: what begins at the edge is a key.
    let mut keys = BTreeMap::new();
    for (number, line) in (1..).zip(first.lines()) {
        let pair = line.split_once(':');
        let begins = |key: &str| key.starts_with(|c: char| c.is_ascii_alphabetic());
        if let Some((key, value)) = pair.filter(|(key, _)| begins(key)) {
            keys.entry(key.to_owned())
                .or_insert((number, value.trim().to_owned()));
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use crate::workload::Description;

    fn told(text: &str) -> String {
        let problems = Description::read(text).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:?}");
        problems[0].to_string()
    }

    #[test]
    fn a_file_of_another_kind_is_told_with_what_to_name() {
        let instead = "not the description of a workload; name the file that describes the worker, edw.yaml; harness init writes";
        for (text, what, also) in [
            (
                "# ours\napiVersion: v1\nkind: ConfigMap\n",
                "line 2: this is a manifest of Kubernetes (kind: ConfigMap), ",
                "",
            ),
            (
                "---\napiVersion: apps/v1\nkind: Deployment\n---\napiVersion: v1\nkind: Service\n",
                "line 2: this is a manifest of Kubernetes (kind: Deployment), ",
                "worker.image",
            ),
            (
                "{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"spec\": {}}",
                "line 1: this is a manifest of Kubernetes (kind: Pod), ",
                "worker.variables",
            ),
            (
                "\u{feff}apiVersion: keda.sh/v1alpha1\r\nkind: ScaledObject\r\n",
                "line 1: this is a manifest of Kubernetes (kind: ScaledObject), ",
                "harness simulate",
            ),
            (
                "apiVersion: v2\nname: chart\nversion: 0.1.0\n",
                "line 1: this is a file of Kubernetes or Helm, ",
                "",
            ),
            (
                "apiVersion: v1\nkind: Secret\nmetadata:\n  name: {{ .Release.Name }}\n",
                "line 1: this is a manifest of Kubernetes (kind: Secret), ",
                "",
            ),
        ] {
            let said = told(text);
            assert!(said.starts_with(&format!("{what}{instead}")), "{said}");
            assert!(said.contains(also), "{said}");
        }
        let compose = told("version: '3.8'\nservices:\n  worker: {image: a}\n");
        let expected = "line 2: this looks like a file of Docker Compose, not like the description of a workload; name the file";
        assert!(compose.starts_with(expected), "{compose}");
    }

    /// Also if there are keys of a later version, which this version does not know.
    #[test]
    fn another_version_is_told_before_what_it_holds() {
        for (text, version) in [
            ("version: 2\nname: a\nmessages: []\n", "2"),
            ("name: a\nversion: 2\nmessage: {}\n", "2"),
            ("version: \"2.1\"\n", "2.1"),
            ("version: v2\n", "v2"),
            ("version: 0\n", "0"),
        ] {
            let said = told(text);
            let expected = format!(
                "version {version} is not known, this program reads version 1; write version: 1, or use the release"
            );
            assert!(said.contains(&expected), "{said}");
        }
        // A description with an unknown key is still a description.
        let said = told(
            "version: 1\nname: a\nmessage: {body: \"{id}\"}\nrow: {columns: {a: \"{id}\"}}\nservices: {}\n",
        );
        assert!(said.contains("unknown field services"), "{said}");
    }
}
