//! The workers of a stage: Deployments with a fixed number of replicas, or scaled by KEDA.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use async_trait::async_trait;
use cluster::Error;
use cluster::pods::GROUP;
use k8s_openapi::api::apps::v1::Deployment;
use kube::Api;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use serde_json::{Value, json};
use tokio::sync::watch;
use wire::Wire as _;

use super::super::at_once;
use super::super::overlay::{apart_from_the_rest, at_most_on_a_node, put_on};
use super::super::scale::{Observed, Observer};
use super::{ClusterStage, SEEN};
use crate::autoscale::Scaling;
use crate::lock::lock;
use crate::logs;
use crate::spread::spread;
use crate::until::until_told;
use crate::workers::{Act, Cause, Departure, Replicas, Roster, WorkerSpec, Workers};

impl ClusterStage {
    /// Has KEDA scale the workers of `group` from zero: those of each queue by their own ScaledObject.
    async fn scale(&self, group: &'static str, scaling: &Scaling) -> anyhow::Result<()> {
        ensure!(
            scaling.pace.is_production(),
            "scale {} times as fast: a cluster runs at pace 1 only, since its KEDA keeps real time",
            scaling.pace.times()
        );
        for authentication in self.adapted.authentications() {
            self.objects.apply(authentication).await?;
        }
        let names = self.adapted.queues();
        for (at, queue) in self.storage.store.queues.iter().enumerate() {
            let change = |object: &mut Value| Ok(scaling.change(object)?);
            let scaled = self.adapted.scaled((group, at), change)?;
            let watched = Observed {
                deployment: self.adapted.deployment_name(group, at),
                by: self.site.keda(),
                queue: (names.len() > 1).then(|| names[at].clone()),
            };
            let observer = Observer::start(queue.clone(), watched, self.plan.log.clone());
            lock(&self.seen.observers).push(observer);
            lock(&self.scaled).push(scaled.clone());
            self.objects.apply(&scaled).await?;
        }
        Ok(())
    }

    /// Stops the scaling, and sets the number of wanted workers to zero.
    async fn want_none(&self) -> anyhow::Result<()> {
        for observer in lock(&self.seen.observers).iter() {
            observer.end();
        }
        let scaled = std::mem::take(&mut *lock(&self.scaled));
        for object in &scaled {
            self.objects.delete(object).await?;
        }
        lock(&self.seen.crew).want_none();
        let names = lock(&self.seen.deployments).clone();
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

    /// Sets where the Deployment's pods may run: on Azure on nodes of their own, and elsewhere if the run has nodes.
    fn place(&self, deployment: &mut Value) {
        if self.site.azure.is_some() {
            apart_from_the_rest(deployment);
        }
        let Some(plan) = &self.plan.nodes else {
            return;
        };
        if plan.workers_each < u64::MAX {
            at_most_on_a_node(deployment, plan.workers_each);
        }
        if let Some(handed) = &self.site.handed {
            put_on(deployment, &handed.label);
        }
    }

    async fn end_pods_at_once(&self) -> anyhow::Result<()> {
        let workers = ListParams::default().labels(GROUP);
        let deleted = self.pods().delete_collection(&at_once(), &workers).await;
        deleted.map_err(|error| Error::of("end the consumers", &error))?;
        Ok(())
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
        let queues = self.adapted.queues().len();
        let counts = match &replicas {
            Replicas::Fixed(count) => spread(*count, queues),
            Replicas::Scaled(_) => vec![0; queues],
        };
        let is_scaled = matches!(replicas, Replicas::Scaled(_));
        let names = (0..queues).map(|queue| self.adapted.deployment_name(group, queue));
        let wanted: BTreeMap<_, _> = names.zip(counts.iter().copied()).collect();
        let is_known = {
            let mut deployments = lock(&self.seen.deployments);
            let known = deployments.len();
            deployments.extend(wanted.keys().cloned());
            deployments.len() == known
        };
        lock(&self.seen.crew).want(group, wanted, is_scaled, options.may_refuse);
        for (queue, count) in counts.into_iter().enumerate() {
            let workers = self
                .adapted
                .workers((group, queue), count, &options, grace)?;
            let [settings, mut deployment] = workers;
            self.place(&mut deployment);
            // A container reads its settings when it starts, so running workers keep theirs.
            self.objects.apply(&settings).await?;
            // A Deployment that KEDA scales is not applied again: each apply would reset its replicas.
            if !(is_scaled && is_known) {
                self.objects.apply(&deployment).await?;
            }
        }
        match replicas {
            Replicas::Scaled(scaling) if !is_known => self.scale(group, &scaling).await,
            Replicas::Scaled(_) | Replicas::Fixed(_) => Ok(()),
        }
    }

    fn roster(&self) -> watch::Receiver<Roster> {
        self.roster.clone()
    }

    async fn act(&self, worker: &str, act: Act) -> anyhow::Result<()> {
        if matches!(act, Act::Freeze | Act::Thaw) {
            return self.freeze(worker, act == Act::Freeze).await;
        }
        let (cause, fault, params) = match act {
            Act::Kill | Act::KillForGood => (Cause::Killed, "pod deleted at once", at_once()),
            _ => (Cause::Told, "pod deleted", DeleteParams::default()),
        };
        {
            let mut crew = lock(&self.seen.crew);
            if !crew.is_there(worker) {
                bail!("act on {worker}: it does not run");
            }
            crew.asks(worker, cause);
        }
        self.fault(fault, worker)?;
        if let (Cause::Killed, Some(wire)) = (cause, &self.wire) {
            // A kubelet that has begun an orderly end, because the pod's ReplicaSet shrinks at the same moment, does not shorten it: the
            // process of a pod that is gone from the API server may work on for its whole grace period.
            wire.remote.cut_off(worker).await?;
        }
        if act == Act::KillForGood {
            // Before the deletion of the pods: a `ReplicaSet` replaces a deleted pod within milliseconds.
            self.want_none().await?;
        }
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
        {
            let mut crew = lock(&self.seen.crew);
            for name in crew.names() {
                crew.asks(&name, Cause::Killed);
            }
        }
        self.want_none().await?;
        self.end_pods_at_once().await
    }

    fn said(&self, name: &str) -> anyhow::Result<String> {
        logs::said(&self.plan.directory, name)
    }

    async fn exposed(&self) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
        let pods = self.pods().list(&ListParams::default()).await;
        let pods = pods.map_err(|error| Error::of("look at the objects of the pods", &error))?;
        let pods = pods.items.into_iter().map(|pod| {
            let name = pod.metadata.name.clone().unwrap_or_default();
            Ok((name, serde_json::to_vec(&pod)?))
        });
        pods.collect()
    }

    async fn nodes(&self) -> BTreeMap<String, String> {
        if self.adapted.tells_node() {
            lock(&self.seen.crew).nodes.clone()
        } else {
            BTreeMap::new()
        }
    }
}
