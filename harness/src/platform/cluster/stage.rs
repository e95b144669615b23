//! The stage of a run in a cluster: its namespace.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use async_trait::async_trait;
use cluster::pods::GROUP;
use cluster::{Error, Objects, evidence, namespace};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::Instant;
use workflow::contract::Stamp;

use super::Site;
use super::crew::Crew;
use super::overlay::Adapted;
use super::scale::Observer;
use super::sender::JobSender;
use super::storage::{self, Reachable};
use super::watched::{Seen, Watches, lock};
use crate::autoscale::{Recording, Scaling};
use crate::events::{Event, Resource};
use crate::platform::loss::Lookout;
use crate::platform::nodes::Nodes;
use crate::platform::sender::Sender;
use crate::platform::settings::consumer_variables;
use crate::platform::until::until_told;
use crate::platform::workers::{
    Act, Cause, ConsumerOptions, Departure, Replicas, Roster, Seat, WorkerSpec, Workers,
};
use crate::platform::{Identities, Stage, StagePlan, Store};
use crate::wire::{PRODUCER, Proxy};

/// How long a namespace may take to be gone: its pods have ended, but the controllers that have a say must be heard.
const GONE: Duration = Duration::from_secs(120);

/// How much later than its grace period a pod may be seen to have ended.
const SEEN: Duration = Duration::from_secs(30);

/// The settings that are a pod's own, or the overlay's affair.
const OF_THE_POD: [&str; 3] = [
    "EDW_LISTEN",
    "EDW_LOG_FORMAT",
    "EDW_SCHEDULED_EVENTS_ENDPOINT",
];

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
    /// `ScaledObjects` that are at work.
    scaled: Mutex<Vec<Value>>,
    is_removed: AtomicBool,
    _lookout: Lookout,
}

impl ClusterStage {
    /// Makes the namespace of a run, puts the overlay into it, and waits until its storage answers.
    pub(super) async fn open(site: Arc<Site>, plan: StagePlan) -> anyhow::Result<Self> {
        let namespace = format!("edw-{}", plan.identity.run);
        plan.announce(vec![resource(&site, &namespace)])?;
        let run = plan.identity.run.to_string();
        namespace::make(&site.client, &namespace, &run, site.life).await?;
        match Self::fill(site.clone(), plan.clone(), namespace.clone()).await {
            Ok(stage) => Ok(stage),
            Err(error) => {
                // What it looked like says why; then nothing is left of it.
                let directory = plan.directory.join("cluster");
                let kept = evidence::write(&site.client, &namespace, &directory).await;
                let removed = dispose(&site, &plan, &namespace).await;
                for other in [kept.map_err(Into::into), removed] {
                    if let Err(other) = other {
                        tracing::warn!("failed to {other:#}");
                    }
                }
                Err(error)
            }
        }
    }

    async fn fill(site: Arc<Site>, plan: StagePlan, namespace: String) -> anyhow::Result<Self> {
        let run = plan.identity.run.clone();
        let adapted = (site.overlay).adapted(&namespace, &run, &site.images)?;
        let objects = Objects::new(site.client.clone(), &namespace);
        for object in adapted.surroundings() {
            objects.apply(object).await?;
        }
        let logs = plan.directory.join("logs");
        let crew = Crew::new(plan.log.clone(), logs.clone());
        let roster = crew.roster();
        let seen = Seen {
            client: site.client.clone(),
            namespace: namespace.clone(),
            container: adapted.container()?,
            logs,
            log: plan.log.clone(),
            crew: Arc::new(Mutex::new(crew)),
            observer: Arc::default(),
            groups: Arc::default(),
            trouble: Arc::default(),
        };
        let watches = Watches::start(seen.clone()).await;
        let opened = Reachable::open(&site.client, &namespace, &adapted, &run, site.patience);
        let storage = opened.await?;
        storage::create(&storage.store).await?;
        let reach = storage.reach.clone();
        let lookout = Lookout::start(plan.loss.clone(), move || {
            let reach = reach.clone();
            async move { reach.lost().await }
        });
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
            scaled: Mutex::default(),
            is_removed: AtomicBool::new(false),
            _lookout: lookout,
        })
    }

    fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.site.client.clone(), &self.namespace)
    }

    fn fault(&self, name: &str, target: &str) -> anyhow::Result<()> {
        let fault = Event::Fault {
            name: name.to_owned(),
            target: target.to_owned(),
            lasts_ms: None,
        };
        self.plan.log.append(Stamp::now(), fault)?;
        Ok(())
    }

    /// Has KEDA scale the workers of `group`, which are none yet.
    async fn scale(&self, group: &'static str, scaling: &Scaling) -> anyhow::Result<()> {
        ensure!(
            scaling.pace.is_production(),
            "scale in a cluster {} times as fast: its KEDA knows production's time alone",
            scaling.pace.times()
        );
        for authentication in self.adapted.authentications() {
            self.objects.apply(authentication).await?;
        }
        let scaled = self
            .adapted
            .scaled(group, |object| Ok(scaling.change(object)?))?;
        let observer = Observer::start(
            self.storage.store.queue.clone(),
            self.site.keda(),
            self.plan.log.clone(),
        );
        let name = self.adapted.deployment_name(group);
        *lock(&self.seen.observer) = Some((name, observer));
        lock(&self.scaled).push(scaled.clone());
        self.objects.apply(&scaled).await?;
        Ok(())
    }

    /// Nobody scales any more, and no workers are wanted.
    async fn want_none(&self) -> anyhow::Result<()> {
        let scaled = std::mem::take(&mut *lock(&self.scaled));
        for object in &scaled {
            self.objects.delete(object).await?;
        }
        lock(&self.seen.crew).want_none();
        let names: Vec<String> = lock(&self.seen.groups).keys().cloned().collect();
        let deployments: Api<Deployment> =
            Api::namespaced(self.site.client.clone(), &self.namespace);
        for name in names {
            let none = Patch::Merge(json!({"spec": {"replicas": 0}}));
            let params = PatchParams::default();
            match deployments.patch_scale(&name, &params, &none).await {
                Ok(_) => {}
                Err(kube::Error::Api(status)) if status.code == 404 => {}
                Err(error) => return Err(Error::of(format!("scale {name} to none"), &error).into()),
            }
        }
        Ok(())
    }

    async fn end_pods_at_once(&self) -> anyhow::Result<()> {
        let at_once = DeleteParams {
            grace_period_seconds: Some(0),
            ..DeleteParams::default()
        };
        let workers = ListParams::default().labels(GROUP);
        let deleted = self.pods().delete_collection(&at_once, &workers).await;
        deleted.map_err(|error| Error::of("end the consumers", &error))?;
        Ok(())
    }

    async fn keep_evidence(&self) -> anyhow::Result<()> {
        let directory = self.plan.directory.join("cluster");
        evidence::write(&self.site.client, &self.namespace, &directory).await?;
        Ok(())
    }
}

/// The ledger's line for the namespace of a run.
fn resource(site: &Site, namespace: &str) -> Resource {
    Resource {
        kind: "namespace".to_owned(),
        name: namespace.to_owned(),
        storage: site.context.clone(),
    }
}

/// Removes the namespace, and strikes it off.
async fn dispose(site: &Site, plan: &StagePlan, name: &str) -> anyhow::Result<()> {
    namespace::remove(&site.client, name, GONE).await?;
    let removed = Event::ResourceRemoved(resource(site, name));
    plan.log.append(Stamp::now(), removed)?;
    Ok(())
}

/// The settings that the options of a scenario or load come to.
fn variables(options: &ConsumerOptions) -> Vec<(String, String)> {
    let seat = Seat::default();
    let named = consumer_variables("", options, &seat);
    let ours =
        named.filter(|(name, _)| name.starts_with("EDW_") && !OF_THE_POD.contains(&name.as_str()));
    options.variables.clone().into_iter().chain(ours).collect()
}

#[async_trait]
impl Stage for ClusterStage {
    fn evidence(&self) -> String {
        self.site.evidence()
    }

    fn storage(&self) -> &Store {
        &self.storage.store
    }

    fn workers(&self) -> &dyn Workers {
        self
    }

    fn wire(&self) -> Option<&Arc<Proxy>> {
        None
    }

    fn scaling(&self) -> Option<Recording> {
        let observer = lock(&self.seen.observer);
        observer.as_ref().map(|(_, observer)| observer.recording())
    }

    fn nodes(&self) -> Option<&dyn Nodes> {
        None
    }

    async fn send(&self, arguments: &[String]) -> anyhow::Result<Box<dyn Sender>> {
        let job = self.adapted.producer(PRODUCER, arguments)?;
        self.objects.apply(&job).await?;
        let started = Event::ProcessStarted {
            name: PRODUCER.to_owned(),
            role: PRODUCER.to_owned(),
            pid: None,
        };
        self.plan.log.append(Stamp::now(), started)?;
        let file = self.plan.directory.join("logs").join("producer.log");
        Ok(Box::new(JobSender::follow(
            &self.site.client,
            &self.namespace,
            PRODUCER,
            file,
            self.plan.log.clone(),
        )))
    }

    async fn outage(&self, _: Duration) -> anyhow::Result<()> {
        bail!("take storage away: this platform does not offer it")
    }

    async fn storage_lost(&self) -> Option<String> {
        self.storage.reach.lost().await
    }

    fn identities(&self) -> Option<&Identities> {
        None
    }

    fn secrets(&self) -> Vec<String> {
        self.storage.secrets.clone()
    }

    fn check(&self) -> anyhow::Result<()> {
        if let Some(trouble) = lock(&self.seen.trouble).clone() {
            bail!(trouble);
        }
        if let Some(trouble) = lock(&self.seen.crew).trouble(Instant::now()) {
            bail!(trouble);
        }
        Ok(())
    }

    async fn settle_workers(&self) -> anyhow::Result<()> {
        let observer = lock(&self.seen.observer).take();
        if let Some((_, observer)) = observer {
            observer.stop().await?;
        }
        self.check()
    }

    async fn remove(&self) -> anyhow::Result<()> {
        if self.site.keeps {
            return Ok(());
        }
        let kept = self.keep_evidence().await;
        dispose(&self.site, &self.plan, &self.namespace).await?;
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

#[async_trait]
impl Workers for ClusterStage {
    async fn apply(&self, spec: WorkerSpec) -> anyhow::Result<()> {
        let WorkerSpec {
            group,
            replicas,
            options,
            grace,
        } = spec;
        let variables = variables(&options);
        let name = self.adapted.deployment_name(group);
        let is_known = lock(&self.seen.groups).insert(name, group).is_some();
        let count = match &replicas {
            Replicas::Fixed(count) => *count,
            Replicas::Scaled(_) => 0,
        };
        let is_scaled = matches!(replicas, Replicas::Scaled(_));
        lock(&self.seen.crew).want(group, count, is_scaled, options.may_refuse);
        let [settings, deployment] = self.adapted.workers(group, count, &variables, grace)?;
        // A container reads its settings when it starts: those that run keep theirs.
        self.objects.apply(&settings).await?;
        match replicas {
            Replicas::Fixed(_) => self.objects.apply(&deployment).await?,
            // What KEDA scales is not applied again: each apply would set its replicas back.
            Replicas::Scaled(_) if is_known => {}
            Replicas::Scaled(scaling) => {
                self.objects.apply(&deployment).await?;
                self.scale(group, &scaling).await?;
            }
        }
        Ok(())
    }

    fn roster(&self) -> watch::Receiver<Roster> {
        self.roster.clone()
    }

    async fn act(&self, worker: &str, act: Act) -> anyhow::Result<()> {
        let (cause, fault, params) = match act {
            Act::Kill => {
                let at_once = DeleteParams {
                    grace_period_seconds: Some(0),
                    ..DeleteParams::default()
                };
                (Cause::Killed, "pod deleted at once", at_once)
            }
            Act::Drain => (Cause::Told, "pod deleted", DeleteParams::default()),
            Act::Freeze | Act::Thaw => bail!("freeze {worker}: this platform does not offer it"),
        };
        {
            let mut crew = lock(&self.seen.crew);
            if !crew.is_there(worker) {
                return Err(storage::unknown(worker));
            }
            crew.asks(worker, cause);
        }
        self.fault(fault, worker)?;
        let deleted = self.pods().delete(worker, &params).await;
        deleted.map_err(|error| Error::of(format!("delete the pod {worker}"), &error))?;
        Ok(())
    }

    async fn drain(&self, grace: Duration) -> anyhow::Result<Vec<Departure>> {
        self.want_none().await?;
        let present = lock(&self.seen.crew).present();
        let nobody = |present: &usize| (*present == 0).then_some(());
        let gone = until_told(present.clone(), grace + SEEN, nobody);
        if gone.await.is_err() {
            let names = lock(&self.seen.crew).names();
            tracing::warn!("pods have not ended {grace:?} after they were told: {names:?}");
            self.end_pods_at_once().await?;
            let gone = until_told(present, SEEN, nobody);
            gone.await.context("wait until the pods are gone")?;
        }
        Ok(lock(&self.seen.crew).told())
    }

    async fn abandon(&self) -> anyhow::Result<()> {
        for name in lock(&self.seen.crew).names() {
            lock(&self.seen.crew).asks(&name, Cause::Killed);
        }
        self.want_none().await?;
        self.end_pods_at_once().await
    }

    fn said(&self, name: &str) -> anyhow::Result<String> {
        let log = self.plan.directory.join("logs").join(format!("{name}.log"));
        std::fs::read_to_string(&log).with_context(|| format!("read {}", log.display()))
    }

    async fn exposed(&self) -> Vec<(String, Vec<u8>)> {
        let Ok(pods) = self.pods().list(&ListParams::default()).await else {
            return Vec::new();
        };
        let pods = pods.items.into_iter();
        pods.filter_map(|pod| {
            let name = pod.metadata.name.clone()?;
            Some((name, serde_json::to_vec(&pod).ok()?))
        })
        .collect()
    }
}
