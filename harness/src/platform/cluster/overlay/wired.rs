//! The wire between the workload of a run and its storage: what runs it, and how pods find it.

use anyhow::{Context as _, bail};
use cluster::pods::GROUP;
use serde_json::{Value, json};

use super::{Adapted, Images, Overlay, PART_OF, containers};

/// What the wire's objects are called.
const NAME: &str = "edw-wire";

/// The port of its control, at the loopback of its pod.
pub(in crate::platform::cluster) const CONTROL: u16 = 10_010;

/// What selects its pod.
pub(in crate::platform::cluster) const SELECTOR: &str = "app=edw-wire";

/// The CPU that the wire asks for, and the producer, in cores.
pub(super) const CPU: f64 = 0.1;

/// The settings that say where storage is, each with the port at which the wire stands for it.
pub(super) const ADDRESSES: [(&str, u16); 2] = [
    ("AZURE_QUEUE_ENDPOINT", 10_001),
    ("AZURE_TABLE_ENDPOINT", 10_002),
];

/// What the label of the producer's pod is.
pub(super) const PRODUCER_LABEL: (&str, &str) = ("app", "edw-producer");

impl Overlay {
    /// Whether a wire can be put before its storage: that is in the cluster, and spoken to over HTTP.
    pub(in crate::platform::cluster) fn can_be_wired(&self) -> bool {
        let as_it_is = Adapted {
            objects: self.objects.clone(),
            consumer: self.consumer.clone(),
            images: Images::default(),
            wire: None,
            described: None,
        };
        as_it_is.can_be_wired()
    }
}

impl Adapted {
    fn can_be_wired(&self) -> bool {
        ADDRESSES.iter().all(|(variable, _)| {
            let reached = self.reached(variable);
            reached.is_some_and(|reached| reached.service.is_some())
        })
    }

    /// From now on workers and producer find a wire in place of storage, which draws its chances from `seed`.
    pub(in crate::platform::cluster) fn wire(&mut self, seed: u64) {
        self.wire = Some(seed);
    }

    /// What runs the wire; nothing where there is none.
    pub(in crate::platform::cluster) fn wire_objects(&self) -> anyhow::Result<Vec<Value>> {
        let Some(seed) = self.wire else {
            return Ok(Vec::new());
        };
        let mut addresses = Vec::new();
        for (variable, _) in ADDRESSES {
            let Some(reached) = self.reached(variable) else {
                bail!("put a wire before storage: the overlay has no {variable}; use --wire off");
            };
            addresses.push(reached.url);
        }
        let consumer = self.deployment()?;
        let pod = &consumer["spec"]["template"]["spec"];
        let container = &containers(consumer)[0];
        let image = container["image"].as_str().unwrap_or_default();
        let meta = json!({
            "name": NAME,
            "namespace": consumer["metadata"]["namespace"],
            "labels": {PART_OF: consumer["metadata"]["labels"][PART_OF]},
        });
        let labels = json!({"app": NAME});
        let ports = ADDRESSES.map(|(_, port)| json!({"containerPort": port}));
        let mut deployment = json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": meta,
            "spec": {
                "replicas": 1,
                // Two at a time would each see a part of what is asked.
                "strategy": {"type": "Recreate"},
                "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {
                        "automountServiceAccountToken": false,
                        "enableServiceLinks": false,
                        "securityContext": pod["securityContext"],
                        "containers": [{
                            "name": "wire",
                            "image": self.images.wire(image),
                            "args": [
                                format!("--queue={}", addresses[0]),
                                format!("--table={}", addresses[1]),
                                format!("--seed={seed}"),
                                "--directory=/history",
                            ],
                            "ports": ports,
                            "readinessProbe": {"tcpSocket": {"port": ADDRESSES[0].1}, "periodSeconds": 1},
                            "resources": {
                                "requests": {"cpu": CPU.to_string(), "memory": "64Mi"},
                                "limits": {"memory": "512Mi"},
                            },
                            "securityContext": container["securityContext"],
                            "volumeMounts": [{"name": "history", "mountPath": "/history"}],
                        }],
                        "volumes": [{"name": "history", "emptyDir": {}}],
                    },
                },
            },
        });
        let pod = &mut deployment["spec"]["template"]["spec"];
        if let Some((_, lens)) = &self.described {
            let arguments = pod["containers"][0]["args"].as_array_mut();
            let run = json!(format!("--run={}", lens.run()));
            arguments.into_iter().for_each(|all| all.push(run.clone()));
        }
        self.give_description(pod);
        let service_ports =
            ADDRESSES.map(|(_, port)| json!({"name": format!("port-{port}"), "port": port}));
        let service = json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": meta,
            "spec": {"selector": labels, "ports": service_ports},
        });
        let mut objects = vec![deployment, service];
        objects.extend(self.policies(&meta, &labels));
        Ok(objects)
    }

    /// What lets workers and producer out to the wire, where a policy of the overlay shuts them in. Policies add up.
    fn policies(&self, meta: &Value, wire: &Value) -> Vec<Value> {
        let is_shut = self.objects.iter().any(|it| it["kind"] == "NetworkPolicy");
        if !is_shut {
            return Vec::new();
        }
        let (key, value) = PRODUCER_LABEL;
        let who = [
            (
                "workers",
                json!({"matchExpressions": [{"key": GROUP, "operator": "Exists"}]}),
            ),
            ("producer", json!({"matchLabels": {key: value}})),
        ];
        let policies = who.into_iter().map(|(name, selector)| {
            let mut meta = meta.clone();
            meta["name"] = json!(format!("{NAME}-{name}"));
            json!({
                "apiVersion": "networking.k8s.io/v1",
                "kind": "NetworkPolicy",
                "metadata": meta,
                "spec": {
                    "podSelector": selector,
                    "policyTypes": ["Egress"],
                    "egress": [{"to": [{"podSelector": {"matchLabels": wire}}]}],
                },
            })
        });
        policies.collect()
    }

    /// The variables by which a container finds the wire in place of storage, under the name that its pod has.
    pub(super) fn wire_variables(&self) -> anyhow::Result<Vec<Value>> {
        if self.wire.is_none() {
            return Ok(Vec::new());
        }
        let client = json!({
            "name": "EDW_WIRE_CLIENT",
            "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}},
        });
        self.ways("$(EDW_WIRE_CLIENT)", vec![client])
    }

    /// The same for the one that is called `client`, whatever its pod's name.
    pub(super) fn wire_variables_of(&self, client: &str) -> anyhow::Result<Vec<Value>> {
        if self.wire.is_none() {
            return Ok(Vec::new());
        }
        self.ways(client, Vec::new())
    }

    fn ways(&self, client: &str, mut variables: Vec<Value>) -> anyhow::Result<Vec<Value>> {
        for (variable, port) in ADDRESSES {
            let reached = self.reached(variable);
            let service = reached.and_then(|reached| reached.service);
            let path = service
                .with_context(|| format!("find the Service behind {variable}"))?
                .path;
            let url = format!("http://{NAME}:{port}/{client}{path}");
            variables.push(json!({"name": variable, "value": url}));
        }
        Ok(variables)
    }
}

/// Puts `variables` into the container's own, in place of those that are called the same.
pub(super) fn put(container: &mut Value, variables: Vec<Value>) {
    if variables.is_empty() {
        return;
    }
    let own = container["env"].as_array().cloned().unwrap_or_default();
    let kept = own
        .into_iter()
        .filter(|old| !variables.iter().any(|new| new["name"] == old["name"]));
    let mut all: Vec<Value> = kept.collect();
    all.extend(variables);
    container["env"] = Value::Array(all);
}
