//! What a cluster must have before anything is created in it: one line for each thing that lacks.

use futures::future::join_all;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use k8s_openapi::api::core::v1::Node;
use kube::api::{ListParams, PostParams};
use kube::core::GroupVersionKind;
use kube::{Api, Client, discovery};

use crate::error::{Error, said};

/// What a run will do, as far as the cluster must allow it.
#[derive(Debug, Clone, Default)]
pub struct Wants {
    /// Whether KEDA scales.
    pub scaling: bool,
    /// Whether nodes are cordoned, drained and deleted.
    pub nodes: bool,
    /// The images that its pods are made of.
    pub images: Vec<String>,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The API server's version, such as `v1.36.2`.
    pub kubernetes: String,
    /// KEDA's version, where its operator's labels or image say it.
    pub keda: Option<String>,
    /// How many nodes pods can be put on.
    pub nodes: usize,
    /// What lacks, in a line each; empty: nothing.
    pub lacks: Vec<String>,
}

/// One right that is needed: verb, group, resource with its subresource, why.
type Right = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

/// The rights that every run needs in its namespace, and to make that.
const RIGHTS: [Right; 18] = [
    ("create", "", "namespaces", "", "make the run's namespace"),
    ("delete", "", "namespaces", "", "take it away again"),
    ("get", "", "namespaces", "", "wait until it is gone"),
    ("patch", "apps", "deployments", "", "apply the overlay"),
    ("patch", "", "services", "", "apply the overlay"),
    ("patch", "", "configmaps", "", "apply the overlay"),
    ("patch", "", "secrets", "", "apply the overlay"),
    ("patch", "", "serviceaccounts", "", "apply the overlay"),
    (
        "patch",
        "networking.k8s.io",
        "networkpolicies",
        "",
        "apply the overlay",
    ),
    (
        "patch",
        "policy",
        "poddisruptionbudgets",
        "",
        "apply the overlay",
    ),
    ("patch", "batch", "jobs", "", "run the producer"),
    ("delete", "batch", "jobs", "", "stop the producer"),
    ("list", "", "pods", "", "see the consumers"),
    ("watch", "", "pods", "", "see the consumers"),
    ("delete", "", "pods", "", "kill and drain consumers"),
    ("get", "", "pods", "log", "keep the logs"),
    ("create", "", "pods", "portforward", "reach storage"),
    (
        "list",
        "",
        "events",
        "",
        "keep what the cluster says of a failure",
    ),
];

const SCALING: [Right; 4] = [
    ("patch", "keda.sh", "scaledobjects", "", "have KEDA scale"),
    ("delete", "keda.sh", "scaledobjects", "", "have KEDA stop"),
    (
        "patch",
        "keda.sh",
        "triggerauthentications",
        "",
        "have KEDA scale",
    ),
    (
        "watch",
        "autoscaling",
        "horizontalpodautoscalers",
        "",
        "see what the HPA reads",
    ),
];

const NODES: [Right; 3] = [
    ("patch", "", "nodes", "", "cordon a node"),
    ("create", "", "pods", "eviction", "evict what is on a node"),
    ("list", "", "nodes", "", "see the nodes"),
];

/// Looks whether `client`'s cluster has and allows what `wants` says. `namespace` is what the run's own will be called. An error: it
/// cannot be reached, or does not let anybody look.
pub async fn preflight(client: &Client, wants: &Wants, namespace: &str) -> Result<Found, Error> {
    let version = client.apiserver_version().await;
    let version = version.map_err(|error| Error::of("reach the API server", &error))?;
    let mut found = Found {
        kubernetes: version.git_version,
        ..Found::default()
    };
    let scaling = if wants.scaling { &SCALING[..] } else { &[] };
    let nodes = if wants.nodes { &NODES[..] } else { &[] };
    let rights = RIGHTS.iter().chain(scaling).chain(nodes);
    let asked = join_all(rights.map(|right| is_allowed(client, right, namespace)));
    for refused in asked.await {
        found.lacks.extend(refused?);
    }
    if wants.scaling {
        keda(client, &mut found).await;
    }
    images(client, &wants.images, &mut found).await;
    Ok(found)
}

/// The line for a right that lacks.
async fn is_allowed(
    client: &Client,
    right: &Right,
    namespace: &str,
) -> Result<Option<String>, Error> {
    let (verb, group, resource, subresource, why) = *right;
    let is_cluster_wide = ["namespaces", "nodes"].contains(&resource);
    let attributes = ResourceAttributes {
        verb: Some(verb.to_owned()),
        group: Some(group.to_owned()),
        resource: Some(resource.to_owned()),
        subresource: (!subresource.is_empty()).then(|| subresource.to_owned()),
        namespace: (!is_cluster_wide).then(|| namespace.to_owned()),
        ..ResourceAttributes::default()
    };
    let review = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(attributes),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    };
    let reviews: Api<SelfSubjectAccessReview> = Api::all(client.clone());
    let answer = reviews.create(&PostParams::default(), &review).await;
    let answer = answer.map_err(|error| Error::of("ask what is allowed", &error))?;
    if answer.status.is_some_and(|status| status.allowed) {
        return Ok(None);
    }
    let slash = if subresource.is_empty() { "" } else { "/" };
    let group = if group.is_empty() { "core" } else { group };
    Ok(Some(format!(
        "permission to {verb} {resource}{slash}{subresource} ({group}), needed to {why}: docs/CLUSTER.md has a role with all that is needed"
    )))
}

/// Whether KEDA is there, with its metrics API, and which version.
async fn keda(client: &Client, found: &mut Found) {
    let kind = GroupVersionKind::gvk("keda.sh", "v1alpha1", "ScaledObject");
    if discovery::pinned_kind(client, &kind).await.is_err() {
        found.lacks.push(
            "KEDA: the cluster knows no ScaledObject; install KEDA 2.16 or later, https://keda.sh/docs/latest/deploy"
                .to_owned(),
        );
        return;
    }
    let metrics = discovery::group(client, "external.metrics.k8s.io").await;
    if let Err(error) = metrics {
        found.lacks.push(format!(
            "KEDA's metrics API (external.metrics.k8s.io), without which the HPA stays as it is: {}; see kubectl get apiservice v1beta1.external.metrics.k8s.io",
            said(&error)
        ));
    }
    let operators: Api<Deployment> = Api::all(client.clone());
    let labelled = ListParams::default().labels("app.kubernetes.io/name=keda-operator");
    // Who may not look into other namespaces gets no version; that is no reason not to run.
    let operators = operators.list(&labelled).await;
    found.keda = operators.ok().and_then(|operators| {
        let operator = operators.items.into_iter().next()?;
        let labels = operator.metadata.labels.unwrap_or_default();
        labels.get("app.kubernetes.io/version").cloned()
    });
}

/// How many nodes there are, and which images can be had nowhere. An image without a registry in its name, such as
/// `edw/consumer:0.1.0`, was built by hand, and must be on a node.
async fn images(client: &Client, images: &[String], found: &mut Found) {
    let nodes: Api<Node> = Api::all(client.clone());
    let Ok(nodes) = nodes.list(&ListParams::default()).await else {
        return;
    };
    let takes_pods = |node: &&Node| {
        let spec = node.spec.as_ref();
        spec.is_none_or(|spec| spec.unschedulable != Some(true))
    };
    found.nodes = nodes.items.iter().filter(takes_pods).count();
    let named = |node: &Node| {
        let images = node
            .status
            .as_ref()
            .and_then(|status| status.images.clone());
        let images = images.unwrap_or_default().into_iter();
        images
            .flat_map(|image| image.names.unwrap_or_default())
            .collect::<Vec<String>>()
    };
    let present: Vec<String> = nodes.items.iter().flat_map(named).collect();
    // A kubelet names its fifty largest images only (`--node-status-max-images`); then nothing can be told.
    let is_cut = nodes.items.iter().any(|node| named(node).len() >= 50);
    for image in images {
        let from_a_registry = image
            .split('/')
            .next()
            .is_some_and(|first| first.contains(['.', ':']) && image.contains('/'));
        let is_there = present.iter().any(|name| is_same(name, image));
        if !from_a_registry && !is_there && !is_cut {
            found.lacks.push(format!(
                "the image {image} on a node: build it with ci/images/build and load it, such as with kind load docker-image {image}"
            ));
        }
    }
}

/// Whether a name that a node gives is that of `image`: container runtimes put Docker's registry before names without one.
fn is_same(name: &str, image: &str) -> bool {
    let bare = name
        .strip_prefix("docker.io/library/")
        .or_else(|| name.strip_prefix("docker.io/"));
    name == image || bare == Some(image)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_known_by_the_name_that_a_runtime_gives_it() {
        assert!(is_same(
            "docker.io/edw/consumer:0.1.0",
            "edw/consumer:0.1.0"
        ));
        assert!(is_same("docker.io/library/busybox:1", "busybox:1"));
        assert!(is_same("edw/consumer:0.1.0", "edw/consumer:0.1.0"));
        assert!(!is_same(
            "docker.io/edw/consumer:0.2.0",
            "edw/consumer:0.1.0"
        ));
    }
}
