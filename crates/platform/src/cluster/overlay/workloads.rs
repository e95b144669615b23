//! Workloads of a run in an overlay: groups of workers, their scaling, and the producer.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context as _;
use cluster::pods::GROUP;
use serde_json::{Value, json};
use wire::PRODUCER;
use workflow::contract::workload::Description;

use super::queues::{name_queue, rename, suffixed};
use super::wired::{self, PRODUCER_LABEL};
use super::{Adapted, containers, text};
use crate::sender::{arguments_of, generator_name};
use crate::settings::consumer_variables;
use crate::workers::{CONSUMERS, ConsumerOptions, Seat};

/// Settings that differ from pod to pod or belong to the overlay.
const OF_THE_POD: [&str; 3] = [
    "EDW_LISTEN",
    "EDW_LOG_FORMAT",
    "EDW_SCHEDULED_EVENTS_ENDPOINT",
];

/// More nodes than any run has. With fewer nodes than `minDomains`, the smallest count is taken as 0 (Kubernetes,
/// `minDomains`), so that the skew is the number of pods on a node.
const MORE_THAN_ALL: u32 = 1000;

/// The label of a node's name.
const NODE: &str = "kubernetes.io/hostname";

/// Keeps the Deployment's pods off the nodes of wire and producer, which tolerate no eviction and so run on demand. Otherwise the
/// scheduler puts workers onto the room that is left there, and node auto-provisioning makes no Spot node for them.
pub(in crate::cluster) fn apart_from_the_rest(deployment: &mut Value) {
    let (key, producer) = PRODUCER_LABEL;
    let pod = &mut deployment["spec"]["template"]["spec"];
    let required =
        &mut pod["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
    let mut all = required.as_array().cloned().unwrap_or_default();
    let rest = json!({"key": key, "operator": "In", "values": [wired::NAME, producer]});
    all.push(json!({"topologyKey": NODE, "labelSelector": {"matchExpressions": [rest]}}));
    *required = Value::Array(all);
}

/// Limits the Deployment's pods to `each` on one node, whatever the node's size. Karpenter respects this, too.
pub(in crate::cluster) fn at_most_on_a_node(deployment: &mut Value, each: u64) {
    let template = &mut deployment["spec"]["template"];
    let labels = template["metadata"]["labels"].clone();
    let old = template["spec"]["topologySpreadConstraints"].as_array();
    let others = old.into_iter().flatten();
    let others = others.filter(|constraint| constraint["topologyKey"] != NODE);
    let mut all: Vec<Value> = others.cloned().collect();
    all.push(json!({
        "topologyKey": NODE,
        "maxSkew": each,
        "minDomains": MORE_THAN_ALL,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {GROUP: labels[GROUP]}},
    }));
    template["spec"]["topologySpreadConstraints"] = Value::Array(all);
}

impl Adapted {
    /// The name of the Deployment of `group` that serves `queue`, counted from 0.
    pub(in crate::cluster) fn deployment_name(&self, group: &str, queue: usize) -> String {
        let of_group = if group == CONSUMERS {
            self.consumer.clone()
        } else {
            format!("{}-{group}", self.consumer)
        };
        suffixed(&of_group, queue)
    }

    /// The name of the worker's container.
    pub(in crate::cluster) fn container(&self) -> anyhow::Result<String> {
        let container = &containers(self.deployment()?)[0];
        Ok(text(container, &["name"])?.to_owned())
    }

    /// The settings and the Deployment of the workers of `group` that serve `queue`, counted from 0: `replicas` workers, each
    /// with `options` in addition to the overlay's settings, and with `grace` from SIGTERM to SIGKILL.
    pub(in crate::cluster) fn workers(
        &self,
        (group, queue): (&str, usize),
        replicas: u32,
        options: &ConsumerOptions,
        grace: Duration,
    ) -> anyhow::Result<[Value; 2]> {
        let name = self.deployment_name(group, queue);
        let settings_name = format!("{name}-settings");
        let mut settings: BTreeMap<String, String> = self.settings();
        if self.described.is_none() {
            settings.extend(own_variables(options));
        }
        settings.insert("AZURE_QUEUE_NAME".to_owned(), self.queues[queue].clone());
        let source = self.settings_map();
        let mut deployment = self.deployment()?.clone();
        let namespace = deployment["metadata"]["namespace"].clone();
        let labels = deployment["metadata"]["labels"].clone();
        deployment["metadata"]["name"] = json!(name);
        let spec = &mut deployment["spec"];
        spec["replicas"] = json!(replicas);
        let of_queue = self.queue_label(queue);
        for (label, value) in [(GROUP, json!(group))].into_iter().chain(of_queue) {
            spec["selector"]["matchLabels"][label] = value.clone();
            spec["template"]["metadata"]["labels"][label] = value;
        }
        let template = &mut spec["template"];
        let pod = &mut template["spec"];
        let grace = grace.as_secs() + u64::from(grace.subsec_nanos() > 0);
        pod["terminationGracePeriodSeconds"] = json!(grace);
        let container = &mut pod["containers"][0];
        let image = container["image"].as_str().unwrap_or_default();
        container["image"] = json!(self.images.consumer(image));
        wired::put(container, self.wire_variables()?);
        self.give_identity(pod);
        let container = &mut pod["containers"][0];
        self.put_described(container, queue, options)?;
        self.trust_wire(pod);
        let container = &mut pod["containers"][0];
        let sources = container["envFrom"].as_array_mut();
        for from in sources.into_iter().flatten() {
            let of = &mut from["configMapRef"]["name"];
            if source.as_deref() == of.as_str() {
                *of = json!(settings_name);
            }
        }
        let settings = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": settings_name, "namespace": namespace, "labels": labels},
            "data": settings,
        });
        Ok([settings, deployment])
    }

    /// The ScaledObject of the workers of `group` that serve `queue`, counted from 0, after `change` has been applied to it.
    pub(in crate::cluster) fn scaled(
        &self,
        (group, queue): (&str, usize),
        change: impl FnOnce(&mut Value) -> anyhow::Result<()>,
    ) -> anyhow::Result<Value> {
        let mut objects = self.objects.iter();
        let scaled = objects.find(|it| it["kind"] == "ScaledObject");
        let mut scaled = scaled.context("find the ScaledObject")?.clone();
        scaled["spec"]["scaleTargetRef"]["name"] = json!(self.deployment_name(group, queue));
        rename(&mut scaled, queue);
        name_queue(&mut scaled, &self.queues[queue])?;
        change(&mut scaled)?;
        Ok(scaled)
    }

    /// The Jobs that send. With one queue, all generators are pods of one Job, which is indexed if there are several
    /// (Kubernetes, "Completion mode"). Since an index cannot select a queue, with several queues each generator is its own
    /// Job, and sends to the queue of its number modulo the number of queues.
    pub(in crate::cluster) fn producers(
        &self,
        arguments: &[String],
        generators: u32,
    ) -> anyhow::Result<Vec<Value>> {
        if self.queues.len() == 1 {
            return Ok(vec![self.producer(PRODUCER, 0, arguments, generators)?]);
        }
        let jobs = (0..generators.max(1)).zip((0..self.queues.len()).cycle());
        let jobs = jobs.map(|(index, queue)| {
            let name = generator_name(index, generators);
            self.producer(&name, queue, &arguments_of(arguments, index, generators), 1)
        });
        jobs.collect()
    }

    /// One Job, which sends to `queue`. Its pod is like a consumer's except for the program. With several `generators`, each is
    /// a pod of an indexed Job, and sends the slice of its index.
    fn producer(
        &self,
        name: &str,
        queue: usize,
        arguments: &[String],
        generators: u32,
    ) -> anyhow::Result<Value> {
        let deployment = self.deployment()?;
        let pod = &deployment["spec"]["template"]["spec"];
        let container = &containers(deployment)[0];
        let image = container["image"].as_str().unwrap_or_default();
        // Only the settings about storage and sign-in; the consumer's other settings mean something else to a producer.
        let is_storage = |name: &str| name.starts_with("AZURE_") || name == "EDW_CREDENTIAL";
        let mut settings = self.settings();
        settings.insert("AZURE_QUEUE_NAME".to_owned(), self.queues[queue].clone());
        let settings = settings.into_iter();
        let mut variables: Vec<Value> = settings
            .filter(|(name, _)| is_storage(name))
            .map(|(name, value)| json!({"name": name, "value": value}))
            .collect();
        let own = container["env"].as_array().into_iter().flatten();
        let own = own.filter(|variable| variable["name"].as_str().is_some_and(is_storage));
        variables.extend(own.cloned());
        variables.push(json!({"name": "EDW_LOG_FORMAT", "value": "json"}));
        let mut arguments = arguments.to_vec();
        if generators > 1 {
            // The Job controller sets the variable in each pod, and the kubelet expands it.
            arguments.push(format!("--slice=$(JOB_COMPLETION_INDEX)/{generators}"));
        }
        let mut sender = json!({
            "name": "producer",
            "image": self.images.producer(image),
            "args": arguments,
            "env": variables,
            "resources": {
                "requests": {"cpu": wired::CPU.to_string(), "memory": "64Mi"},
                "limits": {"memory": "512Mi"},
            },
            "securityContext": container["securityContext"],
        });
        // All generators share one client name, so that a wire rule for the producer applies to each.
        wired::put(&mut sender, self.wire_variables_of(PRODUCER)?);
        let mut own = json!({
            "restartPolicy": "Never",
            "serviceAccountName": pod["serviceAccountName"],
            "automountServiceAccountToken": false,
            "enableServiceLinks": false,
            "securityContext": pod["securityContext"],
            "containers": [sender],
        });
        self.give_identity(&mut own);
        self.trust_wire(&mut own);
        let mut labels = json!({PRODUCER_LABEL.0: PRODUCER_LABEL.1});
        let uses_identity = "azure.workload.identity/use";
        let of_consumer = &deployment["spec"]["template"]["metadata"]["labels"];
        if let Some(value) = of_consumer.get(uses_identity) {
            labels[uses_identity] = value.clone();
        }
        let mut job = json!({
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {
                "name": name,
                "namespace": deployment["metadata"]["namespace"],
                "labels": deployment["metadata"]["labels"],
            },
            "spec": {
                // A restarted generator would send everything again.
                "backoffLimit": 0,
                "template": {
                    "metadata": {"labels": labels},
                    "spec": own,
                },
            },
        });
        self.give_description(&mut job["spec"]["template"]["spec"]);
        if generators > 1 {
            index(&mut job["spec"], generators);
        }
        self.kept_off(&mut job);
        Ok(job)
    }
}

/// Turns the Job of this `spec` into an indexed one, with a pod for each of the `generators`.
fn index(spec: &mut Value, generators: u32) {
    spec["completionMode"] = json!("Indexed");
    spec["completions"] = json!(generators);
    spec["parallelism"] = json!(generators);
    // A lost pod is not started again, and the others continue (Kubernetes, "Backoff limit per index").
    spec["backoffLimitPerIndex"] = json!(0);
    spec["maxFailedIndexes"] = json!(generators);
    if let Some(spec) = spec.as_object_mut() {
        spec.remove("backoffLimit");
    }
}

/// The variables for the options of a scenario or load, for the project's own consumer.
fn own_variables(options: &ConsumerOptions) -> Vec<(String, String)> {
    let seat = Seat::default();
    let named = consumer_variables(&Description::own(), "", options, &seat).into_iter();
    let ours =
        named.filter(|(name, _)| name.starts_with("EDW_") && !OF_THE_POD.contains(&name.as_str()));
    options.variables.clone().into_iter().chain(ours).collect()
}
