//! Spot notices: Azure Scheduled Events, polled, so that an eviction begins a drain even where nobody sends SIGTERM.
//!
//! The real endpoint is `http://169.254.169.254/metadata/scheduledevents?api-version=2020-07-01` (Azure Instance Metadata
//! Service); the harness has one for each simulated node. Events are not acknowledged: an acknowledgement would bring the
//! eviction forward.

use std::time::Duration;

use serde::Deserialize;
use tokio_util::sync::CancellationToken;

/// What the service's documentation recommends.
const POLL: Duration = Duration::from_secs(1);

/// Until the first answer: the first call of a machine may take two minutes, since it turns the service on.
const FIRST_ANSWER: Duration = Duration::from_secs(130);

/// From then on; a notice may leave only seconds.
const ANSWER: Duration = Duration::from_secs(2);

#[derive(Deserialize)]
struct Document {
    #[serde(rename = "Events", default)]
    events: Vec<Event>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Event {
    #[serde(rename = "EventId")]
    id: String,
    #[serde(rename = "EventType")]
    kind: String,
    #[serde(default)]
    resources: Vec<String>,
    #[serde(default)]
    not_before: String,
}

/// Why a poll brought nothing.
#[derive(Debug, thiserror::Error)]
enum PollError {
    #[error("get scheduled events")]
    Http(#[from] reqwest::Error),
    #[error("read scheduled events")]
    Json(#[from] serde_json::Error),
}

/// Polls `endpoint` and cancels `drain` at the first `Preempt` event of `node`, or of any node when that is not known.
/// Returns when `drain` is cancelled, by itself or by others.
pub(crate) async fn watch(endpoint: String, node: Option<String>, drain: CancellationToken) {
    let poll = async {
        let client = reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("a plain client must build");
        let (mut answered, mut failing) = (false, false);
        loop {
            match events(
                &client,
                &endpoint,
                if answered { ANSWER } else { FIRST_ANSWER },
            )
            .await
            {
                Ok(document) => {
                    if failing || !answered {
                        tracing::info!(endpoint, "scheduled events answer");
                    }
                    (answered, failing) = (true, false);
                    if let Some(event) = document.eviction(node.as_deref()) {
                        tracing::warn!(
                            event.id = event.id,
                            event.not_before = event.not_before,
                            "Spot eviction announced: draining"
                        );
                        drain.cancel();
                        return;
                    }
                }
                Err(error) if !failing => {
                    failing = true;
                    let cause = std::error::Error::source(&error).map(tracing::field::display);
                    tracing::warn!(%error, cause, endpoint, "scheduled events do not answer; polling on");
                }
                Err(error) => tracing::debug!(%error, "scheduled events do not answer"),
            }
            tokio::time::sleep(POLL).await;
        }
    };
    drain.run_until_cancelled(poll).await;
}

async fn events(
    client: &reqwest::Client,
    endpoint: &str,
    limit: Duration,
) -> Result<Document, PollError> {
    let request = client
        .get(endpoint)
        .header("Metadata", "true")
        .timeout(limit);
    let body = request.send().await?.error_for_status()?.text().await?;
    Ok(serde_json::from_str(&body)?)
}

/// Whether a document of Scheduled Events announces the eviction of `node`, or of any node when that is not known.
pub fn announces_eviction(document: &str, node: Option<&str>) -> Result<bool, serde_json::Error> {
    let document: Document = serde_json::from_str(document)?;
    Ok(document.eviction(node).is_some())
}

impl Document {
    /// The first event that evicts `node`.
    fn eviction(&self, node: Option<&str>) -> Option<&Event> {
        self.events.iter().find(|event| event.evicts(node))
    }
}

impl Event {
    fn evicts(&self, node: Option<&str>) -> bool {
        let concerns = |node| {
            self.resources
                .iter()
                .any(|resource| is_node(resource, node))
        };
        self.kind == "Preempt" && node.is_none_or(concerns)
    }
}

/// Whether an event's resource is this node. A machine of its own (as node auto-provisioning makes them) is named alike in
/// both worlds; the instance `aks-pool_10` of a scale set is the node `aks-pool00000a` (its number in base 36, six
/// digits).
fn is_node(resource: &str, node: &str) -> bool {
    if resource.eq_ignore_ascii_case(node) {
        return true;
    }
    let Some((set, instance)) = resource.rsplit_once('_') else {
        return false;
    };
    let Ok(instance) = instance.parse::<u64>() else {
        return false;
    };
    node.len() == set.len() + 6
        && node.is_char_boundary(set.len())
        && node[..set.len()].eq_ignore_ascii_case(set)
        && u64::from_str_radix(&node[set.len()..], 36) == Ok(instance)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(kind: &str, resource: &str) -> Document {
        let json = format!(
            r#"{{"DocumentIncarnation":3,"Events":[{{"EventId":"e1","EventStatus":"Scheduled","EventType":"{kind}",
               "ResourceType":"VirtualMachine","Resources":["{resource}"],"NotBefore":"Mon, 23 Nov 2026 13:14:15 GMT",
               "Description":"","EventSource":"Platform","DurationInSeconds":-1}}]}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn a_preempt_event_of_this_node_evicts_and_no_other_does() {
        let evicts = |kind, resource, node| document(kind, resource).events[0].evicts(node);
        assert!(evicts("Preempt", "aks-spot-x7f2k", Some("aks-spot-x7f2k")));
        assert!(evicts("Preempt", "aks-spot-x7f2k", None));
        assert!(!evicts("Preempt", "aks-spot-x7f2k", Some("aks-spot-other")));
        assert!(!evicts("Reboot", "aks-spot-x7f2k", Some("aks-spot-x7f2k")));
        assert!(!evicts("Freeze", "aks-spot-x7f2k", None));
    }

    #[test]
    fn an_instance_of_a_scale_set_is_the_node_numbered_in_base_36() {
        assert!(is_node(
            "aks-spot-12345678-vmss_0",
            "aks-spot-12345678-vmss000000"
        ));
        assert!(is_node(
            "aks-spot-12345678-vmss_10",
            "aks-spot-12345678-vmss00000a"
        ));
        assert!(is_node(
            "aks-spot-12345678-vmss_37",
            "aks-spot-12345678-vmss000011"
        ));
        assert!(!is_node(
            "aks-spot-12345678-vmss_1",
            "aks-spot-12345678-vmss00000a"
        ));
        assert!(!is_node(
            "aks-spot-12345678-vmss_1",
            "aks-user-12345678-vmss000001"
        ));
        assert!(!is_node("aks_x", "aks000001"));
    }

    #[test]
    fn a_document_without_events_evicts_nobody() {
        let document: Document =
            serde_json::from_str(r#"{"DocumentIncarnation":0,"Events":[]}"#).unwrap();
        assert!(document.events.is_empty());
    }
}
