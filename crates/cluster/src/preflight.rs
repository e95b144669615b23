//! Checks of what a cluster must have before anything is created in it: one line for each thing that it lacks.

mod rights;

use futures::future::join_all;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use k8s_openapi::api::core::v1::Node;
use kube::api::{ListParams, PostParams};
use kube::core::GroupVersionKind;
use kube::{Api, Client, discovery};

use rights::{DELETED_NODES, NODES, RIGHTS, ROLE, ROLE_OF_NODES, Right, SCALING};

use crate::error::{Error, said};
use crate::nodes::{NodeLabel, may_be_deleted};

/// Requirements of a run.
#[derive(Debug, Clone, Default)]
pub struct Wants {
    /// Whether KEDA must scale.
    pub scaling: bool,
    /// The images of its pods.
    pub images: Vec<String>,
    /// The label of the nodes that may be drained, if there are any.
    pub nodes: Option<NodeLabel>,
}

/// Result of the checks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The API server's version, such as `v1.36.2`.
    pub kubernetes: String,
    /// KEDA's version, if its operator's labels or image have it.
    pub keda: Option<String>,
    /// Number of nodes for pods.
    pub nodes: usize,
    /// The CPU that pods can have on each node, as Kubernetes writes it (`2`, `1900m`); empty if nodes are made on demand.
    pub cpu: Vec<String>,
    /// One line for each thing that the cluster lacks.
    pub lacks: Vec<String>,
}

/// Checks whether the cluster of `client` meets `wants`. `namespace` will be the run's namespace. An error means that the
/// cluster is unreachable, or does not allow the checks.
pub async fn preflight(client: &Client, wants: &Wants, namespace: &str) -> Result<Found, Error> {
    let version = client.apiserver_version().await;
    let version = version.map_err(|error| Error::of("reach the API server", &error))?;
    let mut found = Found {
        kubernetes: version.git_version,
        ..Found::default()
    };
    let scaling = if wants.scaling { SCALING } else { &[] };
    let rights = RIGHTS.iter().chain(scaling);
    let rights: Vec<_> = rights.collect();
    ask(client, &rights, ROLE, namespace, &mut found).await?;
    if wants.scaling {
        keda(client, &mut found).await;
    }
    images(client, &wants.images, &mut found).await;
    if let Some(label) = &wants.nodes {
        handed_over(client, label, namespace, &mut found).await?;
    }
    Ok(found)
}

/// Adds a line for each missing right of `rights`, and one that names `role`, which grants them all.
async fn ask(
    client: &Client,
    rights: &[&Right],
    role: &str,
    namespace: &str,
    found: &mut Found,
) -> Result<(), Error> {
    let asked = rights.iter().map(|right| refused(client, right, namespace));
    let mut lines = Vec::new();
    for refused in join_all(asked).await {
        lines.extend(refused?);
    }
    let rights = match lines.len() {
        0 => None,
        1 => Some("this right"),
        _ => Some("all of these rights"),
    };
    lines.extend(rights.map(|rights| {
        format!("a role that grants {rights}: {role} of the harness's repository does")
    }));
    found.lacks.extend(lines);
    Ok(())
}

/// Checks that there are nodes with `label`, and that they may be drained.
async fn handed_over(
    client: &Client,
    label: &NodeLabel,
    namespace: &str,
    found: &mut Found,
) -> Result<(), Error> {
    let nodes: Api<Node> = Api::all(client.clone());
    let labelled = ListParams::default().labels(&label.to_string());
    // A missing right to list them is reported below.
    let labelled = nodes.list(&labelled).await.ok().map(|nodes| nodes.items);
    let may_be_deleted = labelled.iter().flatten().any(may_be_deleted);
    let deleted: &[Right] = if may_be_deleted { DELETED_NODES } else { &[] };
    let rights = NODES.iter().chain(deleted);
    let rights: Vec<_> = rights.collect();
    ask(client, &rights, ROLE_OF_NODES, namespace, found).await?;
    if labelled.is_some_and(|nodes| nodes.is_empty()) {
        found.lacks.push(format!(
            "a node that carries {label}, as --drain-nodes says: kubectl label node NAME {label} hands one over to be drained"
        ));
    }
    Ok(())
}

/// The line for a missing right; `None`: it is granted.
async fn refused(client: &Client, right: &Right, namespace: &str) -> Result<Option<String>, Error> {
    let mut refused = Vec::new();
    for verb in right.verbs {
        if !is_allowed(client, right, verb, namespace).await? {
            refused.push(*verb);
        }
    }
    let (resource, why) = (right.resource, right.why);
    let group = if right.group.is_empty() {
        "core"
    } else {
        right.group
    };
    let line = || {
        let verbs = refused.join(", ");
        format!("permission to {verbs} {resource} ({group}), needed to {why}")
    };
    Ok((!refused.is_empty()).then(line))
}

async fn is_allowed(
    client: &Client,
    right: &Right,
    verb: &str,
    namespace: &str,
) -> Result<bool, Error> {
    let (resource, subresource) = match right.resource.split_once('/') {
        Some((resource, subresource)) => (resource, Some(subresource.to_owned())),
        None => (right.resource, None),
    };
    let attributes = ResourceAttributes {
        verb: Some(verb.to_owned()),
        group: Some(right.group.to_owned()),
        resource: Some(resource.to_owned()),
        subresource,
        // Namespaces and nodes are cluster-scoped.
        namespace: (!matches!(resource, "namespaces" | "nodes")).then(|| namespace.to_owned()),
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
    Ok(answer.status.is_some_and(|status| status.allowed))
}

/// Checks that KEDA and its metrics API are present, and reads its version.
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
    // Without the right to read other namespaces the version is unknown; that does not prevent a run.
    let operators = operators.list(&labelled).await;
    found.keda = operators.ok().and_then(|operators| {
        let operator = operators.items.into_iter().next()?;
        let labels = operator.metadata.labels.unwrap_or_default();
        labels.get("app.kubernetes.io/version").cloned()
    });
}

/// Counts the nodes, and finds images that no node has. An image without a registry in its name, such as `edw/consumer:0.1.0`,
/// was built locally, and must be on a node.
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
    let pool = GroupVersionKind::gvk("karpenter.sh", "v1", "NodePool");
    if discovery::pinned_kind(client, &pool).await.is_err() {
        let open = nodes.items.iter().filter(takes_pods);
        let cpu = open.filter_map(|node| {
            let allocatable = node.status.as_ref()?.allocatable.as_ref()?;
            Some(allocatable.get("cpu")?.0.clone())
        });
        found.cpu = cpu.collect();
    }
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
    // A kubelet lists only its fifty largest images (`--node-status-max-images`); with that many, nothing is known about
    // others.
    let is_cut = nodes.items.iter().any(|node| named(node).len() >= 50);
    for image in images {
        let from_a_registry = image
            .split('/')
            .next()
            .is_some_and(|first| first.contains(['.', ':']) && image.contains('/'));
        let is_there = present.iter().any(|name| is_same(name, image));
        if !from_a_registry && !is_there && !is_cut {
            found.lacks.push(format!(
                "the image {image} on a node: build it with ci/images/build and load it, such as with kind load docker-image {image}; a node tells of one up to a minute after it was loaded"
            ));
        }
    }
}

/// Whether a name in a node's list is that of `image`: container runtimes put Docker's registry before names without one.
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
