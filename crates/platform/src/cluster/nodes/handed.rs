//! Nodes that their owner has handed over: taken out of use by the harness, emptied of the run's workers, and given back.
//!
//! What is done to a node is in the run's log before it is done, so that `harness sweep` gives back what a killed harness had taken.

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
use crate::simulated::{Ended, Eviction};
use crate::workers::Cause;

/// How long a node may take to be empty: with a budget of one at a time, each of ten workers has a minute to end and to be replaced.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// Nodes that were handed over.
#[derive(Clone)]
pub(in crate::cluster) struct Handed {
    /// What they carry.
    pub(in crate::cluster) label: NodeLabel,
    /// A client that tells of every refusal.
    pub(in crate::cluster) client: Client,
}

/// The nodes that were handed over, for one run.
pub(in crate::cluster) struct HandedOver {
    handed: Handed,
    seen: Seen,
    /// Where they are, as the ledger names it.
    context: String,
    holder: Holder,
    /// Those that are out of use.
    taken: Mutex<BTreeSet<String>>,
    tasks: Mutex<Vec<AbortOnDropHandle<()>>>,
}

impl HandedOver {
    /// Those of the cluster of `context`, for the run that `seen` watches.
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

    /// Out of use no more: struck off.
    fn strike_off(&self, node: &str) -> anyhow::Result<()> {
        let cordoned = cordoned_in(&self.context, node, &self.holder.run);
        self.write(Event::ResourceRemoved(cordoned))?;
        lock(&self.taken).remove(node);
        Ok(())
    }

    /// What empties `node` of the run's workers.
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

/// Empties a node, and deletes it if that is wanted and allowed.
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
            // The workers are gone from it all the same; nothing is judged by the object.
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
                // It may have been done for all that: an answer can be lost.
                let undone = uncordon(client, name, &holder.run).await;
                undone.with_context(|| format!("give {name} back after: {error}"))?;
                self.strike_off(name)?;
                return Err(error.into());
            }
        };
        tell(Progress::Cordoned);
        let way = match eviction.ends {
            Ended::Kept => Way::InOrder,
            Ended::Deleted | Ended::Stopped => Way::AtOnce,
        };
        let is_deleted = eviction.ends == Ended::Deleted && may_be_deleted(&node);
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
            // Cut off is how it should end; a panic is told.
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
                // It is gone.
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
