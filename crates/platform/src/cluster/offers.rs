//! What a cluster offers to scenarios. Its times are those of production.

use std::time::Duration;

use evidence::pace::Paces;

use super::aks::NODE_COMES;
use crate::{Need, Offers, Profile};

/// Which nodes may be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NodesOf {
    /// Spot nodes, which Azure evicts.
    Azure,
    /// Nodes that their owner has handed over to the harness.
    HandedOver,
    /// No nodes.
    Nobody,
}

/// What a cluster offers whose `issuer` signs the tokens with which pods can sign in, if they can.
pub(super) fn offers(is_wired: bool, issuer: Option<&str>, nodes: NodesOf) -> Profile {
    let mut lacking = vec![
        // No kubelet projects a token of less than ten minutes, or one that its cluster's key has not signed.
        Need::Kubelet,
        // Only Azure notifies a machine of its end, and Azure decides how the machine ends.
        Need::Notice,
        Need::EarlyDrain,
        Need::StoppedMachine,
        Need::ReturningNode,
    ];
    lacking.extend(match nodes {
        NodesOf::Azure => &[Need::SuddenEnd, Need::NodeDrain][..],
        NodesOf::HandedOver => &[Need::Aks, Need::NoSpotCapacity],
        NodesOf::Nobody => &[Need::Aks, Need::Nodes, Need::NoSpotCapacity],
    });
    if !is_wired {
        // The wire plays the outage, and holds what a frozen consumer sends.
        lacking.extend([Need::Wire, Need::Outage, Need::Freeze]);
    }
    if !is_wired || issuer.is_none() {
        lacking.push(Need::Authority);
    }
    if !issuer.is_some_and(|issuer| issuer.ends_with('/')) {
        lacking.push(Need::Slash);
    }
    Profile {
        offers: Offers::all().without(&lacking),
        paces: Paces::PRODUCTION,
        nodes: match nodes {
            NodesOf::Azure => "of Azure",
            // Nodes that were handed over stand for Spot nodes: the harness itself takes them back.
            NodesOf::HandedOver | NodesOf::Nobody => "simulated",
        },
        has_own_scaling: true,
        has_pods: true,
        node_comes: match nodes {
            NodesOf::Azure => NODE_COMES,
            NodesOf::HandedOver | NodesOf::Nobody => Duration::ZERO,
        },
    }
}
