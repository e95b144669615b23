//! How many replicas Karpenter puts on one node, by what the pods say about hosts.

use manifest::labels::{HOSTNAME, Labels, NAMESPACE_NAME};
use manifest::pod::Deployment;
use manifest::{Item, Manifests};

/// How many pods Karpenter puts on a node that it makes: at most `maxSkew` of a constraint on the hostname, since another node
/// can always be made, so that the minimum over all nodes counts as zero; one with an anti-affinity to pods of its own kind. This also
/// holds for a soft constraint and a preferred anti-affinity, which Karpenter keeps as long as it can (Karpenter
/// `pkg/controllers/provisioning/scheduling/topologygroup.go`, `nextDomainTopologySpread` and `nextDomainAntiAffinity`;
/// `preferences.go`, `Relax`). `None`: as many as fit.
pub(super) fn most_on_one(manifests: &Manifests, deployment: &Item<Deployment>) -> Option<u32> {
    let template = &deployment.spec.template;
    let labels = &template.metadata.labels;
    let constraints = template.spec.topology_spread_constraints.iter();
    let skews = constraints
        .filter(|it| it.topology_key == HOSTNAME && it.counts(labels))
        .map(|it| it.max_skew)
        .filter(|skew| *skew > 0);
    let apart = &template.spec.affinity.pod_anti_affinity;
    let preferred = apart.preferred.iter().map(|it| &it.pod_affinity_term);
    let namespace = deployment.metadata.namespace.as_deref();
    let of_namespace = labels_of(manifests, namespace);
    let single = (apart.required.iter().chain(preferred))
        .filter(|it| it.topology_key == HOSTNAME && it.means_own(labels, namespace, &of_namespace))
        .map(|_| 1);
    skews.chain(single).min()
}

/// The labels of a namespace, as far as the manifests tell them.
fn labels_of(manifests: &Manifests, namespace: Option<&str>) -> Labels {
    let Some(name) = namespace else {
        return Labels::new();
    };
    let mut all = manifests.namespaces.iter();
    let own = all.find(|it| it.metadata.name == name);
    let mut labels = own.map_or_else(Labels::new, |it| it.metadata.labels.clone());
    labels.insert(NAMESPACE_NAME.to_owned(), name.to_owned());
    labels
}
