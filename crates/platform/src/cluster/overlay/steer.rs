//! Which nodes the pods of a run are put on, where some were handed over to be drained: workers there, and what they work with elsewhere.

use cluster::NodeLabel;
use serde_json::{Value, json};

use super::{Adapted, name_of};

/// The most that a preference weighs.
const ALL: u32 = 100;

impl Adapted {
    /// From now on storage, wire and producer are kept off the nodes with `label`, as far as there are others.
    pub(in crate::cluster) fn keep_off(&mut self, label: NodeLabel) {
        let consumer = &self.consumer;
        let others = self.objects.iter_mut();
        for other in others.filter(|it| name_of(it) != consumer) {
            steer(other, &label, "NotIn");
        }
        self.off = Some(label);
    }

    /// Keeps the pods of `object` off, if nodes were handed over.
    pub(super) fn kept_off(&self, object: &mut Value) {
        if let Some(label) = &self.off {
            steer(object, label, "NotIn");
        }
    }
}

/// Has the pods of the Deployment put on the nodes with `label`, as far as these have room.
pub(in crate::cluster) fn put_on(deployment: &mut Value, label: &NodeLabel) {
    steer(deployment, label, "In");
}

/// A preference and never a demand: where it cannot be met, pods have to run all the same.
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
