//! The producer as a Job: the harness reads its events from the pod's log, so that a broken connection loses none.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use async_trait::async_trait;
use cluster::logs::Followed;
use cluster::pods::{ContainerEnd, PodView};
use cluster::watching::{Change, WAITING, follow};
use cluster::{Error, FIELD_MANAGER};
use evidence::events::{Event, EventLog};
use futures::StreamExt as _;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, Patch, PatchParams, PropagationPolicy};
use kube::runtime::watcher;
use kube::{Api, Client};
use serde_json::json;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::AbortOnDropHandle;
use workflow::contract::Stamp;
use workflow::task;

use super::at_once;
use crate::logs;
use crate::sender::{Lines, Sender, is_orderly};
use crate::until::until_told;
use crate::workers::End;

/// The name of the producer's container.
const CONTAINER: &str = "producer";

/// How many events of a producer may wait to be read. A producer writes one a second, and the harness reads them at once: 4,096
/// are more than an hour without reading. One more is an error of the reader.
const UNREAD: usize = 4_096;

/// The state of a producer.
#[derive(Debug, Clone, Default)]
struct Standing {
    ended: Option<ContainerEnd>,
    /// Why its state can no longer be known.
    lost: Option<String>,
}

/// The pod of a Job that is followed.
pub(super) struct FollowedJob {
    /// The Job, which is applied already.
    pub(super) job: String,
    /// The pod's index, if the Job has several pods.
    pub(super) index: Option<u32>,
    /// The name of the generator in the pod.
    pub(super) name: String,
    /// The file for its log.
    pub(super) file: PathBuf,
}

impl FollowedJob {
    /// The label selector of the pod. The Job controller sets the label of the index (Kubernetes, "Pod's labels:
    /// batch.kubernetes.io/job-completion-index").
    fn selector(&self) -> String {
        let of_job = format!("job-name={}", self.job);
        match self.index {
            Some(index) => format!("{of_job},batch.kubernetes.io/job-completion-index={index}"),
            None => of_job,
        }
    }
}

/// A sender that is a Job, or one pod of a Job.
pub(super) struct JobSender {
    jobs: Api<Job>,
    job: String,
    name: String,
    lines: Option<mpsc::Receiver<std::io::Result<String>>>,
    standing: watch::Receiver<Standing>,
    file: PathBuf,
    log: EventLog,
    is_recorded: bool,
    _stop: DropGuard,
    _tasks: [AbortOnDropHandle<()>; 2],
}

impl JobSender {
    /// Follows the pod that `followed` names, which may take up to `starts` to start.
    pub(super) fn follow(
        client: &Client,
        namespace: &str,
        followed: FollowedJob,
        log: EventLog,
        starts: Duration,
    ) -> Self {
        let jobs: Api<Job> = Api::namespaced(client.clone(), namespace);
        let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
        let stop = CancellationToken::new();
        let (stands, standing) = watch::channel(Standing::default());
        let (says, lines) = mpsc::channel(UNREAD);
        let (found, pod) = watch::channel(None);
        let looked = Looked {
            pods: pods.clone(),
            selector: followed.selector(),
            starts,
        };
        let looks = task::spawn(looked.look(found, stands, stop.clone()));
        let FollowedJob {
            job, name, file, ..
        } = followed;
        let heard = Heard {
            pods,
            file: file.clone(),
            says,
        };
        let listens = task::spawn(heard.hear(pod, stop.clone()));
        Self {
            jobs,
            job,
            name,
            lines: Some(lines),
            standing,
            file,
            log,
            is_recorded: false,
            _stop: stop.drop_guard(),
            _tasks: [looks, listens],
        }
    }

    fn record(&mut self, end: End, expected: bool) -> anyhow::Result<()> {
        if std::mem::replace(&mut self.is_recorded, true) {
            return Ok(());
        }
        let last_lines = (!expected).then(|| self.last_lines());
        self.log.append(
            Stamp::now(),
            Event::ProcessExited {
                name: self.name.clone(),
                pid: None,
                status: end.to_string(),
                expected,
                last_lines,
                restarted: false,
                end: Some(end),
                cause: None,
            },
        )?;
        Ok(())
    }
}

/// Watches the pod of a Job.
struct Looked {
    pods: Api<Pod>,
    selector: String,
    /// How long the pod may take to start.
    starts: Duration,
}

impl Looked {
    /// Reports the pod's name once it has started, and its end once it has ended.
    async fn look(
        self,
        found: watch::Sender<Option<String>>,
        stands: watch::Sender<Standing>,
        stop: CancellationToken,
    ) {
        let ours = watcher::Config::default().labels(&self.selector);
        let (teller, mut told) = mpsc::channel(WAITING);
        let _watching = task::spawn(follow(self.pods, ours, teller, stop));
        let (begun, starts) = (Instant::now(), self.starts);
        let mut waits = None;
        loop {
            let has_started = found.borrow().is_some();
            let deadline = begun + starts;
            let change = tokio::select! {
                change = told.recv() => change,
                () = sleep_until(deadline), if !has_started => {
                    let why = waits.unwrap_or_else(|| "its Job made no pod".to_owned());
                    let lost = format!("start the producer: not within {starts:?}: {why}");
                    stands.send_replace(Standing::lost(lost));
                    return;
                }
            };
            let (pod, is_gone) = match change {
                Some(Change::Now(pod)) => (pod, false),
                Some(Change::Gone(pod)) => (pod, true),
                Some(Change::Complete) => continue,
                Some(Change::Broken(time, why)) => {
                    let lost = format!("follow the producer: not seen for {time:?}: {why}");
                    stands.send_replace(Standing::lost(lost));
                    return;
                }
                None => return,
            };
            let view = PodView::of(&pod, CONTAINER);
            if !has_started && (view.is_running || view.ended.is_some()) {
                found.send_replace(Some(view.name));
            }
            waits = view.waits_for;
            if let Some(ended) = view.ended {
                let ended = Some(ended);
                stands.send_replace(Standing { ended, lost: None });
                return;
            }
            if is_gone {
                let lost = "follow the producer: its pod was taken away before it ended";
                stands.send_replace(Standing::lost(lost.to_owned()));
                return;
            }
        }
    }
}

impl Standing {
    const fn lost(why: String) -> Self {
        Self {
            ended: None,
            lost: Some(why),
        }
    }
}

/// Reads the log of a producer's pod.
struct Heard {
    pods: Api<Pod>,
    file: PathBuf,
    says: mpsc::Sender<std::io::Result<String>>,
}

impl Heard {
    /// Splits the container's one log: events of the producer go to the channel, all other lines into the file.
    async fn hear(self, mut pod: watch::Receiver<Option<String>>, stop: CancellationToken) {
        let Ok(name) = pod.wait_for(Option::is_some).await.map(|pod| pod.clone()) else {
            return;
        };
        let followed = Followed {
            pods: self.pods,
            pod: name.unwrap_or_default(),
            container: CONTAINER.to_owned(),
        };
        let heard = async {
            let mut file = File::create(&self.file)?;
            let says = &self.says;
            let lines = followed.lines(&stop, |line| {
                if serde_json::from_str::<producer::Event>(line).is_ok() {
                    return match says.try_send(Ok(line.to_owned())) {
                        // Closed: the run is over, so nothing reads the events any more.
                        Ok(()) | Err(TrySendError::Closed(_)) => Ok(()),
                        Err(TrySendError::Full(_)) => Err(std::io::Error::other(format!(
                            "{UNREAD} events of the producer were not read"
                        ))),
                    };
                }
                writeln!(file, "{line}")
            });
            lines.await.map_err(std::io::Error::other)
        };
        if let Err(error) = heard.await {
            // The error comes after the waiting events. Closed: nothing reads them any more.
            let _ = self.says.send(Err(error)).await;
        }
    }
}

/// The events and the state of a producer.
type Hearing = (
    mpsc::Receiver<std::io::Result<String>>,
    watch::Receiver<Standing>,
);

/// Resolves, with the reason, when the producer's state can no longer be known.
async fn lost(standing: &mut watch::Receiver<Standing>) -> String {
    let lost = standing.wait_for(|standing| standing.lost.is_some()).await;
    let why = lost.ok().and_then(|standing| standing.lost.clone());
    match why {
        Some(why) => why,
        // The producer has ended: its events tell the rest.
        None => std::future::pending().await,
    }
}

#[async_trait]
impl Sender for JobSender {
    fn lines(&mut self) -> Option<Lines> {
        let lines = self.lines.take()?;
        let next = async |(mut lines, mut standing): Hearing| {
            let line = tokio::select! {
                biased;
                line = lines.recv() => line?,
                lost = lost(&mut standing) => Err(std::io::Error::other(lost)),
            };
            Some((line, (lines, standing)))
        };
        let hearing: Hearing = (lines, self.standing.clone());
        Some(futures::stream::unfold(hearing, next).boxed())
    }

    fn has_ended(&mut self) -> anyhow::Result<bool> {
        let standing = self.standing.borrow();
        if let Some(lost) = &standing.lost {
            return Err(anyhow!(lost.clone()));
        }
        Ok(standing.ended.is_some())
    }

    async fn interrupt(&mut self) -> anyhow::Result<()> {
        // A suspended Job ends its pods in order (Kubernetes, `Job.spec.suspend`), and starts none in their place.
        let suspend = Patch::Merge(json!({"spec": {"suspend": true}}));
        let params = PatchParams {
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let suspended = self.jobs.patch(&self.job, &params, &suspend).await;
        suspended.map_err(|error| Error::of("stop the producer", &error))?;
        Ok(())
    }

    async fn wait(&mut self, deadline: Duration) -> anyhow::Result<End> {
        let standing = self.standing.clone();
        let ended = until_told(standing, deadline, |standing| {
            let ended = standing.ended.as_ref().map(super::end_of).map(Ok);
            ended.or_else(|| standing.lost.clone().map(Err))
        });
        let ended = ended.await.context("wait for the producer's pod")?;
        let end = ended.map_err(|lost| anyhow!(lost))?;
        self.record(end, is_orderly(end))?;
        Ok(end)
    }

    async fn kill(&mut self, expected: bool) -> anyhow::Result<End> {
        let params = DeleteParams {
            propagation_policy: Some(PropagationPolicy::Background),
            ..at_once()
        };
        match self.jobs.delete(&self.job, &params).await {
            Ok(_) => {}
            Err(kube::Error::Api(status)) if status.code == 404 => {}
            Err(error) => return Err(Error::of("end the producer", &error).into()),
        }
        let end = self.standing.borrow().ended.as_ref().map(super::end_of);
        let end = end.unwrap_or(End::Unknown);
        self.record(end, expected)?;
        Ok(end)
    }

    fn last_lines(&self) -> String {
        let last = logs::last_lines(&self.file);
        let why = self.standing.borrow().lost.clone().unwrap_or_default();
        format!("{last}{why}")
    }
}
