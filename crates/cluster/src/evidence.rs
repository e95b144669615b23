//! Saves the state of a namespace to files before it is removed: its objects and its events.

use std::collections::BTreeSet;
use std::path::Path;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Event, Pod};
use kube::api::{ApiResource, DynamicObject, ListParams};
use kube::core::GroupVersionKind;
use kube::{Api, Client, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;

/// The file with the events, one per line, in their order.
pub const EVENTS: &str = "events.txt";

/// Writes the objects and events of `namespace` below `directory`. Tries everything; returns the first error.
pub async fn write(client: &Client, namespace: &str, directory: &Path) -> Result<(), Error> {
    let local = |source| Error::Local {
        doing: format!("write below {}", directory.display()),
        source,
    };
    tokio::fs::create_dir_all(directory).await.map_err(local)?;
    let writes = [
        kept::<Pod>(client, namespace, directory, "pods.json").await,
        kept::<Deployment>(client, namespace, directory, "deployments.json").await,
        kept::<HorizontalPodAutoscaler>(client, namespace, directory, "autoscalers.json").await,
        kept::<Job>(client, namespace, directory, "jobs.json").await,
        scaled_objects(client, namespace, directory).await,
        events(client, namespace, directory).await,
    ];
    writes.into_iter().collect()
}

async fn kept<K>(
    client: &Client,
    namespace: &str,
    directory: &Path,
    file: &str,
) -> Result<(), Error>
where
    K: Resource<Scope = k8s_openapi::NamespaceResourceScope>
        + Clone
        + DeserializeOwned
        + Serialize
        + std::fmt::Debug,
    K::DynamicType: Default,
{
    let api: Api<K> = Api::namespaced(client.clone(), namespace);
    let list = api.list(&ListParams::default()).await;
    let list = list.map_err(|error| Error::of(format!("keep {file}"), &error))?;
    save(directory, file, &list.items).await
}

async fn scaled_objects(client: &Client, namespace: &str, directory: &Path) -> Result<(), Error> {
    let kind = GroupVersionKind::gvk("keda.sh", "v1alpha1", "ScaledObject");
    let resource = ApiResource::from_gvk(&kind);
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, &resource);
    let file = "scaledobjects.json";
    match api.list(&ListParams::default()).await {
        Ok(list) => save(directory, file, &list.items).await,
        // A cluster without KEDA does not have this kind.
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        Err(error) => Err(Error::of(format!("keep {file}"), &error)),
    }
}

async fn events(client: &Client, namespace: &str, directory: &Path) -> Result<(), Error> {
    let events = in_order(client, namespace).await?;
    let lines: Vec<String> = events.iter().map(line).collect();
    write_file(directory, EVENTS, lines.join("\n").as_bytes()).await
}

/// The events of `namespace`, the latest last.
async fn in_order(client: &Client, namespace: &str) -> Result<Vec<Event>, Error> {
    let api: Api<Event> = Api::namespaced(client.clone(), namespace);
    let list = api.list(&ListParams::default()).await;
    let mut list = list.map_err(|error| Error::of("list the events", &error))?;
    list.items.sort_by_key(|event| {
        let seen = event.last_timestamp.as_ref().map(|time| time.0);
        seen.or_else(|| event.event_time.as_ref().map(|time| time.0))
            .or_else(|| {
                event
                    .metadata
                    .creation_timestamp
                    .as_ref()
                    .map(|time| time.0)
            })
    });
    Ok(list.items)
}

/// The latest warning of the cluster about one of `pods`.
pub(crate) async fn last_warning(
    client: &Client,
    namespace: &str,
    pods: &BTreeSet<String>,
) -> Result<Option<String>, Error> {
    let events = in_order(client, namespace).await?;
    let warned = events.into_iter().rev().find(|event| {
        let about = &event.involved_object;
        event.type_.as_deref() == Some("Warning")
            && about.kind.as_deref() == Some("Pod")
            && about.name.as_ref().is_some_and(|name| pods.contains(name))
    });
    Ok(warned.map(|event| {
        let told = [event.reason, event.message];
        let told: Vec<String> = told.into_iter().flatten().collect();
        told.join(": ")
    }))
}

/// An event in the format of `kubectl get events`.
pub fn line(event: &Event) -> String {
    let time = event.last_timestamp.as_ref().map(|time| time.0);
    let time = time.or_else(|| event.event_time.as_ref().map(|time| time.0));
    let object = &event.involved_object;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    format!(
        "{} {} {} {}/{}: {}",
        time.map_or_else(|| "-".to_owned(), |time| time.to_string()),
        text(&event.type_),
        text(&event.reason),
        text(&object.kind).to_lowercase(),
        text(&object.name),
        text(&event.message),
    )
}

async fn save<K: Serialize>(directory: &Path, file: &str, items: &[K]) -> Result<(), Error> {
    let text = serde_json::to_vec_pretty(items).map_err(|error| Error::Object {
        object: file.to_owned(),
        reason: error.to_string(),
    })?;
    write_file(directory, file, &text).await
}

async fn write_file(directory: &Path, file: &str, text: &[u8]) -> Result<(), Error> {
    let path = directory.join(file);
    let written = tokio::fs::write(&path, text).await;
    written.map_err(|source| Error::Local {
        doing: format!("write {}", path.display()),
        source,
    })
}
