//! What runs have in a cluster, as the ledger names it.

use evidence::events::Resource;

/// What the ledger calls the namespace of a run.
pub const NAMESPACE: &str = "namespace";

/// What it calls a node that a run has taken out of use.
pub const CORDON: &str = "cordon";

/// The line of the ledger for the namespace `name` in the cluster of `context`.
pub fn namespace_in(context: &str, name: String) -> Resource {
    Resource {
        kind: NAMESPACE.to_owned(),
        name,
        storage: context.to_owned(),
    }
}

/// The line of the ledger for a node that the run called `run` cordons in the cluster of `context`.
pub fn cordoned_in(context: &str, node: &str, run: &str) -> Resource {
    Resource {
        kind: CORDON.to_owned(),
        name: format!("{node} by {run}"),
        storage: context.to_owned(),
    }
}

/// The node of such a line, and the run.
pub fn cordoned(resource: &Resource) -> Option<(&str, &str)> {
    resource.name.split_once(" by ")
}
