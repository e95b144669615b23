//! Handed-over nodes: cordoned for a run, and given back. No other node is ever changed.
//!
//! The owner of a node hands it over by a label of their choice, and names that label. Each function that changes a node first
//! reads it, and changes only that version, so that a label which was just removed is respected.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::jiff::Timestamp;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, Preconditions};
use kube::{Api, Client, ResourceExt as _};
use serde_json::{Value, json};

use crate::error::Error;
use crate::namespace::{EXPIRES, expiry};
use crate::objects::FIELD_MANAGER;

/// The annotation with the run that has cordoned a node.
const HOLDER: &str = "edw/cordoned-by";

/// The label, in addition to the one that hands a node over, that lets a run delete the node's object as well, as a cloud does
/// when its machine is gone. Only a restart of the kubelet can bring the object back.
pub const MAY_BE_DELETED: (&str, &str) = ("edw/may-be-deleted", "true");

/// How often a change of a node is tried again after a conflict: the kubelet changes the node too, at any time.
const TRIES: u32 = 10;

/// A label of nodes, as `key=value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeLabel {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: String,
}

impl FromStr for NodeLabel {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let allowed = |part: &str| {
            let fits = |it: char| it.is_ascii_alphanumeric() || "-_./".contains(it);
            !part.is_empty() && part.chars().all(fits)
        };
        match text.split_once('=') {
            Some((key, value)) if allowed(key) && allowed(value) => Ok(Self {
                key: key.to_owned(),
                value: value.to_owned(),
            }),
            _ => Err(
                "not a label as KEY=VALUE; put one on the nodes with kubectl label node NAME KEY=VALUE"
                    .to_owned(),
            ),
        }
    }
}

impl fmt::Display for NodeLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.key, self.value)
    }
}

impl NodeLabel {
    /// Whether `node` has the label.
    pub fn is_on(&self, node: &Node) -> bool {
        has(node, (&self.key, &self.value))
    }
}

fn has(node: &Node, (key, value): (&str, &str)) -> bool {
    node.labels().get(key).is_some_and(|it| it == value)
}

/// Whether a run that may drain `node` may delete it too.
pub fn may_be_deleted(node: &Node) -> bool {
    has(node, MAY_BE_DELETED)
}

/// Whether `node` is cordoned.
pub fn is_cordoned(node: &Node) -> bool {
    let spec = node.spec.as_ref();
    spec.is_some_and(|spec| spec.unschedulable == Some(true))
}

/// The run that cordons a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The run's id.
    pub run: String,
    /// The longest time for which it needs the node.
    pub life: Duration,
}

/// Cordons the node `name` for `holder`, if it has `label` and is not cordoned already. Returns the node.
pub async fn cordon(
    client: &Client,
    name: &str,
    label: &NodeLabel,
    holder: &Holder,
) -> Result<Node, Error> {
    let refuse = |reason: String| Error::Object {
        object: format!("Node/{name}"),
        reason,
    };
    let (node, _) = change(client, name, "cordon", |node| {
        let Some(node) = node else {
            return Err(refuse("it is not there".to_owned()));
        };
        if !label.is_on(node) {
            return Err(refuse(format!(
                "it does not carry {label}, and is nobody's to drain"
            )));
        }
        if let Some(other) = node.annotations().get(HOLDER) {
            return Err(refuse(format!("run {other} has it cordoned")));
        }
        if is_cordoned(node) {
            return Err(refuse(
                "it is cordoned already, by somebody else".to_owned(),
            ));
        }
        let expires = expiry(holder.life).to_string();
        Ok(Some(json!({
            "metadata": {"annotations": {HOLDER: holder.run, EXPIRES: expires}},
            "spec": {"unschedulable": true},
        })))
    })
    .await?;
    node.ok_or_else(|| refuse("it is not there".to_owned()))
}

/// Uncordons the node `name` if the run `run` has cordoned it, and returns whether it had. No error if the node is gone, or is
/// no longer held by the run.
pub async fn uncordon(client: &Client, name: &str, run: &str) -> Result<bool, Error> {
    let held = |node: &Node| node.annotations().get(HOLDER).is_some_and(|it| it == run);
    let (_, is_changed) = change(client, name, "uncordon", |node| {
        let free = json!({
            "metadata": {"annotations": {HOLDER: null, EXPIRES: null}},
            "spec": {"unschedulable": null},
        });
        Ok(node.filter(|node| held(node)).map(|_| free))
    })
    .await?;
    Ok(is_changed)
}

/// Changes the node `name` as `how` says for the version that was read; `None`: no change. Returns the resulting node, if it
/// exists, and whether it was changed.
async fn change(
    client: &Client,
    name: &str,
    doing: &str,
    how: impl Fn(Option<&Node>) -> Result<Option<Value>, Error>,
) -> Result<(Option<Node>, bool), Error> {
    let nodes: Api<Node> = Api::all(client.clone());
    let mut tries = 0;
    loop {
        tries += 1;
        let node = nodes.get_opt(name).await;
        let node = node.map_err(|error| Error::of(format!("read the node {name}"), &error))?;
        let (Some(mut patch), Some(version)) = (
            how(node.as_ref())?,
            node.as_ref().and_then(kube::ResourceExt::resource_version),
        ) else {
            return Ok((node, false));
        };
        patch["metadata"]["resourceVersion"] = json!(version);
        let params = PatchParams {
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PatchParams::default()
        };
        match nodes.patch(name, &params, &Patch::Merge(&patch)).await {
            Ok(node) => return Ok((Some(node), true)),
            Err(kube::Error::Api(status)) if status.code == 409 && tries < TRIES => {}
            Err(error) => return Err(Error::of(format!("{doing} the node {name}"), &error)),
        }
    }
}

/// A node that a run has cordoned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The node.
    pub node: String,
    /// The run.
    pub run: String,
    /// Whether its time has expired. `false` if the time is unreadable.
    pub is_expired: bool,
    /// Its expiry time, as written.
    pub expires: String,
}

/// The nodes that runs have cordoned and not given back.
pub async fn held(client: &Client) -> Result<Vec<Held>, Error> {
    let nodes: Api<Node> = Api::all(client.clone());
    let nodes = nodes.list(&ListParams::default()).await;
    let nodes = nodes.map_err(|error| Error::of("list the nodes", &error))?;
    let now = Timestamp::now();
    let held = nodes.items.iter().filter_map(|node| {
        let expires = node.annotations().get(EXPIRES).cloned();
        let expires = expires.unwrap_or_default();
        let date = expires.parse::<Timestamp>();
        Some(Held {
            node: node.name_any(),
            run: node.annotations().get(HOLDER)?.clone(),
            is_expired: date.is_ok_and(|date| date < now),
            expires,
        })
    });
    Ok(held.collect())
}

/// Deletes the object of the node `name`, which the run `run` has cordoned, if its labels allow this and if it has no pods of
/// others apart from those that every node has.
pub async fn delete(client: &Client, name: &str, run: &str) -> Result<(), Error> {
    let refuse = |reason: String| Error::Object {
        object: format!("Node/{name}"),
        reason,
    };
    let nodes: Api<Node> = Api::all(client.clone());
    let node = nodes.get_opt(name).await;
    let node = node.map_err(|error| Error::of(format!("read the node {name}"), &error))?;
    let Some(node) = node else { return Ok(()) };
    if !may_be_deleted(&node) || node.annotations().get(HOLDER).is_none_or(|it| it != run) {
        let (key, value) = MAY_BE_DELETED;
        return Err(refuse(format!(
            "it does not carry {key}={value}, or is not this run's"
        )));
    }
    let pods: Api<Pod> = Api::all(client.clone());
    let on_it = pods.list(&on(name)).await;
    let on_it = on_it.map_err(|error| Error::of(format!("list the pods on {name}"), &error))?;
    let others = on_it.items.iter().filter(|pod| !is_of_the_node(pod));
    let others: Vec<String> = others
        .map(|pod| format!("{}/{}", pod.namespace().unwrap_or_default(), pod.name_any()))
        .collect();
    if !others.is_empty() {
        let others = others.join(", ");
        return Err(refuse(format!(
            "it is not deleted, since these pods are on it: {others}"
        )));
    }
    let params = DeleteParams {
        preconditions: Some(Preconditions {
            uid: node.uid(),
            resource_version: None,
        }),
        ..DeleteParams::default()
    };
    match nodes.delete(name, &params).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        Err(error) => Err(Error::of(format!("delete the node {name}"), &error)),
    }
}

/// The list parameters for the pods on the node `name`.
pub(crate) fn on(name: &str) -> ListParams {
    ListParams::default().fields(&format!("spec.nodeName={name}"))
}

/// Whether a pod has ended or belongs to its node: of a `DaemonSet`, or a static pod (as `kubectl drain` distinguishes them).
fn is_of_the_node(pod: &Pod) -> bool {
    let of_daemons = pod
        .owner_references()
        .iter()
        .any(|owner| owner.kind == "DaemonSet");
    let is_mirror = pod
        .annotations()
        .contains_key("kubernetes.io/config.mirror");
    of_daemons || is_mirror || has_ended(pod)
}

/// Whether its containers have ended for good.
pub(crate) fn has_ended(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|it| it.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_key_and_value() {
        let label: NodeLabel = "edw.example/drain=yes".parse().unwrap();
        assert_eq!((&*label.key, &*label.value), ("edw.example/drain", "yes"));
        for wrong in ["drain", "=yes", "drain=", "a b=c", "a=b,c=d"] {
            let refused = wrong.parse::<NodeLabel>().unwrap_err();
            assert!(refused.contains("kubectl label node"), "{wrong}");
        }
    }

    #[test]
    fn what_each_node_has_is_nobody_elses() {
        let pod = |value: Value| is_of_the_node(&serde_json::from_value(value).unwrap());
        let owned = |kind: &str| {
            json!({"metadata": {"name": "p", "ownerReferences": [
                {"apiVersion": "apps/v1", "kind": kind, "name": "o", "uid": "u"}
            ]}})
        };
        assert!(pod(owned("DaemonSet")));
        assert!(!pod(owned("ReplicaSet")));
        assert!(pod(
            json!({"metadata": {"annotations": {"kubernetes.io/config.mirror": "x"}}})
        ));
        assert!(pod(json!({"metadata": {}, "status": {"phase": "Failed"}})));
        assert!(!pod(
            json!({"metadata": {}, "status": {"phase": "Running"}})
        ));
    }
}
