//! Recognises files of other tools, which users give in place of Kubernetes manifests.

use serde_json::Value;

use super::Document;

const CONTAINER_APPS: &str = "it is an app or a job of Azure Container Apps, which take a rule of KEDA's without a ScaledObject: write its \
     rule as a trigger of a ScaledObject (type azure-queue, with its queueName and queueLength in quotes), minReplicas and maxReplicas as \
     minReplicaCount and maxReplicaCount, and what secretRef or secretref: names as a Secret, which a TriggerAuthentication names by \
     secretTargetRef";
const COMPOSE: &str = "it is a file of Docker Compose, which says nothing of KEDA: give the file of the ScaledObject or ScaledJob";
const FUNCTIONS: &str = "it is the host.json of Azure Functions, which says nothing of KEDA: give the file of the ScaledObject or ScaledJob, \
     which func kubernetes deploy --dry-run writes";
const NO_OBJECT: &str = "no document in it has a kind, as each object of Kubernetes has: give the file of the ScaledObject or ScaledJob";

/// The kind of `documents`, and what to do, if none of them is a Kubernetes object.
pub fn foreign(documents: &[Document]) -> Option<&'static str> {
    let values = || documents.iter().map(|it| &it.value);
    if values().any(|value| value["kind"].is_string() && value["apiVersion"].is_string()) {
        return None;
    }
    Some(if values().any(is_container_app) {
        CONTAINER_APPS
    } else if values().any(|value| value["services"].is_object()) {
        COMPOSE
    } else if values().any(|value| value["extensions"]["queues"].is_object()) {
        FUNCTIONS
    } else {
        NO_OBJECT
    })
}

/// Whether it is a container app, or a template of Azure Resource Manager with one (Azure Container Apps, "Azure Resource
/// Manager and YAML template specifications").
fn is_container_app(value: &Value) -> bool {
    let is_typed = |value: &Value| {
        let of = value["type"].as_str().unwrap_or_default();
        of.to_ascii_lowercase().starts_with("microsoft.app/")
    };
    let template = &value["properties"]["template"];
    let resources = value["resources"].as_array();
    is_typed(value)
        || template["containers"].is_array()
        || resources.is_some_and(|it| it.iter().any(is_typed))
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    #[test]
    fn files_of_other_tools_are_told_by_what_they_are() {
        for (text, told) in [
            (
                "type: Microsoft.App/containerApps\nproperties: {}\n",
                Some(CONTAINER_APPS),
            ),
            (
                "name: orders\nproperties: {template: {containers: [{env: [{name: C, value: 'secretref:c'}]}]}}\n",
                Some(CONTAINER_APPS),
            ),
            (
                "{\"resources\": [{\"type\": \"Microsoft.App/jobs\"}]}",
                Some(CONTAINER_APPS),
            ),
            ("services: {app: {image: a}}\n", Some(COMPOSE)),
            (
                "{\"version\": \"2.0\", \"extensions\": {\"queues\": {}}}",
                Some(FUNCTIONS),
            ),
            ("just a text\n", Some(NO_OBJECT)),
            ("- a\n- b\n", Some(NO_OBJECT)),
            ("", Some(NO_OBJECT)),
            ("apiVersion: v1\nkind: Secret\n", None),
        ] {
            assert_eq!(foreign(&parse("a", text).unwrap()), told, "{text}");
        }
    }
}
