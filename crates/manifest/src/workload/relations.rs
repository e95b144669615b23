//! What Kubernetes' validation refuses about a pod template, beyond types (`pkg/apis/core/validation/validation.go`,
//! `pkg/apis/apps/validation/validation.go`, `pkg/apis/batch/validation/validation.go`).

use std::collections::BTreeSet;

use serde_json::Value;

use crate::quantity;

const PULL_POLICIES: [&str; 3] = ["Always", "IfNotPresent", "Never"];
const OPERATORS: [&str; 2] = ["Equal", "Exists"];
const EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
const COMPLETION_MODES: [&str; 2] = ["Indexed", "NonIndexed"];

/// Each such relation that does not hold in the Deployment's `spec` or the ScaledJob's `jobTargetRef`, which is in `place`.
pub(super) fn broken(kind: &str, place: &str, spec: &Value) -> Vec<String> {
    let mut told = Vec::new();
    // batch `validateJobSpec`, `ValidateJobSpec`: "Unsupported value".
    let mode = &spec["completionMode"];
    told.extend(unsupported(
        &format!("{place}.completionMode"),
        mode,
        &COMPLETION_MODES,
    ));
    let pod = &spec["template"]["spec"];
    let place = format!("{place}.template.spec");
    if kind == "Deployment" {
        // apps `ValidatePodTemplateSpecForReplicaSet`.
        let policy = &pod["restartPolicy"];
        told.extend(unsupported(
            &format!("{place}.restartPolicy"),
            policy,
            &["Always"],
        ));
    }
    // `ValidateTolerations`: "Unsupported value".
    for (n, toleration) in entries(&pod["tolerations"]).iter().enumerate() {
        for (field, known) in [("operator", &OPERATORS[..]), ("effect", &EFFECTS)] {
            let at = format!("{place}.tolerations[{n}].{field}");
            told.extend(unsupported(&at, &toleration[field], known));
        }
    }
    let volumes = named(&pod["volumes"]);
    let mut names = BTreeSet::new();
    for list in ["containers", "initContainers"] {
        for (n, container) in entries(&pod[list]).iter().enumerate() {
            let at = format!("{place}.{list}[{n}]");
            let name = container["name"].as_str().unwrap_or_default();
            // `validateContainers`, `validateInitContainers`: "Duplicate value".
            if !name.is_empty() && !names.insert(name) {
                told.push(format!(
                    "{at}.name: is {name}, as of a container before it; give it another name"
                ));
            }
            of_container(&at, container, &volumes, &mut told);
        }
    }
    told
}

fn of_container(at: &str, container: &Value, volumes: &BTreeSet<&str>, told: &mut Vec<String>) {
    // `validatePullPolicy`.
    let policy = &container["imagePullPolicy"];
    told.extend(unsupported(
        &format!("{at}.imagePullPolicy"),
        policy,
        &PULL_POLICIES,
    ));
    // `ValidateVolumeMounts`: "Not found".
    for (n, mount) in entries(&container["volumeMounts"]).iter().enumerate() {
        let name = mount["name"].as_str().unwrap_or_default();
        if !name.is_empty() && !volumes.contains(name) {
            told.push(format!(
                "{at}.volumeMounts[{n}].name: is {name}, and the pod has no such volume; add it to its volumes"
            ));
        }
    }
    of_resources(&format!("{at}.resources"), &container["resources"], told);
}

fn of_resources(at: &str, resources: &Value, told: &mut Vec<String>) {
    // `resource.ParseQuantity`: "quantities must match the regular expression"; `ValidateNonnegativeQuantity`.
    for section in ["requests", "limits"] {
        for (name, value) in resources[section].as_object().into_iter().flatten() {
            let is_scalar = value.is_string() || value.is_number();
            if is_scalar && quantity(value).is_none() {
                told.push(format!(
                    "{at}.{section}.{name}: is {}, which is no quantity; write a number from 0 on with a suffix or none, and no space between, \
                     such as 500m or 1Gi",
                    plain(value)
                ));
            }
        }
    }
    // `ValidateResourceRequirements`: "must be less than or equal to .. limit".
    let requests = resources["requests"].as_object().into_iter().flatten();
    for (name, request) in requests {
        let limit = &resources["limits"][name];
        if let (Some(asked), Some(most)) = (quantity(request), quantity(limit))
            && asked > most
        {
            told.push(format!(
                "{at}.requests.{name}: is {}, more than its limit, which is {}; write at most the limit",
                plain(request),
                plain(limit)
            ));
        }
    }
}

/// What is wrong with a text that is none of `known`.
fn unsupported(at: &str, value: &Value, known: &[&str]) -> Option<String> {
    let text = value.as_str()?;
    if text.is_empty() || known.contains(&text) {
        return None;
    }
    let mut cased = known.iter().filter(|it| it.eq_ignore_ascii_case(text));
    let must = cased.next().map_or_else(
        || format!("must be {}", known.join(" or ")),
        |meant| format!("and values have their case; write {meant}"),
    );
    Some(format!("{at}: is {text:?}, {must}"))
}

fn entries(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Names of the entries of a list.
fn named(list: &Value) -> BTreeSet<&str> {
    let names = entries(list).iter();
    names.filter_map(|it| it["name"].as_str()).collect()
}

/// A quantity without quotes.
fn plain(value: &Value) -> String {
    let text = value.as_str().map(str::to_owned);
    text.unwrap_or_else(|| value.to_string())
}
