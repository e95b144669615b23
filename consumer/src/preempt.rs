//! Spot notices: polls Azure Scheduled Events, so that an eviction begins a drain even if no SIGTERM arrives.
//!
//! The real endpoint is `http://169.254.169.254/metadata/scheduledevents?api-version=2020-07-01` (Azure Instance Metadata
//! Service); the harness has one for each simulated node. Two kinds of event end a machine for good: `Preempt`, the eviction of a
//! Spot machine, and `Terminate`, its deletion by its owner (a scale set that scales in, for example). Events are not acknowledged:
//! an acknowledgement would make the end come earlier.

use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;
use workflow::backoff::Backoff;

use crate::metrics::Metrics;

/// Time between polls, as the documentation of the service recommends.
const POLL: Duration = Duration::from_secs(1);

/// Time limit of requests until the first answer: the first request of a machine may take two minutes, since it turns the service on.
const FIRST_ANSWER: Duration = Duration::from_secs(130);

/// Time limit of later requests; a notice may leave only seconds.
const ANSWER: Duration = Duration::from_secs(2);

/// Waits after an answer that says that there were too many requests. The metadata service takes five a second of a machine, and
/// all of its pods ask ("Azure Instance Metadata Service", rate limiting): on a node with more consumers, each gets its turn.
const TOO_MANY: Backoff = Backoff {
    first: Duration::from_secs(3),
    longest: Duration::from_secs(3),
};

/// Waits between polls of an endpoint that has never answered: perhaps there is none. An endpoint that has answered once is polled
/// every second, whatever goes wrong later, unless it says that there are too many requests: a notice may leave only seconds.
const UNANSWERED: Backoff = Backoff {
    first: POLL,
    longest: Duration::from_secs(10),
};

#[derive(Debug, Deserialize)]
struct Document {
    /// Documents of the same incarnation hold the same events.
    #[serde(rename = "DocumentIncarnation")]
    incarnation: Option<i64>,
    #[serde(rename = "Events", default)]
    events: Vec<Event>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Event {
    #[serde(rename = "EventId")]
    id: String,
    #[serde(rename = "EventType")]
    kind: String,
    #[serde(default)]
    resources: Vec<String>,
    /// Empty once the event has begun.
    #[serde(default)]
    not_before: String,
}

/// Why a poll returned no document.
#[derive(Debug, thiserror::Error)]
enum PollError {
    #[error("get scheduled events")]
    Http(#[from] reqwest::Error),
    #[error("read scheduled events")]
    Json(#[from] serde_json::Error),
    /// The machine has asked too often.
    #[error("the machine has asked for metadata too often")]
    TooMany,
}

/// The kind of trouble of the last poll; each kind is logged once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    NoAnswer,
    Unreadable,
}

/// What is known about an endpoint from earlier polls.
#[derive(Debug, Default)]
struct Polls {
    answered: bool,
    failures: u32,
    /// Whether the last answer was that there were too many requests.
    too_many: bool,
    trouble: Option<Trouble>,
    /// The incarnation whose events concern others.
    seen: Option<i64>,
}

impl Polls {
    /// How long the next answer may take.
    const fn limit(&self) -> Duration {
        if self.answered { ANSWER } else { FIRST_ANSWER }
    }

    /// How long to wait before the next poll.
    fn pause(&self) -> Duration {
        if self.too_many {
            TOO_MANY.delay(1)
        } else if self.answered || self.failures == 0 {
            POLL
        } else {
            UNANSWERED.delay(self.failures)
        }
    }

    /// Reads a document, and returns its event that ends `node`. A document that has not changed is not searched again.
    fn read(&mut self, document: Document, node: Option<&str>, endpoint: &str) -> Option<Event> {
        if self.trouble.take().is_some() || !self.answered {
            tracing::info!(endpoint, "scheduled events answer");
        }
        (self.answered, self.failures, self.too_many) = (true, 0, false);
        if document.incarnation.is_some() && document.incarnation == self.seen {
            return None;
        }
        self.seen = document.incarnation;
        let mut events = document.events.into_iter();
        events.find(|event| event.ends(node))
    }

    /// Records a poll that returned no document. Each kind of trouble is one warning, until the endpoint answers again.
    fn failed(&mut self, error: &PollError, endpoint: &str) {
        self.too_many = matches!(error, PollError::TooMany);
        let trouble = match error {
            PollError::Http(_) => Trouble::NoAnswer,
            PollError::Json(_) => Trouble::Unreadable,
            PollError::TooMany => {
                tracing::debug!(%error, endpoint, "polling on, more slowly");
                return;
            }
        };
        self.failures = self.failures.saturating_add(1);
        let cause = std::error::Error::source(error).map(tracing::field::display);
        if self.trouble == Some(trouble) {
            tracing::debug!(%error, cause, endpoint, "scheduled events are still of no use");
            return;
        }
        self.trouble = Some(trouble);
        match trouble {
            Trouble::NoAnswer => {
                tracing::warn!(%error, cause, endpoint, "scheduled events do not answer; polling on");
            }
            Trouble::Unreadable => {
                tracing::warn!(%error, cause, endpoint, "scheduled events cannot be read; polling on");
            }
        }
    }
}

/// Polls `endpoint` and cancels `drain` at the first event that ends `node`, or any node if `node` is unknown. Cancels `noticed`
/// before `drain`. Returns when `drain` is cancelled, also by others.
pub(crate) async fn watch(
    endpoint: String,
    node: Option<String>,
    metrics: Arc<Metrics>,
    drain: CancellationToken,
    noticed: CancellationToken,
) {
    let poll = async {
        let client = reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("a plain client must build");
        let mut polls = Polls::default();
        loop {
            match events(&client, &endpoint, polls.limit()).await {
                Ok(document) => {
                    if let Some(event) = polls.read(document, node.as_deref(), &endpoint) {
                        announce(&event);
                        metrics.eviction_notices.inc();
                        noticed.cancel();
                        drain.cancel();
                        return;
                    }
                }
                Err(error) => polls.failed(&error, &endpoint),
            }
            tokio::time::sleep(polls.pause()).await;
        }
    };
    drain.run_until_cancelled(poll).await;
}

fn announce(event: &Event) {
    let (id, kind, not_before) = (&event.id, &event.kind, &event.not_before);
    tracing::warn!(
        event.id = id,
        event.kind = kind,
        event.not_before = not_before,
        "Spot eviction announced: draining"
    );
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
    let answer = request.send().await?;
    if answer.status() == StatusCode::TOO_MANY_REQUESTS {
        return Err(PollError::TooMany);
    }
    let body = answer.error_for_status()?.text().await?;
    Ok(serde_json::from_str(&body)?)
}

/// Whether a document of Scheduled Events announces the eviction of `node`, or of any node if `node` is unknown.
pub fn announces_eviction(document: &str, node: Option<&str>) -> Result<bool, serde_json::Error> {
    let document: Document = serde_json::from_str(document)?;
    Ok(document.events.iter().any(|event| event.ends(node)))
}

impl Event {
    /// Whether the event ends the machine `node`.
    fn ends(&self, node: Option<&str>) -> bool {
        let concerns = |node| {
            self.resources
                .iter()
                .any(|resource| is_node(resource, node))
        };
        matches!(self.kind.as_str(), "Preempt" | "Terminate") && node.is_none_or(concerns)
    }
}

/// Whether an event's resource is this node. A single machine (as node auto-provisioning creates them) has the same name on Azure
/// and in Kubernetes; the instance `aks-pool_10` of a scale set is the node `aks-pool00000a` (its number in base 36, six digits).
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
    fn an_event_that_ends_this_node_begins_the_drain_and_no_other_does() {
        let ends = |kind, resource, node| document(kind, resource).events[0].ends(node);
        for kind in ["Preempt", "Terminate"] {
            assert!(ends(kind, "aks-spot-x7f2k", Some("aks-spot-x7f2k")));
            assert!(ends(kind, "aks-spot-x7f2k", None));
            assert!(!ends(kind, "aks-spot-x7f2k", Some("aks-spot-other")));
        }
        for kind in ["Reboot", "Redeploy", "Freeze"] {
            assert!(!ends(kind, "aks-spot-x7f2k", Some("aks-spot-x7f2k")));
            assert!(!ends(kind, "aks-spot-x7f2k", None));
        }
    }

    /// The id of the event that ends `node-1`, by a document of this incarnation with one event of `resource`.
    fn found(polls: &mut Polls, incarnation: Option<i64>, resource: &str) -> Option<String> {
        let document = Document {
            incarnation,
            ..document("Preempt", resource)
        };
        let event = polls.read(document, Some("node-1"), "endpoint");
        event.map(|event| event.id)
    }

    #[test]
    fn a_document_is_looked_through_once_for_each_incarnation() {
        let mut polls = Polls::default();
        assert_eq!(found(&mut polls, Some(3), "node-2"), None);
        // The service promises that an incarnation never changes its events; so the document is not read again.
        assert_eq!(found(&mut polls, Some(3), "node-1"), None);
        assert_eq!(found(&mut polls, Some(4), "node-1").as_deref(), Some("e1"));
        // Without an incarnation, every document may be a new one.
        assert_eq!(found(&mut polls, None, "node-2"), None);
        assert_eq!(found(&mut polls, None, "node-1").as_deref(), Some("e1"));
    }

    fn unreadable() -> PollError {
        serde_json::from_str::<Document>("{").unwrap_err().into()
    }

    #[test]
    fn an_endpoint_that_never_answered_is_asked_ever_less_and_one_that_did_every_second() {
        let mut polls = Polls::default();
        assert_eq!((polls.limit(), polls.pause()), (FIRST_ANSWER, POLL));
        for bound in [1, 2, 4, 8, 10, 10].map(Duration::from_secs) {
            polls.failed(&unreadable(), "endpoint");
            let pause = polls.pause();
            assert!(bound / 2 <= pause && pause <= bound, "{pause:?}");
        }
        assert_eq!(found(&mut polls, Some(1), "node-2"), None);
        assert_eq!((polls.limit(), polls.pause()), (ANSWER, POLL));
        for _ in 0..9 {
            polls.failed(&unreadable(), "endpoint");
        }
        assert_eq!((polls.limit(), polls.pause()), (ANSWER, POLL));
    }

    #[test]
    fn a_machine_that_asks_too_often_asks_less_often_until_it_is_answered() {
        let mut polls = Polls::default();
        let waits = Duration::from_millis(1_500)..=Duration::from_secs(3);
        for _ in 0..9 {
            polls.failed(&PollError::TooMany, "endpoint");
            assert!(waits.contains(&polls.pause()), "{:?}", polls.pause());
        }
        // It is not known yet whether there are events at all.
        assert_eq!((polls.limit(), polls.trouble), (FIRST_ANSWER, None));
        assert_eq!(found(&mut polls, Some(1), "node-2"), None);
        assert_eq!(polls.pause(), POLL);
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
