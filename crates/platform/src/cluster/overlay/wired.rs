//! The wire between a run's workload and its storage: its objects, and the variables by which pods find it.

use anyhow::{bail, ensure};
use azurite::{CertificateAuthority, Certified};
use cluster::pods::GROUP;
use serde_json::{Value, json};

use super::endpoints::Reached;
use super::{Adapted, Images, Overlay, PART_OF, containers};

/// The name of the wire's objects.
pub(super) const NAME: &str = "edw-wire";

/// The port of the wire's control interface, on the loopback of its pod.
pub(in crate::cluster) const CONTROL: u16 = 10_010;

/// The label selector of the wire's pod.
pub(in crate::cluster) const SELECTOR: &str = "app=edw-wire";

/// The CPU request of the wire, and of the producer, in cores.
pub(super) const CPU: f64 = 0.1;

/// The settings with storage's addresses, each with the port at which the wire serves it.
pub(super) const ADDRESSES: [(&str, u16); 2] = [
    ("AZURE_QUEUE_ENDPOINT", 10_001),
    ("AZURE_TABLE_ENDPOINT", 10_002),
];

/// The label of the producer's pod.
pub(super) const PRODUCER_LABEL: (&str, &str) = ("app", "edw-producer");

/// The file of an image's trusted certificates, as in Debian and in this project's images.
const SYSTEM_ROOTS: &str = "/etc/ssl/certs/ca-certificates.crt";

/// The directory, in a pod, of the additional trusted certificate.
const TRUST: &str = "/etc/edw-wire";

/// The name of the root certificate's file there: OpenSSL looks it up by the hash of the subject, which is the same for every
/// [`CertificateAuthority`] (`openssl x509 -subject_hash`). Rustls and Go read every file.
const ROOT: &str = "e19f041d.0";

/// The directory of the wire's own certificate.
const OWN: &str = "/etc/edw-wire-own";

/// Settings of a run's wire.
#[derive(Debug, Clone)]
pub(super) struct Wiring {
    /// The seed of its random decisions.
    seed: u64,
    /// The certificates, if storage uses HTTPS.
    https: Option<Https>,
}

/// A certificate made for the run, for the name of the wire's Service.
#[derive(Debug, Clone)]
struct Https {
    root: String,
    own: Certified,
}

impl Https {
    fn of(authority: &CertificateAuthority) -> Self {
        Self {
            root: authority.certificate(),
            own: authority.certify_hosts(&[NAME]),
        }
    }

    /// The Secret with the wire's certificate and key, and the `ConfigMap` with the root that pods trust.
    fn objects(&self, meta: &Value) -> [Value; 2] {
        let own = json!({"tls.crt": self.own.certificate, "tls.key": self.own.key});
        [
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": own}),
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {ROOT: self.root}}),
        ]
    }
}

/// One of storage's addresses, in parts.
struct Address {
    url: String,
    /// The path after the host.
    path: String,
    is_https: bool,
}

impl Overlay {
    /// Whether a wire can be put in front of its storage: storage in the cluster that uses HTTP, or any storage that uses
    /// HTTPS.
    pub(in crate::cluster) fn can_be_wired(&self) -> bool {
        self.as_it_is().addresses().is_ok()
    }

    /// The overlay without a run.
    pub(super) fn as_it_is(&self) -> Adapted {
        Adapted {
            objects: self.objects.clone(),
            consumer: self.consumer.clone(),
            queues: Vec::new(),
            images: Images::default(),
            signed_in: None,
            wire: None,
            described: None,
            off: None,
        }
    }
}

impl Adapted {
    /// The addresses of the queue and the table service.
    fn addresses(&self) -> anyhow::Result<[Address; 2]> {
        let [queue, table] = ADDRESSES.map(|(variable, _)| self.address(variable));
        let both = [queue?, table?];
        ensure!(
            both[0].is_https == both[1].is_https,
            "put a wire before storage: one of its addresses is HTTPS, the other is not; use --wire off"
        );
        Ok(both)
    }

    fn address(&self, variable: &str) -> anyhow::Result<Address> {
        if let Some(Reached { url, service }) = self.reached(variable) {
            let is_https = url.starts_with("https://");
            let path = match service {
                Some(service) => service.path,
                None if is_https => path_of(&url),
                None => bail!(
                    "put a wire before storage: {url} is neither a Service of the overlay nor HTTPS; use --wire off"
                ),
            };
            return Ok(Address {
                url,
                path,
                is_https,
            });
        }
        let settings = self.settings();
        let account = settings.get("AZURE_STORAGE_ACCOUNT_NAME");
        let Some(account) = account.filter(|account| !account.is_empty()) else {
            bail!("put a wire before storage: the overlay has no {variable}; use --wire off");
        };
        let suffix = settings.get("AZURE_STORAGE_ENDPOINT_SUFFIX");
        let suffix = suffix.map_or("core.windows.net", String::as_str);
        let service = if variable.contains("QUEUE") {
            "queue"
        } else {
            "table"
        };
        Ok(Address {
            url: format!("https://{account}.{service}.{suffix}"),
            path: String::new(),
            is_https: true,
        })
    }

    /// Makes workers and producer use a wire in place of storage; `seed` is that of its random decisions.
    pub(in crate::cluster) fn wire(&mut self, seed: u64) -> anyhow::Result<()> {
        let is_https = self.addresses()?[0].is_https;
        let https = || match &self.signed_in {
            Some(signed_in) => Https::of(&signed_in.certificates),
            None => Https::of(&CertificateAuthority::new()),
        };
        self.wire = Some(Wiring {
            seed,
            https: is_https.then(https),
        });
        Ok(())
    }

    /// The objects of the wire; empty if there is none.
    pub(in crate::cluster) fn wire_objects(&self) -> anyhow::Result<Vec<Value>> {
        let Some(wiring) = &self.wire else {
            return Ok(Vec::new());
        };
        let consumer = self.deployment()?;
        let meta = json!({
            "name": NAME,
            "namespace": consumer["metadata"]["namespace"],
            "labels": {PART_OF: consumer["metadata"]["labels"][PART_OF]},
        });
        let labels = json!({"app": NAME});
        let mut pod = self.wire_pod(wiring, consumer)?;
        if let Some((_, lens)) = &self.described
            && let Some(arguments) = pod["containers"][0]["args"].as_array_mut()
        {
            arguments.push(json!(format!("--run={}", lens.run())));
        }
        self.give_description(&mut pod);
        if self.is_signed_in() {
            // Storage has a certificate of the run too.
            self.trust_wire(&mut pod);
        }
        let mut deployment = json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": meta,
            "spec": {
                "replicas": 1,
                // Two wires at a time would each see only a part of the requests.
                "strategy": {"type": "Recreate"},
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": pod},
            },
        });
        self.kept_off(&mut deployment);
        let service_ports =
            ADDRESSES.map(|(_, port)| json!({"name": format!("port-{port}"), "port": port}));
        let service = json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": meta,
            "spec": {"selector": labels, "ports": service_ports},
        });
        let own = wiring.https.iter();
        let own = own.flat_map(|https| https.objects(&meta));
        let mut objects: Vec<Value> = own.collect();
        objects.extend([deployment, service]);
        objects.extend(self.policies(&meta, &labels));
        Ok(objects)
    }

    /// The wire's pod, with the same restrictions as that of `consumer`.
    fn wire_pod(&self, wiring: &Wiring, consumer: &Value) -> anyhow::Result<Value> {
        let [queue, table] = self.addresses()?;
        let pod = &consumer["spec"]["template"]["spec"];
        let container = &containers(consumer)[0];
        let image = container["image"].as_str().unwrap_or_default();
        let ports = ADDRESSES.map(|(_, port)| json!({"containerPort": port}));
        let mut arguments = vec![
            format!("--queue={}", queue.url),
            format!("--table={}", table.url),
            format!("--seed={}", wiring.seed),
            "--directory=/history".to_owned(),
        ];
        let mut mounts = vec![json!({"name": "history", "mountPath": "/history"})];
        let mut volumes = vec![json!({"name": "history", "emptyDir": {}})];
        if wiring.https.is_some() {
            arguments.push(format!("--certificate={OWN}/tls.crt"));
            arguments.push(format!("--certificate-key={OWN}/tls.key"));
            mounts.push(json!({"name": "own", "mountPath": OWN, "readOnly": true}));
            volumes.push(json!({"name": "own", "secret": {"secretName": NAME}}));
        }
        Ok(json!({
            "automountServiceAccountToken": false,
            "enableServiceLinks": false,
            "securityContext": pod["securityContext"],
            "containers": [{
                "name": "wire",
                "image": self.images.wire(image),
                "args": arguments,
                "ports": ports,
                "readinessProbe": {"tcpSocket": {"port": ADDRESSES[0].1}, "periodSeconds": 1},
                "resources": {
                    "requests": {"cpu": CPU.to_string(), "memory": "64Mi"},
                    "limits": {"memory": "512Mi"},
                },
                "securityContext": container["securityContext"],
                "volumeMounts": mounts,
            }],
            "volumes": volumes,
        }))
    }

    /// Network policies that let workers and producer reach the wire and the authority, if a policy of the overlay restricts their egress.
    /// Policies add up.
    fn policies(&self, meta: &Value, wire: &Value) -> Vec<Value> {
        let is_shut = self.objects.iter().any(|it| it["kind"] == "NetworkPolicy");
        if !is_shut {
            return Vec::new();
        }
        let (key, value) = PRODUCER_LABEL;
        let to_wire = json!({"to": [{"podSelector": {"matchLabels": wire}}]});
        let to_both: Vec<Value> = [to_wire]
            .into_iter()
            .chain(self.egress_to_authority())
            .collect();
        let who = [
            (
                "workers",
                json!({"matchExpressions": [{"key": GROUP, "operator": "Exists"}]}),
                json!(to_both),
            ),
            // No policy of the overlay selects the producer's pod; with a rule for the wire alone, it would reach neither DNS
            // nor Entra.
            (
                "producer",
                json!({"matchLabels": {key: value}}),
                json!([{}]),
            ),
        ];
        let policies = who.into_iter().map(|(name, selector, egress)| {
            let mut meta = meta.clone();
            meta["name"] = json!(format!("{NAME}-{name}"));
            json!({
                "apiVersion": "networking.k8s.io/v1",
                "kind": "NetworkPolicy",
                "metadata": meta,
                "spec": {
                    "podSelector": selector,
                    "policyTypes": ["Egress"],
                    "egress": egress,
                },
            })
        });
        policies.collect()
    }

    /// Variables by which a container finds the wire in place of storage, with the pod's name as the client's name.
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

    /// As [`Adapted::wire_variables`], with `client` as the client's name.
    pub(super) fn wire_variables_of(&self, client: &str) -> anyhow::Result<Vec<Value>> {
        if self.wire.is_none() {
            return Ok(Vec::new());
        }
        self.ways(client, Vec::new())
    }

    fn ways(&self, client: &str, mut variables: Vec<Value>) -> anyhow::Result<Vec<Value>> {
        for ((variable, port), address) in ADDRESSES.into_iter().zip(self.addresses()?) {
            let Address { path, is_https, .. } = address;
            let scheme = if is_https { "https" } else { "http" };
            let url = format!("{scheme}://{NAME}:{port}/{client}{path}");
            variables.push(json!({"name": variable, "value": url}));
        }
        Ok(variables)
    }

    /// Makes the first container of `pod` trust the wire, in addition to the certificates that it trusts already.
    pub(super) fn trust_wire(&self, pod: &mut Value) {
        let is_https = self.wire.as_ref().is_some_and(|wire| wire.https.is_some());
        if !is_https {
            return;
        }
        append(
            pod,
            "volumes",
            json!({"name": "edw-wire", "configMap": {"name": NAME}}),
        );
        let container = &mut pod["containers"][0];
        let mount = json!({"name": "edw-wire", "mountPath": TRUST, "readOnly": true});
        append(container, "volumeMounts", mount);
        let own = container["env"].as_array().cloned().unwrap_or_default();
        let value = |name: &str| {
            let found = own.iter().find(|it| it["name"] == name)?;
            found["value"].as_str().map(str::to_owned)
        };
        // Setting one of the two variables disables the default of the other, so both must be set.
        let file = value("SSL_CERT_FILE").unwrap_or_else(|| SYSTEM_ROOTS.to_owned());
        let directory =
            value("SSL_CERT_DIR").map_or(TRUST.to_owned(), |it| format!("{it}:{TRUST}"));
        let trusted = [("SSL_CERT_FILE", file), ("SSL_CERT_DIR", directory)];
        let trusted = trusted.map(|(name, value)| json!({"name": name, "value": value}));
        put(container, trusted.into());
    }
}

/// Appends `item` to the list in `field` of `object`, or starts the list.
pub(super) fn append(object: &mut Value, field: &str, item: Value) {
    let mut all = object[field].as_array().cloned().unwrap_or_default();
    all.push(item);
    object[field] = Value::Array(all);
}

/// The path of a URL, without a slash at its end.
fn path_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.find('/').map_or("", |at| &rest[at..]);
    path.trim_end_matches('/').to_owned()
}

/// Adds `variables` to the container's own, replacing those of the same name.
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
