//! Node preferences of a run's pods, if nodes were handed over: workers prefer these nodes, all other pods avoid them.

use cluster::NodeLabel;
use serde_json::{Value, json};

use super::{Adapted, name_of};

/// The highest weight of a preference.
const ALL: u32 = 100;

impl Adapted {
    /// Makes storage, wire and producer avoid the nodes with `label`, if there are other nodes.
    pub(in crate::cluster) fn keep_off(&mut self, label: NodeLabel) {
        let consumer = &self.consumer;
        let others = self.objects.iter_mut();
        for other in others.filter(|it| name_of(it) != consumer) {
            steer(other, &label, "NotIn");
        }
        self.off = Some(label);
    }

    /// Makes the pods of `object` avoid the handed-over nodes, if there are any.
    pub(super) fn kept_off(&self, object: &mut Value) {
        if let Some(label) = &self.off {
            steer(object, label, "NotIn");
        }
    }
}

/// Makes the Deployment's pods prefer the nodes with `label`, if these have room.
pub(in crate::cluster) fn put_on(deployment: &mut Value, label: &NodeLabel) {
    steer(deployment, label, "In");
}

/// Adds a preference, not a requirement: the pods must run even if the preference cannot be met.
fn steer(object: &mut Value, label: &NodeLabel, operator: &str) {
    let Some(pod) = object.pointer_mut("/spec/template/spec") else {
        return;
    };
    let preferred =
        &mut pod["affinity"]["nodeAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"];
    let mut all = preferred.as_array().cloned().unwrap_or_default();
    all.push(json!({
        "weight": ALL,
        "preference": {"matchExpressions": [{"key": label.key, "operator": operator, "values": [label.value]}]},
    }));
    *preferred = Value::Array(all);
}
