//! What a run has of its site: the overlay, adapted to its queues, sign-in, wire, worker and nodes; and the nodes themselves.

use std::sync::Arc;

use anyhow::Context as _;
use cluster::namespace;
use cluster::nodes::Holder;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;
use workflow::contract::workload::Lens;
use workflow::task;

use super::super::Site;
use super::super::nodes::{HandedOver, Prices, TakesBack, WatchedNodes};
use super::super::overlay::Adapted;
use super::super::watched::Seen;
use crate::settings::own_queues;
use crate::workers::Roster;
use crate::{StagePlan, StorageNeed};

/// Adapts the overlay to the run of `plan`, whose messages are read through `lens`.
pub(super) fn adapted(
    site: &Site,
    plan: &StagePlan,
    namespace: &str,
    lens: &Lens,
) -> anyhow::Result<Adapted> {
    let run = &plan.identity.run;
    let mut adapted = (site.overlay).adapted(namespace, run, &site.images)?;
    adapted.spread_over(own_queues(run, plan.queues))?;
    if let StorageNeed::SignedIn(set_up) = &plan.storage {
        let issuer = site.issuer.as_ref();
        let issuer = issuer.context("sign in: the keys of the cluster's issuer are not known")?;
        adapted.sign_in(set_up, issuer, site.overlay.namespace())?;
    }
    if site.is_wired {
        adapted.wire(plan.identity.seed)?;
    }
    if let Some(described) = &site.described {
        adapted.describe(described, lens.clone());
    }
    if let (Some(handed), Some(_)) = (&site.handed, &plan.nodes) {
        adapted.keep_off(handed.label.clone());
    }
    Ok(adapted)
}

/// Starts a task that watches the namespace `name` of the run of `plan`. If someone outside the run deletes it, the task reports a
/// loss of storage: that ends every wait of the run with this reason, before connections break.
pub(super) fn watch_for_deletion(
    site: &Site,
    plan: &StagePlan,
    name: &str,
) -> AbortOnDropHandle<()> {
    let (client, loss, name) = (site.client.clone(), plan.loss.clone(), name.to_owned());
    task::spawn(async move {
        namespace::deletion(&client, &name).await;
        loss.tell(format!(
            "somebody deleted the namespace {name} while the run went on, and with it its pods: find out who or what \
             deletes namespaces in this cluster, then run again"
        ));
    })
}

/// The nodes, if some can be taken back.
pub(super) fn nodes(
    site: &Site,
    plan: &StagePlan,
    seen: &Seen,
    roster: &watch::Receiver<Roster>,
) -> anyhow::Result<Option<WatchedNodes>> {
    let (taker, prices): (Arc<dyn TakesBack>, _) = match (&site.azure, &site.handed) {
        (Some(azure), _) => (azure.takes_back.clone(), Some(Prices::public()?)),
        // Handed-over nodes are watched only for scenarios about nodes.
        (None, Some(handed)) if plan.nodes.is_some() => {
            let holder = Holder {
                run: plan.identity.run.to_string(),
                life: site.life,
            };
            let handed = HandedOver::new(handed.clone(), seen.clone(), &site.context, holder);
            (Arc::new(handed), None)
        }
        _ => return Ok(None),
    };
    Ok(Some(WatchedNodes::watch(
        seen,
        roster.clone(),
        taker,
        prices,
    )))
}
