//! The stage of a run in a cluster: its namespace. `parts` are the overlay for it and
//! its nodes, `workers` implements [`Workers`], and `played` is what its wire plays.

mod parts;
mod played;
mod workers;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ::evidence::events::Event;
use anyhow::{Context as _, bail};
use async_trait::async_trait;
use cluster::{Objects, evidence, namespace};
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;
use wire::{PRODUCER, Wire};
use workflow::backoff::Backoff;
use workflow::contract::Stamp;
use workflow::contract::workload::Lens;

use super::crew::Crew;
use super::identities::AuthorityPod;
use super::nodes::WatchedNodes;
use super::overlay::Adapted;
use super::scale::Observer;
use super::sender::{FollowedJob, JobSender};
use super::storage::Reachable;
use super::watched::{Seen, Watches};
use super::wired::Wired;
use super::{Site, namespace_in};
use crate::autoscale::ScalingRecord;
use crate::lock::lock;
use crate::logs;
use crate::loss::Lookout;
use crate::nodes::Nodes;
use crate::sender::{Sender, generator_name};
use crate::storage::Store;
use crate::workers::{Roster, Workers};
use crate::{Identities, Stage, StagePlan, StoppedOpening};
use parts::{adapted, nodes, watch_for_deletion};

/// Most tries to create the queues and the table of a run: over about ten seconds.
const CREATES: u32 = 8;

/// Time limit for a namespace to be gone: its pods have ended, but controllers may have finalizers.
const GONE: Duration = Duration::from_secs(120);

/// How long after the end of its grace period the watch may report that a pod has ended.
const SEEN: Duration = Duration::from_secs(30);

/// Time limit for workers to start if they have a node: a pod may have to pull its image.
const START: Duration = Duration::from_secs(60);

/// Time limit for the wire's pod to be ready: the image may have to be pulled.
const READY: Duration = Duration::from_secs(120);

/// Time limit for the producer's pod to start; it may have to pull its image too.
const SENDER_STARTS: Duration = Duration::from_secs(180);

/// One run's namespace.
pub(super) struct ClusterStage {
    site: Arc<Site>,
    plan: StagePlan,
    namespace: String,
    adapted: Adapted,
    objects: Objects,
    storage: Reachable,
    seen: Seen,
    watches: Mutex<Option<Watches>>,
    roster: watch::Receiver<Roster>,
    wire: Option<Wired>,
    /// Its authority, if the workload signs in.
    authority: Option<AuthorityPod>,
    /// Its nodes, if some can be taken back.
    nodes: Option<WatchedNodes>,
    /// The `ScaledObjects` that are applied.
    scaled: Mutex<Vec<Value>>,
    is_removed: AtomicBool,
    _lookout: Lookout,
    /// The task that reports when someone outside the run deletes its namespace; taken when the stage removes the namespace itself.
    deletion_watch: Mutex<Option<AbortOnDropHandle<()>>>,
}

impl ClusterStage {
    /// Makes the namespace of a run, applies the overlay in it, and waits until its storage answers.
    pub(super) async fn open(site: Arc<Site>, plan: StagePlan) -> anyhow::Result<Self> {
        let namespace = site.namespace(&plan.identity.run);
        plan.announce(vec![namespace_in(&site.context, namespace.clone())])?;
        let run = plan.identity.run.to_string();
        if site.azure.is_some() {
            // Objects of `aks up`'s checks, or of a run that was killed.
            namespace::remove(&site.client, &namespace, GONE).await?;
        }
        namespace::make(&site.client, &namespace, &run, site.life).await?;
        // Pods and images may take minutes; who stops the run does not wait for them.
        let filled = tokio::select! {
            filled = Self::fill(site.clone(), plan.clone(), namespace.clone()) => filled,
            () = plan.stop.cancelled() => {
                let waits = cluster::what_waits(&site.client, &namespace).await;
                Err(StoppedOpening { waits }.into())
            }
        };
        match filled {
            Ok(stage) => Ok(stage),
            Err(error) => {
                // Save the state of the namespace as evidence, then remove it.
                let directory = plan.directory.join("cluster");
                if let Err(other) = evidence::write(&site.client, &namespace, &directory).await {
                    tracing::warn!("failed to {other:#}");
                }
                let removed = dispose(&site, &plan, &namespace).await;
                match removed.context("remove what was created; `harness sweep` tries it again") {
                    Err(left) if error.is::<StoppedOpening>() => Err(left),
                    Err(left) => {
                        tracing::warn!("failed to {left:#}");
                        Err(error)
                    }
                    Ok(()) => Err(error),
                }
            }
        }
    }

    async fn fill(site: Arc<Site>, plan: StagePlan, namespace: String) -> anyhow::Result<Self> {
        let run = plan.identity.run.clone();
        let lens = Lens::new(site.description(), run.clone());
        let adapted = adapted(&site, &plan, &namespace, &lens)?;
        let objects = Objects::new(site.client.clone(), &namespace);
        let described = adapted.description_object()?;
        for object in adapted.surroundings().chain(&described) {
            objects.apply(object).await?;
        }
        let worker = site.description().worker.clone();
        let crew = Crew::new(plan.log.clone(), plan.directory.clone(), worker);
        let roster = crew.roster();
        let seen = Seen {
            client: site.client.clone(),
            namespace: namespace.clone(),
            container: adapted.container()?,
            directory: plan.directory.clone(),
            log: plan.log.clone(),
            crew: Arc::new(Mutex::new(crew)),
            observers: Arc::default(),
            deployments: Arc::default(),
            trouble: Arc::default(),
        };
        let watches = Watches::start(seen.clone()).await?;
        let opened = Reachable::open(&site.client, &namespace, &adapted, lens, site.patience);
        let storage = opened.await?;
        plan.announce(storage.lasting.clone())?;
        // A forwarded port can break its first connections, although the pod behind it is ready; to create again does no harm.
        let create = || storage.store.create();
        let created = Backoff::STORAGE.retry(CREATES, &plan.stop, create).await;
        created.with_context(|| format!("provision the storage of run {run}"))?;
        let nodes = nodes(&site, &plan, &seen, &roster)?;
        if let (Some(nodes), Some(_)) = (&nodes, &site.azure) {
            // A run that was killed may have left the Spot pools without a machine to give.
            nodes.give_back().await?;
        }
        let ready = READY + site.node_comes();
        let wire = Wired::open(
            &adapted,
            &objects,
            &seen,
            &plan.directory,
            (ready, site.patience),
        );
        let wire = wire.await.context("put a wire before storage")?;
        let authority = AuthorityPod::open(&adapted, &objects, &seen, (ready, site.patience));
        let authority = authority.await.context("start the authority")?;
        let reach = storage.reach.clone();
        let lookout = Lookout::start(plan.loss.clone(), move || {
            let reach = reach.clone();
            async move { reach.lost().await }
        });
        let deletion = watch_for_deletion(&site, &plan, &namespace);
        Ok(Self {
            site,
            plan,
            namespace,
            adapted,
            objects,
            storage,
            seen,
            watches: Mutex::new(Some(watches)),
            roster,
            wire,
            authority,
            nodes,
            scaled: Mutex::default(),
            is_removed: AtomicBool::new(false),
            _lookout: lookout,
            deletion_watch: Mutex::new(Some(deletion)),
        })
    }

    fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.site.client.clone(), &self.namespace)
    }

    fn fault(&self, name: &str, target: &str) -> anyhow::Result<()> {
        let fault = Event::fault(name, target);
        self.plan.log.append(Stamp::now(), fault)?;
        Ok(())
    }

    async fn keep_evidence(&self) -> anyhow::Result<()> {
        let directory = self.plan.directory.join("cluster");
        evidence::write(&self.site.client, &self.namespace, &directory).await?;
        Ok(())
    }
}

/// Removes the namespace, and strikes it off the ledger.
async fn dispose(site: &Site, plan: &StagePlan, name: &str) -> anyhow::Result<()> {
    namespace::remove(&site.client, name, GONE).await?;
    let removed = Event::ResourceRemoved(namespace_in(&site.context, name.to_owned()));
    plan.log.append(Stamp::now(), removed)?;
    Ok(())
}

#[async_trait]
impl Stage for ClusterStage {
    fn evidence(&self) -> String {
        let signs_in = match &self.authority {
            Some(_) => ", over HTTPS, tokens of an authority of the harness",
            None => "",
        };
        self.site.evidence() + signs_in
    }

    fn storage(&self) -> &Store {
        &self.storage.store
    }

    fn workers(&self) -> &dyn Workers {
        self
    }

    fn wire(&self) -> Option<Arc<dyn Wire>> {
        Some(self.wire.as_ref()?.remote.clone())
    }

    fn start(&self) -> Duration {
        START + self.site.node_comes()
    }

    fn has_one_clock(&self) -> bool {
        // On Azure, nodes are added when they are needed.
        self.site.found.nodes <= 1 && self.site.azure.is_none()
    }

    fn scaling(&self) -> Vec<ScalingRecord> {
        let observers = lock(&self.seen.observers);
        observers.iter().map(Observer::recording).collect()
    }

    fn nodes(&self) -> Option<&dyn Nodes> {
        self.plan.nodes.as_ref()?;
        self.nodes.as_ref().map(|nodes| nodes as &dyn Nodes)
    }

    fn evicted_unasked(&self) -> Option<String> {
        self.nodes.as_ref()?.evicted_unasked()
    }

    async fn send(
        &self,
        arguments: &[String],
        generators: u32,
    ) -> anyhow::Result<Vec<Box<dyn Sender>>> {
        for job in self.adapted.producers(arguments, generators)? {
            self.objects.apply(&job).await?;
        }
        let is_indexed = generators > 1 && self.adapted.queues().len() == 1;
        let mut senders: Vec<Box<dyn Sender>> = Vec::new();
        for index in 0..generators.max(1) {
            let name = generator_name(index, generators);
            let started = Event::ProcessStarted {
                name: name.clone(),
                role: PRODUCER.to_owned(),
                pid: None,
            };
            self.plan.log.append(Stamp::now(), started)?;
            let followed = FollowedJob {
                job: if is_indexed {
                    PRODUCER.to_owned()
                } else {
                    name.clone()
                },
                index: is_indexed.then_some(index),
                file: logs::file(&self.plan.directory, &name),
                name,
            };
            let log = self.plan.log.clone();
            let starts = SENDER_STARTS + self.site.node_comes();
            let client = &self.site.client;
            let sender = JobSender::follow(client, &self.namespace, followed, log, starts);
            senders.push(Box::new(sender));
        }
        Ok(senders)
    }

    async fn outage(&self, time: Duration) -> anyhow::Result<()> {
        self.play_outage(time).await
    }

    async fn storage_lost(&self) -> Option<String> {
        self.storage.reach.lost().await
    }

    fn identities(&self) -> Option<&dyn Identities> {
        let authority = self.authority.as_ref()?;
        Some(authority as &dyn Identities)
    }

    async fn secrets(&self) -> anyhow::Result<Vec<String>> {
        let mut secrets = self.storage.secrets.clone();
        if let Some(authority) = &self.authority {
            secrets.extend(authority.secrets().await?);
        }
        Ok(secrets)
    }

    fn check(&self) -> anyhow::Result<()> {
        if let Some(trouble) = lock(&self.seen.trouble).clone() {
            bail!(trouble);
        }
        if let Some(trouble) = lock(&self.seen.crew).trouble(Instant::now()) {
            bail!(trouble);
        }
        match &self.wire {
            Some(wire) => wire.remote.check(),
            None => Ok(()),
        }
    }

    async fn settle_workers(&self) -> anyhow::Result<()> {
        let observers = std::mem::take(&mut *lock(&self.seen.observers));
        let mut stopped = Vec::new();
        for observer in observers {
            stopped.push(observer.stop().await);
        }
        stopped.into_iter().collect::<anyhow::Result<()>>()?;
        self.check()
    }

    async fn remove(&self) -> anyhow::Result<()> {
        // Give nodes back first and in any case: others wait for them.
        let given_back = match &self.nodes {
            Some(nodes) => nodes.give_back().await,
            None => Ok(()),
        };
        if self.site.keeps {
            return given_back;
        }
        lock(&self.deletion_watch).take();
        let kept = self.keep_evidence().await;
        if !self.storage.lasting.is_empty() {
            let run = &self.plan.identity.run;
            let removed = self.storage.store.remove().await;
            removed.with_context(|| format!("remove the storage of run {run}"))?;
            for resource in self.storage.lasting.clone() {
                let removed = Event::ResourceRemoved(resource);
                self.plan.log.append(Stamp::now(), removed)?;
            }
        }
        dispose(&self.site, &self.plan, &self.namespace).await?;
        given_back?;
        self.is_removed.store(true, Ordering::Release);
        kept
    }

    fn removal(&self) -> Duration {
        GONE + SEEN
    }

    async fn close(self: Box<Self>) -> anyhow::Result<()> {
        let ended = if self.is_removed.load(Ordering::Acquire) {
            Ok(())
        } else {
            let ended = self.abandon().await;
            ended.and(self.remove().await)
        };
        let watches = lock(&self.watches).take();
        if let Some(watches) = watches {
            watches.end().await?;
        }
        ended
    }
}

#[cfg(test)]
mod tests;
