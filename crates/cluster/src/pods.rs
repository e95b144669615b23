//! Pods as a run sees them: the relevant part of the API's objects.

use k8s_openapi::api::core::v1::{ContainerState, ContainerStateTerminated, ContainerStatus, Pod};
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt as _;

/// One pod, as last seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PodView {
    /// Its name.
    pub name: String,
    /// Its UID, which differs from that of any other pod of the same name.
    pub uid: String,
    /// Its labels that start with `edw/`, and `app`.
    pub group: Option<String>,
    /// Its node.
    pub node: Option<String>,
    /// Its creation time.
    pub created: Option<Timestamp>,
    /// When it was told to end, if it was: the begin of its grace period, whose end the API server gives.
    pub told: Option<Timestamp>,
    /// Whether its container runs.
    pub is_running: bool,
    /// Whether it is ready.
    pub is_ready: bool,
    /// How often its container was restarted.
    pub restarts: u32,
    /// The last end of its container, if it has ended.
    pub ended: Option<ContainerEnd>,
    /// Why it does not start, if the cluster reports a reason: `ImagePullBackOff: ...`, `Unschedulable: ...`.
    pub waits_for: Option<String>,
    /// Whether its container has ended without being told to, and the kubelet delays its restart.
    pub is_held_back: bool,
}

/// How a container ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerEnd {
    /// Its exit code: 128 plus the signal's number, if a signal ended it.
    pub code: i32,
    /// The reason by the kubelet: `Completed`, `Error`, `OOMKilled`.
    pub reason: String,
    /// When it was started.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub finished: Option<Timestamp>,
}

impl ContainerEnd {
    /// The signal that ended it, from the exit code, which is all that the container runtime reports: 128 plus the signal's
    /// number. A program that exits with such a code looks the same.
    pub const fn signal(&self) -> Option<i32> {
        match self.code {
            129..=192 => Some(self.code - 128),
            _ => None,
        }
    }

    /// Whether the kernel killed it for using too much memory.
    pub fn is_out_of_memory(&self) -> bool {
        self.reason == "OOMKilled"
    }
}

/// The label that distinguishes groups of workers.
pub const GROUP: &str = "edw/group";

impl PodView {
    /// Reads `pod`, with its container `container`.
    pub fn of(pod: &Pod, container: &str) -> Self {
        let status = pod.status.as_ref();
        let statuses = status.and_then(|status| status.container_statuses.as_ref());
        let statuses = statuses.map_or(&[][..], |statuses| statuses);
        let ours = statuses.iter().find(|status| status.name == container);
        let state = |status: &ContainerStatus| status.state.clone().unwrap_or_default();
        let now = ours.map(state).unwrap_or_default();
        let last = ours.and_then(|status| status.last_state.clone());
        let ended = ended(&now).or_else(|| ended(&last.unwrap_or_default()));
        let waiting = now.waiting.clone();
        let is_held_back = waiting
            .as_ref()
            .is_some_and(|waiting| waiting.reason.as_deref() == Some("CrashLoopBackOff"));
        let waits_for = waiting
            .filter(|_| !is_held_back)
            .and_then(|waiting| in_words(waiting.reason, waiting.message))
            .filter(|words| !words.starts_with("ContainerCreating"))
            .or_else(|| unscheduled(pod));
        let grace = pod.metadata.deletion_grace_period_seconds.unwrap_or(0);
        let told = pod.metadata.deletion_timestamp.as_ref().map(|end| {
            let grace = k8s_openapi::jiff::SignedDuration::from_secs(grace);
            end.0.saturating_sub(grace).unwrap_or(end.0)
        });
        Self {
            name: pod.name_any(),
            uid: pod.uid().unwrap_or_default(),
            group: pod.labels().get(GROUP).cloned(),
            node: pod.spec.as_ref().and_then(|spec| spec.node_name.clone()),
            created: pod.metadata.creation_timestamp.as_ref().map(|it| it.0),
            told,
            is_running: now.running.is_some(),
            is_ready: ours.is_some_and(|status| status.ready),
            restarts: ours.map_or(0, |it| u32::try_from(it.restart_count).unwrap_or(0)),
            ended,
            waits_for,
            is_held_back,
        }
    }

    /// Why no node has room for it, if the scheduler has found none.
    pub fn unplaced(&self) -> Option<&str> {
        let why = self.waits_for.as_deref()?;
        why.starts_with("Unschedulable").then_some(why)
    }

    /// Whether its container has ended and is not restarted.
    pub fn is_over(&self) -> bool {
        self.ended.is_some() && !self.is_running && !self.is_held_back
    }
}

fn ended(state: &ContainerState) -> Option<ContainerEnd> {
    let ContainerStateTerminated {
        exit_code,
        reason,
        started_at,
        finished_at,
        ..
    } = state.terminated.clone()?;
    Some(ContainerEnd {
        code: exit_code,
        reason: reason.unwrap_or_default(),
        started: started_at.map(|time| time.0),
        finished: finished_at.map(|time| time.0),
    })
}

/// Why the scheduler finds no node for it (`PodScheduled` is false).
fn unscheduled(pod: &Pod) -> Option<String> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    let scheduled = conditions
        .iter()
        .find(|condition| condition.type_ == "PodScheduled" && condition.status == "False")?;
    in_words(scheduled.reason.clone(), scheduled.message.clone())
}

fn in_words(reason: Option<String>, message: Option<String>) -> Option<String> {
    match (reason, message) {
        (Some(reason), Some(message)) => Some(format!("{reason}: {message}")),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pod(status: &Value, metadata: &Value) -> PodView {
        let mut meta =
            json!({"name": "aqs-app-1", "uid": "u1", "labels": {"edw/group": "consumers"}});
        for (field, value) in metadata.as_object().unwrap() {
            meta[field] = value.clone();
        }
        let object = json!({"metadata": meta, "spec": {"nodeName": "node-a", "containers": []}, "status": status});
        PodView::of(&serde_json::from_value(object).unwrap(), "consumer")
    }

    fn container(state: &Value) -> Value {
        json!({"containerStatuses": [{
            "name": "consumer", "ready": false, "restartCount": 0, "image": "i", "imageID": "d", "state": state,
        }]})
    }

    #[test]
    fn a_pod_that_runs_has_a_node_and_no_end() {
        let running = pod(
            &container(&json!({"running": {"startedAt": "2026-11-28T12:00:00Z"}})),
            &json!({}),
        );
        assert!(running.is_running && !running.is_over());
        assert_eq!(running.node.as_deref(), Some("node-a"));
        assert_eq!(running.group.as_deref(), Some("consumers"));
        assert_eq!(running.ended, None);
    }

    #[test]
    fn a_container_that_the_kernel_ended_is_no_drain() {
        let killed = json!({"terminated": {"exitCode": 137, "reason": "OOMKilled", "finishedAt": "2026-11-28T12:00:00Z"}});
        let ended = pod(&container(&killed), &json!({})).ended.unwrap();
        assert!(ended.is_out_of_memory());
        assert_eq!(ended.signal(), Some(9));
        let drained = json!({"terminated": {"exitCode": 0, "reason": "Completed"}});
        let over = pod(&container(&drained), &json!({}));
        assert!(over.is_over());
        assert_eq!(over.ended.unwrap().signal(), None);
    }

    #[test]
    fn when_a_pod_was_told_to_end_is_before_its_grace_period() {
        let told = pod(
            &json!({}),
            &json!({"deletionTimestamp": "2026-11-28T12:00:35Z", "deletionGracePeriodSeconds": 35}),
        );
        assert_eq!(told.told.unwrap().to_string(), "2026-11-28T12:00:00Z");
    }

    #[test]
    fn why_a_pod_does_not_start_is_told_in_the_clusters_words() {
        let pull = json!({"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}});
        let waits = pod(&container(&pull), &json!({})).waits_for;
        assert_eq!(waits.as_deref(), Some("ImagePullBackOff: no such image"));
        let unscheduled = json!({"conditions": [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes: Insufficient cpu."}
        ]});
        let waits = pod(&unscheduled, &json!({})).waits_for;
        assert_eq!(
            waits.as_deref(),
            Some("Unschedulable: 0/1 nodes: Insufficient cpu.")
        );
        let creating = json!({"waiting": {"reason": "ContainerCreating"}});
        assert_eq!(pod(&container(&creating), &json!({})).waits_for, None);
    }

    #[test]
    fn a_container_in_back_off_is_held_back() {
        let status = json!({"containerStatuses": [{
            "name": "consumer", "ready": false, "restartCount": 2, "image": "i", "imageID": "d",
            "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 20s"}},
            "lastState": {"terminated": {"exitCode": 3, "reason": "Error"}},
        }]});
        let pod = pod(&status, &json!({}));
        assert!(pod.is_held_back && !pod.is_over());
        assert_eq!((pod.restarts, pod.ended.unwrap().code), (2, 3));
    }
}
