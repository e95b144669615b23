//! Nodes that their owner has handed over: the harness cordons them, drains the run's workers, and uncordons them.
//!
//! Each change of a node is in the run's log before it is made, so that `harness sweep` can undo the changes of a killed
//! harness.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use cluster::NodeLabel;
use cluster::drain::{Drain, Told, Way};
use cluster::nodes::{Holder, MAY_BE_DELETED, cordon, delete, may_be_deleted, uncordon};
use cluster::pods::GROUP;
use evidence::events::{Event, NodeChange, NodeEvent};
use kube::{Api, Client};
use tokio_util::task::AbortOnDropHandle;
use workflow::contract::Stamp;
use workflow::task;

use super::super::cordoned_in;
use super::seen::{Rules, SeenNode};
use super::taker::{Progress, TakesBack, Tell};
use crate::cluster::watched::Seen;
use crate::lock::lock;
use crate::simulated::{Eviction, MachineEnd};
use crate::workers::Cause;

/// Time limit for draining a node: with a disruption budget of one pod at a time, each of ten workers has a minute to end and
/// to be replaced.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// The nodes of a cluster that were handed over.
#[derive(Clone)]
pub(in crate::cluster) struct Handed {
    /// The label that marks them.
    pub(in crate::cluster) label: NodeLabel,
    /// A client that reports every refusal.
    pub(in crate::cluster) client: Client,
}

/// The handed-over nodes as one run uses them.
pub(in crate::cluster) struct HandedOver {
    handed: Handed,
    seen: Seen,
    /// The context of their cluster, as the ledger names it.
    context: String,
    holder: Holder,
    /// The nodes that are cordoned now.
    taken: Mutex<BTreeSet<String>>,
    tasks: Mutex<Vec<AbortOnDropHandle<()>>>,
}

impl HandedOver {
    /// The nodes of the cluster of `context`, for the run that `seen` watches.
    pub(in crate::cluster) fn new(
        handed: Handed,
        seen: Seen,
        context: &str,
        holder: Holder,
    ) -> Self {
        Self {
            handed,
            seen,
            context: context.to_owned(),
            holder,
            taken: Mutex::default(),
            tasks: Mutex::default(),
        }
    }

    fn write(&self, event: Event) -> anyhow::Result<()> {
        self.seen.log.append(Stamp::now(), event)?;
        Ok(())
    }

    /// Strikes a node off the ledger: it is in use again.
    fn strike_off(&self, node: &str) -> anyhow::Result<()> {
        let cordoned = cordoned_in(&self.context, node, &self.holder.run);
        self.write(Event::ResourceRemoved(cordoned))?;
        lock(&self.taken).remove(node);
        Ok(())
    }

    /// Makes the task that drains the run's workers from `node`.
    fn drain(&self, node: &str, way: Way) -> Drain {
        Drain {
            pods: Api::namespaced(self.handed.client.clone(), &self.seen.namespace),
            label: GROUP,
            node: node.to_owned(),
            way,
            patience: PATIENCE,
        }
    }
}

/// Drains a node, and deletes it if the scenario wants that and its label allows it.
async fn empty(drain: Drain, seen: Seen, tell: Tell, and_delete: Option<(Handed, Holder)>) {
    let emptied = drain.run(|told| {
        if let Told::Ends(pod) = &told {
            lock(&seen.crew).asks(pod, Cause::Evicted);
        }
        tell(Progress::Pods(told));
    });
    if let Err(error) = emptied.await {
        tell(Progress::Failed(error.to_string()));
        return;
    }
    if let Some((handed, holder)) = and_delete {
        let deleted = delete(&handed.client, &drain.node, &holder.run).await;
        if let Err(error) = deleted {
            // The workers are gone in any case, and no judgement depends on the node object.
            let text = error.to_string();
            let noted = seen.log.append(Stamp::now(), Event::Note { text });
            seen.note(noted.map_err(Into::into));
        }
    }
    tell(Progress::Emptied);
}

#[async_trait]
impl TakesBack for HandedOver {
    fn rules(&self) -> Rules {
        Rules::HandedOver(self.handed.label.clone())
    }

    async fn take_back(
        &self,
        node: &SeenNode,
        eviction: Eviction,
        tell: Tell,
    ) -> anyhow::Result<()> {
        let (name, label) = (&node.name, &self.handed.label);
        let (client, holder) = (&self.handed.client, &self.holder);
        let ledger = cordoned_in(&self.context, name, &holder.run);
        self.write(Event::ResourceCreated(ledger))?;
        lock(&self.taken).insert(name.clone());
        let node = match cordon(client, name, label, holder).await {
            Ok(node) => node,
            Err(error) => {
                // The cordon may have been applied although its answer was lost.
                let undone = uncordon(client, name, &holder.run).await;
                undone.with_context(|| format!("give {name} back after: {error}"))?;
                self.strike_off(name)?;
                return Err(error.into());
            }
        };
        tell(Progress::Cordoned);
        let way = match eviction.ends {
            MachineEnd::Kept => Way::InOrder,
            MachineEnd::Deleted | MachineEnd::Stopped => Way::AtOnce,
        };
        let is_deleted = eviction.ends == MachineEnd::Deleted && may_be_deleted(&node);
        let and_delete = is_deleted.then(|| (self.handed.clone(), holder.clone()));
        if is_deleted {
            let (key, value) = MAY_BE_DELETED;
            let text = format!("{name} carries {key}={value}: it is deleted once it is empty");
            self.write(Event::Note { text })?;
        }
        let drain = self.drain(name, way);
        let emptying = task::spawn(empty(drain, self.seen.clone(), tell, and_delete));
        lock(&self.tasks).push(emptying);
        Ok(())
    }

    async fn give_back(&self) -> anyhow::Result<()> {
        let tasks = std::mem::take(&mut *lock(&self.tasks));
        for task in tasks {
            task.abort();
            // The task is aborted, so only a panic is an error.
            if let Err(error) = task.await
                && error.is_panic()
            {
                return Err(error).context("empty a node");
            }
        }
        let taken = lock(&self.taken).clone();
        let mut done = Ok(());
        for node in taken {
            let uncordoned = uncordon(&self.handed.client, &node, &self.holder.run).await;
            let given = match uncordoned {
                Ok(true) => {
                    let change = NodeChange::GivenBack;
                    let event = NodeEvent {
                        node: node.clone(),
                        change,
                    };
                    let written = self.write(Event::Node(event));
                    written.and(self.strike_off(&node))
                }
                // The node no longer exists.
                Ok(false) => self.strike_off(&node),
                Err(error) => Err(error).with_context(|| {
                    format!("give {node} back; harness sweep or kubectl uncordon {node} does it")
                }),
            };
            done = done.and(given);
        }
        done
    }
}
