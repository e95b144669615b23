//! Sign-in with the identity of pods: storage that takes tokens, the authority that gives them, and pods whose kubelet projects
//! theirs.
//!
//! The cluster's own issuer signs the pods' tokens, and its kubelets project and replace them. The authority gets the issuer's
//! keys with its settings, so its pod has no right in the cluster and no way to the API server; Entra reads the same documents
//! from an address on the internet, which a cluster on a laptop does not have.

use std::sync::Arc;

use anyhow::{Context as _, ensure};
use authority::Settings;
use azurite::CertificateAuthority;
use cluster::Issuer;
use serde_json::{Value, json};

use super::wired::{ADDRESSES, append, put};
use super::{Adapted, Overlay, PART_OF, containers};
use crate::identities::{Mistake, SetUp};

/// The name of the authority's objects.
const NAME: &str = "edw-authority";

/// The label selector of the authority's pod.
pub(in crate::cluster) const AUTHORITY: &str = "app=edw-authority";

/// The port at which the authority's pod listens; its Service has that of HTTPS.
const PORT: u16 = 8443;

/// The CPU request of the authority's pod, in cores.
pub(super) const CPU: f64 = 0.05;

/// The directory of the authority's Secret in its pod.
const OWN: &str = "/etc/edw-authority";

/// The name of the Secret with the certificate of storage, and its directory in storage's pod.
const STORAGE: &str = "edw-storage";
const STORAGE_OWN: &str = "/etc/edw-storage";

/// Volume, directory and file of a pod's token, as the webhook of workload identity names them (azure-workload-identity,
/// `pkg/webhook/consts.go`).
const TOKEN: &str = "azure-identity-token";
const TOKENS: &str = "/var/run/secrets/azure/tokens";

/// The least lifetime of a token that Kubernetes takes, in seconds (`ServiceAccountTokenProjection`, `expirationSeconds`).
const LEAST_S: u64 = 600;

/// How the workload of a run signs in.
#[derive(Debug, Clone)]
pub(super) struct SignedIn {
    set_up: SetUp,
    issuer: Issuer,
    /// Signs the certificates of wire, authority and storage.
    pub(super) certificates: Arc<CertificateAuthority>,
    /// The namespace that a mistaken credential names.
    elsewhere: String,
}

/// A program of an overlay that can be made to serve HTTPS and to take tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Storage {
    Azurite,
    Engine,
}

impl Storage {
    /// The program of `container`.
    fn of(container: &Value) -> Option<Self> {
        let image = container["image"].as_str()?;
        let name = image.rsplit('/').next()?;
        match name.split([':', '@']).next()? {
            // With another command the arguments would be those of another program.
            "azurite" if container["command"] == json!(["azurite"]) => Some(Self::Azurite),
            "engine" if container["command"].is_null() => Some(Self::Engine),
            _ => None,
        }
    }

    /// The arguments with which it does so.
    fn arguments(self) -> Vec<String> {
        let [certificate, key] = ["tls.crt", "tls.key"].map(|file| format!("{STORAGE_OWN}/{file}"));
        match self {
            // As on a laptop: `azurite::Builder::https`.
            Self::Azurite => ["--cert", &certificate, "--key", &key, "--oauth", "basic"]
                .map(str::to_owned)
                .into(),
            Self::Engine => vec![
                format!("--certificate={certificate}"),
                format!("--certificate-key={key}"),
            ],
        }
    }
}

impl Overlay {
    /// Whether its storage can be made to take tokens: Azurite, or the engine, behind Services of its own.
    pub(in crate::cluster) fn can_sign_in(&self) -> bool {
        self.as_it_is().storages().is_ok()
    }
}

impl Adapted {
    /// The Deployments of storage, each by its index and with the program of its first container.
    fn storages(&self) -> anyhow::Result<Vec<(usize, Storage)>> {
        let mut all = Vec::new();
        for (variable, _) in ADDRESSES {
            let reached = self.reached(variable).and_then(|reached| reached.service);
            let service = reached
                .with_context(|| format!("{variable} must lead to a Service of the overlay"))?;
            let is_selected = |object: &Value| {
                let labels = &object["spec"]["template"]["metadata"]["labels"];
                let mut pairs = service.selector.split(',');
                pairs.all(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    labels[name] == value
                })
            };
            let at = self.objects.iter().position(is_selected);
            let at = at.with_context(|| format!("{variable} must lead to pods of the overlay"))?;
            let program = Storage::of(&containers(&self.objects[at])[0]);
            let program = program
                .with_context(|| format!("{variable} must lead to Azurite or to the engine"))?;
            if !all.contains(&(at, program)) {
                all.push((at, program));
            }
        }
        Ok(all)
    }

    /// Makes the workload sign in as `set_up` says, with the tokens of the cluster's `issuer`, and storage take tokens. A wire
    /// must be added later, because this makes storage's addresses HTTPS.
    pub(in crate::cluster) fn sign_in(
        &mut self,
        set_up: &SetUp,
        issuer: &Issuer,
        elsewhere: Option<&str>,
    ) -> anyhow::Result<()> {
        ensure!(
            set_up.assertion_life.as_secs() >= LEAST_S,
            "project tokens that live {:?}: Kubernetes takes no less than {LEAST_S} s",
            set_up.assertion_life
        );
        let certificates = Arc::new(CertificateAuthority::new());
        let mut hosts = vec!["127.0.0.1".to_owned()];
        let storages = self.storages().context("have storage take tokens")?;
        for (variable, _) in ADDRESSES {
            let url = self.reached(variable).map(|reached| reached.url);
            let url = url.unwrap_or_default().replacen("http://", "https://", 1);
            let host = url.split(['/', ':']).nth(3).unwrap_or_default();
            hosts.push(host.to_owned());
            self.settings_mut()?.insert(variable.to_owned(), json!(url));
        }
        for (at, storage) in storages {
            serve_tokens(&mut self.objects[at]["spec"]["template"]["spec"], storage);
        }
        let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
        let own = certificates.certify_hosts(&hosts);
        let meta = self.meta(STORAGE)?;
        let own = json!({"tls.crt": own.certificate, "tls.key": own.key});
        let own =
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": own});
        // First, because storage's pod waits for it.
        self.objects.insert(0, own);
        let namespace = meta["namespace"].as_str();
        self.signed_in = Some(SignedIn {
            set_up: set_up.clone(),
            issuer: issuer.clone(),
            certificates,
            elsewhere: elsewhere
                .filter(|other| Some(*other) != namespace)
                .unwrap_or("default")
                .to_owned(),
        });
        Ok(())
    }

    /// The name, namespace and label of an object that belongs to the run.
    fn meta(&self, name: &str) -> anyhow::Result<Value> {
        let consumer = &self.deployment()?["metadata"];
        Ok(json!({
            "name": name,
            "namespace": consumer["namespace"],
            "labels": {PART_OF: consumer["labels"][PART_OF]},
        }))
    }

    /// The root certificates that a client in the harness must trust to reach storage; none if storage uses HTTP.
    pub(in crate::cluster) fn roots(&self) -> anyhow::Result<Vec<reqwest::Certificate>> {
        let roots = self.signed_in.iter().map(|signed_in| {
            let root = signed_in.certificates.certificate();
            reqwest::Certificate::from_pem(root.as_bytes())
        });
        let roots: Result<_, _> = roots.collect();
        roots.context("read the certificate of the run")
    }

    /// The objects of the authority; none if the workload does not sign in.
    pub(in crate::cluster) fn authority_objects(&self) -> anyhow::Result<Vec<Value>> {
        let Some(signed_in) = &self.signed_in else {
            return Ok(Vec::new());
        };
        let meta = self.meta(NAME)?;
        let labels = json!({"app": NAME});
        let own = signed_in.certificates.certify_hosts(&[NAME]);
        let settings = serde_json::to_string(&self.authority_settings(signed_in)?)?;
        let mut deployment = json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": meta,
            "spec": {
                "replicas": 1,
                "strategy": {"type": "Recreate"},
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": self.authority_pod()?},
            },
        });
        self.kept_off(&mut deployment);
        Ok(vec![
            json!({
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": meta,
                "stringData": {
                    "settings.json": settings,
                    "tls.crt": own.certificate,
                    "tls.key": own.key,
                },
            }),
            deployment,
            json!({
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": meta,
                "spec": {"selector": labels, "ports": [{"port": 443, "targetPort": PORT}]},
            }),
        ])
    }

    fn authority_settings(&self, signed_in: &SignedIn) -> anyhow::Result<Settings> {
        let SignedIn {
            set_up,
            issuer,
            elsewhere,
            ..
        } = signed_in;
        let consumer = self.deployment()?;
        let namespace = consumer["metadata"]["namespace"].as_str();
        let namespace = namespace.context("read the namespace of the run")?;
        let named = &consumer["spec"]["template"]["spec"]["serviceAccountName"];
        let account = named.as_str().unwrap_or("default");
        let namespace = set_up.or(namespace, Mistake::Namespace, elsewhere.as_str());
        let subject = format!("system:serviceaccount:{namespace}:{account}");
        Ok(Settings {
            host: format!("https://{NAME}"),
            directory: set_up.directory(issuer.issuer.clone(), subject),
            keys: serde_json::from_value(issuer.keys.clone())
                .context("read the keys of the cluster's issuer")?,
            skew_s: set_up.skew_s,
            is_away: set_up.mistake == Some(Mistake::Away),
        })
    }

    /// The authority's pod: the image of the wire, with the same restrictions as that of the consumer.
    fn authority_pod(&self) -> anyhow::Result<Value> {
        let consumer = self.deployment()?;
        let container = &containers(consumer)[0];
        let image = container["image"].as_str().unwrap_or_default();
        Ok(json!({
            "automountServiceAccountToken": false,
            "enableServiceLinks": false,
            "securityContext": consumer["spec"]["template"]["spec"]["securityContext"],
            "containers": [{
                "name": "authority",
                "image": self.images.wire(image),
                "args": [
                    "authority",
                    format!("--settings={OWN}/settings.json"),
                    format!("--certificate={OWN}/tls.crt"),
                    format!("--certificate-key={OWN}/tls.key"),
                ],
                // No readiness probe: while it is away, it would count the kubelet's connections among the requests without an answer.
                // The harness waits until its control interface answers, which is opened after this port.
                "ports": [{"containerPort": PORT}],
                "resources": {
                    "requests": {"cpu": CPU.to_string(), "memory": "32Mi"},
                    "limits": {"memory": "256Mi"},
                },
                "securityContext": container["securityContext"],
                "volumeMounts": [{"name": "own", "mountPath": OWN, "readOnly": true}],
            }],
            "volumes": [{"name": "own", "secret": {"secretName": NAME}}],
        }))
    }

    /// The egress rule by which pods reach the authority, if the workload signs in.
    pub(super) fn egress_to_authority(&self) -> Option<Value> {
        let rule = json!({"to": [{"podSelector": {"matchLabels": {"app": NAME}}}]});
        self.signed_in.as_ref().map(|_| rule)
    }

    /// Whether the workload signs in with tokens.
    pub(super) fn is_signed_in(&self) -> bool {
        self.signed_in.is_some()
    }

    /// Gives the first container of `pod` what the webhook of workload identity injects: the variables of the sign-in, and a
    /// volume with the token that the kubelet projects. Takes the SAS of the overlay away.
    pub(super) fn give_identity(&self, pod: &mut Value) {
        let Some(SignedIn { set_up, .. }) = &self.signed_in else {
            return;
        };
        append(
            pod,
            "volumes",
            json!({"name": TOKEN, "projected": {"sources": [{"serviceAccountToken": {
                "audience": set_up.audience(),
                "expirationSeconds": set_up.assertion_life.as_secs(),
                "path": TOKEN,
            }}]}}),
        );
        let container = &mut pod["containers"][0];
        let mount = json!({"name": TOKEN, "mountPath": TOKENS, "readOnly": true});
        append(container, "volumeMounts", mount);
        let variables = [
            ("AZURE_TENANT_ID", set_up.tenant()),
            ("AZURE_CLIENT_ID", set_up.client()),
            ("AZURE_AUTHORITY_HOST", &format!("https://{NAME}/")),
            ("AZURE_FEDERATED_TOKEN_FILE", &format!("{TOKENS}/{TOKEN}")),
            ("EDW_CREDENTIAL", "auto"),
            ("AZURE_STORAGE_SAS_TOKEN", ""),
            ("AZURE_STORAGE_CONNECTION_STRING", ""),
        ];
        let variables = variables.map(|(name, value)| json!({"name": name, "value": value}));
        put(container, variables.into());
    }
}

/// Makes the first container of `pod`, which is `storage`, serve HTTPS and take tokens.
fn serve_tokens(pod: &mut Value, storage: Storage) {
    let secret = json!({"name": STORAGE, "secret": {"secretName": STORAGE}});
    append(pod, "volumes", secret);
    let container = &mut pod["containers"][0];
    for argument in storage.arguments() {
        append(container, "args", json!(argument));
    }
    let mount = json!({"name": STORAGE, "mountPath": STORAGE_OWN, "readOnly": true});
    append(container, "volumeMounts", mount);
    // The overlay's hook makes the queue over HTTP, for KEDA; here the harness makes it, and consumers come after that.
    if let Some(container) = container.as_object_mut() {
        container.remove("lifecycle");
    }
}

#[cfg(test)]
mod tests;
