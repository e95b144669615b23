//! Watches of a run's namespace: pods for the roster and for their logs, Deployments for the wanted replicas, HPAs for the
//! reasons why they do not scale.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use anyhow::{Context as _, anyhow};
use cluster::logs::Followed;
use cluster::pods::{GROUP, PodView};
use cluster::watching::{Change, PATIENCE, WAITING, follow};
use evidence::events::{Event, EventLog};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::Pod;
use kube::runtime::watcher;
use kube::{Api, Client, ResourceExt as _};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::AbortOnDropHandle;
use workflow::contract::Stamp;
use workflow::task;

use super::crew::Crew;
use super::scale::Observer;
use crate::lock::lock;
use crate::logs;

/// State that the watches share; clones share it too.
#[derive(Clone)]
pub(super) struct Seen {
    pub(super) client: Client,
    pub(super) namespace: String,
    /// The name of a worker's container.
    pub(super) container: String,
    /// The run's directory; logs go below it.
    pub(super) directory: PathBuf,
    pub(super) log: EventLog,
    pub(super) crew: Arc<Mutex<Crew>>,
    /// The observers of what is scaled now: one for each queue, in the order of the queues.
    pub(super) observers: Arc<Mutex<Vec<Observer>>>,
    /// The names of the workers' Deployments that were applied.
    pub(super) deployments: Arc<Mutex<BTreeSet<String>>>,
    /// The first error of a watch.
    pub(super) trouble: Arc<Mutex<Option<String>>>,
}

/// The watches of a run, which stop when this is dropped or stopped.
pub(super) struct Watches {
    stop: DropGuard,
    tasks: Vec<AbortOnDropHandle<()>>,
}

impl Watches {
    /// Starts the watches, and waits until they have reported all existing pods, or are broken for too long.
    pub(super) async fn start(seen: Seen) -> anyhow::Result<Self> {
        let stop = CancellationToken::new();
        let complete = Arc::new(Notify::new());
        let pods = Api::<Pod>::namespaced(seen.client.clone(), &seen.namespace);
        let deployments = Api::<Deployment>::namespaced(seen.client.clone(), &seen.namespace);
        let scalers =
            Api::<HorizontalPodAutoscaler>::namespaced(seen.client.clone(), &seen.namespace);
        let (told_pod, hears_pod) = mpsc::channel(WAITING);
        let (told_deployment, hears_deployment) = mpsc::channel(WAITING);
        let (told_scaler, hears_scaler) = mpsc::channel(WAITING);
        let all = watcher::Config::default;
        let tasks = [
            task::spawn(follow(pods, all(), told_pod, stop.clone())),
            task::spawn(follow(deployments, all(), told_deployment, stop.clone())),
            task::spawn(follow(scalers, all(), told_scaler, stop.clone())),
            task::spawn(see_pods(seen.clone(), hears_pod, complete.clone())),
            task::spawn(see_deployments(seen.clone(), hears_deployment)),
            task::spawn(see_scalers(seen.clone(), hears_scaler)),
        ];
        let watches = Self {
            stop: stop.drop_guard(),
            tasks: tasks.into(),
        };
        timeout(2 * PATIENCE, complete.notified())
            .await
            .context("watch the namespace: the API server told of no pod, and of no trouble")?;
        match lock(&seen.trouble).clone() {
            Some(trouble) => Err(anyhow!(trouble)),
            None => Ok(watches),
        }
    }

    /// Stops the watches, and returns an error if one panicked.
    pub(super) async fn end(self) -> anyhow::Result<()> {
        drop(self.stop);
        for task in self.tasks {
            task.await?;
        }
        Ok(())
    }
}

impl Seen {
    pub(super) fn note(&self, done: anyhow::Result<()>) {
        if let Err(error) = done {
            lock(&self.trouble).get_or_insert(format!("{error:#}"));
        }
    }

    pub(super) fn broken(&self, what: &str, time: std::time::Duration, why: &str) {
        let trouble = format!(
            "watch the {what}: the API server gave no answer for {time:.0?} ({why}), and what happened meanwhile is not known"
        );
        lock(&self.trouble).get_or_insert(trouble);
    }
}

async fn see_pods(seen: Seen, mut told: mpsc::Receiver<Change<Pod>>, complete: Arc<Notify>) {
    let mut followed = BTreeSet::new();
    let mut writers = JoinSet::new();
    let stop = CancellationToken::new();
    while let Some(change) = told.recv().await {
        match change {
            Change::Now(pod) => {
                follow_logs(&seen, &pod, &mut followed, &mut writers, &stop);
                let view = PodView::of(&pod, &seen.container);
                seen.note(lock(&seen.crew).saw(view));
            }
            Change::Gone(pod) => {
                let view = PodView::of(&pod, &seen.container);
                seen.note(lock(&seen.crew).gone(view));
            }
            Change::Complete => complete.notify_one(),
            Change::Broken(time, why) => {
                seen.broken("pods", time, &why);
                complete.notify_one();
            }
        }
    }
    // The logs' last lines were read while the pods existed.
    stop.cancel();
    while writers.join_next().await.is_some() {}
    // The watch has ended: a waiter for the first list must not wait on.
    complete.notify_one();
}

/// Copies the log of a pod into a file, from its start on.
fn follow_logs(
    seen: &Seen,
    pod: &Pod,
    followed: &mut BTreeSet<String>,
    writers: &mut JoinSet<()>,
    stop: &CancellationToken,
) {
    // The producer's log is read by its sender (`sender`).
    let is_job = pod.labels().contains_key("job-name");
    let has_started = pod
        .status
        .as_ref()
        .is_some_and(|status| status.phase.as_deref() != Some("Pending"));
    if is_job || !has_started || !followed.insert(pod.uid().unwrap_or_default()) {
        return;
    }
    let container = if pod.labels().contains_key(GROUP) {
        seen.container.clone()
    } else {
        let spec = pod.spec.as_ref();
        let first = spec.and_then(|spec| spec.containers.first());
        first.map(|it| it.name.clone()).unwrap_or_default()
    };
    let log = Followed {
        pods: Api::namespaced(seen.client.clone(), &seen.namespace),
        pod: pod.name_any(),
        container,
    };
    let (seen, stop) = (seen.clone(), stop.clone());
    writers.spawn(async move {
        let file = logs::file(&seen.directory, &log.pod);
        seen.note(log.write(&file, &stop).await.map_err(Into::into));
    });
}

pub(super) async fn see_deployments(seen: Seen, mut told: mpsc::Receiver<Change<Deployment>>) {
    while let Some(change) = told.recv().await {
        match change {
            Change::Now(deployment) => {
                let replicas = deployment.spec.as_ref().and_then(|spec| spec.replicas);
                let replicas = u32::try_from(replicas.unwrap_or(1)).unwrap_or(0);
                let name = deployment.name_any();
                lock(&seen.crew).scaled(&name, replicas);
                let told = match lock(&seen.observers).iter().find(|it| it.is_of(&name)) {
                    Some(observer) => observer.scaled(replicas),
                    None => Ok(()),
                };
                seen.note(told);
            }
            Change::Gone(_) | Change::Complete => {}
            Change::Broken(time, why) => seen.broken("Deployments", time, &why),
        }
    }
}

/// Logs the reasons why an HPA does not scale, each once.
pub(super) async fn see_scalers(
    seen: Seen,
    mut told: mpsc::Receiver<Change<HorizontalPodAutoscaler>>,
) {
    let mut noted = BTreeSet::new();
    while let Some(change) = told.recv().await {
        let Change::Now(scaler) = change else {
            continue;
        };
        let target = scaler.spec.map(|spec| spec.scale_target_ref.name);
        let target = target.unwrap_or_default();
        let conditions = scaler.status.and_then(|status| status.conditions);
        for condition in conditions.unwrap_or_default() {
            let reason = condition.reason.unwrap_or_default();
            // With zero replicas the HPA is disabled, and only KEDA scales.
            let is_trouble = condition.type_ == "ScalingActive"
                && condition.status == "False"
                && reason != "ScalingDisabled";
            let message = condition.message.unwrap_or_default();
            if !is_trouble {
                continue;
            }
            let observers = lock(&seen.observers);
            if let Some(observer) = observers.iter().find(|it| it.is_of(&target)) {
                observer.does_not_scale(&message);
            }
            drop(observers);
            if noted.insert((target.clone(), reason.clone())) {
                let text = format!("the HPA of {target} does not scale: {reason}: {message}");
                let noted = seen.log.append(Stamp::now(), Event::Note { text });
                seen.note(noted.map_err(Into::into));
            }
        }
    }
}
