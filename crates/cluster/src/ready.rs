//! Waits for pods that others start.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::{StreamExt as _, pin_mut};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{ListParams, LogParams};
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, Client, ResourceExt};
use tokio::time::timeout;

use crate::error::Error;
use crate::evidence;
use crate::pods::PodView;

/// Pause between two tries to watch, while the API server does not answer.
const AGAIN: Duration = Duration::from_secs(1);

/// A container that has ended so often without ever being ready will not get further: it is another program, or lacks something.
const ENDS: u32 = 3;

/// Waits until a pod in `namespace` that `selector` selects is ready, for at most `patience`. Ends early if a pod's container ends
/// again and again, with the last lines of its log.
pub async fn ready(
    client: &Client,
    namespace: &str,
    selector: &str,
    patience: Duration,
) -> Result<(), Error> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let selected = watcher::Config::default().labels(selector);
    let changes = watcher(pods, selected).applied_objects();
    let (mut waits, mut seen) = (None, BTreeSet::new());
    let found = timeout(patience, async {
        pin_mut!(changes);
        while let Some(change) = changes.next().await {
            match change {
                Ok(pod) if is_ready(&pod) => return Ok(()),
                Ok(pod) if restarts(&pod) >= ENDS => return Err(pod.name_any()),
                Ok(pod) => {
                    waits = why(&pod);
                    seen.insert(pod.name_any());
                }
                Err(error) => {
                    waits = Some(error.to_string());
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
        Ok(())
    });
    match found.await {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(pod)) => return Err(crashes(client, namespace, pod).await),
        Err(_) => {}
    }
    // What keeps a pod from having any container, such as a node without its own images, is told by an event alone.
    let warned = evidence::last_warning(client, namespace, &seen).await;
    let warned = warned.unwrap_or_else(|error| Some(error.to_string()));
    let reasons: Vec<String> = waits.into_iter().chain(warned).collect();
    Err(Error::Late {
        what: format!("a pod of {selector} is ready"),
        after: patience,
        why: match &reasons[..] {
            [] if seen.is_empty() => "there is no such pod".to_owned(),
            [] => "its log may say why".to_owned(),
            reasons => reasons.join("; "),
        },
    })
}

/// How often the container of `pod` was restarted.
fn restarts(pod: &Pod) -> u32 {
    view(pod).map_or(0, |view| view.restarts)
}

/// The error of a pod whose container ends again and again, with the last lines of the log before its last restart.
async fn crashes(client: &Client, namespace: &str, pod: String) -> Error {
    let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let params = LogParams {
        previous: true,
        tail_lines: Some(5),
        ..LogParams::default()
    };
    let log = pods.logs(&pod, &params).await;
    let log = log.unwrap_or_else(|error| format!("its log cannot be read: {error}"));
    Error::Object {
        object: format!("pod {pod}"),
        reason: format!(
            "its container has ended {ENDS} times without being ready; is its image the right one? Its last lines:\n{}",
            log.trim_end()
        ),
    }
}

/// Which pod in `namespace` is not ready, and why, as far as the cluster says; `None` if it says nothing.
pub async fn what_waits(client: &Client, namespace: &str) -> Option<String> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let listed = pods.list(&ListParams::default()).await.ok()?;
    let not_ready = || listed.items.iter().filter(|pod| !is_ready(pod));
    if let Some((pod, why)) = not_ready().find_map(|pod| Some((pod, why(pod)?))) {
        return Some(format!("{}: {why}", pod.name_any()));
    }
    let names = not_ready().map(ResourceExt::name_any).collect();
    let warned = evidence::last_warning(client, namespace, &names).await;
    warned.ok().flatten()
}

/// Why a pod is not ready, if its own status has a reason.
fn why(pod: &Pod) -> Option<String> {
    view(pod)?.waits_for
}

/// The state of `pod` by its first container; `None` if it has none.
fn view(pod: &Pod) -> Option<PodView> {
    let first = pod.spec.as_ref()?.containers.first()?;
    Some(PodView::of(pod, &first.name))
}

/// Whether a pod is ready, and was not told to end.
pub fn is_ready(pod: &Pod) -> bool {
    let conditions = pod
        .status
        .as_ref()
        .and_then(|status| status.conditions.as_ref());
    let ready = conditions.is_some_and(|conditions| {
        conditions
            .iter()
            .any(|condition| condition.type_ == "Ready" && condition.status == "True")
    });
    ready && pod.metadata.deletion_timestamp.is_none()
}
