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
    /// The CPU that pods can have on them, each as Kubernetes writes it (`2`, `1900m`); empty where nodes come when they are needed.
    pub cpu: Vec<String>,
    /// What lacks, in a line each; empty: nothing.
    pub lacks: Vec<String>,
}

/// Rights that are needed on one kind of objects.
struct Right {
    group: &'static str,
    /// The kind, with its subresource: `pods/log`.
    resource: &'static str,
    verbs: &'static [&'static str],
    /// What for.
    why: &'static str,
}

const fn right(
    group: &'static str,
    resource: &'static str,
    verbs: &'static [&'static str],
    why: &'static str,
) -> Right {
    Right {
        group,
        resource,
        verbs,
        why,
    }
}

/// What server-side apply takes: an object that is not there yet is created (Kubernetes, "Server-Side Apply").
const APPLY: &[&str] = &["create", "patch"];

const OVERLAY: &str = "apply the overlay";

const EVIDENCE: &str = "keep what it looked like";

/// What every run needs. All of it stands in `docs/cluster-role.yaml` too, which a test holds to this.
const RIGHTS: &[Right] = &[
    right(
        "",
        "namespaces",
        &["create", "get", "list", "watch", "delete"],
        "make the run's namespace, and take it away",
    ),
    right("", "configmaps", APPLY, OVERLAY),
    right("", "secrets", APPLY, OVERLAY),
    right("", "serviceaccounts", APPLY, OVERLAY),
    right("", "services", APPLY, OVERLAY),
    right("networking.k8s.io", "networkpolicies", APPLY, OVERLAY),
    right("policy", "poddisruptionbudgets", APPLY, OVERLAY),
    right("apps", "deployments", APPLY, OVERLAY),
    right(
        "apps",
        "deployments",
        &["list", "watch"],
        "see how many consumers are wanted",
    ),
    right("apps", "deployments/scale", &["patch"], "end all consumers"),
    right("batch", "jobs", APPLY, "run the producer"),
    right("batch", "jobs", &["delete"], "end the producer"),
    right("batch", "jobs", &["list"], EVIDENCE),
    right("", "pods", &["get", "list", "watch"], "see the consumers"),
    right(
        "",
        "pods",
        &["delete", "deletecollection"],
        "kill and drain consumers",
    ),
    right("", "pods/log", &["get"], "keep the logs"),
    right(
        "",
        "pods/portforward",
        &["create", "get"],
        "reach storage in the cluster",
    ),
    right("", "events", &["list"], EVIDENCE),
    right(
        "autoscaling",
        "horizontalpodautoscalers",
        &["list", "watch"],
        "see what keeps the HPA from scaling",
    ),
];

/// What is needed besides where KEDA scales.
const SCALING: &[Right] = &[
    right("keda.sh", "scaledobjects", APPLY, "have KEDA scale"),
    right(
        "keda.sh",
        "scaledobjects",
        &["delete"],
        "have KEDA stop scaling",
    ),
    right("keda.sh", "scaledobjects", &["list"], EVIDENCE),
    right(
        "keda.sh",
        "triggerauthentications",
        APPLY,
        "have KEDA read the queue",
    ),
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
    let scaling = if wants.scaling { SCALING } else { &[] };
    let rights = RIGHTS.iter().chain(scaling);
    let asked = join_all(rights.map(|right| refused(client, right, namespace)));
    for refused in asked.await {
        found.lacks.extend(refused?);
    }
    if wants.scaling {
        keda(client, &mut found).await;
    }
    images(client, &wants.images, &mut found).await;
    Ok(found)
}

/// The line for what lacks of a right; `None`: nothing.
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
        format!(
            "permission to {verbs} {resource} ({group}), needed to {why}: docs/cluster-role.yaml has all that is needed"
        )
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
        // A namespace is in none.
        namespace: (resource != "namespaces").then(|| namespace.to_owned()),
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
                "the image {image} on a node: build it with ci/images/build and load it, such as with kind load docker-image {image}; a node tells of one up to a minute after it was loaded"
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
    use std::collections::BTreeSet;

    use k8s_openapi::api::rbac::v1::ClusterRole;

    use super::*;

    /// Each right of the guide's role, as `group resource verb`.
    fn of_the_role() -> BTreeSet<String> {
        let role = include_str!("../../../docs/cluster-role.yaml");
        let role: ClusterRole = serde_saphyr::from_str(role).unwrap();
        let mut rights = BTreeSet::new();
        for rule in role.rules.unwrap() {
            for group in rule.api_groups.unwrap() {
                for resource in rule.resources.clone().unwrap() {
                    let right = |verb: &String| format!("{group} {resource} {verb}");
                    rights.extend(rule.verbs.iter().map(right));
                }
            }
        }
        rights
    }

    #[test]
    fn the_role_of_the_guide_has_what_is_asked_for() {
        let asked = RIGHTS.iter().chain(SCALING).flat_map(|right| {
            let verbs = right.verbs.iter();
            verbs.map(|verb| format!("{} {} {verb}", right.group, right.resource))
        });
        let role = of_the_role();
        let lacking: Vec<String> = asked.filter(|right| !role.contains(right)).collect();
        assert_eq!(lacking, [""; 0]);
    }

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
