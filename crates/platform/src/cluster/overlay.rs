//! Adapts the user's overlay to one run: its namespace, the names of its queue and table, and its consumers' settings. Takes
//! and returns objects; no client of a cluster.

mod described;
mod endpoints;
mod queues;
mod signed;
mod steer;
mod wired;
mod workloads;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use cluster::NodeLabel;
use serde_json::{Map, Value, json};

pub(super) use described::Described;
pub(super) use endpoints::Reached;
use manifest::{self, Document, quantity};
use queues::name_queue;
pub(super) use signed::AUTHORITY;
use signed::SignedIn;
pub(super) use steer::put_on;
use wired::Wiring;
pub(super) use wired::{CONTROL, SELECTOR};
use workflow::contract::RunId;
use workflow::contract::workload::Lens;
use workflow::exit::WrongInput;
pub(super) use workloads::{apart_from_the_rest, at_most_on_a_node};

use super::images::Images;
use crate::settings::names;

/// Error context if the overlay cannot be used.
const UNUSABLE: WrongInput =
    WrongInput("use the overlay; give one that a run can be put into, with --overlay");

/// The label of a run's objects, which distinguishes them from objects that existed before.
const PART_OF: &str = "edw/run";

/// Cluster-scoped kinds from which node auto-provisioning makes nodes. They are applied when the cluster is created, not for a
/// run.
const OF_THE_CLUSTER: [&str; 2] = ["NodePool", "AKSNodeClass"];

/// An overlay as rendered.
#[derive(Debug, Clone)]
pub(super) struct Overlay {
    objects: Vec<Value>,
    /// The name of the Deployment that is scaled.
    consumer: String,
    /// The namespace in its objects.
    namespace: Option<String>,
}

/// An overlay adapted to a run.
#[derive(Debug, Clone)]
pub(super) struct Adapted {
    objects: Vec<Value>,
    consumer: String,
    /// The run's queues; at least one.
    queues: Vec<String>,
    images: Images,
    /// How the workload signs in, if it does so with the identity of its pods.
    signed_in: Option<SignedIn>,
    /// The wire in front of storage, if there is one.
    wire: Option<Wiring>,
    /// The workload's description, if it is not the project's own, applied to the run.
    described: Option<(Described, Lens)>,
    /// The nodes that pods other than workers should avoid.
    off: Option<NodeLabel>,
}

impl Overlay {
    /// The namespace in its objects.
    pub(super) fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// Renders the overlay in `directory`, with kubectl if its kustomization does more than list files.
    pub(super) fn read(directory: &Path) -> anyhow::Result<Self> {
        let documents =
            manifest::read(directory).with_context(|| format!("read {}", directory.display()));
        Self::of(documents.context(UNUSABLE)?).context(UNUSABLE)
    }

    fn of(documents: Vec<Document>) -> anyhow::Result<Self> {
        let objects: Vec<Value> = documents.into_iter().map(|it| it.value).collect();
        let of_kind = |kind: &str| {
            let of_kind = objects.iter().filter(move |it| it["kind"] == kind);
            of_kind.collect::<Vec<_>>()
        };
        let consumer = match &of_kind("ScaledObject")[..] {
            [scaled] => text(scaled, &["spec", "scaleTargetRef", "name"])?.to_owned(),
            others => bail!(
                "find what is scaled: there are {} ScaledObjects, and one is needed",
                others.len()
            ),
        };
        let deployments = of_kind("Deployment");
        let deployment = deployments
            .into_iter()
            .find(|it| name_of(it) == consumer)
            .with_context(|| {
                format!("find the Deployment {consumer}, which the ScaledObject scales")
            })?;
        let namespace = deployment["metadata"]["namespace"].as_str();
        Ok(Self {
            consumer,
            namespace: namespace.map(str::to_owned),
            objects,
        })
    }

    /// The images of all its pods after `images` have replaced them, including the image of a `described` worker, and of the
    /// wire if the run `is_wired`.
    pub(super) fn images(
        &self,
        images: &Images,
        described: Option<&Described>,
        is_wired: bool,
    ) -> Vec<String> {
        let of_worker = described.and_then(|it| it.description.worker.image.clone());
        let of_worker = images.consumer.clone().or(of_worker);
        let deployments = self.objects.iter().filter(|it| it["kind"] == "Deployment");
        let mut all: Vec<String> = Vec::new();
        for deployment in deployments {
            let is_consumer = name_of(deployment) == self.consumer;
            for container in containers(deployment) {
                let image = container["image"].as_str().unwrap_or_default();
                if is_consumer {
                    all.push(of_worker.clone().unwrap_or_else(|| image.to_owned()));
                    all.push(images.producer(image));
                    if is_wired {
                        all.push(images.wire(image));
                    }
                } else {
                    all.push(image.to_owned());
                }
            }
        }
        all.dedup();
        all
    }

    /// The CPU that a run requests, in cores: for workers (as many as its ScaledObject allows if it is scaled, otherwise a
    /// few), storage, producer, and the wire if the run `is_wired`. A run that is not scaled may be about identity, and then has an
    /// authority.
    pub(super) fn cpu(&self, is_scaled: bool, is_wired: bool) -> f64 {
        const FEW: f64 = 4.0;
        let of = |workload: &Value| -> f64 {
            let requests = containers(workload).iter();
            let requests = requests.map(|it| &it["resources"]["requests"]["cpu"]);
            requests.filter_map(quantity).sum()
        };
        let deployments = self.objects.iter().filter(|it| it["kind"] == "Deployment");
        let (consumers, others): (Vec<_>, Vec<_>) =
            deployments.partition(|it| name_of(it) == self.consumer);
        let mut scaled = self
            .objects
            .iter()
            .filter(|it| it["kind"] == "ScaledObject");
        let most = scaled
            .next()
            .and_then(|it| it["spec"]["maxReplicaCount"].as_f64());
        // KEDA's default of `maxReplicaCount`.
        let workers = if is_scaled {
            most.unwrap_or(100.0)
        } else {
            FEW
        };
        let ours = wired::CPU * if is_wired { 2.0 } else { 1.0 };
        let of_consumers: f64 = consumers.into_iter().map(of).sum();
        let may_sign_in = is_wired && !is_scaled && self.can_sign_in();
        let authority = if may_sign_in { signed::CPU } else { 0.0 };
        of_consumers * workers + others.into_iter().map(of).sum::<f64>() + ours + authority
    }

    /// Adapts the overlay to `namespace` and `run`, which has one queue until [`Adapted::spread_over`] sets others. Leaves out
    /// the Namespace object, because the run makes its own.
    pub(super) fn adapted(
        &self,
        namespace: &str,
        run: &RunId,
        images: &Images,
    ) -> anyhow::Result<Adapted> {
        let (queue, table) = names(run);
        let mut objects = Vec::new();
        for object in &self.objects {
            if object["kind"] == "Namespace" {
                continue;
            }
            let mut object = object.clone();
            object["metadata"]["namespace"] = json!(namespace);
            object["metadata"]["labels"][PART_OF] = json!(run.as_str());
            if let Some(old) = &self.namespace {
                readdress(&mut object, old, namespace);
            }
            if object["kind"] == "ScaledObject" {
                name_queue(&mut object, &queue)?;
            }
            objects.push(object);
        }
        let mut adapted = Adapted {
            objects,
            consumer: self.consumer.clone(),
            queues: vec![queue.clone()],
            images: images.clone(),
            signed_in: None,
            wire: None,
            described: None,
            off: None,
        };
        let data = adapted.settings_mut()?;
        data.insert("AZURE_QUEUE_NAME".to_owned(), json!(queue));
        data.insert("AZURE_TABLE_NAME".to_owned(), json!(table));
        Ok(adapted)
    }
}

impl Adapted {
    /// All objects other than workers and their scaling: storage, secrets, accounts, policies. Leaves out the objects from
    /// which nodes are made: they belong to the cluster and exist before a run.
    pub(super) fn surroundings(&self) -> impl Iterator<Item = &Value> {
        self.objects.iter().filter(|object| {
            let kind = object["kind"].as_str().unwrap_or_default();
            let is_consumer = kind == "Deployment" && name_of(object) == self.consumer;
            let is_of_scaling = kind == "ScaledObject" || kind == "TriggerAuthentication";
            !is_consumer && !is_of_scaling && !OF_THE_CLUSTER.contains(&kind)
        })
    }

    /// The `TriggerAuthentication` objects, with which KEDA reads the queue.
    pub(super) fn authentications(&self) -> impl Iterator<Item = &Value> {
        let kind = "TriggerAuthentication";
        self.objects
            .iter()
            .filter(move |object| object["kind"] == kind)
    }

    /// The consumer's settings, from its `ConfigMap`.
    pub(super) fn settings(&self) -> BTreeMap<String, String> {
        let of = |object: &Value| -> BTreeMap<String, String> {
            let data = object["data"].as_object().cloned().unwrap_or_default();
            let pairs = data.into_iter();
            pairs
                .filter_map(|(name, value)| Some((name, value.as_str()?.to_owned())))
                .collect()
        };
        let map = self.settings_map();
        let map = map.and_then(|name| self.find("ConfigMap", &name));
        map.map(of).unwrap_or_default()
    }

    /// The values of the consumer's variables that come from a Secret of the overlay.
    pub(super) fn secrets(&self) -> BTreeMap<String, String> {
        let Ok(deployment) = self.deployment() else {
            return BTreeMap::new();
        };
        let container = &containers(deployment)[0];
        let variables = container["env"].as_array().cloned().unwrap_or_default();
        let secret = |variable: Value| {
            let from = &variable["valueFrom"]["secretKeyRef"];
            let value = self.secret(from["name"].as_str()?, from["key"].as_str()?)?;
            Some((variable["name"].as_str()?.to_owned(), value))
        };
        variables.into_iter().filter_map(secret).collect()
    }

    /// Every value of every Secret: no log or report may contain them.
    pub(super) fn all_secrets(&self) -> Vec<String> {
        let secrets = self.objects.iter().filter(|it| it["kind"] == "Secret");
        let values = secrets.flat_map(|secret| {
            let data = secret["data"].as_object().cloned().unwrap_or_default();
            data.into_iter()
                .filter_map(|(_, value)| decoded(value.as_str()?))
                .collect::<Vec<_>>()
        });
        values.collect()
    }

    fn secret(&self, name: &str, key: &str) -> Option<String> {
        let secret = self.find("Secret", name)?;
        let plain = secret["stringData"][key].as_str().map(str::to_owned);
        plain.or_else(|| decoded(secret["data"][key].as_str()?))
    }

    fn find(&self, kind: &str, name: &str) -> Option<&Value> {
        let mut objects = self.objects.iter();
        objects.find(|it| it["kind"] == kind && name_of(it) == name)
    }

    fn deployment(&self) -> anyhow::Result<&Value> {
        let deployment = self.find("Deployment", &self.consumer);
        deployment.context("find the consumer's Deployment")
    }

    /// Whether a variable tells each worker the name of its node.
    pub(super) fn tells_node(&self) -> bool {
        let own = self.deployment().map(|it| &containers(it)[0]["env"]);
        let own = own.ok().and_then(Value::as_array).into_iter().flatten();
        let mut paths = own.map(|it| &it["valueFrom"]["fieldRef"]["fieldPath"]);
        // The variables of a described worker come with its description.
        self.described.is_some() || paths.any(|path| path == "spec.nodeName")
    }

    /// The name of the `ConfigMap` with all of the consumer's settings.
    fn settings_map(&self) -> Option<String> {
        let container = &containers(self.deployment().ok()?)[0];
        let sources = container["envFrom"].as_array()?;
        let mut named = sources
            .iter()
            .filter_map(|it| it["configMapRef"]["name"].as_str());
        named.next().map(str::to_owned)
    }

    fn settings_mut(&mut self) -> anyhow::Result<&mut Map<String, Value>> {
        let name = self.settings_map().with_context(|| {
            format!(
                "find the settings of {}: its container takes none from a ConfigMap (envFrom)",
                self.consumer
            )
        })?;
        let mut objects = self.objects.iter_mut();
        let map = objects.find(|it| it["kind"] == "ConfigMap" && name_of(it) == name);
        let map = map.with_context(|| format!("find the ConfigMap {name}"))?;
        let data = map["data"].as_object_mut();
        data.with_context(|| format!("read the ConfigMap {name}: it has no data"))
    }
}

/// The containers of a workload's template; at least one, because the API server requires one.
fn containers(workload: &Value) -> &[Value] {
    const NONE: &[Value] = &[Value::Null];
    let containers = workload["spec"]["template"]["spec"]["containers"].as_array();
    containers
        .filter(|all| !all.is_empty())
        .map_or(NONE, |all| all)
}

fn name_of(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap_or_default()
}

fn text<'a>(object: &'a Value, path: &[&str]) -> anyhow::Result<&'a str> {
    let found = path.iter().try_fold(object, |place, part| place.get(part));
    let found = found.and_then(Value::as_str);
    found.with_context(|| format!("read {}: it is not there", path.join(".")))
}

/// Decodes a value of a Secret. kustomize wraps long values into lines.
fn decoded(text: &str) -> Option<String> {
    let joined: String = text.split_whitespace().collect();
    String::from_utf8(BASE64.decode(joined).ok()?).ok()
}

/// Replaces the namespace in addresses of Services: `azurite.aqs-demo.svc.cluster.local`. Values of a Secret are Base64.
fn readdress(object: &mut Value, from: &str, to: &str) {
    let (from, to) = (format!(".{from}.svc"), format!(".{to}.svc"));
    let is_secret = object["kind"] == "Secret";
    for field in ["data", "stringData"] {
        let Some(data) = object.get_mut(field).and_then(Value::as_object_mut) else {
            continue;
        };
        for value in data.values_mut() {
            let Some(text) = value.as_str() else { continue };
            let is_encoded = is_secret && field == "data";
            let plain = if is_encoded {
                decoded(text)
            } else {
                Some(text.to_owned())
            };
            let Some(plain) = plain.filter(|plain| plain.contains(&from)) else {
                continue;
            };
            let plain = plain.replace(&from, &to);
            *value = json!(if is_encoded {
                BASE64.encode(plain)
            } else {
                plain
            });
        }
    }
}

#[cfg(test)]
mod tests;
