//! A described workload in an overlay: the worker's image and variables, and the description's file for producer and wire.

use std::sync::Arc;

use serde_json::{Value, json};
use workflow::contract::workload::{Description, Lens, Name};

use super::wired::{self, put};
use super::{Adapted, PART_OF};
use crate::settings::{names, placed_variables};
use crate::workers::ConsumerOptions;

/// A description, with the text of its file.
#[derive(Debug, Clone)]
pub(in crate::cluster) struct Described {
    /// The parsed description.
    pub(in crate::cluster) description: Arc<Description>,
    /// The text of the file.
    pub(in crate::cluster) text: String,
}

/// The name of the `ConfigMap` with the description, and of its volume.
const NAME: &str = "edw-workload";

/// The path of the description in a pod.
const FILE: &str = "/workload/edw.yaml";

/// The variable of the project's own contract that an overlay takes from a Secret.
const SAS: &str = "AZURE_STORAGE_SAS_TOKEN";

/// Variables with facts about the pod, for use inside other variables: `$(EDW_POD)`.
const OF_POD: [(&str, &str); 2] = [("EDW_POD", "metadata.name"), ("EDW_NODE", "spec.nodeName")];

/// The variable with the SAS, for the same use; only a Secret has its value.
const OF_SAS: &str = "EDW_SAS";

impl Adapted {
    /// Makes the workers those of `described`, in the run of `lens`.
    pub(in crate::cluster) fn describe(&mut self, described: &Described, lens: Lens) {
        self.described = Some((described.clone(), lens));
    }

    /// The `ConfigMap` with the description, if the workload is described.
    pub(in crate::cluster) fn description_object(&self) -> anyhow::Result<Option<Value>> {
        let Some((described, _)) = &self.described else {
            return Ok(None);
        };
        let consumer = self.deployment()?;
        Ok(Some(json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": NAME,
                "namespace": consumer["metadata"]["namespace"],
                "labels": {PART_OF: consumer["metadata"]["labels"][PART_OF]},
            },
            "data": {"edw.yaml": described.text},
        })))
    }

    /// Mounts the description into the pod `spec`, whose first container is a producer or a wire.
    pub(super) fn give_description(&self, spec: &mut Value) {
        if self.described.is_none() {
            return;
        }
        let mut add = |list: &str, value: Value| {
            let owner = if list == "volumes" {
                &mut *spec
            } else {
                &mut spec["containers"][0]
            };
            let mut all = owner[list].as_array().cloned().unwrap_or_default();
            all.push(value);
            owner[list] = Value::Array(all);
        };
        add("args", json!(format!("--workload={FILE}")));
        add(
            "volumeMounts",
            json!({"name": NAME, "mountPath": "/workload", "readOnly": true}),
        );
        add(
            "volumes",
            json!({"name": NAME, "configMap": {"name": NAME}}),
        );
    }

    /// Turns `container`, a worker's in the overlay, into one of the described worker that serves `queue`, counted from 0.
    pub(super) fn put_described(
        &self,
        container: &mut Value,
        queue: usize,
        options: &ConsumerOptions,
    ) -> anyhow::Result<()> {
        let Some((described, lens)) = &self.described else {
            return Ok(());
        };
        let worker = &described.description.worker;
        if let Some(image) = self.images.consumer.as_ref().or(worker.image.as_ref()) {
            container["image"] = json!(image);
            // These fields describe the overlay's own consumer and do not apply to another program.
            let container = container.as_object_mut();
            let container = container.expect("the API server takes no container that is no object");
            for own in [
                "livenessProbe",
                "readinessProbe",
                "startupProbe",
                "lifecycle",
                "ports",
            ] {
                container.remove(own);
            }
            for (of, own) in [
                ("securityContext", "readOnlyRootFilesystem"),
                ("resources", "limits"),
            ] {
                if let Some(of) = container.get_mut(of).and_then(Value::as_object_mut) {
                    of.remove(own);
                }
            }
        }
        let mut variables: Vec<Value> = OF_POD
            .iter()
            .map(|(name, path)| json!({"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}))
            .collect();
        let own = container["env"].as_array();
        let sas = own.into_iter().flatten().find(|it| it["name"] == SAS);
        let has_sas = sas.is_some();
        variables.extend(sas.map(|sas| {
            let mut sas = sas.clone();
            sas["name"] = json!(OF_SAS);
            sas
        }));
        let endpoints = self.endpoints()?;
        let place = Place {
            adapted: self,
            queue: &self.queues[queue],
            lens,
            has_sas,
            endpoints: &endpoints,
        };
        // If the description says after how many deliveries its worker gives a message up, the overlay's number does not apply.
        let poison = described.description.poison.as_ref();
        let gives_up = poison.is_some_and(|poison| poison.after.is_some());
        let settings = self.settings().into_iter();
        let settings = settings.filter(|(name, _)| !gives_up || name != "EDW_MAX_ATTEMPTS");
        let options = ConsumerOptions {
            variables: options
                .variables
                .clone()
                .into_iter()
                .chain(settings)
                .collect(),
            ..options.clone()
        };
        let told = placed_variables(&described.description, &options, |name| place.value(name));
        variables.extend(
            told.into_iter()
                .map(|(name, value)| json!({"name": name, "value": value})),
        );
        put(container, variables);
        Ok(())
    }

    /// The addresses of the queue and the table service for a worker: the wire's, or those of the overlay.
    fn endpoints(&self) -> anyhow::Result<[Option<String>; 2]> {
        let ways = self.wire_variables()?;
        let of = |variable: &str| {
            let way = ways.iter().find(|it| it["name"] == variable);
            let way = way.and_then(|it| it["value"].as_str()).map(str::to_owned);
            way.or_else(|| Some(self.reached(variable)?.url))
        };
        Ok(wired::ADDRESSES.map(|(variable, _)| of(variable)))
    }
}

/// Facts about a worker's place, for the placeholders of its variables.
struct Place<'a> {
    adapted: &'a Adapted,
    queue: &'a str,
    lens: &'a Lens,
    has_sas: bool,
    endpoints: &'a [Option<String>; 2],
}

impl Place<'_> {
    /// The value of a placeholder that depends only on the place.
    fn value(&self, name: Name) -> Option<String> {
        let (_, table) = names(self.lens.run());
        let [queue_url, table_url] = self.endpoints.clone();
        let mut settings = self.adapted.settings();
        let sas = || self.has_sas.then(|| format!("$({OF_SAS})"));
        let account = settings.remove("AZURE_STORAGE_ACCOUNT_NAME");
        match name {
            Name::Account => account,
            Name::PoisonQueue => self.lens.poison_queue(self.queue),
            Name::Queue => Some(self.queue.to_owned()),
            Name::Table => Some(table),
            Name::QueueEndpoint => queue_url,
            Name::TableEndpoint => table_url,
            Name::Sas => sas(),
            Name::ConnectionString => Some(format!(
                "QueueEndpoint={};TableEndpoint={};SharedAccessSignature={}",
                queue_url?,
                table_url?,
                sas()?
            )),
            Name::Credential if self.adapted.is_signed_in() => Some("auto".to_owned()),
            Name::Credential => {
                let said = settings.remove("EDW_CREDENTIAL");
                said.or_else(|| self.has_sas.then(|| "sas".to_owned()))
            }
            // The emulator's account key is public; the key of any other account is never given to a worker.
            Name::AccountKey => account
                .filter(|account| account == azurite::ACCOUNT)
                .map(|_| azurite::ACCOUNT_KEY.to_owned()),
            Name::Worker => Some(format!("$({})", OF_POD[0].0)),
            Name::Node => Some(format!("$({})", OF_POD[1].0)),
            Name::Listen => settings.remove("EDW_LISTEN"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::*;
    use crate::cluster::images::Images;
    use crate::cluster::overlay::Overlay;
    use crate::workers::CONSUMERS;

    const TEXT: &str = "\
version: 1
name: orders
message:
  body: { id: \"{id}\", text: \"{payload}\" }
row:
  columns: { order: \"{id}\", text: \"{payload}\" }
poison:
  after: 4
worker:
  image: registry.example/orders:7
  variables:
    AZURE_QUEUE_ENDPOINT: \"{queue-endpoint}\"
    ORDERS_QUEUE: \"{queue}\"
    ORDERS_POISON: \"{poison-queue}\"
    ORDERS_STORAGE: \"{connection-string}\"
    ORDERS_WHO: \"{worker}@{node}\"
    ORDERS_LEASE_MS: \"{lease:ms}\"
    ORDERS_TRIES: \"{attempts}\"
    ORDERS_EVENTS: \"{events}\"
    ORDERS_WORK: \"{work:ms}\"
    ORDERS_LISTEN: \"{listen}\"
";

    fn described() -> Adapted {
        let run: workflow::contract::RunId = "r1".parse().unwrap();
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../k8s/overlays/local");
        let overlay = Overlay::read(&directory).unwrap();
        let described = Described {
            description: Arc::new(Description::read(TEXT).unwrap()),
            text: TEXT.to_owned(),
        };
        let images = overlay.images(&Images::default(), Some(&described), true);
        for image in [
            "registry.example/orders:7",
            "edw/producer:0.1.0",
            "edw/wire:0.1.0",
        ] {
            assert!(images.iter().any(|it| it == image), "{images:?}");
        }
        let mut adapted = overlay.adapted("edw-r1", &run, &Images::default()).unwrap();
        let lens = Lens::new(described.description.clone(), run);
        adapted.describe(&described, lens);
        adapted.wire(7).unwrap();
        adapted
    }

    #[test]
    fn a_worker_that_is_described_has_its_image_and_its_own_names_for_what_it_is_told() {
        let options = ConsumerOptions {
            visibility: Some(Duration::from_secs(8)),
            ..ConsumerOptions::default()
        };
        let grace = Duration::from_secs(35);
        let workers = described().workers((CONSUMERS, 0), 2, &options, grace);
        let [_, deployment] = workers.unwrap();
        let container = &deployment["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(container["image"], "registry.example/orders:7");
        assert_eq!(container.get("readinessProbe"), None);
        assert_eq!(
            container["securityContext"].get("readOnlyRootFilesystem"),
            None
        );
        assert_eq!(
            container["securityContext"]["allowPrivilegeEscalation"],
            false
        );
        let variables = container["env"].as_array().unwrap();
        let of = |name: &str| {
            let mut named = variables.iter().filter(|it| it["name"] == name);
            let found = named.next().map(|it| &it["value"]);
            assert!(named.next().is_none(), "{name} is there twice");
            found.and_then(Value::as_str)
        };
        let queue = "http://edw-wire:10001/$(EDW_WIRE_CLIENT)/devstoreaccount1";
        assert_eq!(of("AZURE_QUEUE_ENDPOINT"), Some(queue));
        assert_eq!(of("ORDERS_QUEUE"), Some("edw-r1"));
        assert_eq!(of("ORDERS_POISON"), Some("edw-r1-poison"));
        let storage = of("ORDERS_STORAGE").unwrap();
        assert!(
            storage.ends_with(";SharedAccessSignature=$(EDW_SAS)"),
            "{storage}"
        );
        assert!(storage.contains(queue), "{storage}");
        assert_eq!(of("ORDERS_WHO"), Some("$(EDW_POD)@$(EDW_NODE)"));
        assert_eq!(of("ORDERS_LEASE_MS"), Some("8000"));
        assert_eq!(of("ORDERS_TRIES"), Some("4"), "as the description says");
        for unknown in ["ORDERS_EVENTS", "ORDERS_WORK"] {
            assert_eq!(of(unknown), None, "nobody says what it is");
        }
        // A variable must come before the variables that refer to it.
        let at = |name: &str| variables.iter().position(|it| it["name"] == name).unwrap();
        for (first, then) in [
            ("EDW_WIRE_CLIENT", "AZURE_QUEUE_ENDPOINT"),
            ("EDW_SAS", "ORDERS_STORAGE"),
            ("EDW_NODE", "ORDERS_WHO"),
        ] {
            assert!(at(first) < at(then), "{first}, {then}");
        }
        let sas = &variables[at("EDW_SAS")]["valueFrom"]["secretKeyRef"];
        assert_eq!(
            sas["name"], "azurite",
            "no signature stands in a Deployment"
        );
    }

    #[test]
    fn producer_and_wire_read_the_description_that_the_run_has() {
        let adapted = described();
        let map = adapted.description_object().unwrap().unwrap();
        assert_eq!(map["metadata"]["namespace"], "edw-r1");
        assert_eq!(map["data"]["edw.yaml"], TEXT);
        let mut jobs = adapted.producers(&["--messages=5".to_owned()], 1).unwrap();
        let wire = adapted.wire_objects().unwrap().remove(0);
        for (object, further) in [(jobs.remove(0), "--messages=5"), (wire, "--run=r1")] {
            let pod = &object["spec"]["template"]["spec"];
            let container = &pod["containers"][0];
            let arguments = container["args"].as_array().unwrap();
            for argument in [further, "--workload=/workload/edw.yaml"] {
                assert!(arguments.contains(&json!(argument)), "{arguments:?}");
            }
            let mounts = container["volumeMounts"].as_array().unwrap();
            let mount = mounts
                .iter()
                .find(|it| it["mountPath"] == "/workload")
                .unwrap();
            let volumes = pod["volumes"].as_array().unwrap();
            let volume = volumes
                .iter()
                .find(|it| it["name"] == mount["name"])
                .unwrap();
            assert_eq!(volume["configMap"]["name"], map["metadata"]["name"]);
        }
    }
}
