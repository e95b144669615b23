//! Names, in the event log's ledger, of what runs create or change in a cluster.

use evidence::events::Resource;

/// The ledger's kind for the namespace of a run.
pub const NAMESPACE: &str = "namespace";

/// The ledger's kind for a node that a run has cordoned.
pub const CORDON: &str = "cordon";

/// The ledger entry for the namespace `name` in the cluster of `context`.
pub fn namespace_in(context: &str, name: String) -> Resource {
    Resource {
        kind: NAMESPACE.to_owned(),
        name,
        storage: context.to_owned(),
    }
}

/// The ledger entry for a node that the run `run` cordons in the cluster of `context`.
pub fn cordoned_in(context: &str, node: &str, run: &str) -> Resource {
    Resource {
        kind: CORDON.to_owned(),
        name: format!("{node} by {run}"),
        storage: context.to_owned(),
    }
}

/// The node and the run of such an entry.
pub fn cordoned(resource: &Resource) -> Option<(&str, &str)> {
    resource.name.split_once(" by ")
}
